"""`lockstep audit` as it is typed: exit codes, files, JSON, and what it says when it cannot begin."""

import json
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kernel.clock import Clock
from lockstep.audit.look import Systems, opened
from lockstep.cli import audit as command
from lockstep.cli.app import program
from lockstep.settings import Connections
from schemas.config import BrandConfig
from tests.lockstep.audit.estate import (
    CONNECTIONS,
    Estate,
    a_new_location,
    a_rule_nobody_uses,
    back_orders_in_the_shop,
    make_estate,
)
from tests.lockstep.brands import brand_file

CONFIG_FILE = """\
brand = "acme"
reference_prefix = "ACME"
account = "ACME"
[[warehouses]]
location = "11"
warehouse = "LDS1"
[[warehouses]]
location = "12"
warehouse = "MAN1"
[[shipping]]
code = "standard"
carrier = "DPD"
service = "NEXTDAY"
[[shipping]]
title = "Express"
carrier = "DPD"
service = "AM12"
[[carriers]]
carrier = "DPD"
company = "DPD UK"
"""


class Typed:
    """The command over an estate, in a folder of its own."""

    def __init__(self, folder: Path, estate: Estate) -> None:
        self.folder, self.estate = folder, estate
        self.progress = ""
        self.config = folder / "acme.toml"
        self.config.write_text(CONFIG_FILE)

    def run(self, *more: str) -> tuple[int, str]:
        intake = ("--intake", "https://hooks.example.test")
        result = CliRunner().invoke(program(), ["audit", "acme", "--config", str(self.config), *intake, *more])
        self.progress = result.stderr
        return result.exit_code, result.stdout


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setenv("LOCKSTEP_CONNECTIONS", str(_connections(tmp_path)))
    estate = make_estate()

    def on_the_sandboxes(
        config: BrandConfig, connections: Connections, clock: Clock
    ) -> AbstractAsyncContextManager[Systems]:
        return opened(config, connections, clock, estate.wires)

    monkeypatch.setattr(command, "opened", on_the_sandboxes)
    monkeypatch.setattr(command, "SystemClock", lambda: estate.clock)
    return Typed(tmp_path, estate)


def _connections(folder: Path) -> Path:
    path = folder / "connections.json"
    path.write_text(json.dumps({"acme": CONNECTIONS}))
    return path


def test_without_gaps_it_ends_with_0(typed: Typed) -> None:
    code, said = typed.run()

    assert code == 0, said
    assert "No gaps." in said
    assert "4 variants" in said
    assert "Shopify: products …" in typed.progress, "how far it is, where there is no terminal"
    assert "…" not in said


def test_with_gaps_it_ends_with_1_and_says_what_to_do(typed: Typed) -> None:
    a_new_location(typed.estate)

    code, said = typed.run()

    assert code == 1
    assert "location_unmapped" in said
    assert "'Bristol pop-up' (location 13)" in said
    assert "[[warehouses]]" in said


def test_a_gap_that_is_accepted_is_told_and_does_not_count(typed: Typed) -> None:
    back_orders_in_the_shop(typed.estate)

    assert typed.run()[0] == 1
    code, said = typed.run("--accept", "backorder_on")

    assert code == 0
    assert "(accepted)" in said


def test_a_system_that_is_away_ends_it_with_2(typed: Typed) -> None:
    for wire in typed.estate.wires.values():
        wire.away = True

    code, said = typed.run()

    assert code == 2
    assert "not looked at: Clarus: accounts" in said


def test_pages_and_json(typed: Typed) -> None:
    a_new_location(typed.estate)
    page, paper = typed.folder / "audit.html", typed.folder / "audit.md"

    code, said = typed.run("--html", str(page), "--markdown", str(paper), "--json")

    found = json.loads(said)
    assert code == 1
    assert [one["code"] for one in found["findings"]] == ["location_unmapped"]
    assert found["verdict"] == "gaps"
    assert page.read_text().startswith("<!doctype html>")
    assert paper.read_text().startswith("# Audit of acme")


def test_the_days_are_taken(typed: Typed) -> None:
    for order in typed.estate.shop.orders.values():
        order.created_at -= timedelta(days=30)

    assert "3 orders" in typed.run()[1]
    assert "0 orders" in typed.run("--days", "7")[1]


def test_advice_alone_is_no_gap(typed: Typed) -> None:
    a_rule_nobody_uses(typed.estate)
    typed.config.write_text(CONFIG_FILE + '[[shipping]]\ncode = "rare"\ncarrier = "DPD"\nservice = "AM12"\n')

    code, said = typed.run()

    assert code == 0
    assert "shipping_rule_unused" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["brio"], "expected a brand of the connections file, found acme"),
        (["acme", "--config", "{folder}/other.toml"], "brand: expected acme, found other"),
        (["acme", "--config", "{folder}/none.toml"], "expected a readable file"),
        ([], "expected a brand of the connections file"),
    ],
)
def test_what_it_cannot_begin_with_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_CONNECTIONS", str(_connections(tmp_path)))
    brand_file(tmp_path, brand="other")

    result = CliRunner().invoke(program(), ["audit", *(one.format(folder=tmp_path) for one in arguments)])

    assert result.exit_code != 0
    assert said in f"{result.output}{result.exception}"


def test_the_page_of_the_documentation_needs_nothing(tmp_path: Path) -> None:
    result = CliRunner().invoke(program(), ["audit", "--page", str(tmp_path / "audit.md")])

    assert result.exit_code == 0
    assert (tmp_path / "audit.md").read_text().startswith("# Audit\n")


def test_secrets_are_not_told(typed: Typed) -> None:
    a_new_location(typed.estate)

    said = typed.run("--json")[1]

    assert "shpat_1" not in said
    assert "open sesame" not in said
    assert "k7" not in said
