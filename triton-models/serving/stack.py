"""Starts Triton and the gateway, runs a command that uses them (or waits for ctrl-C), and stops everything.

The command's exit code is ours. In the command, {target} stands for the gateway's address, host:port, and {triton} for
Triton's. `--prometheus` starts Prometheus, too. Where OTEL_EXPORTER_OTLP_ENDPOINT says where a collector of spans is,
gateway and Triton send it theirs.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from serving.child import Child
from serving.gateway import Gateway
from serving.monitoring import Prometheus, program, traced
from serving.supervision import StartError, first_to_end, stoppable
from serving.triton import Options, Triton


def main() -> int:
    arguments = parse()
    try:
        with stoppable(), ExitStack() as stack:
            return run(arguments, stack)
    except KeyboardInterrupt:
        return 0 if not arguments.command else 130
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m serving.stack", description=__doc__)
    parser.add_argument("--jar", type=Path, required=True, help="the gateway's quarkus-run.jar")
    parser.add_argument(
        "--repository", default="mini", help="a model repository: path or name (default: mini)"
    )
    parser.add_argument(
        "--grpc-port", type=int, default=0, help="the gateway's; 0 (the default) picks a free one"
    )
    parser.add_argument("--http-port", type=int, default=0, help="the gateway's, for REST and the page")
    parser.add_argument(
        "--management-port", type=int, default=0, help="the gateway's, for health and metrics"
    )
    parser.add_argument("--prometheus", action="store_true", help="start Prometheus, too, with the alerts")
    parser.add_argument("--logs", type=Path, help="a folder for the logs (default: temporary)")
    parser.add_argument("--threads", type=int, default=0, help="threads per model (default: all cores)")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="-- and the command to run")
    arguments = parser.parse_args()
    if arguments.command[:1] == ["--"]:
        del arguments.command[0]
    return arguments


def run(arguments: argparse.Namespace, stack: ExitStack) -> int:
    logs = arguments.logs or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="arc2face-")))
    logs.mkdir(parents=True, exist_ok=True)

    if arguments.prometheus:
        program()  # which is missed before anything starts
    collector = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")  # which the gateway heeds by itself
    start = time.monotonic()
    options = Options(
        repository=arguments.repository,
        run=logs / "triton",
        threads=arguments.threads,
        more=traced(collector) if collector else (),
    )
    triton = stack.enter_context(Triton(options))
    listening = triton.listening
    triton_address = f"{listening.host}:{listening.grpc}"
    say(f"Triton is ready after {time.monotonic() - start:.1f} s: {', '.join(listening.models)}")

    start = time.monotonic()
    gateway = stack.enter_context(
        Gateway(
            arguments.jar,
            triton_address,
            logs / "gateway.log",
            arguments.grpc_port,
            arguments.http_port,
            arguments.management_port,
        )
    )
    target = f"{gateway.host}:{gateway.grpc_port}"
    say(f"The gateway is ready after {time.monotonic() - start:.1f} s: gRPC {target}")

    http = f"{gateway.host}:{gateway.http_port}"
    management = f"{gateway.host}:{gateway.management_port}"
    shown = []
    if arguments.prometheus:
        pages = {
            "gateway": f"{management}/q/metrics",
            "triton": f"{listening.host}:{listening.metrics}/metrics",
        }
        prometheus = stack.enter_context(Prometheus(logs / "prometheus", pages))
        shown.append(f"Metrics and alerts: http://{prometheus.host}:{prometheus.port}")

    servers = [triton.child, gateway.child]
    if not arguments.command:
        said = [how_to_call(target, http, management), *shown, "Ctrl-C stops everything."]
        print("\n".join(said), flush=True)
        ended = first_to_end(servers)
    else:
        command = Child(
            [
                part.replace("{target}", target).replace("{triton}", triton_address)
                for part in arguments.command
            ]
        )
        stack.callback(command.stop)
        ended = first_to_end([command, *servers])
        if ended is command:
            return command.exit_code()
    print(ended.obituary(), file=sys.stderr)
    return 1


def how_to_call(target: str, http: str, management: str) -> str:
    return f"""
Four portraits of the person in the sample photo, as a stream of JSON events (base64 pictures inside):

  (printf '{{"identity":{{"photo":"'; base64 -w0 samples/collins.png; printf '"}},"num_images":4}}') \\
    | grpcurl -plaintext -d @ {target} arc2face.v1.PortraitService/Generate

The same over HTTP (docs/rest.md has more):

  curl -s http://{http}/v1/generations \\
    -F 'request={{"requestId": "mine", "numImages": 4}}' -F identity.photo=@samples/collins.png
  curl -s -N http://{http}/v1/generations/mine/events

The page: http://{http}/. Health: http://{management}/q/health, metrics: http://{management}/q/metrics."""


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
