"""The Helm chart, rendered by Helm: valid for Kubernetes, closed where it must be, and telling wrong values apart."""

import json
from pathlib import PurePosixPath
from typing import Any

import kubernetes_validate
import pytest
import yaml

from manifests import (
    ANONYMOUS,
    CHART,
    KUBERNETES,
    ROOT,
    container,
    find,
    helm,
    needs_helm,
    pod,
    properties,
    render,
    template,
)

pytestmark = needs_helm

CUSTOM = {"ServiceMonitor", "PrometheusRule"}  # what Kubernetes itself has no schema for
MONITORED: dict[str, Any] = {
    **ANONYMOUS,
    "autoscaling": {"enabled": True},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboard": {"enabled": True},
}
SECURED: dict[str, Any] = {
    "security": {
        "tls": {"secretName": "gateway-tls", "clientCertificates": True},
        "apiKeys": {"secretName": "callers"},
        "jwt": {"issuer": "https://id.example", "audience": "arc2face", "jwks": "https://id.example/keys"},
    },
    "tritonTls": {"secretName": "triton-tls", "gatewaySecretName": "gateway-at-triton-tls"},
    "receipts": {"secretName": "receipts", "signed": True},
    "gateway": {
        "config": {"arc2face.policy.url": "https://policy.example/ask"},
        "allowTo": [{"to": [{"ipBlock": {"cidr": "10.1.0.0/16"}}], "ports": [{"port": 443}]}],
    },
}
COLLECTOR = {"to": [{"podSelector": {"matchLabels": {"app": "collector"}}}], "ports": [{"port": 4318}]}
TRACED: dict[str, Any] = {
    **ANONYMOUS,
    "tracing": {"endpoint": "http://collector:4318", "ratio": "0.2", "allowTo": [COLLECTOR]},
}
EXTERNAL: dict[str, Any] = {
    **ANONYMOUS,
    "triton": {"enabled": False},
    "gateway": {"tritonTargets": "a:8001,b:8001"},
}

VALUES: dict[str, dict[str, Any]] = {
    "anonymous": ANONYMOUS,
    "API keys": {"security": {"apiKeys": {"secretName": "callers"}}},
    "everything secured": SECURED,
    "cpu": {**ANONYMOUS, "triton": {"gpus": 0, "tolerations": []}},
    "autoscaled and monitored": MONITORED,
    "traced": TRACED,
    "everything set": {
        **ANONYMOUS,
        "gateway": {
            "image": {"repository": "registry.example/arc2face", "tag": "1.2.3"},
            "config": {"arc2face.limits.max-running": 32},
            "service": {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}},
            "httpService": {"type": "NodePort", "annotations": {"example.com/internal": "false"}},
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
    "another Triton": EXTERNAL,
    "no network policies": {**ANONYMOUS, "networkPolicy": {"enabled": False}},
}


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
    assert render(SECURED) == render(SECURED)


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_names_are_unique(values: dict[str, Any]) -> None:
    names = [(document["kind"], document["metadata"]["name"]) for document in render(values)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("part", "metrics"), [("gateway", "gateway-management"), ("triton", "triton")])
def test_services_and_policies_select_the_pods(part: str, metrics: str) -> None:
    documents = render(MONITORED)
    labels = find(documents, "Deployment", part)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        find(documents, "Deployment", part)["spec"]["selector"]["matchLabels"],
        find(documents, "Service", part)["spec"]["selector"],
        find(documents, "Service", metrics)["spec"]["selector"],
        find(documents, "PodDisruptionBudget", part)["spec"]["selector"]["matchLabels"],
        find(documents, "NetworkPolicy", part)["spec"]["podSelector"]["matchLabels"],
    ]
    for selector in selectors:
        assert selector
        assert selector.items() <= labels.items()
    monitor = find(documents, "ServiceMonitor", part)["spec"]
    service = find(documents, "Service", metrics)
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_pods_can_do_little(values: dict[str, Any]) -> None:
    for deployment in (document for document in render(values) if document["kind"] == "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 65532
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (only,) = spec["containers"]
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert only["resources"]["limits"]["memory"]


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_what_is_mounted_is_there(values: dict[str, Any]) -> None:
    for deployment in (document for document in render(values) if document["kind"] == "Deployment"):
        spec = deployment["spec"]["template"]["spec"]
        (only,) = spec["containers"]
        mounts, volumes = (
            [each["name"] for each in only["volumeMounts"]],
            [each["name"] for each in spec["volumes"]],
        )
        assert sorted(mounts) == sorted(set(volumes))


def test_image_is_the_version_that_is_built() -> None:
    pom = (ROOT / "pom.xml").read_text()
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert f"<version>{chart['appVersion']}</version>" in pom
    assert container(render(ANONYMOUS), "gateway")["image"] == f"arc2face/gateway:{chart['appVersion']}"


def test_only_gateways_reach_triton_and_it_reaches_nobody() -> None:
    documents = render(ANONYMOUS)
    policy = find(documents, "NetworkPolicy", "triton")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["egress"] == []
    (calls,) = (rule for rule in policy["ingress"] if rule["ports"] == [{"port": "grpc"}])
    gateway = find(documents, "Deployment", "gateway")["spec"]["selector"]
    assert calls["from"] == [{"podSelector": gateway}]
    assert find(documents, "Service", "triton")["spec"]["clusterIP"] == "None"


@pytest.mark.parametrize(("values", "name", "port"), [(ANONYMOUS, "http", 80), (SECURED, "https", 443)])
def test_callers_over_http_come_to_the_same_gateway_again(
    values: dict[str, Any], name: str, port: int
) -> None:
    documents = render(values)
    service = find(documents, "Service", "gateway-http")["spec"]
    assert service["sessionAffinity"] == "ClientIP"
    assert service["selector"] == find(documents, "Service", "gateway")["spec"]["selector"]
    assert service["ports"] == [{"name": name, "port": port, "targetPort": name}]
    assert name in {port["name"] for port in container(documents, "gateway")["ports"]}
    callers, monitoring = find(documents, "NetworkPolicy", "gateway")["spec"]["ingress"]
    assert callers["ports"] == [{"port": "grpc"}, {"port": name}]
    assert monitoring["ports"] == [{"port": "management"}]


@pytest.mark.parametrize("values", [ANONYMOUS, SECURED], ids=["plain", "encrypted"])
def test_health_and_metrics_have_a_port_that_callers_do_not_reach(values: dict[str, Any]) -> None:
    documents = render(values)
    gateway = container(documents, "gateway")
    assert properties(documents)["quarkus.management.host"] == "0.0.0.0"
    assert {"name": "management", "containerPort": 9000} in gateway["ports"]
    for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
        assert gateway[probe]["httpGet"]["port"] == "management"
    for service in ("gateway", "gateway-http"):
        ports = find(documents, "Service", service)["spec"]["ports"]
        assert "management" not in {port["targetPort"] for port in ports}
    assert find(documents, "Service", "gateway-management")["spec"]["clusterIP"] == "None"


def test_plain_port_is_shut_where_there_is_an_encrypted_one() -> None:
    documents = render(SECURED)
    assert properties(documents)["quarkus.http.insecure-requests"] == "disabled"
    assert "http" not in {port["name"] for port in container(documents, "gateway")["ports"]}
    assert "quarkus.http.insecure-requests" not in properties(render(ANONYMOUS))


def test_traces_go_to_the_collector_from_both_sides() -> None:
    documents = render(TRACED)
    assert properties(documents)["otel.exporter.otlp.endpoint"] == "http://collector:4318"
    assert properties(documents)["otel.traces.sampler.arg"] == "0.2"
    arguments = container(documents, "triton")["args"]
    assert "--trace-config=opentelemetry,url=http://collector:4318/v1/traces" in arguments
    assert not any("TENSORS" in argument for argument in arguments)  # which would write down what is computed
    for part in ("gateway", "triton"):
        assert COLLECTOR in find(documents, "NetworkPolicy", part)["spec"]["egress"]
    assert not any("trace-config" in argument for argument in container(render(ANONYMOUS), "triton")["args"])


def test_triton_takes_no_orders() -> None:
    arguments = container(render(ANONYMOUS), "triton")["args"]
    for flag in ("--model-control-mode=none", "--strict-readiness=true", "--http-address=127.0.0.1"):
        assert flag in arguments
    ports = {port["containerPort"] for port in container(render(ANONYMOUS), "triton")["ports"]}
    assert ports == {8001, 8002}


def test_triton_gets_the_gpus_it_asks_for() -> None:
    assert container(render(ANONYMOUS), "triton")["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "nvidia.com/gpu" not in container(render(VALUES["cpu"]), "triton")["resources"]["limits"]


def test_gateway_is_not_restarted_for_its_triton() -> None:
    gateway = container(render(ANONYMOUS), "gateway")
    assert gateway["livenessProbe"]["httpGet"]["path"] == "/q/health/live"
    assert gateway["readinessProbe"]["httpGet"]["path"] == "/q/health/ready"


def test_what_runs_may_end() -> None:
    documents = render({**ANONYMOUS, "gateway": {"preStopSeconds": 7, "shutdownGraceSeconds": 90}})
    assert properties(documents)["arc2face.limits.shutdown-grace"] == "90s"
    assert pod(documents, "gateway")["terminationGracePeriodSeconds"] > 7 + 90
    assert container(documents, "gateway")["lifecycle"]["preStop"] == {"sleep": {"seconds": 7}}


def test_triton_answers_until_no_gateway_asks_it() -> None:
    documents = render({**ANONYMOUS, "triton": {"preStopSeconds": 33, "exitTimeoutSeconds": 44}})
    assert container(documents, "triton")["lifecycle"]["preStop"] == {"sleep": {"seconds": 33}}
    assert "--exit-timeout-secs=44" in container(documents, "triton")["args"]
    assert pod(documents, "triton")["terminationGracePeriodSeconds"] > 33 + 44


def test_gateway_finds_its_tritons() -> None:
    for values, targets in ((ANONYMOUS, "release-arc2face-triton:8001"), (EXTERNAL, "a:8001,b:8001")):
        assert properties(render(values))["arc2face.triton.targets"] == targets
    assert find(render(ANONYMOUS), "Service", "triton")["metadata"]["name"] == "release-arc2face-triton"


def test_numbers_reach_the_gateway_as_they_were_written() -> None:
    documents = render({**ANONYMOUS, "gateway": {"config": {"arc2face.limits.max-photo-pixels": 50_000_000}}})
    assert properties(documents)["arc2face.limits.max-photo-pixels"] == "50000000"


def test_changed_configuration_rolls_the_gateways() -> None:
    def annotations(values: dict[str, Any]) -> Any:
        template = find(render(values), "Deployment", "gateway")["spec"]["template"]
        return template["metadata"]["annotations"]

    before = annotations(ANONYMOUS)
    assert before != annotations({**ANONYMOUS, "gateway": {"config": {"arc2face.limits.max-running": 8}}})
    assert before != annotations(VALUES["API keys"])


def test_files_of_the_configuration_are_mounted() -> None:
    documents = render(SECURED)
    configured = properties(documents)
    files = {value for value in configured.values() if value.startswith("/")}
    # server certificate, key, callers' CA; API keys; Triton's CA, certificate, key; receipts' keys
    assert len(files) == 10
    mounts = {mount["mountPath"] for mount in container(documents, "gateway")["volumeMounts"]}
    assert {str(PurePosixPath(file).parent) for file in files} <= mounts
    assert configured["arc2face.security.jwt.audience"] == "arc2face"
    assert "arc2face.security.allow-anonymous" not in configured


def test_no_secret_is_in_the_configuration() -> None:
    assert [document for document in render(SECURED) if document["kind"] == "Secret"] == []


def test_triton_checks_its_gateways() -> None:
    arguments = container(render(SECURED), "triton")["args"]
    assert "--grpc-use-ssl-mutual=true" in arguments
    mounted = {mount["mountPath"] for mount in container(render(SECURED), "triton")["volumeMounts"]}
    for flag in ("server-cert=/secrets/tls.crt", "server-key=/secrets/tls.key", "root-cert=/secrets/ca.crt"):
        assert f"--grpc-{flag}" in arguments
    assert "/secrets" in mounted
    assert not any("ssl" in argument for argument in container(render(ANONYMOUS), "triton")["args"])


def test_autoscaler_follows_the_queue() -> None:
    documents = render(MONITORED)
    wait, running = find(documents, "HorizontalPodAutoscaler", "triton")["spec"]["metrics"]
    assert wait["external"]["metric"]["name"] == "arc2face_queue_wait_seconds"
    assert running["external"]["metric"]["name"] == "arc2face_generations_running"
    # Prometheus names what it asks after the service that it finds it by.
    monitored = find(documents, "Service", "gateway-management")["metadata"]["name"]
    for metric in (wait, running):
        assert metric["external"]["metric"]["selector"] == {"matchLabels": {"service": monitored}}
    assert "replicas" not in find(documents, "Deployment", "triton")["spec"]


def test_alerts_and_dashboard_are_those_of_the_repository() -> None:
    documents = render(MONITORED)
    (rule,) = (document for document in documents if document["kind"] == "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())
    dashboard = find(documents, "ConfigMap", "monitoring")
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    source = (ROOT / "deploy/monitoring/dashboard.json").read_text()
    assert json.loads(dashboard["data"]["arc2face.json"]) == json.loads(source)


def test_somebody_must_say_who_may_call() -> None:
    refused = template({})
    assert refused.returncode != 0
    assert "say who may call" in refused.stderr


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"security": {"tls": {"secretName": "tls"}}}, "say who may call"),
        ({"security": {"allowAnonymous": True, "tls": {"clientCertificates": True}}}, "tls.secretName"),
        ({"security": {"allowAnonymous": True, "jwt": {"issuer": "https://id"}}}, "go together"),
        ({**ANONYMOUS, "tritonTls": {"secretName": "tls"}}, "go together"),
        ({**ANONYMOUS, "receipts": {"signed": True}}, "receipts.secretName"),
        ({**ANONYMOUS, "triton": {"enabled": False}}, "tritonTargets"),
        ({"security": {"jwt": {"issuer": "https://id", "audience": "a"}}}, "allowTo"),
        ({**ANONYMOUS, "gateway": {"config": {"arc2face.policy.url": "https://p"}}}, "allowTo"),
        ({**ANONYMOUS, "tracing": {"endpoint": "http://c:4318"}}, "tracing.allowTo"),
        ({**ANONYMOUS, "tracing": {"endpoint": "collector"}}, "endpoint"),
        ({**ANONYMOUS, "gateway": {"replica": 3}}, "replica"),
        ({**ANONYMOUS, "gateway": {"config": {"java.home": "/"}}}, "java.home"),
        ({**ANONYMOUS, "triton": {"models": {"existingClaim": ""}}}, "existingClaim"),
        ({**ANONYMOUS, "triton": {"models": {"existingClaim": "m", "path": "/absolute"}}}, "path"),
        ({**ANONYMOUS, "triton": {"gpus": -1}}, "gpus"),
    ],
    ids=lambda value: value if isinstance(value, str) else json.dumps(value),
)
def test_wrong_values_are_refused(values: dict[str, Any], why: str) -> None:
    refused = template(values)
    assert refused.returncode != 0
    assert why in refused.stderr
