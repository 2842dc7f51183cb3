"""The KServe variant: what Kubernetes has a schema for is valid, and the rest is what KServe documents."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from manifests import KUBERNETES, ROOT

# The fields that are used here, of KServe's API reference: a misspelt one would be dropped without a word.
RUNTIME = {"supportedModelFormats", "protocolVersions", "annotations", "containers", "volumes"}
PREDICTOR = {"minReplicas", "terminationGracePeriodSeconds", "model", "tolerations"}
MODEL = {"modelFormat", "runtime", "protocolVersion", "storageUri"}


@pytest.fixture(scope="module")
def documents() -> dict[str, dict[str, Any]]:
    """By kind."""
    loaded = list(yaml.safe_load_all((ROOT / "deploy/kserve/arc2face.yaml").read_text()))
    by_kind = {document["kind"]: document for document in loaded}
    assert len(by_kind) == len(loaded)
    return by_kind


def test_kubernetes_own_kinds_are_valid(documents: dict[str, dict[str, Any]]) -> None:
    for kind in ("Service", "NetworkPolicy"):
        kubernetes_validate.validate(documents[kind], KUBERNETES, strict=True)


def test_pod_that_comes_of_it_is_valid(documents: dict[str, dict[str, Any]]) -> None:
    runtime = documents["ServingRuntime"]["spec"]
    predictor = documents["InferenceService"]["spec"]["predictor"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "predictor", "annotations": runtime["annotations"]},
        "spec": {
            "containers": runtime["containers"],
            "volumes": runtime["volumes"],
            "tolerations": predictor["tolerations"],
            "terminationGracePeriodSeconds": predictor["terminationGracePeriodSeconds"],
        },
    }
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_kserve_knows_its_fields(documents: dict[str, dict[str, Any]]) -> None:
    assert set(documents["ServingRuntime"]["spec"]) == RUNTIME
    assert set(documents["InferenceService"]["spec"]) == {"predictor"}
    predictor = documents["InferenceService"]["spec"]["predictor"]
    assert set(predictor) == PREDICTOR
    assert set(predictor["model"]) == MODEL


def test_service_takes_the_runtime_and_the_gateway_its_pods(documents: dict[str, dict[str, Any]]) -> None:
    runtime, service = documents["ServingRuntime"], documents["InferenceService"]
    model = service["spec"]["predictor"]["model"]
    assert model["runtime"] == runtime["metadata"]["name"]
    assert model["modelFormat"] in runtime["spec"]["supportedModelFormats"]
    assert model["protocolVersion"] in runtime["spec"]["protocolVersions"]
    headless = documents["Service"]["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["selector"]["serving.kserve.io/inferenceservice"] == service["metadata"]["name"]
    (container,) = runtime["spec"]["containers"]
    assert container["name"] == "kserve-container"
    assert container["ports"][0]["containerPort"] == headless["ports"][0]["targetPort"]


def test_gateway_of_the_instructions_finds_it(documents: dict[str, dict[str, Any]]) -> None:
    readme = (ROOT / "deploy/kserve/README.md").read_text()
    assert f"gateway.tritonTargets={documents['Service']['metadata']['name']}:8001" in readme
