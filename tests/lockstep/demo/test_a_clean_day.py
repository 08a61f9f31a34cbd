"""A day without faults judges in step; no page of its books can be torn out or copied without the judge seeing it."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from kernel.virtual_time import run_virtual
from lockstep.demo.judge import Books, Judged
from lockstep.demo.report import Report
from lockstep.simulation.house import House
from lockstep.simulation.log_oracle import cases_of
from schemas.cases import Case
from tests.flow.day import play_day


def a_day(seed: int) -> tuple[Report, Books, list[Case]]:
    async def played() -> tuple[Report, Books, list[Case]]:
        async with House(seed=seed) as house:
            report = await play_day(house, orders=12, rate=2.0)
            return report, await house.outside.books(), [case for case in cases_of(house.log) if case.open]

    return run_virtual(played())


@pytest.fixture(scope="module")
def clean() -> tuple[Report, Books, list[Case]]:
    return a_day(11)


def test_a_clean_day_is_in_step(clean: tuple[Report, Books, list[Case]]) -> None:
    report, _, open_cases = clean

    assert report.why_not == ()
    assert report.in_step
    assert report.orders.placed == 12
    assert report.shopify.fulfillments >= report.orders.ready > 0
    assert len(open_cases) >= 4, "one for each planted order"
    assert report.dead_letters == 0


def test_what_was_held_is_counted_by_how_it_ended(clean: tuple[Report, Books, list[Case]]) -> None:
    """A new shipping line is mapped half-way, and what is on account is let go by a person."""
    report, true, _ = clean
    held = report.held
    new = [order for order in true.shopify["orders"] if order["shipping"] in ("saturday", "rmsd")]

    assert len(new) >= 1
    assert held.by_reason["unmapped_shipping_line"] == 1 + sum(
        order["complete_at"] < true.new_lines[true.shops[order["shop"]]][order["shipping"]] for order in new
    )
    assert held.released_by_person == 1
    assert held.released_by_themselves >= 1
    assert held.still == report.orders.held == len(held.still_by_reason) == 4
    assert held.orders == held.released_by_themselves + held.released_by_person + held.ended + held.still


@pytest.mark.parametrize("seed", [2, 23])
def test_whatever_the_shoppers_do(seed: int) -> None:
    report, _, _ = a_day(seed)

    assert report.why_not == ()


PAGES = [("clarus", "goods_outs"), ("erp", "sales_orders"), ("erp", "fulfilments"), ("shopify", "fulfillments")]


def _torn(page: list[Any], number: int) -> None:
    del page[number]


def _copied(page: list[Any], number: int) -> None:
    page.append(copy.deepcopy(page[number]))


@pytest.mark.parametrize(("system", "name"), PAGES)
@pytest.mark.parametrize("forge", [_torn, _copied])
def test_no_forged_book_is_in_step(
    clean: tuple[Report, Books, list[Case]], system: str, name: str, forge: Callable[[list[Any], int], None]
) -> None:
    _, true, open_cases = clean
    pages = getattr(true, system)[name]
    assert pages
    for number in range(len(pages)):
        forged = copy.deepcopy(true)
        forge(getattr(forged, system)[name], number)
        report = Judged(forged).report(seconds=1, in_time=True, cases=open_cases, dead_letters=0)
        assert not report.in_step, f"{name} {number}: {pages[number]}"


def test_no_case_of_a_clean_day_may_be_missing(clean: tuple[Report, Books, list[Case]]) -> None:
    _, true, open_cases = clean
    heard = {case.order: case for case in open_cases}
    for order in heard:
        rest = [case for case in open_cases if case.order != order]
        assert not Judged(true).report(seconds=1, in_time=True, cases=rest, dead_letters=0).in_step
