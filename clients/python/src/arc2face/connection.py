"""Which server is called, how the connection is encrypted, who calls, and when a failed call is made again."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from arc2face import v1

DEFAULT_TARGET = "127.0.0.1:9090"
TIMEOUT_SECONDS = 600.0

_SERVICE = v1.DESCRIPTOR.services_by_name["PortraitService"]
_MOST_TRIES = 5  # gRPC itself makes no more
_REQUEST_BYTES = 18 << 20  # the server takes 17 MiB
_PING_MILLIS = 60_000
_PONG_MILLIS = 20_000


@dataclass(frozen=True)
class Tls:
    """An encrypted connection, by PEM files.

    ca: roots of the server's certificate; None for those that gRPC brings along.
    certificate, key: the client's own, where the server asks for one.
    """

    ca: str | os.PathLike[str] | None = None
    certificate: str | os.PathLike[str] | None = None
    key: str | os.PathLike[str] | None = None

    def credentials(self) -> grpc.ChannelCredentials:
        """Reads the files."""
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return grpc.ssl_channel_credentials(
            *(_content(path) for path in (self.ca, self.key, self.certificate))
        )


@dataclass(frozen=True)
class Retries:
    """How often in a row something is tried again when the server is away or a connection breaks.

    Each pause, in seconds, is twice the one before it, or, for generations, what the server says. A generation that
    breaks goes on after the last event that came, and every event that comes begins the count anew. SHUTTING_DOWN, with
    which a server sends its clients to another one, does not count for a generation, unless attempts is 0; that nobody
    answers does. What the server refuses for another reason is not tried again.
    """

    attempts: int = 4
    first_pause: float = 0.25
    longest_pause: float = 10.0

    def __post_init__(self) -> None:
        if self.attempts < 0 or not 0 < self.first_pause <= self.longest_pause:
            raise ValueError(f"{self}: attempts is 0 or more, and 0 < first_pause <= longest_pause")


RETRIES = Retries()


@dataclass(frozen=True)
class Connection:
    """How a client calls."""

    target: str
    tls: Tls | None = None
    api_key: str | None = field(default=None, repr=False)
    token: str | Callable[[], str] | None = field(default=None, repr=False)
    timeout: float = TIMEOUT_SECONDS
    retries: Retries = RETRIES
    options: Sequence[tuple[str, Any]] = ()

    @staticmethod
    def of(
        target: str | None,
        tls: Tls | bool | None,
        api_key: str | None,
        token: str | Callable[[], str] | None,
        timeout: float,
        retries: Retries,
        options: Sequence[tuple[str, Any]],
        environment: Mapping[str, str] = os.environ,
    ) -> "Connection":
        """What is None is taken from the environment, by the names of the command-line client."""
        if api_key is not None and token is not None:
            raise ValueError("a call has one kind of credentials: api_key or token")
        if api_key is None and token is None:
            api_key, token = environment.get("ARC2FACE_API_KEY"), environment.get("ARC2FACE_TOKEN")
        ca = environment.get("ARC2FACE_TLS_CA")
        if tls is None and ca is not None:
            tls = Tls(ca)
        elif isinstance(tls, bool):
            tls = Tls(ca) if tls else None
        target = target or environment.get("ARC2FACE_TARGET") or DEFAULT_TARGET
        return Connection(target, tls, api_key, token, timeout, retries, options)

    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What shows the server who calls; a token is asked for before each call."""
        shown = []
        if self.api_key is not None:
            shown.append(("x-api-key", self.api_key))
        token = self.token() if callable(self.token) else self.token
        if token is not None:
            shown.append(("authorization", f"Bearer {token}"))
        return tuple(shown)

    def channel_options(self) -> list[tuple[str, Any]]:
        """Options of a gRPC channel, each of them once; the caller's own win."""
        pause, longest = (
            round(1000 * seconds) for seconds in (self.retries.first_pause, self.retries.longest_pause)
        )
        ours = {
            "grpc.service_config": json.dumps(self._service_config()),
            "grpc.per_rpc_retry_buffer_size": _REQUEST_BYTES,  # a larger request would not be made again
            # A server that comes back is seen at the next try, and not when gRPC would look again.
            "grpc.initial_reconnect_backoff_ms": pause,
            "grpc.max_reconnect_backoff_ms": longest,
            # A connection can die without a word, and a generation that waits its turn has none to say for minutes.
            "grpc.keepalive_time_ms": _PING_MILLIS,
            "grpc.keepalive_timeout_ms": _PONG_MILLIS,
            "grpc.http2.ping_timeout_ms": _PONG_MILLIS,  # a minute otherwise, whatever the line above says
            "grpc.http2.max_pings_without_data": 0,  # any number
        }
        return list({**ours, **dict(self.options)}.items())

    def _service_config(self) -> dict[str, Any]:
        """Unary calls are made again by gRPC; a generation goes on, see course.py."""
        tries = min(self.retries.attempts + 1, _MOST_TRIES)
        if tries < 2:
            return {}
        unary = [method.name for method in _SERVICE.methods if not method.server_streaming]
        policy = {
            "maxAttempts": tries,
            "initialBackoff": f"{self.retries.first_pause}s",
            "maxBackoff": f"{self.retries.longest_pause}s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        names = [{"service": _SERVICE.full_name, "method": name} for name in unary]
        return {"methodConfig": [{"name": names, "retryPolicy": policy}]}


def _content(path: str | os.PathLike[str] | None) -> bytes | None:
    return None if path is None else Path(path).read_bytes()
