"""Starts Triton with a model repository, says where it listens, and stops it at SIGTERM or ctrl-C."""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.supervision import StartError, first_to_end, stoppable
from serving.triton import Listening, Options, Triton


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
        more=tuple(arguments.option),
    )
    parent = os.getppid() if arguments.die_with_parent else None
    try:
        with stoppable(), Triton(options) as triton, announced(triton.listening, arguments):
            if first_to_end([triton.child], parent) is not None:
                print(triton.child.obituary(), file=sys.stderr)
                return 1
    except KeyboardInterrupt:
        pass  # a signal is how it is stopped
    except StartError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


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
    parser.add_argument(
        "--timeout", type=float, default=Options.timeout, help="seconds until all models must be ready"
    )
    parser.add_argument(
        "--option", action="append", default=[], help="an option of tritonserver itself; any number of them"
    )
    parser.add_argument("--ready-file", type=Path, help="a JSON file, written when all models are ready")
    parser.add_argument("--json", action="store_true", help="print that JSON instead of the line for people")
    parser.add_argument("--die-with-parent", action="store_true", help="stop when the caller is gone")
    return parser.parse_args()


@contextmanager
def announced(listening: Listening, arguments: argparse.Namespace) -> Iterator[None]:
    """Says where Triton listens; inside, the ready file exists."""
    host, file = listening.host, arguments.ready_file
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        draft.write_text(listening.as_json() + "\n")
        draft.replace(file)
    try:
        print(
            listening.as_json()
            if arguments.json
            else f"Triton serves {', '.join(listening.models)}: gRPC {host}:{listening.grpc}, "
            f"HTTP {host}:{listening.http}, metrics {host}:{listening.metrics}, log {listening.log}",
            flush=True,
        )
        yield
    finally:
        if file is not None:
            file.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
