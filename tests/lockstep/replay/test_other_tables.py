"""The tables of stock and of items beside their logs, which are cut: whole, from a table on, and on from there."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from kernel.log import Outgoing, Partition
from kernel.virtual_time import run_virtual
from lockstep.replay.asked import ask
from lockstep.replay.checks import Weight
from lockstep.replay.tables import ITEMS, STOCK, FoldedTable
from lockstep.simulation.house import PARTITIONS, House
from schemas.item_rules import ItemRules
from schemas.stock_rules import StockRules
from streams.engine.prefix import pack, unpack
from tests.flow.items import ACME, master
from tests.flow.stock import LEEDS
from tests.kernel.worlds import running
from tests.lockstep.replay.small_logs import verified

STOCKED = StockRules(mode="write", quiet_for=2, max_wait=10)
CREATED = ItemRules(mode="create_and_amend", stock_unit="EACH", prefixes=("00",), patience=120)
TABLES = pytest.mark.parametrize("table", [STOCK, ITEMS], ids=lambda one: one.role)


def in_a_house(story: Callable[[House], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        async with House(stock=STOCKED, items={ACME: CREATED}) as house:
            house.outside.stock_up(10)
            await story(house)

    run_virtual(whole())


async def trade(house: House, number: int) -> None:
    """A new item, some more of one that is there, and an order for it; a while until all are through."""
    master(house).enter(f"0090{number}-B", f"Kettle {number}", weight="0.350")
    house.outside.storekeeper(house.outside.brands[0], "LDS1").receive("0042-A", 5)
    shop = house.outside.shop("acme")
    shop.route(shop.place_order([("0042-A", 1)], address=LEEDS), [11])
    await house.clock.sleep(60)


def cut(house: House, table: FoldedTable) -> None:
    """As retention does: what was committed is not kept any longer."""
    for where, offset in house.log.committed()[table.group].items():
        house.log.delete_before(where, offset)


@TABLES
def test_a_log_that_is_whole_is_folded_from_its_first_record(table: FoldedTable, tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await trade(house, 1)
        parts = await verified(house.log, table, tmp_path)
        assert [(one.equal, one.since, one.findings) for one in parts] == [(True, 0, ())] * PARTITIONS
        assert sum(one.keys for one in parts) > 2 * PARTITIONS, "more than the brands' configurations"

    in_a_house(story)


@TABLES
def test_a_cut_log_is_folded_on_from_the_table_as_it_was_and_then_from_the_last_run(
    table: FoldedTable, tmp_path: Path
) -> None:
    async def story(house: House) -> None:
        await trade(house, 1)
        cut(house, table)
        begins = (await ask(house.log, table)).spans
        first = await verified(house.log, table, tmp_path)
        for part in first:
            (why,) = part.findings
            assert why.weight is Weight.STOPS
            assert (why.where, why.offset) == (
                Partition(table.events.name, part.number),
                begins[part.number].begin,
            )
            assert "the table at offset" in why.found
            assert "from the same --work folder" in why.do

        await trade(house, 2)
        second = await verified(house.log, table, tmp_path)
        assert all(one.equal and not one.findings for one in second)
        assert [one.since for one in second] == [one.until for one in first]
        assert any(one.verdicts for one in second), "something was folded"

        await trade(house, 3)
        cut(house, table)
        third = await verified(house.log, table, tmp_path)
        assert any(one.findings for one in third), "cut past where the last run ended: it begins anew"

    in_a_house(story)


def test_what_differs_is_named_also_when_the_log_is_cut(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await trade(house, 1)
        cut(house, STOCK)
        await verified(house.log, STOCK, tmp_path)
        await trade(house, 2)
        newest = {record.key: record for record in house.log.records(STOCK.state.name)}
        record = newest[b"acme/stock:11/0042-A"]
        prefix, body = unpack(record.value or b"")
        wrong = body.replace(b'"sku":"0042-A"', b'"sku":"42-A"')
        assert wrong != body
        sent = Outgoing(STOCK.state.name, record.key, pack(prefix, wrong), {}, record.partition.number)
        async with running(house.log.producer()) as producer:
            await (await producer.send_many([sent]))
        (said,) = (one for part in await verified(house.log, STOCK, tmp_path) for one in part.differences)
        assert said.key == "acme/stock:11/0042-A"
        assert 'the log says "0042-A", the table says "42-A"' in str(said)

    in_a_house(story)


def test_a_state_that_is_none_is_told_with_what_makes_the_table_anew(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await trade(house, 1)
        async with running(house.log.producer()) as producer:
            await (await producer.send_many([Outgoing(ITEMS.state.name, b"acme/item:X", b"other code's", {}, 0)]))
        (finding,) = (one for part in await verified(house.log, ITEMS, tmp_path) for one in part.findings)
        assert finding.where == Partition(ITEMS.state.name, 0)
        assert "`lockstep rebuild --table items` has it made anew from the ERP and Clarus" in finding.do

    in_a_house(story)
