"""All levels of a shop read in one bulk query: the same as read one by one, once, and only while nothing is newer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.shopify.documents import document
from connectors.shopify.translate_stock import translate_level
from sandbox.faults import Fault
from sandbox.shopify.bulk import MOST_AT_ONCE
from sandbox.shopify.setup import Variant
from schemas.aggregates import stock_id
from schemas.base import LocationId, OrderId, Sku
from schemas.stock import Level
from tests.builders import ACME
from tests.connectors.shopify.test_stock import Desk, at_the_desk

AT_ONCE: dict[str, Any] = {"stock_bulk_from": 3, "bulk_look_every": 1.0}


def at(code: str, location: str = "11") -> OrderId:
    return stock_id(Sku(code), LocationId(location))


def taken(desk: Desk, code: str, since: datetime, location: str = "11") -> Level | None:
    reading = desk.port.read_at_once(ACME, at(code, location), since)
    return None if reading is None else translate_level(reading.body)


async def one_by_one(desk: Desk, ids: Sequence[OrderId]) -> dict[OrderId, Level]:
    return {reading.order: translate_level(reading.body) for reading in await desk.port.read(ACME, ids)}


def test_it_shows_what_reading_one_by_one_shows() -> None:
    async def story(desk: Desk) -> None:
        variants = desk.shop.setup.variants
        variants += [Variant(9, "SKU-1", locations={11}), Variant(10, "ELSEWHERE"), Variant(11, "SET", locations={11})]
        variants[1].tracked, variants[-1].components = False, True
        desk.shop.inventory.stock("SKU-3", 11, 7, damaged=2)
        began = desk.clock.now()
        ids = list(await desk.port.stocked(ACME))
        at_once = {id_: desk.port.read_at_once(ACME, id_, began) for id_ in ids}
        found = {id_: translate_level(reading.body) for id_, reading in at_once.items() if reading is not None}
        assert found == await one_by_one(desk, ids)
        assert len(found) == len(ids) == 2 * len({variant.sku for variant in variants})

    at_the_desk(story, **AT_ONCE)


def test_once_a_shop_is_known_to_be_large_the_query_names_its_items_too() -> None:
    async def story(desk: Desk) -> None:
        def asked() -> int:
            return sum(desk.faults.drawn.values())

        first = await desk.port.stocked(ACME)
        listed, began = asked(), desk.clock.now()
        desk.shop.setup.variants.append(Variant(9, "0099-NEW", locations={11}))
        second = await desk.port.stocked(ACME)
        assert asked() - listed == listed - 1, "without the page of items"
        assert set(second) - set(first) == {at("0099-NEW"), at("0099-NEW", "12")}
        assert all(desk.port.read_at_once(ACME, id_, began) is not None for id_ in second)

    at_the_desk(story, **AT_ONCE)


def test_it_is_of_the_moment_it_was_asked_for_and_is_used_once() -> None:
    async def story(desk: Desk) -> None:
        began = desk.clock.now()
        await desk.port.stocked(ACME)
        assert desk.clock.now() > began
        assert taken(desk, "SKU-1", desk.clock.now()) is None, "somebody saw something since it began"
        reading = desk.port.read_at_once(ACME, at("SKU-2"), began)
        assert reading is not None
        assert began <= reading.read_started_at < desk.clock.now()
        assert taken(desk, "SKU-2", began) is None

    at_the_desk(story, **AT_ONCE)


def test_what_is_read_or_written_since_is_not_told_from_it() -> None:
    async def story(desk: Desk) -> None:
        began = desk.clock.now()
        await desk.port.stocked(ACME)
        await desk.level("SKU-1")
        await desk.set((2, 10, 8))
        assert (taken(desk, "SKU-1", began), taken(desk, "SKU-2", began)) == (None, None)
        assert taken(desk, "SKU-3", began) is not None

    at_the_desk(story, **AT_ONCE)


def test_it_is_not_used_when_it_is_old() -> None:
    async def story(desk: Desk) -> None:
        began = desk.clock.now()
        await desk.port.stocked(ACME)
        await desk.clock.sleep(timedelta(seconds=901).total_seconds())
        assert taken(desk, "SKU-1", began) is None

    at_the_desk(story, **AT_ONCE)


def test_a_small_shop_is_read_page_by_page() -> None:
    async def story(desk: Desk) -> None:
        began = desk.clock.now()
        assert len(await desk.port.stocked(ACME)) == 6
        assert taken(desk, "SKU-1", began) is None

    at_the_desk(story, stock_bulk_from=7)


@pytest.mark.parametrize("trouble", ["busy", "refused", "without end"])
def test_where_shopify_does_not_carry_it_out_items_are_read_page_by_page(trouble: str) -> None:
    async def story(desk: Desk) -> None:
        began = desk.clock.now()
        if trouble == "busy":
            query = document("AllLevels")
            for _ in range(MOST_AT_ONCE):
                await desk.world.apis[desk.shop.domain].answer(document("StartBulk"), {"query": query}, None)
        if trouble == "refused":
            desk.faults.force("bulkOperationRunQuery", Fault.SERVER_ERROR)
        assert len(await desk.port.stocked(ACME)) == 6, "what there is, is named all the same"
        assert taken(desk, "SKU-1", began) is None
        assert (await desk.level("SKU-1")).items[0].on_hand == 10

    at_the_desk(story, **(AT_ONCE | {"bulk_within": 0.5 if trouble == "without end" else 900.0}))
