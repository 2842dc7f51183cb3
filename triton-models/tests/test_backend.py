"""The Python-based backend, in a real Triton, on models of a few nodes."""

from pathlib import Path

import numpy as np
import pytest
from tritonclient.utils import InferenceServerException

from tests.client import Client, Counts


def mix_inputs(rows: int, seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        "latents": random.standard_normal((rows, 4, 8, 8), np.float32),
        "timestep": random.uniform(0, 999, (rows, 1)).astype(np.float32),
    }


def test_requests_that_arrive_together_are_one_run_and_each_gets_its_own_rows(small: Client) -> None:
    requests = [mix_inputs(rows, seed) for seed, rows in enumerate([1, 2, 5, 3, 1, 4])]  # 16 rows
    before = small.counts("mix")

    answers = [call.result() for call in [small.start("mix", inputs) for inputs in requests]]

    for inputs, answer in zip(requests, answers, strict=True):
        np.testing.assert_array_equal(answer["negated"], -inputs["latents"])
        np.testing.assert_array_equal(
            answer["scaled"], inputs["latents"] * inputs["timestep"][:, :, None, None]
        )
    assert small.counts_since(before, "mix", 6) == Counts(requests=6, rows=16, runs=1)


def test_only_the_requested_outputs_are_sent(small: Client) -> None:
    inputs = mix_inputs(16, seed=1)
    assert set(small.infer("mix", inputs, outputs=["negated"])) == {"negated"}
    assert set(small.infer("mix", inputs)) == {"negated", "scaled"}


def test_half_precision_passes_through(small: Client) -> None:
    x = np.random.default_rng(0).standard_normal((16, 6)).astype(np.float16)
    y = small.infer("half", {"x": x})["y"]
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, x + x)


def test_weights_in_a_file_of_their_own_are_found(small: Client, small_repository: Path) -> None:
    assert (small_repository / "table" / "1" / "model.onnx.data").stat().st_size == 64 * 4
    x = np.random.default_rng(0).standard_normal((16, 64), np.float32)
    np.testing.assert_array_equal(small.infer("table", {"x": x})["y"], x + np.arange(64, dtype=np.float32))


def test_answering_leaves_nothing_in_the_log(small: Client) -> None:
    log = Path(small.listening.log)
    before = len(log.read_text())
    for seed in range(2):  # what the first answer leaves is cleaned up before the second
        small.infer("mix", mix_inputs(16, seed))
    assert log.read_text()[before:] == ""


def test_request_that_fails_while_running_fails_alone(small: Client) -> None:
    good = [small.start("lookup", {"index": np.full((5, 1), i, np.int64)}) for i in range(3)]
    bad = small.start("lookup", {"index": np.full((1, 1), 99, np.int64)})

    for i, call in enumerate(good):
        np.testing.assert_array_equal(call.result()["value"], np.full((5, 1), 10 * (i + 1), np.float32))
    assert "indices element out of data bounds, idx=99" in bad.error()


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("timestep", np.zeros((2, 2), np.float32), "shape"),
        ("timestep", np.zeros((2, 1), np.float64), "data-type"),
        ("timestep", np.zeros((3, 1), np.float32), "batch size"),
        ("step", np.zeros((2, 1), np.float32), "step"),
    ],
    ids=["shape", "type", "rows", "name"],
)
def test_malformed_request_beside_good_ones_fails_alone(
    small: Client, name: str, array: np.ndarray, message: str
) -> None:
    good = [small.start("mix", mix_inputs(8, seed)) for seed in range(2)]
    inputs = mix_inputs(2, seed=3)
    if name not in inputs:
        del inputs["timestep"]
    bad = small.start("mix", {**inputs, name: array})

    for seed, call in enumerate(good):
        np.testing.assert_array_equal(call.result()["negated"], -mix_inputs(8, seed)["latents"])
    assert message in bad.error()


def test_batch_above_the_models_maximum_is_refused(small: Client) -> None:
    with pytest.raises(InferenceServerException, match="batch-size must be <= 16"):
        small.infer("mix", mix_inputs(17, seed=0))


def test_cancelled_request_leaves_the_others_of_its_batch_alone(small: Client) -> None:
    cancelled = small.start("mix", mix_inputs(4, seed=1))
    cancelled.cancel()
    kept = mix_inputs(8, seed=2)
    calls = [small.start("mix", kept) for _ in range(2)]

    for call in calls:
        np.testing.assert_array_equal(call.result()["negated"], -kept["latents"])
    assert "cancelled" in cancelled.error().lower()
