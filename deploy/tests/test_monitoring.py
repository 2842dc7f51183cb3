"""Alerts and dashboard: valid, explained in docs, and about metrics that a real gateway and a real Triton have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from composed import triton_flags
from manifests import ROOT
from serving import local_http
from serving.gateway import Gateway, java

JAR = ROOT / "gateway/target/quarkus-app/quarkus-run.jar"
MONITORING = ROOT / "deploy/monitoring"
REASONS = (ROOT / "proto/arc2face/v1/errors.proto").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
OBSERVABILITY = (ROOT / "docs/observability.md").read_text()
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
PARTS = ("_bucket", "_count", "_sum")  # of a histogram
NEEDS_A_GPU = {"nv_gpu_utilization", "nv_gpu_memory_used_bytes"}


def known_metrics() -> set[str]:
    """Those in the tables of docs/observability.md, whose rows begin with them."""
    return set(re.findall(r"^\| `([a-z0-9]+_[a-z0-9_]+)`", OBSERVABILITY, re.MULTILINE))


def metrics(expression: Any) -> Iterator[str]:
    """Names of all that a parsed expression selects."""
    if isinstance(expression, promql_parser.VectorSelector):
        yield expression.name
    elif isinstance(expression, promql_parser.MatrixSelector):
        yield expression.vector_selector.name
    elif isinstance(expression, promql_parser.BinaryExpr):
        yield from metrics(expression.lhs)
        yield from metrics(expression.rhs)
    elif isinstance(expression, promql_parser.Call):
        for argument in expression.args:
            yield from metrics(argument)
    elif isinstance(expression, promql_parser.NumberLiteral | promql_parser.StringLiteral):
        pass
    else:
        yield from metrics(expression.expr)


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """Of the dashboard, Grafana's variables put in."""
    written = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [each.replace("$__rate_interval", "5m").replace("$job", ".*") for each in written]


@pytest.mark.parametrize("expression", [*(rule["expr"] for rule in RULES), *expressions()])
def test_expressions_are_about_known_metrics(expression: str) -> None:
    known = known_metrics()
    named = set(metrics(promql_parser.parse(expression)))
    assert named
    for name in named:
        assert {name, family(name)} & known


def family(name: str) -> str:
    return next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)


@pytest.fixture(scope="module")
def samples(triton: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of every name on the pages of a gateway and its Triton, once a portrait has been drawn."""
    folder = tmp_path_factory.mktemp("metrics")
    with (
        triton(*triton_flags()) as listening,
        Gateway(JAR, f"127.0.0.1:{listening['grpc']}", folder / "gateway.log") as gateway,
    ):
        generate(f"127.0.0.1:{gateway.grpc_port}", folder)
        pages = [
            local_http.get("127.0.0.1", gateway.management_port, "/q/metrics"),
            local_http.get("127.0.0.1", listening["metrics"], "/metrics"),
        ]
    found: dict[str, set[str]] = {}
    for page in pages:
        for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", page.decode(), re.MULTILINE):
            found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


def generate(target: str, folder: Path) -> None:
    photo = str(ROOT / "samples/collins.png")
    command = [java(), "-jar", str(JAR), "generate", photo, "-n", "1", "--steps", "2", "--target", target]
    done = subprocess.run([*command, "--out", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_metric_of_an_expression_is_on_a_real_page(samples: dict[str, set[str]]) -> None:
    named = {
        name
        for expression in [*(rule["expr"] for rule in RULES), *expressions()]
        for name in metrics(promql_parser.parse(expression))
    }
    assert named - set(samples) <= NEEDS_A_GPU


def test_every_label_of_an_expression_is_on_a_real_page(samples: dict[str, set[str]]) -> None:
    given_by_prometheus = {"job", "instance"}
    for expression in [*(rule["expr"] for rule in RULES), *expressions()]:
        for selector in re.findall(r"(\w+)\{([^}]*)\}", expression):
            name, matchers = selector
            asked = set(re.findall(r"(\w+)\s*[!=]=?~?\"", matchers)) - given_by_prometheus
            assert name in NEEDS_A_GPU or asked <= samples[name], selector


def test_reasons_of_an_expression_are_in_the_proto() -> None:
    known = set(re.findall(r"^  ERROR_REASON_(\w+) = ", REASONS, re.MULTILINE))
    written = "\n".join([*(rule["expr"] for rule in RULES), *expressions()])
    asked = " ".join(re.findall(r'\breason\s*[!=]=?~?\s*"([^"]*)"', written))
    named = set(re.findall(r"\w+", asked))
    assert "QUEUE_FULL" in named
    assert named <= known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_alerts_say_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert OPERATIONS.count(f"\n### {rule['alert']}\n") == 1


def test_no_advice_is_left_of_alerts_that_are_gone() -> None:
    advised = re.findall(r"^### (Arc2Face\w+)$", OPERATIONS, re.MULTILINE)
    assert advised == [rule["alert"] for rule in RULES]


def test_every_alert_has_been_seen_to_fire() -> None:
    """By promtool, where that is at hand; the next test runs it."""
    cases = yaml.safe_load((MONITORING / "alerts_test.yaml").read_text())["tests"]
    fired = {case["alertname"] for test in cases for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in RULES}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (Debian: the package prometheus)")
@pytest.mark.parametrize(
    "command", [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml")]
)
def test_prometheus_agrees(command: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *command], cwd=MONITORING, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_panels_lie_side_by_side() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_dashboard_asks_the_source_that_is_chosen() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels():
        assert panel["datasource"] == chosen
        assert all(target["datasource"] == chosen for target in panel["targets"])
