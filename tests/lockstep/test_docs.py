"""The documentation says what the code does: every setting, every metric, every command, every link."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connectors.runtime.settings import RuntimeSettings
from kernel.metrics import Metrics
from lockstep.cli import app
from lockstep.demo.report import Cases, Clarus, Erp, Latency, Orders, Percentiles, Report, Shopify
from lockstep.demo.stock_report import StockReport
from lockstep.notices.target import NoticeSettings, NoticeTarget
from lockstep.roles import Role
from lockstep.settings import ClarusConnection, Connections, SandboxErpConnection, Settings, ShopifyConnection
from lockstep.settings import KafkaSecuritySettings as Security
from lockstep.settings import TrytonConnection as Tryton
from schemas.config import BrandConfig, CarrierRule, SweepTimes, Waits, WarehouseRule
from schemas.item_rules import ItemRules
from schemas.mapping import Bundle, Component, Instructions, PriorityRule, Rename, ShippingRule, SkuRules
from schemas.stock_rules import Buffer, StockRules
from streams.rules.orders.mapping.doubts import doubts
from tests.paths import ROOT

OPERATE = ROOT / "docs/operate"
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


def rows(page: Path) -> Iterator[tuple[list[str], str]]:
    """The names in the first cell of every table row, and its second cell."""
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        names = re.findall(r"`([^`]+)`", cells[0])
        if line.startswith("|") and names:
            yield names, cells[1]


def documented(page: Path) -> dict[str, set[str]]:
    """Name → what stands beside it, in any table."""
    found: dict[str, set[str]] = {}
    for names, default in rows(page):
        for name in names:
            found.setdefault(name, set()).add(default.strip("`"))
    return found


def default_of(model: type[BaseModel], name: str) -> str:
    """As the tables write it; '' when it must be given or is a table of its own."""
    info = model.model_fields[name]
    value: Any = info.get_default(call_default_factory=True)
    if info.is_required() or isinstance(value, BaseModel) or name == "kind":  # which table it is must be said
        return ""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, tuple):
        return "`, `".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


NESTED = {"runtime", "kafka_security"}
VARIABLES = [
    *((Settings, name, f"LOCKSTEP_{name.upper()}") for name in Settings.model_fields if name not in NESTED),
    *((Security, name, f"LOCKSTEP_KAFKA_SECURITY__{name.upper()}") for name in Security.model_fields),
    *((RuntimeSettings, name, f"LOCKSTEP_RUNTIME__{name.upper()}") for name in RuntimeSettings.model_fields),
]


@pytest.mark.parametrize(("model", "name", "variable"), VARIABLES, ids=[variable for _, _, variable in VARIABLES])
def test_every_variable_is_documented_with_its_default(model: type[BaseModel], name: str, variable: str) -> None:
    page = documented(OPERATE / "settings.md")

    assert page[variable] == {default_of(model, name)}


FILE_MODELS = (
    ShopifyConnection, ClarusConnection, Tryton, SandboxErpConnection, NoticeSettings, NoticeTarget,
    BrandConfig, WarehouseRule, ShippingRule, CarrierRule, Waits, PriorityRule, Instructions, SkuRules, Rename, Bundle,
    Component, StockRules, Buffer, SweepTimes, ItemRules,
)  # fmt: skip
FIELDS = [(model, name) for model in FILE_MODELS for name in model.model_fields]


@pytest.mark.parametrize(("model", "name"), FIELDS, ids=[f"{model.__name__}.{name}" for model, name in FIELDS])
def test_every_field_of_a_file_is_documented_with_its_default(model: type[BaseModel], name: str) -> None:
    page = documented(OPERATE / "settings.md")

    assert default_of(model, name) in page.get(name, set())


def test_no_variable_is_documented_that_nobody_reads() -> None:
    said = {name for names, _ in rows(OPERATE / "settings.md") for name in names if name.startswith("LOCKSTEP_")}

    assert said == {variable for _, _, variable in VARIABLES}


def test_the_examples_of_the_settings_page_are_valid_and_nothing_in_them_is_doubted() -> None:
    text = (OPERATE / "settings.md").read_text()
    connections, brand = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)

    assert set(tomllib.loads(connections)) == {"acme"}
    Connections.model_validate(tomllib.loads(connections)["acme"])
    assert list(doubts(BrandConfig.model_validate(tomllib.loads(brand)))) == []


def test_every_metric_is_documented_as_the_code_has_it() -> None:
    said = [line for line in (OPERATE / "running.md").read_text().splitlines() if line.startswith("| `lockstep_")]
    metrics: list[Any] = [metric for name, metric in vars(Metrics()).items() if name != "registry"]
    rows = [
        f"| `{metric._name}{'_total' if metric._type == 'counter' else ''}` | {metric._type} | "
        f"{', '.join(f'`{label}`' for label in metric._labelnames) or 'none'} | {metric._documentation} |"
        for metric in metrics
    ]

    assert len(said) == len(rows)
    for line, row in zip(said, rows, strict=True):
        assert line.startswith(row), f"docs/operate/running.md: expected {row}"


def test_every_role_is_documented() -> None:
    assert set(Role) <= set(documented(OPERATE / "running.md"))


def commands() -> set[str]:
    """`case list`, `show` …: all that can be typed."""
    found: set[str] = set()
    for name in app.commands():
        inner = getattr(app.loaded(name), "commands", None)
        found |= {name} if inner is None else {name, *(f"{name} {one}" for one in inner)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_command_that_does_not_exist(page: Path) -> None:
    known = commands()
    groups = {name.partition(" ")[0] for name in known if " " in name}
    for words in re.findall(r"`lockstep ([a-z-]+(?: [a-z-]+)?)", page.read_text()):
        first = words.partition(" ")[0]
        assert words in known if first in groups and " " in words else first in known, f"lockstep {words}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text()):
        if target.startswith("http"):
            continue
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or anchor in headings(there), f"{target}#{anchor}"


def headings(page: Path) -> set[str]:
    """As a link names them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_make_target_named_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"demo", "test"} <= set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text())) <= targets


@pytest.mark.parametrize("page", ["README.md", "docs/operate/running.md"])
def test_a_page_that_begins_with_the_command_says_where_a_terminal_finds_it(page: str) -> None:
    (folder,) = re.findall(r"^BIN := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert f"`export PATH=$PWD/{folder}:$PATH`" in (ROOT / page).read_text()


def test_the_readme_shows_every_figure_of_the_verdict() -> None:
    (shown,) = re.findall(r"```\n(\{.*?\})\n```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert set(Report.model_fields) <= set(re.findall(r'"(\w+)"', shown))
    for part in (Orders, Clarus, Erp, Shopify, Latency, Percentiles, Cases, StockReport):
        assert set(part.model_fields) <= set(re.findall(r'"(\w+)"', shown)), part.__name__


def test_every_choice_has_its_four_parts() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert re.findall(r"^## (.*)$", page.read_text(), re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
            "What would change our mind",
        ]
