"""The service over HTTP as others know it: by its OpenAPI document, by the examples of the documentation, by curl."""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from serving import local_http
from serving.gateway import Gateway
from serving.layout import TRITON_MODELS
from serving.local_http import OPENER
from serving.triton import Options, Triton

ROOT = TRITON_MODELS.parent
SAMPLE = ROOT / "samples" / "collins.png"
IN_DOCUMENTATION = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def gateway(jar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("rest")
    with Triton(Options(run=folder / "triton")) as triton:
        target = f"{triton.listening.host}:{triton.listening.grpc}"
        with Gateway(jar, target, folder / "gateway.log") as gateway:
            yield gateway


@pytest.fixture(scope="module")
def address(gateway: Gateway) -> str:
    return f"http://{gateway.host}:{gateway.http_port}"


@pytest.fixture(scope="module")
def document(address: str) -> dict[str, Any]:
    return call(address, "GET", "/openapi.json")


def call(address: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON of an answer, a problem's too."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        address + path, data, {"Content-Type": "application/json"}, method=method
    )
    try:
        with OPENER.open(request, timeout=60) as response:
            return json.load(response)
    except urllib.error.HTTPError as problem:
        return json.load(problem)


def test_document_is_one_of_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_answers_are_what_the_document_says(gateway: Gateway, address: str, document: dict[str, Any]) -> None:
    model = call(address, "GET", "/v1/model")
    nobody = {"values": [1.0] + [0.0] * (model["embeddingSize"] - 1), "recogniserId": model["recogniserId"]}
    identity = {"embedding": nobody}
    accepted = call(address, "POST", "/v1/generations", {"identity": identity, "steps": 3, "previewEvery": 1})
    name = accepted["accepted"]["requestId"]
    with OPENER.open(f"{address}/v1/generations/{name}/events", timeout=60) as stream:
        events = [json.loads(line[6:]) for line in stream if line.startswith(b"data: ")]
    answers = [
        ("GetModelInfoResponse", model),
        ("GenerateResponse", accepted),
        *(("GenerateResponse", event) for event in events),
        ("GenerateResponse", call(address, "GET", f"/v1/generations/{name}")),
        ("EmbedFaceResponse", call(address, "POST", "/v1/faces:embed", {"identity": identity})),
        (
            "CompareFacesResponse",
            call(address, "POST", "/v1/faces:compare", {"first": identity, "second": identity}),
        ),
        ("CancelGenerationResponse", call(address, "DELETE", f"/v1/generations/{name}")),
        ("Problem", call(address, "DELETE", f"/v1/generations/{name}")),
        ("Problem", call(address, "POST", "/v1/faces:detect", {"photo": "AAAA"})),
    ]
    assert {"accepted", "faceReport", "preview", "stepProgress", "image", "completed"} == {
        kind for event in events for kind in event if kind != "sequence"
    }
    metrics = local_http.get(gateway.host, gateway.management_port, "/q/metrics")
    assert metrics is not None
    assert name not in metrics.decode()  # no label is for a request
    for schema, answer in answers:
        validator = Draft202012Validator(strict(document) | {"$ref": f"#/components/schemas/{schema}"})
        assert [error.message for error in validator.iter_errors(answer)] == [], schema


def strict(document: dict[str, Any]) -> dict[str, Any]:
    """Its components, where nothing goes that they do not name."""
    components = json.loads(json.dumps(document["components"]))
    for schema in components["schemas"].values():
        schema["additionalProperties"] = False
    return {"components": components}


def examples() -> list[Any]:
    """The shell examples with curl of a document, one after the other."""
    found = []
    for name in ("README.md", "docs/rest.md"):
        blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / name).read_text(), re.DOTALL | re.MULTILINE)
        found += [pytest.param(block, id=name) for block in blocks if "curl" in block]
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not there")
@pytest.mark.parametrize("example", examples())
def test_examples_work_as_pasted(example: str, address: str, tmp_path: Path) -> None:
    assert IN_DOCUMENTATION in example
    (tmp_path / "samples").symlink_to(SAMPLE.parent)
    (tmp_path / ".curlrc").write_text("fail-with-body\nmax-time = 60\n")  # an answer of 400 is a failure
    environment = {"HOME": str(tmp_path), "CURL_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    script = example.replace(IN_DOCUMENTATION, address)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "event: completed" in done.stdout
    for picture in re.findall(r"-o (\S+)", example):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
