"""The Helm chart: what it renders is Kubernetes', plays every role, and tells processes nothing they do not know."""

import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import kubernetes_validate  # type: ignore[import-untyped]  # ships no types
import pytest
import yaml
from starlette.routing import Route

from kernel.metrics import Metrics
from lockstep.roles import Role
from lockstep.serving import health_app
from lockstep.settings import Settings
from tests import helm
from tests.lockstep.test_docs import VARIABLES, commands
from tests.paths import ROOT

CHART = ROOT / "helm/lockstep"
PAGE = (ROOT / "docs/operate/kubernetes.md").read_text()
KUBERNETES = "1.33"
NEEDED: dict[str, Any] = {
    "image": {"repository": "registry.example/lockstep"},
    "kafka": {"bootstrap": "kafka-1:9092,kafka-2:9092"},
    "connections": {"secret": "lockstep-connections"},
}
ALL: dict[str, Any] = {
    "secrets": ["lockstep-secrets"],
    "settings": {"LOCKSTEP_KAFKA_SECURITY__PROTOCOL": "SSL", "LOCKSTEP_KAFKA_SECURITY__CA_FILE": "/etc/kafka/ca.crt"},
    "extraVolumes": [{"name": "ca", "secret": {"secretName": "kafka-ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/kafka", "readOnly": True}],
    "roles": {
        "orders": {"replicas": 4, "settings": {"LOCKSTEP_TICK_EVERY": "1"}, "resources": {"limits": {"memory": "4Gi"}}},
        "items": {"replicas": 0},
    },
    "intake": {
        "service": {"annotations": {"a": "b"}},
        "ingress": {"enabled": True, "className": "nginx", "host": "hooks.example", "tlsSecret": "hooks-tls"},
    },
    "monitoring": {"podMonitor": {"enabled": True}, "rules": {"enabled": True}, "dashboard": {"enabled": True}},
    "image": {**NEEDED["image"], "tag": "1.2.3", "pullSecrets": ["registry"]},
    "serviceAccountName": "lockstep",
    "podAnnotations": {"a": "b"},
    "podLabels": {"c": "d"},
    "nodeSelector": {"disk": "fast"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "priorityClassName": "high",
}
BARE: dict[str, Any] = {
    "topics": {"create": False},
    "tools": {"enabled": False},
    "roles": {str(role): {"replicas": 0} for role in Role},
}
CUSTOM = {"PodMonitor", "PrometheusRule"}
"""Kinds of the Prometheus operator; Kubernetes' own schemas do not know them."""

needs_helm = pytest.mark.skipif(helm.found() is None, reason="no helm here: `make chart` builds one with Go")


def rendered(values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """What helm makes of the chart with these values."""
    command = [str(helm.found()), "template", "demo", str(CHART), "--kube-version", KUBERNETES, "--values", "-"]
    return subprocess.run(command, input=yaml.safe_dump(values), capture_output=True, text=True, check=False)


@cache
def objects(how: str) -> tuple[dict[str, Any], ...]:
    """All that is rendered: with what is needed alone, with everything set, with everything off."""
    ran = rendered({"needed": NEEDED, "all": NEEDED | ALL, "bare": NEEDED | BARE}[how])
    assert ran.returncode == 0, ran.stderr
    return tuple(one for one in yaml.safe_load_all(ran.stdout) if one)


def of(how: str, kind: str) -> dict[str, dict[str, Any]]:
    """By component."""
    return {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one for one in objects(how) if one["kind"] == kind
    }


def pods(how: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("Deployment", "Job"):
        for component, one in of(how, kind).items():
            yield component, one["spec"]["template"]["spec"]


# --- what needs no helm


def values() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "values.yaml").read_text()))


def paths(table: dict[str, Any], within: str = "") -> Iterator[str]:
    """`intake.ingress.host` …: where a value stands that is no table of named ones."""
    for name, value in table.items():
        deeper = isinstance(value, dict) and value and within + name not in ("resources", "tools.resources")
        yield from paths(value, f"{within}{name}.") if deeper else [within + name]


def test_the_schema_takes_the_values_and_knows_each() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    check = jsonschema.Draft7Validator(schema)

    for more in ({}, ALL, BARE):
        assert list(check.iter_errors({**values(), **NEEDED, **more})) == []
    assert {".".join(wrong.absolute_path) for wrong in check.iter_errors(values())} == {
        "image.repository",
        "kafka.bootstrap",
        "connections.secret",
    }


def test_every_role_has_its_replicas() -> None:
    assert set(values()["roles"]) == {str(role) for role in Role}


def test_every_value_is_told() -> None:
    told = {name for line in PAGE.splitlines() if line.startswith("|") for name in re.findall(r"`([^`]+)`", line)}

    assert {re.sub(r"^roles\.\w+", "roles.ROLE", path) for path in paths(values())} - told == set()


def test_dashboard_and_alerts_are_those_of_the_docs() -> None:
    for file, original in (("alerts.yml", "alerts.yml"), ("dashboard.json", "lockstep.json")):
        assert (CHART / "files" / file).resolve() == ROOT / "docs/grafana" / original


def test_the_chart_is_of_this_release() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert f'version = "{chart["appVersion"]}"' in (ROOT / "pyproject.toml").read_text()


# --- what is rendered


@needs_helm
@pytest.mark.parametrize("how", ["needed", "all", "bare"])
def test_what_is_rendered_is_kubernetes(how: str) -> None:
    found = [one for one in objects(how) if one["kind"] not in CUSTOM]

    for one in found:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)
    names = [(one["kind"], one["metadata"]["name"]) for one in objects(how)]
    assert len(set(names)) == len(names)
    assert len(found) >= {"needed": 15, "all": 15, "bare": 0}[how]


@needs_helm
def test_every_role_is_a_deployment_that_plays_it() -> None:
    played = {
        name: one["spec"]["template"]["spec"]["containers"][0]["args"]
        for name, one in of("needed", "Deployment").items()
        if name != "tools"
    }

    assert played == {role: ["run", role] for role in Role}
    assert "items" not in of("all", "Deployment")
    assert of("all", "Deployment")["orders"]["spec"]["replicas"] == 4
    assert objects("bare") == ()


@needs_helm
def test_topics_are_made_before_anything_runs() -> None:
    (job,) = of("needed", "Job").values()

    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert " ".join(job["spec"]["template"]["spec"]["containers"][0]["args"]) in commands()
    hooked = {
        volume["secret"]["secretName"] for volume in job["spec"]["template"]["spec"]["volumes"] if "secret" in volume
    }
    assert hooked == {"lockstep-connections"}, "what the chart makes itself is not there yet"


@needs_helm
@pytest.mark.parametrize("how", ["needed", "all"])
def test_every_variable_is_read_and_valid(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {variable for _, _, variable in VARIABLES}
    for _, pod in pods(how):
        told = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        assert set(told) <= known
        with monkeypatch.context() as environment:
            for name, value in told.items():
                environment.setenv(name, value)
            settings = Settings()
        assert str(settings.connections) == "/etc/lockstep/connections.toml"
        assert settings.health_port == 9100
    own = {one["name"]: one["value"] for one in dict(pods("all"))["orders"]["containers"][0]["env"]}
    assert own["LOCKSTEP_TICK_EVERY"] == "1"


@needs_helm
@pytest.mark.parametrize("how", ["needed", "all"])
def test_every_probe_asks_for_what_is_served(how: str) -> None:
    served = {route.path for route in health_app(lambda: None, Metrics()).routes if isinstance(route, Route)}  # type: ignore[arg-type]  # nobody asks it
    for component, deployment in of(how, "Deployment").items():
        if component == "tools":
            continue
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        probes = [container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")]
        assert {probe["path"] for probe in probes} <= served
        assert {"name": "health", "containerPort": 9100} in container["ports"]


@needs_helm
@pytest.mark.parametrize("how", ["needed", "all"])
def test_no_process_may_do_more_than_it_must(how: str) -> None:
    for _, pod in pods(how):
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@needs_helm
def test_webhooks_find_the_intake() -> None:
    (service,) = of("all", "Service").values()
    (ingress,) = of("all", "Ingress").values()
    labels = of("all", "Deployment")["intake"]["spec"]["template"]["metadata"]["labels"]

    assert service["spec"]["selector"].items() <= labels.items()
    (rule,) = ingress["spec"]["rules"]
    assert rule["host"] == "hooks.example"
    assert rule["http"]["paths"][0]["backend"]["service"]["name"] == service["metadata"]["name"]


@needs_helm
def test_alerts_and_dashboard_come_whole() -> None:
    (rules,) = (one for one in objects("all") if one["kind"] == "PrometheusRule")
    (dashboard,) = (one for one in objects("all") if one["kind"] == "ConfigMap")

    assert rules["spec"] == yaml.safe_load((ROOT / "docs/grafana/alerts.yml").read_text())
    assert json.loads(dashboard["data"]["lockstep.json"]) == json.loads(
        (ROOT / "docs/grafana/lockstep.json").read_text()
    )


@needs_helm
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"roles": {"order": {"replicas": 1}}}, "order"),
        ({"kafka": {"bootstrap": "kafka"}}, "/kafka/bootstrap"),
        ({"connections": {}}, "/connections/secret"),
        ({"settings": {"LOCKSTEP_TICK_EVERY": 1000000}}, "/settings/LOCKSTEP_TICK_EVERY"),
        ({"intake": {"ingress": {"enabled": True}}}, "intake.ingress.host: expected the public name"),
    ],
)
def test_a_mistake_is_refused_by_its_place(wrong: dict[str, Any], said: str) -> None:
    ran = rendered(NEEDED | wrong)

    assert ran.returncode != 0
    assert said in ran.stderr


@needs_helm
def test_helm_finds_nothing_to_say_of_it() -> None:
    command = [str(helm.found()), "lint", "--strict", str(CHART), "--kube-version", KUBERNETES, "--values", "-"]
    ran = subprocess.run(command, input=yaml.safe_dump(NEEDED), capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout
    assert "WARNING" not in ran.stdout
