"""Takes what exporters send by OTLP over HTTP, and keeps it as it came."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE_SECONDS = 30


class Receiver:
    """A context manager: inside it spans can be sent to `endpoint`; `received` has every message."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.changed = threading.Condition()
        keep = self.keep

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                keep(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Type", self.headers["Content-Type"])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> "Receiver":
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def keep(self, message: bytes) -> None:
        with self.changed:
            self.received.append(message)
            self.changed.notify_all()

    def of(self, service: str) -> bytes:
        """All messages of the service of this name; they are protobuf or JSON, as the sender likes."""
        protobuf = b"service.name\x12" + bytes([len(service) + 2, 0x0A, len(service)]) + service.encode()
        json = f'"stringValue":"{service}"'.encode()
        return b"".join(message for message in self.received if protobuf in message or json in message)

    def has(self, service: str, trace: str) -> bool:
        """Whether a span of this service and this trace, in hex, has come."""
        messages = self.of(service)
        return bytes.fromhex(trace) in messages or trace.encode() in messages

    def comes(self, service: str, trace: str) -> bool:
        """Waits for one; not for ever, since an exporter that could not send its spans drops them."""
        with self.changed:
            return self.changed.wait_for(lambda: self.has(service, trace), PATIENCE_SECONDS)
