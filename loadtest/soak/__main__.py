"""Half an hour of mixed load, with callers who break off and model servers that die, freeze and restart; then the bill.

The load pauses ten times. In the pauses everything must be as it was: threads, descriptors, connections, heap, direct
memory. What the model servers say that they have executed must add up with what the gateway says that it has asked for.
No call may end otherwise than its own behaviour explains.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from evaluation.api import ROOT
from loadtest.bench import servers
from loadtest.faults.replica import Replica
from loadtest.soak import calls, faults, plan, resources, rows
from loadtest.soak.report import Soak
from serving import local_http
from serving.gateway import Gateway

LOG = "gateway.log"
REPLICAS = 3  # of which the first is left in peace
PAUSES = 10
WARM_UP_SECONDS = 20
SAMPLE_SECONDS = 2
# A gateway holds something of calls that have ended.
FORGETTING_SECONDS = max(calls.HOLD_SECONDS, calls.STALL_SECONDS) + 2
QUIET_SECONDS = 75  # after which idle threads have ended, too

GATEWAY_OPTIONS = (
    # All of the heap from the beginning: what the process holds besides shows.
    *("-Xms512m", "-Xmx512m", "-XX:+AlwaysPreTouch", "-XX:NativeMemoryTracking=summary"),
    # By default the serial collector leaves up to a twentieth of the heap uncompacted in three collections of four, and
    # counts the gaps as used.
    "-XX:MarkSweepAlwaysCompactCount=1",
    "-Darc2face.limits.max-running=6",
    "-Darc2face.limits.max-queued=6",
    f"-Darc2face.limits.client-stall=PT{calls.STALL_SECONDS}S",
    f"-Darc2face.resume.hold-time=PT{calls.HOLD_SECONDS}S",
)


def main() -> int:
    arguments = parse()
    with servers.folder() as work:
        soak = run(arguments, work)
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(work / LOG, arguments.json.with_suffix(".log"))
    arguments.json.write_text(json.dumps(soak.as_json(), indent=1))
    print(soak.as_markdown())
    return 1 if soak.failures else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="of load, in all (default: 30)")
    parser.add_argument("--callers", type=int, default=16, help="at once (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="of what the callers do and what goes wrong")
    parser.add_argument("--json", type=Path, default=ROOT / "out/soak.json", help="default: out/soak.json")
    return parser.parse_args()


def run(arguments: argparse.Namespace, work: Path) -> Soak:
    soak = Soak(arguments.minutes, arguments.seed, arguments.callers)
    log = work / LOG
    with ExitStack() as stack:
        replicas = [stack.enter_context(Replica(work / f"triton-{i}")) for i in range(REPLICAS)]
        targets = [replica.target for replica in replicas]
        gateway = stack.enter_context(
            Gateway(servers.JAR, ",".join(targets), log, java_options=GATEWAY_OPTIONS)
        )
        process = servers.Process(gateway.child.process.pid)
        subject = calls.Subject.of(f"{gateway.host}:{gateway.grpc_port}")
        batches = {model.name: model.max_batch_size for model in subject.info.models}
        ledger = rows.Ledger(lambda: metrics(gateway), targets, batches)
        callers = [plan.calls(arguments.seed, number) for number in range(arguments.callers)]
        troubles = plan.faults(arguments.seed, REPLICAS - 1)

        def pause(name: str) -> None:
            ledger.quiet()
            time.sleep(FORGETTING_SECONDS)
            soak.pauses[name] = resources.figures(process)
            print(
                f"{name}: {len(soak.records)} calls, {len(soak.faults)} faults", file=sys.stderr, flush=True
            )

        load(subject, callers, WARM_UP_SECONDS, soak.records)
        pause("0 %")
        with resources.sampling(process.pid, SAMPLE_SECONDS) as soak.samples:
            for number in range(1, PAUSES + 1):
                with faults.befalling(replicas[1:], ledger, troubles, soak.faults):
                    load(subject, callers, 60 * arguments.minutes / PAUSES, soak.records)
                pause(f"{100 * number // PAUSES} %")
            time.sleep(QUIET_SECONDS)
        soak.pauses["quiet"] = resources.figures(process)
        soak.spans = ledger.spans
        soak.delivered_rows = sum(
            models.get("unet", rows.NOTHING_ASKED).delivered_rows
            for models in rows.read_asked(metrics(gateway)).values()
        )
    soak.errors = [line for line in log.read_text(errors="replace").splitlines() if " ERROR " in line]
    return soak


def load(
    subject: calls.Subject,
    callers: Sequence[Iterator[plan.Call]],
    seconds: float,
    records: list[calls.Record],
) -> None:
    """Every caller makes one call after the other, and ends the last one that it has begun."""
    end = time.monotonic() + seconds

    def work(caller: Iterator[plan.Call]) -> list[calls.Record]:
        made = []
        while time.monotonic() < end:
            made.append(calls.make(subject, next(caller)))
        return made

    with ThreadPoolExecutor(len(callers)) as pool:
        for made in pool.map(work, callers):
            records.extend(made)


def metrics(gateway: Gateway) -> str:
    page = local_http.get(gateway.host, gateway.management_port, "/q/metrics")
    if page is None:
        raise RuntimeError("the gateway tells no metrics")
    return page.decode()


if __name__ == "__main__":
    sys.exit(main())
