"""A TCP connection's way through this process, which can be cut."""

import select
import socket
import struct
import threading


class Relay:
    """A context manager: inside it what connects to `target` is connected with the other target, until the cut."""

    def __init__(self, onward: str) -> None:
        host, port = onward.rsplit(":", 1)
        self.onward = (host, int(port))
        self.left: list[socket.socket] = []

    def __enter__(self) -> "Relay":
        self.server = socket.create_server(("127.0.0.1", 0))
        self.target = f"127.0.0.1:{self.server.getsockname()[1]}"
        self.cuts, self.is_cut = socket.socketpair()
        self.thread = threading.Thread(target=self._pass_on, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Resets all connections, at both ends, and takes no further ones."""
        self.fall_silent()
        while self.left:
            reset(self.left.pop())

    def fall_silent(self) -> None:
        """Passes nothing on any more and takes no further connections; nobody is told."""
        self.cuts.close()
        self.thread.join()

    def _pass_on(self) -> None:
        """One thread does it all: a socket that another one reads from could not be reset."""
        peers: dict[socket.socket, socket.socket] = {}
        with self.server, self.is_cut:
            while True:
                ready, _, _ = select.select([self.is_cut, self.server, *peers], [], [])
                if self.is_cut in ready:
                    break
                for end in ready:
                    if end is self.server:
                        _connect(end, self.onward, peers)
                    elif end in peers and not _move(end, peers[end]):
                        peer = peers.pop(end)
                        del peers[peer]
                        reset(end)
                        reset(peer)
        self.left = [*peers]


def reset(end: socket.socket) -> None:
    """Closes it at once, without the usual farewell."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def _connect(
    server: socket.socket, onward: tuple[str, int], peers: dict[socket.socket, socket.socket]
) -> None:
    near, _ = server.accept()
    try:
        far = socket.create_connection(onward)
    except OSError:
        reset(near)
        return
    peers[near], peers[far] = far, near


def _move(end: socket.socket, peer: socket.socket) -> bool:
    """Whether there was something, and somebody to take it."""
    try:
        data = end.recv(1 << 16)
        peer.sendall(data)
    except OSError:
        return False
    return bool(data)
