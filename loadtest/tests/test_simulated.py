"""The simulated GPU's time, against the figures that it is drawn from."""

import pytest

from loadtest.simulated import curve


@pytest.mark.parametrize("gpu", curve.SPEED)
def test_simulated_gpu_takes_the_published_time_for_a_guided_picture(gpu: str) -> None:
    unet = curve.unet(gpu)
    assert unet.seconds(2) == pytest.approx(1 / (61 * curve.SPEED[gpu]))
    # AITemplate's sixteen pictures take 11.6 times as long as one; the line through its figures is within 3 %.
    assert unet.seconds(32) / unet.seconds(2) == pytest.approx(14931.95 / 1282.98, rel=0.03)


@pytest.mark.parametrize("gpu", curve.SPEED)
def test_guided_rows_take_as_long_as_their_pairs(gpu: str) -> None:
    curves = curve.curves(gpu)
    assert curves["unet_guided"].seconds(5) == pytest.approx(curves["unet"].seconds(10))
