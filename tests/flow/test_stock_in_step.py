"""Stock from the warehouse to the shop: webhooks, log, readings, figures; in memory and virtual time."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kernel.virtual_time import run_virtual
from lockstep.audit.own_log import overruled
from lockstep.demo.stock_report import causes
from lockstep.publishing import publish
from lockstep.simulation.house import RUNTIME, House
from sandbox.faults import Faults
from schemas.aggregates import stock_id
from schemas.base import Brand, LocationId, Sku
from schemas.config import BrandConfig
from schemas.mapping import Bundle, Component
from schemas.stock_rules import StockRules
from tests.flow.items import master
from tests.flow.stock import LEEDS, cancelled_while_picked, on_hand

ACME = Brand("acme")
RULES = StockRules(mode="write", quiet_for=2, max_wait=10, buffer=1)


def last_cause(house: House) -> str:
    written = house.stock()[f"acme/{stock_id(Sku('0042-A'), LocationId('11'))}"].written
    return "" if written is None else written.why


def in_step(house: House) -> bool:
    """Whether the fold knows that both sides agree: from then on a difference has a cause of its own."""
    state = house.stock().get(f"acme/{stock_id(Sku('0042-A'), LocationId('11'))}")
    return state is not None and state.basis is not None


def drift(house: House) -> str:
    return house.stock()[f"acme/{stock_id(Sku('0042-A'), LocationId('11'))}"].drift


def play(story: Callable[[House], Coroutine[Any, Any, None]], rules: StockRules = RULES) -> None:
    async def whole() -> None:
        async with House(stock=rules) as house:
            house.outside.stock_up(10)
            await house.until(lambda: on_hand(house) == 10 - rules.buffer and in_step(house))
            await story(house)
            house.raise_what_ended()

    run_virtual(whole())


def test_a_receipt_a_sale_and_a_despatch_end_in_step() -> None:
    async def story(house: House) -> None:
        shop, acme = house.outside.shop("acme"), house.outside.brands[0]
        keeper = house.outside.storekeeper(acme, "LDS1")
        keeper.receive("0042-A", 5)
        await house.until(lambda: on_hand(house) == 14)
        order = shop.place_order([("0042-A", 3)], address=LEEDS)
        shop.route(order, [11])
        assert shop.inventory.available("0042-A", 11) == 11, "Shopify itself counts what it has sold"
        await house.until(lambda: bool(house.outside.clarus.goods_outs))
        (goods_out,) = house.outside.clarus.goods_outs.values()
        house.outside.clarus.despatch(goods_out.id, tracking=["T1"])
        await house.until(lambda: bool(order.fulfillments))
        await house.until(lambda: on_hand(house) == 11)
        assert shop.inventory.available("0042-A", 11) == 11
        await house.clock.sleep(60)
        assert on_hand(house) == 11

    play(story)


def test_a_figure_changed_by_hand_is_put_right() -> None:
    async def story(house: House) -> None:
        house.outside.shop("acme").inventory.set_by_hand("0042-A", 11, on_hand=50)
        await house.until(lambda: on_hand(house) == 9)
        await house.until(lambda: last_cause(house) == "by hand")

    play(story)


def test_the_audit_tells_that_somebody_else_writes_the_shops_stock() -> None:
    async def story(house: House) -> None:
        acme, began = house.outside.brands[0], house.clock.now()
        config = acme.config(began).model_copy(update={"stock": RULES})
        assert await overruled(house.log, config, began) == ()

        house.outside.shop("acme").inventory.set_by_hand("0042-A", 11, on_hand=50)
        await house.until(lambda: last_cause(house) == "by hand")

        (told,) = await overruled(house.log, config, began) or ()
        assert (told.code, told.location) == ("0042-A", "11")
        assert await overruled(house.log, config, house.clock.now()) == (), "of these days only"
        off = config.model_copy(update={"stock": StockRules()})
        assert await overruled(house.log, off, began) is None, "nothing is concluded where stock is not kept in step"

    play(story)


@pytest.mark.parametrize("at_once", [False, True], ids=["page by page", "in a bulk query"])
def test_what_no_webhook_told_is_found_by_the_sweep_named_and_then_put_right(at_once: bool) -> None:
    """Every webhook gets lost; the poll sees what moved in Clarus, only the sweep what a person typed in Shopify."""

    async def whole() -> None:
        runtime = RUNTIME.model_copy(update={"poll_every": 5.0, "sweep_every": 30.0})
        house = House(Faults(webhook_lost=1.0), runtime=runtime, stock=RULES)
        for brand, one in house.brands.items() if at_once else ():
            shopify = one.shopify.model_copy(update={"stock_bulk_from": 1})
            house.brands[brand] = one.model_copy(update={"shopify": shopify})
        async with house:
            house.outside.stock_up(10)
            await house.until(lambda: on_hand(house) == 9 and in_step(house))
            house.outside.shop("acme").inventory.set_by_hand("0042-A", 11, on_hand=50)
            await house.until(lambda: drift(house) == "by hand")
            assert on_hand(house) == 50, "it is told before it is put right"
            assert house.metrics.stock_drift.labels("acme", "by hand")._value.get() == 1
            await house.until(lambda: on_hand(house) == 9)
            await house.until(lambda: last_cause(house) == "by hand")
            house.outside.storekeeper(house.outside.brands[0], "LDS1").adjust("0042-A", -4)
            await house.until(lambda: drift(house) == "warehouse")
            assert on_hand(house) == 9
            await house.until(lambda: on_hand(house) == 5)
            await house.until(lambda: not drift(house))
            assert (await causes(house.log))["by hand"] == 1
            assert (house.outside.shopify.apis["acme.example.test"].bulk.count > 0) is at_once
            house.raise_what_ended()

    run_virtual(whole())


def test_receipt_held() -> None:
    """Goods received on hold are not offered before they are released."""

    async def story(house: House) -> None:
        keeper = house.outside.storekeeper(house.outside.brands[0], "LDS1")
        keeper.receive("0042-A", 5, held=True)
        keeper.receive("0042-A", 1)
        await house.until(lambda: on_hand(house) == 10, within=20.0)
        await house.clock.sleep(60)
        assert on_hand(house) == 10
        keeper.release("0042-A", 5)
        await house.until(lambda: on_hand(house) == 15, within=20.0)

    play(story)


def test_other_channel() -> None:
    """Wholesale demand of the same account is taken off before it leaves."""

    async def story(house: House) -> None:
        keeper = house.outside.storekeeper(house.outside.brands[0], "LDS1")
        number = keeper.wholesale("WHOLESALE-1", {"0042-A": 4})
        await house.until(lambda: on_hand(house) == 5, within=20.0)
        await house.until(lambda: last_cause(house) == "other channel")
        house.outside.clarus.cancel_goods_out(number)
        await house.until(lambda: on_hand(house) == 9, within=20.0)

    play(story)


def test_a_cancellation_the_warehouse_has_not_seen_is_not_sold_again() -> None:
    async def story(house: House) -> None:
        await cancelled_while_picked(house, 4)
        await house.until(lambda: on_hand(house) == 5)

    play(story)


def test_the_components_of_a_bundle_on_its_way_are_not_sold_again() -> None:
    """The shop sells a set that only the warehouse takes apart: it commits nothing of what the set is packed of."""

    async def story(house: House) -> None:
        shop = house.outside.shop("acme")
        bundle = Bundle(sku=Sku("SET"), components=(Component(sku=Sku("0042-A"), quantity=2),))

        def packed(before: BrandConfig | None) -> BrandConfig:
            assert before is not None
            return before.model_copy(update={"version": before.version + 1, "bundles": (bundle,)})

        master(house).enter("SET")
        await publish(house.log, ACME, packed)
        order = shop.place_order([("SET", 3)], address=LEEDS)
        assert shop.inventory.available("0042-A", 11) == 9, "Shopify knows nothing of it"
        shop.route(order, [11])
        await house.until(lambda: on_hand(house) == 3)
        assert last_cause(house) == "not honoured"
        await house.until(lambda: bool(house.outside.clarus.goods_outs))
        (goods_out,) = house.outside.clarus.goods_outs.values()
        house.outside.clarus.despatch(goods_out.id, tracking=["T1"])
        await house.until(lambda: bool(order.fulfillments))
        await house.clock.sleep(60)
        assert on_hand(house) == shop.inventory.available("0042-A", 11) == 3

    play(story)
