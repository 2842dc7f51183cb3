"""compose.yaml: valid, closed where it must be, and its parts know one another."""

import json
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from composed import COMPOSE, Reset, load
from manifests import ROOT

MODELS = {"MODELS": "/models-of-mine"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return load("compose.yaml", MODELS)


@pytest.fixture(scope="module")
def prometheus() -> dict[str, Any]:
    return yaml.safe_load((COMPOSE / "prometheus.yaml").read_text())


def targets(compose: dict[str, Any], service: str) -> dict[str, str]:
    """Path in the container -> file here."""
    files = {name: config["file"] for name, config in compose["configs"].items()}
    return {
        mount["target"]: files[mount["source"]] for mount in compose["services"][service].get("configs", [])
    }


def test_is_valid(compose: dict[str, Any]) -> None:
    PyCompose.from_json(json.dumps(compose)).validate()


def test_says_that_it_needs_models() -> None:
    with pytest.raises(KeyError, match="model repository"):
        load("compose.yaml", {})


def test_every_file_is_there(compose: dict[str, Any]) -> None:
    for config in compose["configs"].values():
        assert (COMPOSE / config["file"]).is_file()
    mounted = [
        mount["source"] for service in compose["services"].values() for mount in service.get("configs", [])
    ]
    assert sorted(mounted) == sorted(compose["configs"])


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        name, _, tag = service["image"].rpartition(":")
        assert name
        assert tag != "latest"
    version = compose["services"]["gateway"]["image"].rpartition(":")[2]
    assert f"<version>{version}</version>" in (ROOT / "pom.xml").read_text()


def test_services_can_do_little(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "privileged" not in service


def test_callers_reach_the_gateway_and_grafana_alone(compose: dict[str, Any]) -> None:
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert published == {
        "gateway": ["127.0.0.1:9090:9090", "127.0.0.1:8080:8080"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    networks = compose["networks"]
    for name in ("triton", "prometheus"):
        assert all(networks[network]["internal"] for network in compose["services"][name]["networks"])


def test_health_and_metrics_are_for_prometheus(compose: dict[str, Any]) -> None:
    assert "quarkus.management.host=0.0.0.0" in (COMPOSE / "gateway.properties").read_text().splitlines()
    assert not any(port.endswith(":9000") for port in compose["services"]["gateway"]["ports"])


def test_triton_is_met_by_gateway_and_prometheus_alone(compose: dict[str, Any]) -> None:
    (models,) = compose["services"]["triton"]["networks"]
    there = {name for name, service in compose["services"].items() if models in service["networks"]}
    assert there == {"triton", "gateway", "prometheus"}


def test_gateway_asks_who_calls(compose: dict[str, Any]) -> None:
    gateway = compose["services"]["gateway"]
    assert gateway["environment"] == {"ARC2FACE_SECURITY_API_KEYS_FILE": "/run/secrets/api-keys"}
    assert gateway["secrets"] == ["api-keys"]
    assert "allow-anonymous" not in (COMPOSE / "gateway.properties").read_text()


def test_anonymous_callers_are_a_file_of_their_own() -> None:
    (gateway,) = load("compose.anonymous.yaml", {})["services"].values()
    assert gateway["environment"]["ARC2FACE_SECURITY_ALLOW_ANONYMOUS"] == "true"
    assert isinstance(gateway["secrets"], Reset)


def test_gateway_finds_its_triton_and_its_configuration(compose: dict[str, Any]) -> None:
    assert targets(compose, "gateway") == {"/app/config/application.properties": "gateway.properties"}
    properties = (COMPOSE / "gateway.properties").read_text().splitlines()
    assert "arc2face.triton.targets=triton:8001" in properties


def test_prometheus_asks_services_that_are_there(compose: dict[str, Any], prometheus: dict[str, Any]) -> None:
    asked = {
        job["job_name"]: (job.get("metrics_path", "/metrics"), job["static_configs"][0]["targets"])
        for job in prometheus["scrape_configs"]
    }
    assert asked == {"gateway": ("/q/metrics", ["gateway:9000"]), "triton": ("/metrics", ["triton:8002"])}
    services = compose["services"]
    for name in asked:
        assert set(services[name]["networks"]) & set(services["prometheus"]["networks"])


def test_prometheus_has_the_alerts(compose: dict[str, Any], prometheus: dict[str, Any]) -> None:
    files = targets(compose, "prometheus")
    assert files["/etc/prometheus/alerts.yaml"] == "../monitoring/alerts.yaml"
    assert prometheus["rule_files"] == ["/etc/prometheus/alerts.yaml"]
    assert "--config.file=/etc/prometheus/prometheus.yaml" in compose["services"]["prometheus"]["command"]


def test_grafana_has_prometheus_and_the_dashboard(compose: dict[str, Any]) -> None:
    (source,) = yaml.safe_load((COMPOSE / "grafana/datasources.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    services = compose["services"]
    assert set(services["grafana"]["networks"]) & set(services["prometheus"]["networks"])
    (provider,) = yaml.safe_load((COMPOSE / "grafana/dashboards.yaml").read_text())["providers"]
    dashboards = [
        target for target in targets(compose, "grafana") if target.startswith(provider["options"]["path"])
    ]
    assert [targets(compose, "grafana")[path] for path in dashboards] == ["../monitoring/dashboard.json"]
