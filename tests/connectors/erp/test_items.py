"""The item master of an ERP, once over each: found whole, found when it changes, read by the code it becomes."""

import asyncio
from itertools import count

import httpx

from connectors.erp.port import ErpPort
from connectors.erp.sandbox import SandboxErp
from connectors.erp.sandbox.translate import translate_items
from sandbox.erp import ErpWorld, create_app
from schemas.aggregates import item_id, uncoded_id
from schemas.base import OrderId, Sku
from schemas.items import ErpItem
from tests.builders import a_brand
from tests.connectors.erp.conftest import Tell
from tests.connectors.erp.erps import ErpUnderTest
from tests.connectors.erp.wishes import ACME, LAMP
from tests.sandbox.step_clock import StepClock

_numbers = count(1)


def a_code() -> str:
    """One that no other test uses; it begins with zeros."""
    return f"00{next(_numbers):03}-NEW"


async def read(erp: ErpUnderTest, key: OrderId) -> tuple[ErpItem, ...]:
    (reading,) = await erp.port.read(ACME, [key])
    return () if reading.absent else erp.translate_items(reading.body)


def test_an_item_is_read_by_its_code_to_the_last_zero(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        code = a_code()
        id_ = await erp.clerk.enter(code, "Kettle, steel", barcode="4006381333931")

        (item,) = await read(erp, item_id(Sku(code)))

        assert (item.id, item.code, item.description) == (id_, code, "Kettle, steel")
        assert (item.barcode, item.active) == ("4006381333931", True)
        assert await read(erp, item_id(Sku(code.lstrip("0")))) == ()

    tell(story)


def test_items_and_orders_are_read_together(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order, item = await erp.port.read(ACME, [OrderId("999999"), item_id(LAMP)])
        assert order.absent
        assert [one.code for one in erp.translate_items(item.body)] == [LAMP]

    tell(story)


def test_the_whole_master_is_listed_and_a_change_is_found(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        before, after = a_code(), a_code()
        start = (await erp.port.items_changed(ACME, "")).cursor
        assert (await erp.port.items_changed(ACME, "")).orders == (), "what was before, the sweep finds"
        id_ = await erp.clerk.enter(before, "Bowl")

        first = await erp.port.items_changed(ACME, start)
        assert item_id(Sku(before)) in first.orders
        assert {item_id(Sku(before)), item_id(LAMP)} <= set(await erp.port.all_items(ACME))

        await erp.clerk.change(id_, description="Bowl, blue")
        second = await erp.port.items_changed(ACME, first.cursor)
        assert item_id(Sku(before)) in second.orders
        assert [one.description for one in await read(erp, item_id(Sku(before)))] == ["Bowl, blue"]

        await erp.clerk.change(id_, code=after)
        third = await erp.port.items_changed(ACME, second.cursor)
        assert {item_id(Sku(before)), item_id(Sku(after))} <= set(third.orders), "told under both codes"
        assert await read(erp, item_id(Sku(before))) == ()
        assert [one.id for one in await read(erp, item_id(Sku(after)))] == [id_]

    tell(story)


def test_an_item_made_inactive_is_still_shown(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        code = a_code()
        id_ = await erp.clerk.enter(code, "Cup")
        cursor = (await erp.port.items_changed(ACME, "")).cursor
        await erp.clerk.change(id_, active=False)

        assert item_id(Sku(code)) in (await erp.port.items_changed(ACME, cursor)).orders
        assert [one.active for one in await read(erp, item_id(Sku(code)))] == [False]

    tell(story)


def test_items_that_become_one_code_are_read_together_and_one_without_under_its_own_id(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        code = a_code()
        one, two = await erp.clerk.enter(code, "One"), await erp.clerk.enter(f"#{code}", "Two")
        bare = await erp.clerk.enter("", "Nameless")

        assert uncoded_id(bare) in await erp.port.all_items(ACME)
        assert {item.id for item in await read(erp, item_id(Sku(code)))} == {one, two}
        assert [(item.id, item.code) for item in await read(erp, uncoded_id(bare))] == [(bare, "")]

    tell(story)


def test_a_brand_may_have_a_part_of_the_master_or_none() -> None:
    async def story() -> None:
        clock = StepClock()
        world = ErpWorld(clock, {"acme": "acme-key"}, ["A-1", "A-2", "B-1"])
        erp = SandboxErp("http://erp.example/", {ACME: "acme-key"}, clock, httpx.ASGITransport(create_app(world)))
        part = a_brand(items={"mode": "create", "stock_unit": "EACH", "prefixes": ["A-"]})

        assert await ErpPort({ACME: erp}, clock, lambda _: part).all_items(ACME) == ["item:A-1", "item:A-2"]
        assert await ErpPort({ACME: erp}, clock, lambda _: a_brand()).all_items(ACME) == ()
        assert (await ErpPort({ACME: erp}, clock, lambda _: a_brand()).items_changed(ACME, "")).orders == ()
        await erp.aclose()

    asyncio.run(story())


def test_measures_are_kept_exactly() -> None:
    body = (
        b'{"items": [{"id": 1, "sku": "0042", "description": "Kettle", "barcode": "", "active": true, "change": 1,'
        b' "weight": "0.350", "length": "0.30", "width": null, "height": null}]}'
    )
    (item,) = translate_items(body)
    assert (str(item.measures.weight), str(item.measures.length), item.measures.width) == ("0.350", "0.30", None)
