"""Ports to listen on."""

import contextlib
import socket
from collections.abc import Sequence

from serving.supervision import StartError


def is_open(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0


def choose(host: str, wanted: Sequence[int]) -> list[int]:
    """As many ports as wanted, all of them free just now; 0 stands for any. StartError if one is taken."""
    with contextlib.ExitStack() as held:  # until all are chosen, so that they differ
        ports = []
        for port in wanted:
            probe = held.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                raise StartError(f"port {port} of {host}: {error.strerror}") from error
            ports.append(probe.getsockname()[1])
        return ports
