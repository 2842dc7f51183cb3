"""Alerts and dashboard: valid, explained in docs/operations.md, and about metrics that exist."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml

from manifests import ROOT

MONITORING = ROOT / "deploy/monitoring"
OPERATIONS = (ROOT / "docs/operations.md").read_text()
RULES = [
    rule
    for group in yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
PARTS = ("_bucket", "_count", "_sum")  # of a histogram


def known_metrics() -> set[str]:
    """Those in the tables of docs/operations.md, whose rows begin with them."""
    return set(re.findall(r"^\| `([a-z0-9]+_[a-z0-9_]+)`", OPERATIONS, re.MULTILINE))


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
        base = next((name.removesuffix(part) for part in PARTS if name.endswith(part)), name)
        assert name in known or base in known


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
