"""Kills or freezes a replica of Triton at random instants while generations run, and looks whether anybody notices.

For each number of replicas and each fault, the same generations run once undisturbed and then again and again, a fault
in each round. Nothing may fail, and every picture must have the bytes of the undisturbed run. In the end all replicas
die: calls must end with UNAVAILABLE, and the gateway must serve again, without a restart, once they are back.
"""

import argparse
import json
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc

from evaluation.api import ROOT, Gateway, message
from loadtest.bench import servers, steps
from loadtest.faults.replica import Replica

STEPS = 25
RECOVERY_SECONDS = 10


@dataclass(frozen=True)
class Outcome:
    """What a caller got: its picture and when its steps came, or the code that it failed with."""

    picture: bytes
    arrivals: Sequence[float]
    failure: str = ""

    @property
    def longest_gap(self) -> float:
        return max(after - before for before, after in zip(self.arrivals, self.arrivals[1:], strict=False))


@dataclass(frozen=True)
class Round:
    """A fault and what came of it; seconds."""

    replicas: int
    fault: str
    at: float
    generations: int
    failed: int
    different: int
    affected: int  # callers with a gap that none had in the undisturbed run
    added_median: float  # to the step of an affected caller
    added_worst: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtest.faults", description=__doc__)
    parser.add_argument("--replicas", type=int, nargs="+", default=[2, 3], help="default: 2 3")
    parser.add_argument("--rounds", type=int, default=20, help="of each fault (default: 20)")
    parser.add_argument("--callers", type=int, default=32, help="generations in flight (default: 32)")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    parser.add_argument(
        "--json", type=Path, default=ROOT / "out/faults.json", help="default: out/faults.json"
    )
    arguments = parser.parse_args()
    randomness = random.Random(arguments.seed)
    rounds: list[Round] = []
    recoveries = []
    with servers.folder() as work:
        for count in arguments.replicas:
            with ExitStack() as stack:
                replicas = [stack.enter_context(Replica(work / f"{count}-{i}")) for i in range(count)]
                gateway = stack.enter_context(
                    servers.gateway(
                        [replica.target for replica in replicas],
                        work,
                        f"-Darc2face.limits.max-running={arguments.callers}",
                    )
                )
                run = Callers(gateway.target, arguments.callers)
                run()  # so that nothing is done for the first time
                calm = run()
                for fault in FAULTS:
                    for _ in range(arguments.rounds):
                        rounds.append(disturb(run, calm, replicas, fault, randomness))
                        print(rounds[-1], flush=True)
                recoveries.append(lose_all(run, replicas))
                print(f"{count} replicas gone: {recoveries[-1]}", flush=True)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    result = {"rounds": [asdict(r) for r in rounds], "recoveries": recoveries}
    arguments.json.write_text(json.dumps(result, indent=1))
    failed = sum(r.failed + r.different for r in rounds)
    for fault in FAULTS:
        of_fault = [r for r in rounds if r.fault == fault and r.affected]
        if of_fault:
            added = statistics.median(r.added_median for r in of_fault)
            worst = max(r.added_worst for r in of_fault)
            print(f"{fault}: added to an affected step: median {added:.2f} s, at most {worst:.2f} s")
    print(f"{sum(r.generations for r in rounds)} generations, {failed} failed or different")
    return 1 if failed or any(not r["recovered"] for r in recoveries) else 0


class Callers:
    """The same generations each time, all at once."""

    def __init__(self, target: str, count: int) -> None:
        self.target, self.count = target, count

    def __call__(self, meanwhile: Callable[[], None] = lambda: None) -> list[Outcome]:
        with Gateway(self.target) as gateway, ThreadPoolExecutor(self.count) as pool:
            info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
            requests = [steps.request(info, number, STEPS) for number in range(self.count)]
            side = threading.Thread(target=meanwhile)
            side.start()
            outcomes = list(pool.map(lambda request: outcome(gateway, request), requests))
            side.join()
        return outcomes


def outcome(gateway: Gateway, request: object) -> Outcome:
    picture, arrivals = b"", []
    try:
        for event in gateway.generate(request):
            if event.HasField("step_progress"):
                arrivals.append(time.monotonic())
            elif event.HasField("image"):
                picture = event.image.data
    except grpc.RpcError as error:
        return Outcome(picture, arrivals, error.code().name)
    return Outcome(picture, arrivals)


def kill(replica: Replica) -> None:
    replica.signal(signal.SIGKILL)


def freeze(replica: Replica) -> None:
    replica.signal(signal.SIGSTOP)


FAULTS: dict[str, Callable[[Replica], None]] = {"kill": kill, "freeze": freeze}


def disturb(
    run: Callers, calm: Sequence[Outcome], replicas: Sequence[Replica], fault: str, randomness: random.Random
) -> Round:
    """One round: the fault strikes one replica at an instant of the run, which is made good afterwards."""
    duration = max(o.arrivals[-1] for o in calm) - min(o.arrivals[0] for o in calm)
    at, victim = randomness.uniform(0, duration), randomness.choice(replicas)

    def strike() -> None:
        time.sleep(at)
        FAULTS[fault](victim)

    outcomes = run(strike)
    victim.restart()
    usual = max(o.longest_gap for o in calm)
    added = [o.longest_gap - usual for o in outcomes if not o.failure and o.longest_gap > usual]
    return Round(
        len(replicas),
        fault,
        at,
        len(outcomes),
        sum(bool(o.failure) for o in outcomes),
        sum(not o.failure and o.picture != c.picture for o, c in zip(outcomes, calm, strict=True)),
        len(added),
        statistics.median(added) if added else 0,
        max(added, default=0),
    )


def lose_all(run: Callers, replicas: Sequence[Replica]) -> dict[str, object]:
    """All die in the middle of a run, and come back after it."""

    def strike() -> None:
        time.sleep(0.5)
        for replica in replicas:
            kill(replica)

    outcomes = run(strike)
    for replica in replicas:
        replica.restart()
    back = time.monotonic()
    recovered = False
    while not recovered and time.monotonic() < back + RECOVERY_SECONDS:
        with Gateway(run.target) as gateway:
            try:
                gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
                recovered = True
            except grpc.RpcError:
                time.sleep(0.1)
    seconds = time.monotonic() - back
    return {
        "codes": sorted({o.failure for o in outcomes}),
        "recovered": recovered,
        "seconds": seconds,
    }


if __name__ == "__main__":
    sys.exit(main())
