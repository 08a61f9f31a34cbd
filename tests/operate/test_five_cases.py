"""Somebody new to the system works five planted cases with nothing but docs/operate/daily-checks.md in hand.

The steps are read from the page. What is typed runs against the whole topology in memory; what is done elsewhere, in
Shopify, Clarus or a file, is done in the sandbox by the page's own words.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kernel.virtual_time import VirtualTimeLoop
from lockstep.daily_page import WORKED
from lockstep.demo.scenario import BRANDS
from lockstep.reading import newest_cases
from lockstep.simulation.house import START, House
from sandbox.shopify.records import Address, Order
from schemas.base import order_key
from schemas.cases import Case, CaseCode
from tests.lockstep.desk import Desk
from tests.paths import ROOT

PAGE = (ROOT / "docs/operate/daily-checks.md").read_text()
LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)
CLASSIC = [("0042-A", 3)]


def steps(code: str) -> list[str]:
    """What the page says to do about a code, in order; commands without their backquotes."""
    (section,) = re.findall(rf"^### `{re.escape(code)}`\n(.*?)(?=^### |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return [step.strip("`") for step in re.findall(r"^\d+\. (.*)$", section, re.MULTILINE)]


class Newcomer:
    """At a terminal, with the page. Knows no order by heart: takes it from what the list shows."""

    def __init__(self, house: House, desk: Desk, file: Path) -> None:
        self.house, self.desk, self._file = house, desk, file
        self._order = ""
        self.said: list[str] = []

    def works(self, code: CaseCode, elsewhere: dict[str, Callable[[], object]]) -> None:
        for step in steps(code):
            if not step.startswith("lockstep "):
                self.happens(elsewhere.pop(step))
                continue
            line = step.removeprefix("lockstep ").replace("ORDER", self._order).replace("BRAND.toml", str(self._file))
            self.said.append(self.desk.reads(line))
            if "case list" in step:
                row = next(row for row in self.said[-1].splitlines() if row.strip().startswith(code))
                self._order = re.findall(r"\b[a-z]+/\d+\b", row)[0]
        assert elsewhere == {}, "the page does not say to do this"

    def happens(self, *what: Callable[[], object]) -> None:
        """Outside, where clocks run."""

        async def now() -> None:
            for one in what:
                one()

        self.desk.runner.run(now())

    def sees_it_closed(self, code: CaseCode) -> None:
        self.goes_on(lambda: not self.is_listed(code))
        assert f"{code} {self.case(code).object}, closed" in self.desk.reads(f"case show {self._order}")

    def case(self, code: CaseCode) -> Case:
        found = self.desk.runner.run(newest_cases(self.house.log))
        return next(one for one in found if one.code is code and order_key(one.brand, one.order) == self._order)

    def is_listed(self, code: CaseCode) -> bool:
        return any(one.code is code and one.open for one in self.desk.runner.run(newest_cases(self.house.log)))

    def goes_on(self, until: Callable[[], bool]) -> None:
        """The flow, for ten minutes at most, until it is so."""
        for _ in range(600):
            if until():
                return
            self.desk.runner.run(self.house.clock.sleep(1.0))
        pytest.fail("it never came to that")


@contextmanager
def at_work(patch: pytest.MonkeyPatch, file: Path) -> Iterator[Newcomer]:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:

        async def opened() -> House:
            return await House().__aenter__()

        house = runner.run(opened())
        try:
            yield Newcomer(house, Desk(patch, runner, house.log, house.clock), file)
            house.raise_what_ended()
        finally:
            runner.run(house.__aexit__())


@pytest.fixture
def newcomer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Newcomer]:
    with at_work(monkeypatch, tmp_path / "acme.toml") as one:
        yield one


def planted(newcomer: Newcomer, code: CaseCode, lines: Any = CLASSIC, **order: Any) -> Order:
    """An order at acme, and the case it leads to."""
    shop = newcomer.house.outside.shop("acme")
    made: list[Order] = []

    async def ordered() -> None:
        made.append(shop.place_order(lines, **({"address": LEEDS} | order)))
        await newcomer.house.clock.sleep(1)
        shop.route(made[0], [11])

    newcomer.desk.runner.run(ordered())
    if code in (CaseCode.SHORT_CLOSED, CaseCode.OVER_DESPATCHED):
        newcomer.goes_on(lambda: bool(sent(newcomer)))
    else:
        newcomer.goes_on(
            lambda: any(one.code is code for one in newcomer.desk.runner.run(newest_cases(newcomer.house.log)))
        )
    return made[0]


def sent(newcomer: Newcomer) -> list[int]:
    """Goods-outs in the warehouse, oldest first."""
    return sorted(newcomer.house.outside.clarus.goods_outs)


def as_toml(value: Any) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key} = {as_toml(one)}" for key, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(as_toml, value)) + "]"
        case _:
            return json.dumps(value)


def test_an_incomplete_address(newcomer: Newcomer) -> None:
    order = planted(newcomer, CaseCode.ADDRESS_INCOMPLETE, address=replace(LEEDS, zip=""))
    shop = newcomer.house.outside.shop("acme")

    newcomer.works(
        CaseCode.ADDRESS_INCOMPLETE,
        {"In Shopify: complete the delivery address.": lambda: shop.complete(order, address=LEEDS)},
    )

    newcomer.sees_it_closed(CaseCode.ADDRESS_INCOMPLETE)
    assert len(sent(newcomer)) == 1
    assert newcomer.case(CaseCode.ADDRESS_INCOMPLETE).assignee == "kim"
    assert "Mill Lane" not in "".join(newcomer.said)


def test_an_unmapped_shipping_line(newcomer: Newcomer, tmp_path: Path) -> None:
    planted(newcomer, CaseCode.UNMAPPED_SHIPPING_LINE, shipping=("Carrier pigeon", "pigeon"))

    def map_it() -> None:
        config = BRANDS[0].config(START).model_dump(mode="json", exclude_defaults=True, exclude={"version"})
        config["shipping"].append({"code": "pigeon", "carrier": "DPD", "service": "NEXTDAY"})
        text = "\n".join(f"{key} = {as_toml(value)}" for key, value in config.items())
        (tmp_path / "acme.toml").write_text(text)

    mapping = "In BRAND.toml: map the shipping line the case names to a carrier and a service."
    newcomer.works(CaseCode.UNMAPPED_SHIPPING_LINE, {mapping: map_it})

    assert "pigeon" in newcomer.said[1], "the case names it"
    newcomer.sees_it_closed(CaseCode.UNMAPPED_SHIPPING_LINE)
    newcomer.goes_on(lambda: len(sent(newcomer)) == 1)


def test_a_sku_the_warehouse_does_not_know(newcomer: Newcomer) -> None:
    planted(newcomer, CaseCode.UNKNOWN_SKU, [("NEW-TEE", 1)])
    master = newcomer.house.outside.clarus.master
    account = next(one for one in master.accounts.values() if one.tenant == "acme")

    erp = newcomer.house.outside.erp_world
    assert erp is not None
    assert erp.items is not None
    items = erp.items

    def create() -> None:
        master.add_product("acme", "NEW-TEE", "Tee", [account])
        items.enter("NEW-TEE")

    creating = "In Clarus and in the ERP: create the product under exactly this code."
    newcomer.works(CaseCode.UNKNOWN_SKU, {creating: create})

    assert "NEW-TEE" in newcomer.said[1], "the case names it"
    newcomer.sees_it_closed(CaseCode.UNKNOWN_SKU)
    assert len(sent(newcomer)) == 1


def test_a_goods_out_that_was_closed_short(newcomer: Newcomer) -> None:
    planted(newcomer, CaseCode.SHORT_CLOSED)
    clarus = newcomer.house.outside.clarus
    (first,) = sent(newcomer)
    (line,) = clarus.goods_outs[first].lines

    newcomer.happens(lambda: clarus.despatch(first, {line: Decimal(1)}), lambda: clarus.close_short(first))
    newcomer.goes_on(lambda: newcomer.is_listed(CaseCode.SHORT_CLOSED))

    newcomer.works(CaseCode.SHORT_CLOSED, {})

    newcomer.sees_it_closed(CaseCode.SHORT_CLOSED)
    newcomer.goes_on(lambda: len(sent(newcomer)) == 2)
    (again,) = clarus.goods_outs[sent(newcomer)[1]].lines.values()
    assert again.ordered == 2


def test_units_that_were_sent_too_many(newcomer: Newcomer) -> None:
    planted(newcomer, CaseCode.OVER_DESPATCHED)
    clarus = newcomer.house.outside.clarus
    (first,) = sent(newcomer)
    (line,) = clarus.goods_outs[first].lines

    newcomer.happens(lambda: clarus.despatch(first, {line: Decimal(4)}))
    newcomer.goes_on(lambda: newcomer.is_listed(CaseCode.OVER_DESPATCHED))

    newcomer.works(CaseCode.OVER_DESPATCHED, {})

    newcomer.sees_it_closed(CaseCode.OVER_DESPATCHED)
    newcomer.desk.runner.run(newcomer.house.clock.sleep(120.0))
    assert not newcomer.case(CaseCode.OVER_DESPATCHED).open
    assert len(sent(newcomer)) == 1


def test_what_holds_an_order_is_seen_and_overridden(newcomer: Newcomer) -> None:
    """Not on the page's list of five: `show`, then `case release`, of an order that is not paid."""
    order = planted(newcomer, CaseCode.PAYMENT_NOT_MET, financial_status="PENDING")
    key = f"acme/{order.id}"

    shown = newcomer.desk.reads(f"show {key}")
    assert "held: payment_not_met, payment is PENDING" in shown
    assert "next: it goes on by itself when the payment rule is met" in shown
    said = newcomer.desk.reads(f"case release {key} --why 'they pay by invoice'")

    assert "Next: the order is released within seconds" in said
    newcomer.goes_on(lambda: len(sent(newcomer)) == 1)
    after = newcomer.desk.reads(f"show {key}")
    assert "held:" not in after
    assert "overridden: payment_not_met by kim" in after
    assert "they pay by invoice" in after
    assert "Mill Lane" not in shown + after


def test_the_page_works_as_many_as_it_says() -> None:
    worked = re.findall(r"^### `(.*)`$", PAGE, re.MULTILINE)

    assert worked == [one.code for one in WORKED]
    assert len(worked) == 5
