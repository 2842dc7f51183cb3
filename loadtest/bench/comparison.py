"""The gateway against what people run instead, on the same models, in turns: whole portraits from an embedding, with
10, 25 and 50 steps asked for in turn, by callers in a closed loop.

- *locked*: one Python process that does one request at a time under a lock (`loadtest/baselines/locked.py`), as public
  demos do.
- *pipeline*: the whole pipeline inside one Triton model that joins whole requests (`loadtest/baselines/pipeline`), as
  NVIDIA's Stable Diffusion tutorial does. It tells nothing before the picture is there.

Only the gateway also judges each picture (`face_detector`, `arcface`).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from evaluation.api import Gateway, message
from loadtest.baselines import pipeline
from loadtest.baselines.locked import Locked
from loadtest.bench import servers, steps
from loadtest.bench.repetition import in_turns, median
from loadtest.bench.section import Line, Plot, Section, Table, number_of
from loadtest.ghz import raw, run, scenario

SYSTEMS = ("gateway", "locked", "pipeline")
LEAST_SPEEDUP, LEAST_SOONER, MOST_SLOWER = 1.5, 5, 0.03


@dataclass(frozen=True)
class Plan:
    """`seconds` are measured of each run, after `warm_up`; `profiles` maps a profile to its numbers of callers."""

    profiles: Mapping[str, Sequence[int]]
    rounds: int = 3
    seconds: float = 20
    warm_up: float = 6
    warm_rounds: int = 16
    warm_seconds: float = 8


@dataclass(frozen=True)
class Measured:
    """A run: pictures a second, and seconds from the start of a call."""

    pictures_per_second: float
    first_progress: float
    p50: float
    p95: float


def measure(plan: Plan, work: Path) -> Section:
    results = {profile: _profile(profile, callers, plan, work) for profile, callers in plan.profiles.items()}
    medians = {
        profile: {callers: _medians(rounds) for callers, rounds in by_callers.items()}
        for profile, by_callers in results.items()
    }
    lines = [line for profile in results for line in _lines(profile, results[profile])]
    table = Table(
        f"Medians of {plan.rounds} rounds; times in seconds",
        ("profile", "callers", "system", "pictures/s", "first progress", "p50", "p95"),
        [
            (
                profile,
                str(callers),
                system,
                f"{m.pictures_per_second:.2f}",
                *(f"{value:.2f}" for value in (m.first_progress, m.p50, m.p95)),
            )
            for profile, by_callers in medians.items()
            for callers, systems in by_callers.items()
            for system, m in systems.items()
        ],
    )
    plots = [
        Plot(
            f"Pictures a second, {profile}",
            "callers",
            "pictures a second",
            {s: [(n, systems[s].pictures_per_second) for n, systems in by_callers.items()] for s in SYSTEMS},
            log_x=True,
        )
        for profile, by_callers in medians.items()
    ]
    raw_results = {
        profile: {
            n: [{s: asdict(m) for s, m in r.items()} for r in rounds] for n, rounds in by_callers.items()
        }
        for profile, by_callers in results.items()
    }
    return Section(
        "Against other ways to serve the same models", __doc__ or "", lines, [table], plots, raw_results
    )


Round = Mapping[str, Measured]


def _lines(profile: str, by_callers: Mapping[int, Sequence[Round]]) -> list[Line]:
    lines = []
    for callers, rounds in by_callers.items():
        against = {
            other: median([r["gateway"].pictures_per_second / r[other].pictures_per_second for r in rounds])
            for other in SYSTEMS[1:]
        }
        what = f"Pictures a second, {profile}, {number_of(callers)}"
        if profile == "mini" or callers == 1:
            measured = f"{against['locked']:.3f} of the locked process'"
            required = f"at most {MOST_SLOWER:.0%} below the locked process"
            lines.append(Line(what, required, measured, against["locked"] >= 1 - MOST_SLOWER))
            continue
        medians = _medians(rounds)
        for other, ratio in against.items():
            lines.append(
                Line(
                    f"{what}, against {other}",
                    f"{LEAST_SPEEDUP} times",
                    f"{ratio:.2f} times",
                    ratio >= LEAST_SPEEDUP,
                )
            )
        worst = min(medians[other].p95 for other in SYSTEMS[1:])
        ours = medians["gateway"].p95
        lines.append(
            Line(
                f"p95 of a call, {profile}, {callers} callers",
                "lower than either",
                f"{ours:.2f} s against "
                + ", ".join(f"{medians[other].p95:.2f} s ({other})" for other in SYSTEMS[1:]),
                ours < worst,
            )
        )
        sooner = (
            min(medians[other].first_progress for other in SYSTEMS[1:]) / medians["gateway"].first_progress
        )
        lines.append(
            Line(
                f"First progress, {profile}, {callers} callers",
                f"at least {LEAST_SOONER} times sooner than either",
                f"{sooner:.1f} times",
                sooner >= LEAST_SOONER,
            )
        )
    return lines


def _medians(rounds: Sequence[Round]) -> dict[str, Measured]:
    return {
        system: Measured(
            *(median([asdict(r[system])[key] for r in rounds]) for key in asdict(rounds[0][system]))
        )
        for system in SYSTEMS
    }


def _profile(profile: str, callers: Sequence[int], plan: Plan, work: Path) -> dict[int, list[Round]]:
    models = servers.repository(profile, work)
    joined = pipeline.write(models, work / f"{profile}-pipeline")
    with ExitStack() as stack:
        triton = stack.enter_context(servers.triton(models, work))
        gateway = stack.enter_context(servers.gateway([triton], work))
        locked = stack.enter_context(Locked(models, work / "locked.log"))
        whole = stack.enter_context(servers.triton(joined, work))
        protoset = raw.write_protoset(work / "triton.protoset")
        requests = pipeline_requests(gateway.target)

        def stream(target: str, count: int, seconds: float) -> Measured:
            report = servers.stream(
                *(target, work, "--callers", str(count), "--steps", servers.MIXED_STEPS),
                *("--warm-up", servers.duration(plan.warm_up), "--duration", servers.duration(seconds)),
            )
            total, first = report["micros"]["total"], report["micros"]["first_progress"]
            pictures = report["throughput"]["good_calls_per_second"]
            return Measured(pictures, first["p50"] / 1e6, total["p50"] / 1e6, total["p95"] / 1e6)

        def ghz(count: int, seconds: float) -> Measured:
            config = {
                "insecure": True,
                "protoset": str(protoset),
                "call": "inference.GRPCInferenceService.ModelInfer",
                "data": requests,
                "concurrency": count,
                "connections": 1,
                "duration": f"{seconds + plan.warm_up}s",
                "duration-stop": "wait",
                "timeout": "10m",
            }
            outcome = run.all_well(servers.GHZ, config, whole, work)
            p50, p95 = (outcome.milliseconds[p] / 1000 for p in (50, 95))
            return Measured(outcome.ok_per_second, p50, p50, p95)

        systems: dict[str, Callable[[int, float], Measured]] = {
            "gateway": lambda count, seconds: stream(gateway.target, count, seconds),
            "locked": lambda count, seconds: stream(f"{locked.host}:{locked.grpc_port}", count, seconds),
            "pipeline": ghz,
        }
        steps.warm(gateway, plan.warm_rounds, plan.warm_seconds)
        for system in SYSTEMS[1:]:
            systems[system](4, 3)
        return {
            count: in_turns(
                plan.rounds, {name: partial(systems[name], count, plan.seconds) for name in SYSTEMS}
            )
            for count in callers
        }


def pipeline_requests(target: str) -> list[dict]:
    """Messages for the pipeline, which ghz sends in turn: each number of steps, with seeds and faces of its own."""
    with Gateway(target) as gateway:
        info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
    random = np.random.default_rng(0)
    requests = []
    for seed in range(8):
        for count in servers.STEPS:
            values = scenario.random_embedding(info.embedding_size, random)
            guidance = info.defaults.guidance_scale
            inputs = [
                ("id_embedding", "FP32", len(values), {"fp32_contents": values}),
                ("steps", "INT32", 1, {"int_contents": [count]}),
                ("seed", "UINT32", 1, {"uint_contents": [seed]}),
                ("guidance", "FP32", 1, {"fp32_contents": [guidance]}),
            ]
            requests.append(
                {
                    "model_name": pipeline.NAME,
                    "inputs": [
                        {"name": name, "datatype": kind, "shape": [1, size], "contents": contents}
                        for name, kind, size, contents in inputs
                    ],
                    "outputs": [{"name": "image"}],
                }
            )
    return requests
