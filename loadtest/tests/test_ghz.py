"""What the scenarios become before ghz sees them, and what is read from its report."""

import base64
import json

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, json_format

from evaluation import api
from loadtest.ghz import raw, run, scenario

SERVED = scenario.Served(256, "one", [b"first", b"second"])


def test_every_combination_is_one_run() -> None:
    loaded = {"vary": {"rows": [2, 16], "concurrency": [1, 4]}, "call": "x"}
    assert [varied for varied, _ in scenario.variants(loaded)] == [
        {"rows": 2, "concurrency": 1},
        {"rows": 2, "concurrency": 4},
        {"rows": 16, "concurrency": 1},
        {"rows": 16, "concurrency": 4},
    ]
    assert next(scenario.variants(loaded))[1] == {"call": "x", "rows": 2, "concurrency": 1}
    assert list(scenario.variants({"call": "x"})) == [({}, {"call": "x"})]


def test_record_with_a_photo_becomes_one_for_each_photo() -> None:
    records = scenario.complete([{"identity": {"photo": "{photo}"}}], SERVED)
    assert [base64.b64decode(record["identity"]["photo"]) for record in records] == [b"first", b"second"]


def test_embeddings_fit_what_is_served() -> None:
    records = scenario.complete([{"identity": {"embedding": "{embedding}"}, "steps": 3}] * 2, SERVED)
    assert [record["steps"] for record in records] == [3, 3]
    first, second = (record["identity"]["embedding"] for record in records)
    assert first["recogniser_id"] == "one"
    assert len(first["values"]) == 256
    assert np.linalg.norm(first["values"]) == pytest.approx(1, abs=1e-4)
    assert first["values"] != second["values"]


@pytest.mark.parametrize("name", scenario.names())
def test_scenarios_ask_for_what_the_api_has(name: str) -> None:
    loaded = scenario.load(name)
    if scenario.is_raw(loaded):
        assert "rows" in loaded["vary"]
        return
    method = loaded["call"].removeprefix(f"{api.SERVICE}.")
    for record in scenario.complete(loaded["data"], SERVED):
        json_format.Parse(json.dumps(record), api.message(f"{method}Request"))


def test_rate_and_latencies_are_of_calls_that_ended_well() -> None:
    report = {
        "count": 30,
        "total": 2_000_000_000,
        "cpuSeconds": 0.5,
        "statusCodeDistribution": {"OK": 20, "ResourceExhausted": 10},
        "latencyDistribution": [{"percentage": p, "latency": p * 1_000_000} for p in (10, 50, 95, 99)],
    }
    outcome = run.Outcome.of(report)
    assert outcome.ok_per_second == 10
    assert outcome.milliseconds == {50: 50, 95: 95, 99: 99}
    assert run.line("title", outcome).endswith("OK 20, ResourceExhausted 10")


def test_run_without_success_has_no_latencies() -> None:
    report = {
        "count": 5,
        "total": 1,
        "cpuSeconds": 0.0,
        "statusCodeDistribution": {"DeadlineExceeded": 5},
        "latencyDistribution": None,
    }
    assert run.Outcome.of(report).milliseconds == {}
    assert "DeadlineExceeded 5" in run.line("title", run.Outcome.of(report))


def test_protoset_holds_the_service_and_all_that_it_imports(tmp_path) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(
        raw.write_protoset(tmp_path / "triton.protoset").read_bytes()
    ).file
    names = {file.name for file in files}
    assert all(name in names for file in files for name in file.dependency)
    assert "GRPCInferenceService" in {service.name for file in files for service in file.service}
