"""Triton as it is deployed: everywhere with the same flags, which the real one takes."""

import shutil
import socket
import ssl
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from composed import triton_flags
from manifests import ANONYMOUS, ROOT, container, needs_helm, render

UNLIKE = ("--model-repository=",)  # where the models are is the place's own
KEY = "arc2face-key="  # and so is the key


def of_kserve() -> list[str]:
    documents = yaml.safe_load_all((ROOT / "deploy/kserve/arc2face.yaml").read_text())
    (runtime,) = (document for document in documents if document["kind"] == "ServingRuntime")
    return runtime["spec"]["containers"][0]["args"]


def alike(flags: list[str]) -> set[str]:
    return {flag.partition(KEY)[0] for flag in flags if not flag.startswith(UNLIKE)}


def test_compose_and_kserve_give_the_same_flags() -> None:
    assert alike(triton_flags()) == alike(of_kserve())


@needs_helm
def test_chart_gives_the_same_flags() -> None:
    assert alike(container(render(ANONYMOUS), "triton")["args"]) == alike(triton_flags())


def test_real_triton_takes_the_flags(triton: Any) -> None:
    with triton(*triton_flags()) as listening:
        assert "unet" in listening["models"]
        with urllib.request.urlopen(
            f"http://127.0.0.1:{listening['http']}/v2/health/ready", timeout=10
        ) as ready:
            assert ready.status == 200


def test_real_triton_takes_no_orders(triton: Any) -> None:
    """Asked by HTTP, which stays inside the pod: model control is off for everybody."""
    with triton(*triton_flags()) as listening:
        unload = f"http://127.0.0.1:{listening['http']}/v2/repository/models/unet/unload"
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(unload, method="POST"), timeout=10)
        assert refused.value.code >= 400


@needs_helm
@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make certificates with")
def test_real_triton_checks_its_gateways(triton: Any, tmp_path: Path) -> None:
    """With the flags of the chart's tritonTls."""
    certificates(tmp_path)
    secured = {**ANONYMOUS, "tritonTls": {"secretName": "triton", "gatewaySecretName": "gateway"}}
    flags = [
        flag.replace("/secrets/", f"{tmp_path}/") for flag in container(render(secured), "triton")["args"]
    ]
    with triton(*flags) as listening:
        assert answers(listening["grpc"], tmp_path, with_certificate=True)
        assert not answers(listening["grpc"], tmp_path, with_certificate=False)


def certificates(folder: Path) -> None:
    """One certificate that is its own authority, for both sides."""
    key, certificate = folder / "tls.key", folder / "tls.crt"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=triton",
    ]
    files = ["-addext", "subjectAltName=DNS:triton", "-keyout", key, "-out", certificate]
    subprocess.run([*command, *files], check=True, capture_output=True)
    shutil.copy(certificate, folder / "ca.crt")


def answers(port: int, folder: Path, with_certificate: bool) -> bool:
    """Whether it speaks HTTP/2 with us."""
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.set_alpn_protocols(["h2"])
    if with_certificate:
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="triton") as secure,
        ):
            secure.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))
            return bool(secure.recv(9))
    except OSError:  # an ssl.SSLError is one
        return False
