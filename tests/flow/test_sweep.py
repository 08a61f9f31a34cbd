"""A sweep over the sandbox systems finds what was planted, each thing once and by its name, and nothing else."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kernel.virtual_time import run_virtual
from lockstep.publishing import publish
from lockstep.simulation.house import House
from lockstep.simulation.log_oracle import cases_of
from lockstep.sweeps import Result, ask, summed
from sandbox.clarus.office import Header, LineWish
from sandbox.erp.records import SalesOrder
from sandbox.shopify.records import Address, Order
from schemas.base import Brand
from schemas.cases import CaseCode
from schemas.config import BrandConfig, SweepTimes
from schemas.sweep import AGREES

ACME = Brand("acme")
LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)
Plant = Callable[[House, Order], Awaitable[dict[str, CaseCode]]]
"""Makes something wrong; the cases that must be open after one sweep, by their object."""


async def an_order_all_the_way(house: House) -> Order:
    """Despatched, posted, told, and nothing waited for."""
    shop = house.outside.shop("acme")
    order = shop.place_order([("0042-A", 2), ("MUG-BLUE", 1)], address=LEEDS)
    await house.clock.sleep(1)
    shop.route(order, [11])
    await house.until(lambda: bool(house.outside.clarus.goods_outs))
    (goods_out,) = house.outside.clarus.goods_outs.values()
    house.outside.clarus.despatch(goods_out.id, tracking=["T1"])
    await house.until(lambda: bool(order.fulfillments))
    await house.until(lambda: not house.states()[f"acme/{order.id}"].since)
    return order


async def swept(house: House) -> Result:
    """One sweep, from the asking to the last answer."""
    await ask(house.log, ACME, "kim", "a test", house.clock.now())

    def done() -> bool:
        found = summed(ACME, house.states())
        return len(found.systems) == 3 and not found.running and all(one.ended for one in found.systems.values())

    await house.until(done, within=120)
    return summed(ACME, house.states())


def open_cases(house: House) -> dict[str, CaseCode]:
    return {case.object: case.code for case in cases_of(house.log) if case.open}


def made_by_hand(house: House, reference: str) -> str:
    """Somebody in the warehouse makes a goods-out of acme's account. Its name in a case."""
    clarus = house.outside.clarus
    account, product = clarus.master.account("acme", "ACME"), clarus.master.product("acme", "0042-A")
    warehouse = next(one for one in clarus.master.warehouses.values() if (one.tenant, one.code) == ("acme", "LDS1"))
    assert account is not None
    assert product is not None
    wish = LineWish(product, Decimal(1))
    made = clarus.create_goods_out(Header(account, reference, warehouse), [wish], by="hand")
    return f"goods-out {made.id}"


async def nothing(_house: House, _order: Order) -> dict[str, CaseCode]:
    return {}


async def a_goods_out_nobody_can_read(house: House, _order: Order) -> dict[str, CaseCode]:
    return {made_by_hand(house, "ACME-by-phone"): CaseCode.ORPHAN_GOODS_OUT}


async def a_goods_out_of_no_order(house: House, _order: Order) -> dict[str, CaseCode]:
    made_by_hand(house, "ACME-999999-1-1")
    return {"999999": CaseCode.ORDER_GONE, "ACME-999999-1-1": CaseCode.UNKNOWN_GOODS_OUT}


async def a_wholesale_goods_out(house: House, _order: Order) -> dict[str, CaseCode]:
    """Another channel's: none of our business."""
    made_by_hand(house, "WS-2041")
    return {}


async def a_goods_out_doubled(house: House, order: Order) -> dict[str, CaseCode]:
    reference = next(iter(house.outside.clarus.goods_outs.values())).reference
    made_by_hand(house, reference)
    return {f"{reference} twice": CaseCode.UNKNOWN_GOODS_OUT}


async def a_sale_of_no_order(house: House, _order: Order) -> dict[str, CaseCode]:
    number = sold(house, "888888").number
    return {f"sales order {number}": CaseCode.ORPHAN_ERP_ORDER}


async def a_sale_under_no_number(house: House, _order: Order) -> dict[str, CaseCode]:
    sold(house, "BY-PHONE")
    return {"sales order under BY-PHONE": CaseCode.ORPHAN_ERP_ORDER}


def sold(house: House, key: str) -> SalesOrder:
    erp = house.outside.erp_world
    assert erp is not None
    line = {"line": "1", "sku": "0042-A", "quantity": 1, "unit_price": "10.00"}
    return erp.upsert_order("acme", key, {"currency": "GBP", "lines": [line]})[0]


async def a_posting_of_no_goods_out(house: House, order: Order) -> dict[str, CaseCode]:
    """Of another order, of which nothing has left: entered and posted by hand."""
    erp = house.outside.erp_world
    assert erp is not None
    shop = house.outside.shop("acme")
    other = shop.place_order([("MUG-BLUE", 1)], address=LEEDS)
    shop.route(other, [11])
    await house.until(lambda: len(house.outside.clarus.goods_outs) == 2)
    await house.until(lambda: house.states()[f"acme/{other.id}"].erp is not None)
    await house.clock.sleep(10)
    line = str(other.lines[0].id)
    key = f"ACME-{other.id}-1-7#1"
    erp.enter_fulfilment("acme", str(other.id), key, {"lines": {line: 1}})
    erp.post_now("acme", key)
    return {f"posting {key}": CaseCode.ORPHAN_POSTING}


async def a_manifest_that_failed(house: House, _order: Order) -> dict[str, CaseCode]:
    clarus = house.outside.clarus
    shipment = next(iter(clarus.shipments.values()))
    clarus.carrier_says(shipment.id, "failed")
    reference = clarus.goods_outs[shipment.goods_out].reference
    return {f"{reference} shipment {shipment.reference}": CaseCode.MANIFEST_FAILED}


async def a_package_astray(house: House, _order: Order) -> dict[str, CaseCode]:
    package = house.outside.clarus.pack_astray("acme", "T99")
    return {f"package {package.id}": CaseCode.PACKAGE_ASTRAY}


async def an_order_fulfilled_by_hand(house: House, _order: Order) -> dict[str, CaseCode]:
    """Before the warehouse was asked: staff fulfil an order that is held for its address."""
    shop = house.outside.shop("acme")
    other = shop.place_order([("007", 1)], address=None)
    shop.route(other, [11])
    made = shop.fulfil(other, {other.fulfillment_orders[0].id: {}}, {}, notify=False)
    await house.until(lambda: f"acme/{other.id}" in house.states())
    return {f"fulfilment {made.name}": CaseCode.ORPHAN_FULFILMENT}


PLANTS = [
    nothing, a_goods_out_nobody_can_read, a_goods_out_of_no_order, a_wholesale_goods_out, a_goods_out_doubled,
    a_sale_of_no_order, a_sale_under_no_number, a_posting_of_no_goods_out, a_manifest_that_failed, a_package_astray,
    an_order_fulfilled_by_hand,
]  # fmt: skip


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_one_sweep_finds_exactly_what_was_planted(plant: Plant) -> None:
    async def story() -> None:
        async with House() as house:
            order = await an_order_all_the_way(house)
            assert open_cases(house) == {}
            wanted = await plant(house, order)
            found = await swept(house)
            await house.clock.sleep(5)
            assert open_cases(house) == wanted
            assert found.newest is not None

    run_virtual(story())


def test_what_agrees_is_told_and_nothing_is_written() -> None:
    async def story() -> None:
        async with House() as house:
            order = await an_order_all_the_way(house)
            before = await house.outside.books()
            found = await swept(house)
            assert (found.compared, dict(found.causes)) == (1, {AGREES: 1})
            assert await house.outside.books() == before
            assert [house.states()[f"acme/{order.id}"].comparison is not None] == [True]

    run_virtual(story())


def test_a_despatch_nobody_told_and_a_number_that_never_came_are_found_at_night() -> None:
    """No automation told of it, its connector was away, so the poll sees no change; and nothing is read again soon."""

    async def story() -> None:
        async with House() as house:
            shop, clarus = house.outside.shop("acme"), house.outside.clarus
            never = {"reread": 10 * 86400, "reread_most": 10 * 86400}
            await publish(house.log, ACME, lambda before: patient(before, never))
            order = shop.place_order([("MUG-BLUE", 1)], address=LEEDS)
            shop.route(order, [11])
            await house.until(lambda: bool(clarus.goods_outs))
            (goods_out,) = clarus.goods_outs.values()
            await house.until(lambda: bool(house.states()[f"acme/{order.id}"].goods_outs))
            await house.clock.sleep(30)
            await house.kill("clarus")
            clarus.automations.clear()
            clarus.despatch(goods_out.id, tracking=[""])
            house.start("clarus")
            await house.clock.sleep(300)
            assert open_cases(house) == {}
            assert not house.states()[f"acme/{order.id}"].goods_outs[0].goods_out.packages

            await swept(house)
            missing = {goods_out.reference: CaseCode.TRACKING_MISSING}
            await house.until(lambda: open_cases(house) == missing)
            clarus.set_tracking(next(iter(clarus.packages)), "T1")
            await swept(house)
            await house.until(lambda: not open_cases(house))

    run_virtual(story())


def patient(before: BrandConfig | None, waits: Mapping[str, int]) -> BrandConfig:
    assert before is not None
    return before.model_copy(update={"version": before.version + 1, "waits": before.waits.model_copy(update=waits)})


def test_what_is_mended_is_closed_by_the_next_sweep() -> None:
    async def story() -> None:
        async with House() as house:
            order = await an_order_all_the_way(house)
            await a_goods_out_nobody_can_read(house, order)
            package = house.outside.clarus.pack_astray("acme")
            await swept(house)
            await house.until(lambda: len(open_cases(house)) == 2)
            del house.outside.clarus.packages[package.id]
            (astray,) = [one for one in house.outside.clarus.goods_outs.values() if one.reference == "ACME-by-phone"]
            house.outside.clarus.cancel_goods_out(astray.id, by="hand")
            await house.clock.sleep(60)
            await swept(house)
            await house.until(lambda: not open_cases(house))

    run_virtual(story())


def test_a_sweep_begins_at_its_hour_and_only_then() -> None:
    async def story() -> None:
        async with House(sweep=SweepTimes(at="09:02")) as house:
            await an_order_all_the_way(house)
            assert summed(ACME, house.states()).newest is None
            await house.clock.sleep(180)
            found = summed(ACME, house.states())
            assert found.newest == datetime(2026, 11, 3, 9, 2, tzinfo=UTC)
            assert (found.compared, found.agree) == (1, 1)

    run_virtual(story())
