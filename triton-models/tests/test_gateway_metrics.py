"""What the gateway counts, beside what Triton does."""

import re
from pathlib import Path

from serving import local_http
from serving.gateway import Gateway
from serving.triton import Options, Triton

ROWS = re.compile(
    rb'^arc2face_model_rows_total\{model="(\w+)",outcome="delivered",[^}]*\} (\S+)$', re.MULTILINE
)
EXECUTED = re.compile(rb'^nv_inference_count\{model="(\w+)",version="1"\} (\S+)$', re.MULTILINE)


def test_rows_are_counted_from_the_first_one_on(jar: Path, tmp_path: Path) -> None:
    """The warm-up's, before anybody has called."""
    with Triton(Options(run=tmp_path / "triton")) as triton:
        here = triton.listening
        with Gateway(jar, f"{here.host}:{here.grpc}", tmp_path / "gateway.log") as gateway:
            counted = local_http.get(gateway.host, gateway.management_port, "/q/metrics")
            executed = local_http.get(here.host, here.metrics, "/metrics")
    rows = rows_by_model(ROWS, counted)
    assert rows["vae_decoder"] == 2  # a picture by each variant
    assert rows == rows_by_model(EXECUTED, executed)


def rows_by_model(line: re.Pattern[bytes], page: bytes | None) -> dict[str, float]:
    return {model.decode(): float(value) for model, value in line.findall(page or b"")}
