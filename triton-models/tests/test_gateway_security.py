"""A gateway that others can reach: whom it lets in, and what can be shut."""

import subprocess
from pathlib import Path

import grpc
import pytest

from evaluation import api
from serving import local_http
from serving.gateway import Gateway, java
from serving.layout import TRITON_MODELS
from serving.triton import Options, Triton

JAR = TRITON_MODELS.parent / "gateway" / "target" / "quarkus-app" / "quarkus-run.jar"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x00"  # field 7, an empty string

pytestmark = pytest.mark.skipif(not JAR.is_file(), reason="the gateway is not built (make setup builds it)")


def test_does_not_listen_where_others_can_reach_it_without_asking_who_they_are() -> None:
    command = [java(), "-Dquarkus.grpc.server.host=0.0.0.0", "-Dquarkus.grpc.server.port=0"]
    ended = subprocess.run(
        [*command, "-Dquarkus.http.port=0", "-Dquarkus.management.port=0", "-jar", JAR],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode != 0
    assert "arc2face.security.allow-anonymous=true" in ended.stdout + ended.stderr


def test_reflection_and_metrics_can_be_shut(tmp_path: Path) -> None:
    options = (
        "-Dquarkus.grpc.server.host=0.0.0.0",
        "-Darc2face.security.allow-anonymous=true",
        "-Dquarkus.grpc.server.enable-reflection-service=false",
        "-Darc2face.metrics.enabled=false",
    )
    with Triton(Options(run=tmp_path / "triton")) as triton:
        target = f"{triton.listening.host}:{triton.listening.grpc}"
        with (
            Gateway(JAR, target, tmp_path / "gateway.log", java_options=options) as gateway,
            api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client,
        ):
            assert client.unary("GetModelInfo", api.message("GetModelInfoRequest")).profile == "mini"
            with pytest.raises(grpc.RpcError) as shut:
                list(client.channel.stream_stream(REFLECTION)(iter([LIST_SERVICES])))
            assert shut.value.code() == grpc.StatusCode.UNIMPLEMENTED
            assert local_http.get(gateway.host, gateway.management_port, "/q/metrics") is None
            assert local_http.get(gateway.host, gateway.management_port, "/q/health/live") is not None
