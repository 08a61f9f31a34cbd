"""The dashboard and the alert rules name what the code has, in words a person understands."""

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import yaml

from connectors.intake import app as intake
from kernel.metrics import Metrics, Stage
from schemas.cases import Severity
from tests.paths import ROOT

GRAFANA = ROOT / "docs/grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "lockstep.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((GRAFANA / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]
EXPRESSIONS: list[tuple[str, str]] = [
    *((panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]),
    *((rule["alert"], rule["expr"]) for rule in RULES),
    *((one["label"], one["definition"]) for one in DASHBOARD["templating"]["list"] if "definition" in one),
]
each_expression = pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])


def series() -> dict[str, set[str]]:
    """Every name Prometheus stores for our metrics, with its labels."""
    found: dict[str, set[str]] = {}
    metrics: list[Any] = [metric for name, metric in vars(Metrics()).items() if name != "registry"]
    for metric in metrics:
        labels = set(metric._labelnames)
        match metric._type:
            case "counter":
                found[f"{metric._name}_total"] = labels
            case "histogram":
                found |= {f"{metric._name}_count": labels, f"{metric._name}_sum": labels}
                found[f"{metric._name}_bucket"] = labels | {"le"}
            case _:
                found[metric._name] = labels
    return found


SERIES = series()


def named(expression: str) -> set[str]:
    return set(re.findall(r"\blockstep_\w+", expression))


@each_expression
def test_every_metric_named_is_one_of_ours(where: str, expression: str) -> None:
    assert named(expression), where
    assert named(expression) <= set(SERIES)


@each_expression
def test_every_label_named_is_one_of_its_metric(where: str, expression: str) -> None:
    for name, matchers in re.findall(r"\b(lockstep_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers)) <= SERIES[name], where
    grouped = {
        label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in labels.split(",")
    }
    assert grouped <= set().union(*(SERIES[name] for name in named(expression))), where


@each_expression
def test_every_expression_is_balanced(where: str, expression: str) -> None:
    for open_, close in ("()", "[]", "{}"):
        assert expression.count(open_) == expression.count(close), where
    assert expression.count('"') % 2 == 0


def test_counters_are_rates_and_histograms_quantiles() -> None:
    """A counter by itself only ever rises, and starts anew with each process."""
    for where, expression in EXPRESSIONS:
        for name in named(expression):
            if name.endswith(("_total", "_bucket", "_count")):
                assert re.search(rf"\b(?:rate|increase)\({name}\b", expression), f"{where}: {name}"
            if name.endswith("_bucket"):
                assert "histogram_quantile(" in expression, where


def values(label: str) -> Iterator[str]:
    """What the expressions compare a label with, alternatives apart."""
    for _, expression in EXPRESSIONS:
        for _, text in re.findall(rf'\b{label}(=~|=)"([^"]*)"', expression):
            yield from text.split("|")


def test_values_of_labels_are_those_the_code_sets() -> None:
    assert set(values("stage")) == set(Stage)
    assert set(values("severity")) <= set(Severity)
    source = (ROOT / "connectors/intake/app.py").read_text()
    for reason in values("reason"):
        assert f'"{reason}", ' in source
    assert intake.UNKNOWN in set(values("brand"))


# --- the dashboard


def test_the_dashboard_shows_every_metric() -> None:
    shown = {name for panel in PANELS for target in panel["targets"] for name in named(target["expr"])}
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in SERIES}

    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown} == families


@pytest.mark.parametrize("panel", PANELS, ids=[panel["title"] for panel in PANELS])
def test_a_panel_speaks_plainly(panel: dict[str, Any]) -> None:
    assert len(panel["title"].split()) > 1
    assert not re.search(r"_|\bp\d\d\b|\blockstep_|\brate\b", panel["title"])
    assert len(panel["description"].split()) > 4
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, "chosen at the import, or provisioned"
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_panels_have_ids_of_their_own_and_do_not_cover_each_other() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, f"{one} {other}"


def test_the_dashboard_can_be_provisioned() -> None:
    assert DASHBOARD["uid"] == "lockstep"
    assert "id" not in DASHBOARD, "an id belongs to one Grafana"
    assert "__inputs" not in DASHBOARD, "only an import asks; provisioning does not"
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["datasource", "brand"]


# --- the alerts


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Lockstep[A-Z]\w+", rule["alert"])
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))
    assert set(rule["annotations"]) == {"summary", "description"}
    assert len(rule["annotations"]["description"].split()) > 6
    used = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))
    kept = {
        label.strip() for labels in re.findall(r"\b(?:by|on) \(([^)]*)\)", rule["expr"]) for label in labels.split(",")
    }
    assert used <= kept, "a label that the expression drops is empty in the text"
    assert re.search(r"[<>=]", rule["expr"])


def test_every_alert_stands_in_the_operators_page_with_its_severity() -> None:
    page = (ROOT / "docs/operate/running.md").read_text()
    said = dict(re.findall(r"^\| `(Lockstep\w+)` \| (\w+) \|", page, re.MULTILINE))

    assert said == {rule["alert"]: rule["labels"]["severity"] for rule in RULES}
