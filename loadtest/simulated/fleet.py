"""Many GPUs behind many gateways, simulated: no server, no model, a clock that jumps from event to event.

Callers of guided portraits of 10, 25 or 50 steps, in a closed loop, belong to a gateway each. A gateway sends every
step to the replica with the fewest of its own rows in flight, the first of several in its own order, as the real one
does; it knows nothing of the others' rows. A replica that is free takes what waits, 16 rows at most, for as long as the
published figures say (curve.py); what a portrait needs beside its steps is taken to run elsewhere. What comes out is
steps a second, against full batches all the time. docs/scaling.md has the table.
"""

import argparse
import heapq
import itertools
import random
from collections import deque
from dataclasses import dataclass, field

from loadtest.simulated import curve

ROWS_OF_A_STEP, FULL = 2, 16
GATEWAY_SECONDS = 0.0005  # between an answer and the next call: report.md's "added ms" with few callers
STEPS = (10, 25, 50)
REST_SECONDS = 0.05  # between a portrait's last step and its caller's next portrait
WARM_UP_SECONDS = 2.0


@dataclass
class Replica:
    """What waits for it, and what it computes."""

    waiting: deque[int] = field(default_factory=deque)  # callers
    batch: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    steps_per_second: float
    rows_in_full_batches: float  # share


def simulate(
    gpus: int, gateways: int, callers: int, gpu: str = "a100", seconds: float = 5, seed: int = 0
) -> Outcome:
    """`callers` in all."""
    unet, chance = curve.unet(gpu), random.Random(seed)
    replicas = [Replica() for _ in range(gpus)]
    orders = [chance.sample(range(gpus), gpus) for _ in range(gateways)]  # as names are resolved
    in_flight = [[0] * gpus for _ in range(gateways)]
    left = [chance.choice(STEPS) for _ in range(callers)]  # of each caller's portrait
    numbers = itertools.count()  # what happens at one time happens in the order in which it was planned
    # Callers do not come all at once.
    events = [(chance.random(), next(numbers), caller, -1) for caller in range(callers)]
    heapq.heapify(events)
    steps = rows = full_rows = 0

    def begin(number: int, now: float) -> None:
        replica = replicas[number]
        if replica.waiting and not replica.batch:
            while replica.waiting and len(replica.batch) < FULL // ROWS_OF_A_STEP:
                replica.batch.append(replica.waiting.popleft())
            end = now + unet.seconds(ROWS_OF_A_STEP * len(replica.batch))
            heapq.heappush(events, (end, next(numbers), -1, number))

    while events[0][0] < WARM_UP_SECONDS + seconds:
        now, _, caller, number = heapq.heappop(events)
        if caller >= 0:  # the caller's next step
            flights = in_flight[caller % gateways]
            number = min(orders[caller % gateways], key=flights.__getitem__)
            flights[number] += ROWS_OF_A_STEP
            replicas[number].waiting.append(caller)
        else:  # the replica's batch is done
            answered, replicas[number].batch = replicas[number].batch, []
            if now >= WARM_UP_SECONDS:
                steps += len(answered)
                rows += ROWS_OF_A_STEP * len(answered)
                full_rows += FULL if ROWS_OF_A_STEP * len(answered) == FULL else 0
            for each in answered:
                in_flight[each % gateways][number] -= ROWS_OF_A_STEP
                left[each] -= 1
                pause = GATEWAY_SECONDS if left[each] else REST_SECONDS
                left[each] = left[each] or chance.choice(STEPS)
                heapq.heappush(events, (now + pause, next(numbers), each, -1))
        begin(number, now)
    return Outcome(steps / seconds, full_rows / rows)


def most(gpu: str) -> float:
    """Steps a second of one GPU whose batches are all full."""
    return FULL / ROWS_OF_A_STEP / curve.unet(gpu).seconds(FULL)


def table(gpu: str, seconds: float) -> str:
    """Markdown: a line for each number of GPUs and callers of one GPU, a column for each number of gateways."""
    gateways = (1, 2, 8)
    lines = [
        f"| GPUs | callers of each GPU | {' | '.join(f'gateways: {count}' for count in gateways)} |",
        "|---" * (2 + len(gateways)) + "|",
    ]
    for gpus, callers in itertools.product((1, 2, 8, 32), (4, 8, 16)):
        outcomes = [simulate(gpus, count, callers * gpus, gpu, seconds) for count in gateways]
        shares = [f"{outcome.steps_per_second / gpus / most(gpu):.0%}" for outcome in outcomes]
        lines.append(f"| {gpus} | {callers} | {' | '.join(shares)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m loadtest.simulated.fleet", description=__doc__)
    parser.add_argument("--gpu", choices=curve.SPEED, default="a100")
    parser.add_argument("--seconds", type=float, default=20)
    arguments = parser.parse_args()
    print(
        f"{arguments.gpu}: {most(arguments.gpu):.1f} guided steps a second of a GPU whose batches are full\n"
    )
    print(table(arguments.gpu, arguments.seconds))
