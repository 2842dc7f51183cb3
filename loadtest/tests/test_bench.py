"""The arithmetic between two measurements and a line of the report."""

import numpy as np
import pytest
from google.protobuf import descriptor_pb2

from loadtest.bench import raw, steps, upper_bound
from loadtest.simulated import curve


def test_interval_is_about_the_median_and_narrower_than_the_values() -> None:
    values = list(np.random.default_rng(1).normal(1, 0.1, 40))
    low, high = upper_bound.interval(values)
    assert min(values) < low <= np.median(values) <= high < max(values)


def test_summary_takes_ratios_within_pairs() -> None:
    # The machine was three times slower in the second pair; the gateway cost a tenth in both.
    pairs = [
        (raw.Raw(rate, 0.001, 10, 12), steps.Through(0.9 * rate, 0.002, 10.4, 13)) for rate in (90.0, 30.0)
    ]
    summary = upper_bound.summary(pairs)
    assert summary["ratio"] == pytest.approx(0.9)
    assert summary["added_ms"] == pytest.approx(0.4)
    assert (summary["gateway_cpu_ms"], summary["ghz_cpu_ms"]) == pytest.approx((2, 1))


def test_protoset_holds_the_service_and_all_that_it_imports(tmp_path) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(
        raw.write_protoset(tmp_path / "triton.protoset").read_bytes()
    ).file
    names = {file.name for file in files}
    assert all(name in names for file in files for name in file.dependency)
    assert "GRPCInferenceService" in {service.name for file in files for service in file.service}


@pytest.mark.parametrize("gpu", curve.SPEED)
def test_simulated_gpu_takes_the_published_time_for_a_guided_picture(gpu: str) -> None:
    unet = curve.unet(gpu)
    assert unet.seconds(2) == pytest.approx(1 / (61 * curve.SPEED[gpu]))
    # AITemplate's sixteen pictures take 11.6 times as long as one; the line through its figures is within 3 %.
    assert unet.seconds(32) / unet.seconds(2) == pytest.approx(14931.95 / 1282.98, rel=0.03)
