"""The Helm chart, rendered by Helm: valid for Kubernetes, closed where it must be, and telling wrong values apart."""

import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "arc2face"
HELM = ROOT / ".cache" / "bin" / "helm"
KUBERNETES = "1.31"
CUSTOM = {"ServiceMonitor"}  # what Kubernetes itself has no schema for

VALUES: dict[str, dict[str, Any]] = {
    "defaults": {},
    "cpu": {"triton": {"gpus": 0, "tolerations": []}},
    "autoscaled and monitored": {
        "autoscaling": {"enabled": True},
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    },
    "everything set": {
        "gateway": {
            "image": {"repository": "registry.example/arc2face", "tag": "1.2.3"},
            "config": {"arc2face.limits.max-running": 32},
            "service": {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}},
            "allowFrom": [{"namespaceSelector": {"matchLabels": {"team": "portraits"}}}],
            "nodeSelector": {"pool": "cpu"},
            "tolerations": [{"key": "cpu", "operator": "Exists"}],
            "podAnnotations": {"example.com/a": "b"},
        },
        "triton": {
            "replicas": 4,
            "models": {"existingClaim": "models", "path": "v7"},
            "extraArgs": ["--log-verbose=1"],
            "nodeSelector": {"gpu": "h100"},
            "podAnnotations": {"example.com/a": "b"},
        },
        "imagePullSecrets": [{"name": "registry"}],
    },
    "another Triton": {"triton": {"enabled": False}, "gateway": {"tritonTargets": "a:8001,b:8001"}},
    "no network policies": {"networkPolicy": {"enabled": False}},
}


def helm(*arguments: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [HELM, *arguments, "--values", "-"]
    return subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True)


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    done = helm("template", "release", str(CHART), "--namespace", "faces", "--kube-version", KUBERNETES, values=values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def find(documents: list[dict[str, Any]], kind: str, part: str) -> dict[str, Any]:
    (found,) = (
        document
        for document in documents
        if document["kind"] == kind
        and document["metadata"]["labels"]["app.kubernetes.io/component"] == part
    )
    return found


def container(documents: list[dict[str, Any]], part: str) -> dict[str, Any]:
    (only,) = find(documents, "Deployment", part)["spec"]["template"]["spec"]["containers"]
    return only


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_lint_finds_nothing(values: dict[str, Any]) -> None:
    done = helm("lint", "--strict", str(CHART), values=values)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_manifests_are_valid(values: dict[str, Any]) -> None:
    documents = render(values)
    assert documents
    for document in documents:
        if document["kind"] not in CUSTOM:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_same_values_give_the_same_manifests() -> None:
    assert render({}) == render({})


def test_names_are_unique() -> None:
    names = [(document["kind"], document["metadata"]["name"]) for document in render({})]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("part", ["gateway", "triton"])
def test_services_and_policies_select_the_pods(part: str) -> None:
    documents = render(VALUES["autoscaled and monitored"])
    labels = find(documents, "Deployment", part)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        find(documents, "Deployment", part)["spec"]["selector"]["matchLabels"],
        find(documents, "Service", part)["spec"]["selector"],
        find(documents, "PodDisruptionBudget", part)["spec"]["selector"]["matchLabels"],
        find(documents, "NetworkPolicy", part)["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector and selector.items() <= labels.items()
    monitored = find(documents, "ServiceMonitor", part)["spec"]["selector"]["matchLabels"]
    assert monitored.items() <= find(documents, "Service", part)["metadata"]["labels"].items()


@pytest.mark.parametrize("part", ["gateway", "triton"])
def test_pods_can_do_little(part: str) -> None:
    pod = find(render({}), "Deployment", part)["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (only,) = pod["containers"]
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert only["resources"]["limits"]["memory"]


def test_only_gateways_reach_triton_and_it_reaches_nobody() -> None:
    documents = render({})
    policy = find(documents, "NetworkPolicy", "triton")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    (calls,) = (rule for rule in policy["ingress"] if rule["ports"] == [{"port": "grpc"}])
    gateway = find(documents, "Deployment", "gateway")["spec"]["selector"]
    assert calls["from"] == [{"podSelector": gateway}]
    assert find(documents, "Service", "triton")["spec"]["clusterIP"] == "None"


def test_triton_takes_no_orders() -> None:
    arguments = container(render({}), "triton")["args"]
    for flag in ("--model-control-mode=none", "--strict-readiness=true", "--allow-http=false"):
        assert flag in arguments


def test_triton_gets_the_gpus_it_asks_for() -> None:
    assert container(render({}), "triton")["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "nvidia.com/gpu" not in container(render(VALUES["cpu"]), "triton")["resources"]["limits"]


def test_gateway_is_not_restarted_for_its_triton() -> None:
    gateway = container(render({}), "gateway")
    assert gateway["livenessProbe"]["httpGet"]["path"] == "/q/health/live"
    assert gateway["readinessProbe"]["grpc"] == {"port": 9090}


def test_what_runs_may_end() -> None:
    documents = render({"gateway": {"preStopSeconds": 7, "shutdownGraceSeconds": 90}})
    pod = find(documents, "Deployment", "gateway")["spec"]["template"]["spec"]
    (config,) = (d for d in documents if d["kind"] == "ConfigMap")
    assert "arc2face.limits.shutdown-grace=90s" in config["data"]["application.properties"].splitlines()
    assert pod["terminationGracePeriodSeconds"] > 7 + 90
    assert pod["containers"][0]["lifecycle"]["preStop"] == {"sleep": {"seconds": 7}}


def test_gateway_finds_its_tritons() -> None:
    for values, targets in (({}, "release-arc2face-triton:8001"), (VALUES["another Triton"], "a:8001,b:8001")):
        documents = render(values)
        (config,) = (d for d in documents if d["kind"] == "ConfigMap")
        assert f"arc2face.triton.targets={targets}" in config["data"]["application.properties"].splitlines()
    assert find(render({}), "Service", "triton")["metadata"]["name"] == "release-arc2face-triton"


def test_changed_configuration_rolls_the_gateways() -> None:
    def annotations(values: dict[str, Any]) -> Any:
        template = find(render(values), "Deployment", "gateway")["spec"]["template"]
        return template["metadata"]["annotations"]

    assert annotations({}) != annotations({"gateway": {"config": {"arc2face.limits.max-running": 8}}})


def test_autoscaler_follows_the_queue() -> None:
    documents = render(VALUES["autoscaled and monitored"])
    (metric,) = find(documents, "HorizontalPodAutoscaler", "triton")["spec"]["metrics"]
    assert metric["external"]["metric"]["name"] == "arc2face_queue_wait_seconds"
    assert "replicas" not in find(documents, "Deployment", "triton")["spec"]


@pytest.mark.parametrize(
    "values",
    [
        {"gateway": {"replica": 3}},
        {"gateway": {"config": {"java.home": "/"}}},
        {"triton": {"models": {"existingClaim": ""}}},
        {"triton": {"models": {"existingClaim": "m", "path": "/absolute"}}},
        {"triton": {"gpus": -1}},
        {"triton": {"enabled": False}},
    ],
    ids=lambda values: str(values),
)
def test_wrong_values_are_refused(values: dict[str, Any]) -> None:
    assert helm("template", "release", str(CHART), "--kube-version", KUBERNETES, values=values).returncode != 0
