"""Starts Triton with a model repository, says where it listens, and stops it at SIGTERM or ctrl-C."""

import argparse
import os
import signal
import sys
from pathlib import Path

from serving.triton import Listening, Options, StartError, Triton

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def main() -> int:
    arguments = parse()
    options = Options(
        repository=arguments.repository,
        run=arguments.run_dir,
        host=arguments.host,
        grpc_port=arguments.grpc_port,
        http_port=arguments.http_port,
        metrics_port=arguments.metrics_port,
        threads=arguments.threads,
        timeout=arguments.timeout,
    )
    parent = os.getppid()
    for number in STOP_SIGNALS:
        signal.signal(number, stop_starting)
    try:
        with Triton(options) as triton:
            # From here on signals are waited for, so that none can fall between two lines.
            signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS | {signal.SIGCHLD})
            announce(triton.listening, arguments)
            try:
                return wait(triton, parent if arguments.die_with_parent else None)
            finally:
                if arguments.ready_file is not None:
                    arguments.ready_file.unlink(missing_ok=True)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving", description=__doc__)
    parser.add_argument(
        "--repository", default="mini", help="a model repository: path or name (default: mini)"
    )
    parser.add_argument("--run-dir", type=Path, help="the folder of this run (default: temporary)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: 127.0.0.1)")
    for name in ("grpc", "http", "metrics"):
        parser.add_argument(f"--{name}-port", type=int, default=0, help="0 (the default) picks a free one")
    parser.add_argument("--threads", type=int, default=0, help="threads per model (default: all cores)")
    parser.add_argument("--timeout", type=float, default=120, help="seconds until all models must be ready")
    parser.add_argument("--ready-file", type=Path, help="a JSON file, written when all models are ready")
    parser.add_argument("--json", action="store_true", help="print that JSON instead of the line for people")
    parser.add_argument("--die-with-parent", action="store_true", help="stop when the caller is gone")
    return parser.parse_args()


def announce(listening: Listening, arguments: argparse.Namespace) -> None:
    if arguments.ready_file is not None:
        arguments.ready_file.parent.mkdir(parents=True, exist_ok=True)
        draft = arguments.ready_file.with_name(f"{arguments.ready_file.name}.{os.getpid()}")
        draft.write_text(listening.as_json() + "\n")
        draft.replace(arguments.ready_file)
    if arguments.json:
        print(listening.as_json(), flush=True)
    else:
        host = listening.host
        print(
            f"Triton serves {', '.join(listening.models)}: gRPC {host}:{listening.grpc}, "
            f"HTTP {host}:{listening.http}, metrics {host}:{listening.metrics}, log {listening.log}",
            flush=True,
        )


def wait(triton: Triton, parent: int | None) -> int:
    """Returns at a signal (0), at the parent's death (0) or at Triton's end (1)."""
    while True:
        received = signal.sigtimedwait(STOP_SIGNALS | {signal.SIGCHLD}, 0.5)
        if received is not None and received.si_signo in STOP_SIGNALS:
            return 0
        if triton.exit_code() is not None:
            print(triton.obituary(), file=sys.stderr)
            return 1
        if parent is not None and os.getppid() != parent:
            return 0


def stop_starting(number: int, _: object) -> None:
    for stop in STOP_SIGNALS:
        signal.signal(stop, signal.SIG_IGN)  # the first one is enough
    raise StartError(f"stopped by {signal.Signals(number).name} before Triton was ready")


if __name__ == "__main__":
    sys.exit(main())
