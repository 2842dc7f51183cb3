"""A line between the browser and the gateway, that can break."""

import contextlib
import socket
import threading


class Line:
    """A context manager: forwards what comes to `address`; `cut` breaks every connection there is."""

    def __init__(self, host: str, port: int) -> None:
        self.far_end = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.open: set[socket.socket] = set()
        self.lock = threading.Lock()
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"

    def __enter__(self) -> "Line":
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.far_end)
                with self.lock:
                    self.open |= {near, far}
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # cut
            while data := source.recv(1 << 16):
                sink.sendall(data)
        self.close(source, sink)

    def cut(self) -> None:
        with self.lock:
            broken = tuple(self.open)
        self.close(*broken)

    def close(self, *ends: socket.socket) -> None:
        with self.lock:
            self.open.difference_update(ends)
        for end in ends:
            with contextlib.suppress(OSError):  # the other side was first
                end.shutdown(socket.SHUT_RDWR)
            end.close()
