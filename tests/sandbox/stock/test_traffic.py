"""Hands and buyers by seed: what they do to both worlds, and that a seed makes the same day again."""

import asyncio
from collections import Counter
from decimal import Decimal

import httpx
import pytest

from sandbox.clarus import Pickers, PickerSettings
from sandbox.faults import Chance, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld, create_app
from sandbox.shopify.shoppers import Clientele, Habits, Shoppers
from sandbox.stock.flash_sale import FlashSale
from sandbox.stock.traffic import ShopHand, StaffHabits, WarehouseHabits, WarehouseHand, make_up
from tests.sandbox.stock.worlds import LAMP, LEEDS, RUG, Worlds, a_moment, in_both

HOT = (LAMP, RUG)


@pytest.mark.parametrize("seed", range(3))
def test_a_flash_sale_sells_what_there_is_and_not_one_more(seed: int) -> None:
    async def story(w: Worlds) -> None:
        sale = FlashSale(w.shop, HOT, buyers=400, window=30.0, chance=Chance(seed), most=1)
        outcome = await sale.run()
        assert outcome.sold == Counter({LAMP: 60, RUG: 60})
        assert (outcome.turned_away, len(sale.orders)) == (280, 120)
        assert (w.clock.now() - sale.orders[0].created_at).total_seconds() < 32
        assert all(order.routed_at is not None for order in sale.orders)
        dump = w.books.dump()
        assert (dump["units_sold"], w.told(), len(w.shop.inventory.books.sold_out)) == (120, {}, 280)
        assert [(one["available"], one["shippable"]) for one in dump["at_rest"]] == [(0, 0), (0, 0)]

    in_both(story, offered=60, lying=60)


def test_who_wants_two_takes_two_or_none() -> None:
    async def story(w: Worlds) -> None:
        outcome = await FlashSale(w.shop, HOT, buyers=100, window=30.0, chance=Chance(7)).run()
        assert {order.lines[0].quantity for order in w.shop.orders.values()} == {1, 2}
        assert sum(outcome.sold.values()) == w.books.units_sold == 14
        assert all(w.shop.inventory.available(sku, LEEDS) == 0 for sku in HOT)

    in_both(story, offered=7, lying=7)


def test_more_offered_than_there_is_is_oversold_and_excused_by_the_start_alone() -> None:
    async def story(w: Worlds) -> None:
        await FlashSale(w.shop, (LAMP,), buyers=100, window=30.0, chance=Chance(1), most=1).run()
        assert w.told() == {"at_start": 5}

    in_both(story, offered=20, lying=15)


def a_day(seed: int) -> list[object]:
    """What two hands and the pickers did to both worlds."""
    told: list[object] = []

    async def story(w: Worlds) -> None:
        floor = asyncio.get_running_loop().create_task(Pickers(w.clarus, Chance(seed), PickerSettings()).run())
        warehouse = WarehouseHand([(w.keeper, HOT)], Chance(seed))
        staff = ShopHand(
            w.shop, [(LAMP, LEEDS), (RUG, LEEDS)], Chance(seed), StaffHabits(shares={"raise": 1, "lower": 1})
        )
        await asyncio.gather(warehouse.run(w.clock, 60), staff.run(w.clock, 20))
        await w.clock.sleep(600)
        floor.cancel()
        await asyncio.gather(floor, return_exceptions=True)
        log = [(one.subtype, int(one.quantity)) for one in w.clarus.stock.transactions]
        told.extend([warehouse.done, staff.done, log, w.books.dump()])
        for balance in w.clarus.stock:
            lying = sum(one.quantity for one in w.clarus.stock.records.values() if one.balance is balance)
            assert lying == balance.physical >= balance.held >= 0
            assert (balance.picked, balance.allocated >= 0) == (Decimal(0), True)

    in_both(story)
    return told


def test_a_seed_makes_the_same_day_again() -> None:
    first, other = a_day(1), a_day(2)
    assert a_day(1) == first
    assert other != first
    done = first[0]
    assert isinstance(done, Counter)
    assert {"receive", "receive_held", "wholesale", "found", "lost", "hold"} <= done.keys()


@pytest.mark.parametrize(
    ("what", "log"),
    [
        ("receive", ["RCV"]), ("receive_held", ["RCV"]), ("hold", ["HOLD"]), ("release", []), ("found", ["ADJUP"]),
        ("lost", ["ADJDOWN"]), ("wholesale", []), ("put_back", []),
    ],
)  # fmt: skip
def test_a_hand_does_what_it_is_there_for(what: str, log: list[str]) -> None:
    async def story(w: Worlds) -> None:
        hand = WarehouseHand([(w.keeper, (LAMP,))], Chance(1), WarehouseHabits(shares={what: 1}))
        await hand.run(w.clock, 1)
        assert [one.subtype for one in w.clarus.stock.transactions[2:]] == log
        assert hand.done == Counter({what if log or what == "wholesale" else "nothing": 1})
        assert len(w.clarus.goods_outs) == (what == "wholesale")

    in_both(story)


def test_totes_of_a_cancelled_order_are_put_back() -> None:
    async def story(w: Worlds) -> None:
        order = w.keeper.wholesale("W-1", {LAMP: 3})
        w.clarus.pick(order)
        w.clarus.cancel_by_hand(order)
        hand = WarehouseHand([(w.keeper, (LAMP,))], Chance(1), WarehouseHabits(shares={"put_back": 1}))
        await hand.run(w.clock, 2)
        assert (hand.done, int(w.keeper.balance(LAMP).available)) == (Counter({"put_back": 1, "nothing": 1}), 10)

    in_both(story)


def test_in_the_end_what_lies_in_totes_can_be_had() -> None:
    """Or a goods-out waits for ever for a unit that lies there and nobody can allocate."""

    async def story(w: Worlds) -> None:
        order = w.keeper.wholesale("W-1", {LAMP: 3})
        w.clarus.pick(order)
        w.clarus.cancel_by_hand(order)
        before = int(w.keeper.balance(LAMP).available)
        make_up(w.books, lambda _: w.keeper)
        assert (before, int(w.keeper.balance(LAMP).available)) == (7, 10)

    in_both(story)


@pytest.mark.parametrize(("what", "available"), [("raise", 9), ("lower", 6), ("cancel", 10), ("return", 8)])
def test_staff_do_what_they_are_there_for(what: str, available: int) -> None:
    """Three lamps of ten were bought; for a return they have been sent."""

    async def story(w: Worlds) -> None:
        order = w.bought(3)
        if what == "return":
            w.fulfilled(order)
        hand = ShopHand(
            w.shop, [(LAMP, LEEDS)], Chance(3), StaffHabits(shares={what: 1}, most=1 if what == "lower" else 2)
        )
        await hand.run(w.clock, 1)
        assert (hand.done, w.shop.inventory.available(LAMP, LEEDS)) == (Counter({what: 1}), available)

    in_both(story)


def test_shoppers_who_find_too_little_go_away_and_orders_are_routed_to_their_stock() -> None:
    async def story(w: Worlds) -> None:
        w.shop.locations = {12: "Empty", LEEDS: "Leeds"}
        clientele = Clientele(w.shop, HOT, (12, LEEDS), (("Standard", "standard"),), stray=99)
        await Shoppers((clientele,), w.clock, Chance(1), Habits(planted=(), mixed=0)).run(40, 10.0)
        assert 0 < len(w.shop.orders) < 40
        assert len(w.shop.orders) + len(w.shop.inventory.books.sold_out) == 40
        assert {one.location for order in w.shop.orders.values() for one in order.fulfillment_orders} == {LEEDS}
        assert w.told() == {}

    in_both(story)


def test_the_judgement_is_served_with_the_shops_books() -> None:
    async def story(w: Worlds) -> None:
        world = ShopifyWorld([w.shop], FaultPlan(Faults(), Chance(1), "shopify"), w.clock)
        world.judged = w.books.dump
        w.keeper.hold(LAMP, 3)
        await a_moment()
        w.bought(10)
        transport = httpx.ASGITransport(create_app(world))
        async with httpx.AsyncClient(transport=transport, base_url="http://shopify.example.test") as http:
            told = (await http.get("/_sandbox/stock")).json()
        assert told["judged"]["window_oversold"] == {"held": 3}
        assert [one["units"] for one in told["sales"]] == [10]

    in_both(story)
