"""A gateway that others can reach: what can be shut."""

from pathlib import Path

import grpc
import pytest

from evaluation import api
from serving import local_http
from serving.gateway import Gateway
from serving.triton import Options, Triton

REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
LIST_SERVICES = b"\x3a\x00"  # field 7, an empty string


def test_reflection_and_metrics_can_be_shut(jar: Path, tmp_path: Path) -> None:
    options = (
        "-Dquarkus.grpc.server.host=0.0.0.0",
        "-Darc2face.security.allow-anonymous=true",
        "-Dquarkus.grpc.server.enable-reflection-service=false",
        "-Darc2face.metrics.enabled=false",
    )
    with Triton(Options(run=tmp_path / "triton")) as triton:
        target = f"{triton.listening.host}:{triton.listening.grpc}"
        with (
            Gateway(jar, target, tmp_path / "gateway.log", java_options=options) as gateway,
            api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client,
        ):
            assert client.unary("GetModelInfo", api.message("GetModelInfoRequest")).profile == "mini"
            with pytest.raises(grpc.RpcError) as shut:
                list(client.channel.stream_stream(REFLECTION)(iter([LIST_SERVICES])))
            assert shut.value.code() == grpc.StatusCode.UNIMPLEMENTED
            assert local_http.get(gateway.host, gateway.management_port, "/q/metrics") is None
            assert local_http.get(gateway.host, gateway.management_port, "/q/health/live") is not None
