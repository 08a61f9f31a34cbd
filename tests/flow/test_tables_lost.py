"""A table of stock or of items that is gone is made anew: a configuration, what is told with it, and a sweep."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kernel.log import LogUnavailable
from kernel.virtual_time import run_virtual
from lockstep.reading import read_all_stock
from lockstep.replay.anew import Emptied, empty
from lockstep.replay.checks import Weight
from lockstep.replay.in_place import WorkersRunError
from lockstep.replay.tables import ITEMS, STOCK, FoldedTable
from lockstep.simulation.house import House
from schemas.item_rules import ItemRules
from schemas.stock_rules import StockRules
from schemas.topics import CONFIG
from tests.flow.items import ACME, master, play
from tests.flow.stock import cancelled_while_picked, on_hand
from tests.lockstep.replay.small_logs import verified

RULES = StockRules(mode="write", quiet_for=2, max_wait=10)
CREATED = ItemRules(mode="create_and_amend", stock_unit="EACH", prefixes=("00",), patience=120)


def in_a_house(story: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    """That keeps stock in step."""

    async def whole() -> None:
        async with House(stock=RULES) as house:
            await story(house)
            house.raise_what_ended()

    run_virtual(whole())


async def lose(house: House, table: FoldedTable) -> None:
    """Its topic is deleted and made anew, and its role started on it."""
    await house.kill(table.role)
    house.log.make_anew(table.state.name)
    house.start(table.role)


async def emptied(house: House, table: FoldedTable) -> Emptied:
    """As `lockstep rebuild --table` does it, while the role does not run."""
    await house.kill(table.role)
    done = await empty(house.log, table, "20261127-101500", say=lambda _: None)
    house.start(table.role)
    return done


async def sweep(house: House, *roles: str) -> None:
    """A connector sweeps when it starts."""
    for role in roles:
        await house.kill(role)
        house.start(role)


def test_nothing_is_written_before_it_is_configured_and_then_what_the_warehouse_owes_is_known_again() -> None:
    async def story(house: House) -> None:
        house.outside.stock_up(10)
        await house.until(lambda: on_hand(house) == 10)
        await cancelled_while_picked(house, 4)
        await house.until(lambda: on_hand(house) == 6)

        await lose(house, STOCK)
        house.outside.shop("acme").inventory.set_by_hand("0042-A", 11, on_hand=50)
        await house.clock.sleep(300)
        assert on_hand(house) == 50

        await emptied(house, STOCK)
        await sweep(house, "shopify", "clarus")
        written: set[int] = set()

        def settled() -> bool:
            written.add(on_hand(house))
            return on_hand(house) == 6

        await house.until(settled)
        await house.clock.sleep(300)
        assert on_hand(house) == 6
        assert written == {50, 6}, "never the ten that are there, of which four are owed"

    in_a_house(story)


def test_items_are_made_again_once_they_are_configured_again() -> None:
    async def story(house: House) -> None:
        def made(code: str) -> bool:
            return house.outside.clarus.master.product("acme", code) is not None

        master(house).enter("00815-B", "Kettle, steel", weight="0.350")
        await house.until(lambda: made("00815-B"))

        await lose(house, ITEMS)
        master(house).enter("00816-B", "Kettle, copper", weight="0.400")
        await house.clock.sleep(300)
        assert not made("00816-B")

        await emptied(house, ITEMS)
        await sweep(house, "erp", "clarus")
        await house.until(lambda: made("00816-B"))
        await house.until(lambda: {"acme/item:00815-B", "acme/item:00816-B"} <= house.items().keys())

    play(story, CREATED)


def test_a_table_made_anew_is_compared_from_there_on_and_the_former_one_is_kept(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.outside.stock_up(10)
        await house.clock.sleep(60)
        before = {state.order: state for state in await read_all_stock(house.log, ACME)}
        assert before
        assert all(one.equal and not one.findings for one in await verified(house.log, STOCK, tmp_path))

        done = await emptied(house, STOCK)
        assert (done.kept_topic, done.brands) == ("stock.state.kept-20261127-101500", ("acme", "brio"))
        assert done.kept_records == len(house.log.records(done.kept_topic)) > 0
        assert await read_all_stock(house.log, ACME) == [], "what lies before the mark does not count"

        await sweep(house, "shopify", "clarus")
        await house.until(lambda: before.keys() <= {state.order for state in house.stock().values()})
        await house.clock.sleep(60)
        for part in await verified(house.log, STOCK, tmp_path):
            (why,) = part.findings
            assert (why.weight, why.where.number) == (Weight.STOPS, part.number)
            assert "the table was made anew here: the table at offset" in why.found

        house.outside.storekeeper(house.outside.brands[0], "LDS1").receive("0042-A", 5)
        await house.until(lambda: on_hand(house) == 15)
        await house.clock.sleep(60)
        parts = await verified(house.log, STOCK, tmp_path)
        assert all(one.equal and not one.findings for one in parts)
        assert sum(one.keys for one in parts) >= len(before)

    in_a_house(story)


def test_a_table_is_not_empty_before_its_brands_are_configured_again() -> None:
    """It ends in the middle, for the log takes no configuration, and the role is started all the same."""

    async def story(house: House) -> None:
        house.outside.stock_up(10)
        await house.clock.sleep(60)
        await house.kill("stock")
        house.log.refuse(CONFIG.name)
        with pytest.raises(LogUnavailable):
            await empty(house.log, STOCK, "20261127-101500", say=lambda _: None)
        house.start("stock")
        house.outside.shop("acme").inventory.set_by_hand("0042-A", 11, on_hand=50)
        await house.until(lambda: on_hand(house) == 10)

    in_a_house(story)


def test_a_table_is_not_emptied_under_a_worker() -> None:
    async def story(house: House) -> None:
        await house.clock.sleep(30)
        with pytest.raises(WorkersRunError, match="stop every `lockstep run stock`"):
            await empty(house.log, STOCK, "now", say=lambda _: None)
        assert not [topic for topic in house.log._counts if "kept" in topic]

    in_a_house(story)
