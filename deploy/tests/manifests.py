"""What Helm makes of the chart, and how to find one's way in it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "arc2face"
HELM = ROOT / ".cache" / "bin" / "helm"
KUBERNETES = "1.31"

ANONYMOUS: dict[str, Any] = {"security": {"allowAnonymous": True}}

needs_helm = pytest.mark.skipif(
    not HELM.is_file(), reason="no Helm: `make test-deploy` builds it where there is Go"
)


def helm(*arguments: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    command = [HELM, *arguments, "--values", "-"]
    return subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True)


def template(values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    return helm(
        *("template", "release", str(CHART), "--namespace", "faces", "--kube-version", KUBERNETES),
        values=values,
    )


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    done = template(values)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def find(documents: list[dict[str, Any]], kind: str, part: str) -> dict[str, Any]:
    (found,) = (
        document
        for document in documents
        if document["kind"] == kind and document["metadata"]["labels"]["app.kubernetes.io/component"] == part
    )
    return found


def pod(documents: list[dict[str, Any]], part: str) -> dict[str, Any]:
    return find(documents, "Deployment", part)["spec"]["template"]["spec"]


def container(documents: list[dict[str, Any]], part: str) -> dict[str, Any]:
    (only,) = pod(documents, part)["containers"]
    return only


def properties(documents: list[dict[str, Any]]) -> dict[str, str]:
    """The gateway's application.properties."""
    lines = find(documents, "ConfigMap", "gateway")["data"]["application.properties"].splitlines()
    pairs = [line.split("=", 1) for line in lines if line]
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)
