"""Kills, freezes and restarts replicas of Triton at random instants while generations run, and looks who notices.

For each number of replicas and each fault, the same generations run once undisturbed and then again and again, a fault
in each round. Nothing may fail, and every picture must have the bytes of the undisturbed run. In the end all replicas
die: calls must end with UNAVAILABLE before their deadline, and the gateway must serve again, without a restart, once
one of them is back.
"""

import argparse
import json
import random
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from evaluation.api import ROOT
from loadtest.bench import servers
from loadtest.faults import loss, rounds
from loadtest.faults.callers import Callers
from loadtest.faults.replica import Replica


def main() -> int:
    arguments = parse()
    randomness = random.Random(arguments.seed)
    disturbed: list[rounds.Round] = []
    losses: list[loss.Loss] = []
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
                for fault in arguments.faults:
                    for _ in range(arguments.rounds):
                        disturbed.append(rounds.disturb(run, calm, replicas, fault, randomness))
                        print(disturbed[-1], flush=True)
                losses.append(loss.lose_all(run, calm, replicas))
                print(losses[-1], flush=True)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    result = {"rounds": [asdict(r) for r in disturbed], "losses": [asdict(one) for one in losses]}
    arguments.json.write_text(json.dumps(result, indent=1))
    print(summary(disturbed, losses))
    return 0 if all(r.unnoticed for r in disturbed) and all(one.survived for one in losses) else 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.faults", description=__doc__)
    parser.add_argument("--replicas", type=int, nargs="+", default=[2, 3], help="default: 2 3")
    parser.add_argument(
        "--faults", nargs="+", choices=rounds.FAULTS, default=list(rounds.FAULTS), help="default: all"
    )
    parser.add_argument("--rounds", type=int, default=20, help="of each fault (default: 20)")
    parser.add_argument("--callers", type=int, default=32, help="generations in flight (default: 32)")
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    parser.add_argument(
        "--json", type=Path, default=ROOT / "out/faults.json", help="default: out/faults.json"
    )
    return parser.parse_args()


def summary(disturbed: Sequence[rounds.Round], losses: Sequence[loss.Loss]) -> str:
    """As a Markdown table, a line for each number of replicas and fault."""
    lines = [
        "| replicas | fault | rounds | generations | in flight when it struck | failed | other bytes | affected "
        "| added to their step, median | at most |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for replicas, fault in dict.fromkeys((r.replicas, r.fault) for r in disturbed):
        those = [r for r in disturbed if (r.replicas, r.fault) == (replicas, fault)]
        added = sorted(seconds for r in those for seconds in r.added)
        middle, most = (f"{added[len(added) // 2]:.2f} s", f"{added[-1]:.2f} s") if added else ("-", "-")
        lines.append(
            f"| {replicas} | {fault} | {len(those)} | {sum(r.generations for r in those)} "
            f"| {sum(r.in_flight for r in those)} | {sum(r.failed for r in those)} "
            f"| {sum(r.different for r in those)} | {len(added)} | {middle} | {most} |"
        )
    for one in losses:
        ending = (
            f"served again {one.recovery_seconds:.1f} s after the first was back" if one.recovered else "lost"
        )
        lines.append(
            f"\nAll {one.replicas} gone: {', '.join(one.outcomes)}, told after at most {one.told_seconds:.1f} s, "
            f"{one.refused_seconds:.2f} s while they were away; {ending}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
