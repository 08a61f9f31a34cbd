"""Shoppers: what they choose, what they leave out at first, and what only people can settle. In virtual time."""

from datetime import UTC, datetime, timedelta

from kernel.virtual_time import run_virtual
from sandbox.clock import LoopClock
from sandbox.faults import Chance
from sandbox.shopify.records import Order
from sandbox.shopify.shop import Shop
from sandbox.shopify.shoppers import Clientele, Habits, Shoppers

USUAL, NEW = ("Standard", "standard"), ("Saturday", "saturday")
START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)


def shopped(habits: Habits, count: int = 60, seed: int = 4) -> list[Order]:
    """All orders of a shop after so many were placed and completed."""

    async def shop() -> list[Order]:
        clock = LoopClock(START)
        shop = Shop("acme.example.test", "token", ["secret"], clock)
        shop.edit_window = timedelta(seconds=3)
        shop.kits = {"SET": {"007": 1, "MUG": 2}}
        clientele = Clientele(shop, ("007", "MUG", "SET"), (11, 12), (USUAL,), 99, new=(NEW,))
        await Shoppers((clientele,), clock, Chance(seed), habits).run(count, 2.0)
        return list(shop.orders.values())

    return run_virtual(shop())


def test_a_day_has_everything_in_it() -> None:
    orders = shopped(Habits(new_line=0.2, on_account=1))
    lines = [line for order in orders for line in order.lines]

    assert len(orders) == 60
    assert {order.planted for order in orders} == {"", *Habits().planted}
    assert any(line.sku == "007" for line in lines)
    assert any(line.kit == {"007": 1, "MUG": 2} for line in lines)
    assert any(line.pick_up for line in lines)
    assert any(not line.requires_shipping for line in lines)
    assert any(order.note and dict(order.attributes)["gift_message"] for order in orders)
    assert any(order.shipping_code == "saturday" for order in orders)
    incomplete = [order for order in orders if not order.complete]
    assert {order.planted or order.on_account for order in incomplete} == {"address_incomplete", True}, (
        "what was incomplete at first is completed but for what is planted, and what is on account"
    )


def test_what_is_on_account_stays_unpaid_until_somebody_lets_it_go() -> None:
    (order,) = [order for order in shopped(Habits(on_account=1)) if order.on_account]
    assert (order.financial_status, order.complete, order.complete_at) == ("PENDING", False, None)

    order.agreed_at = START + timedelta(minutes=9)

    assert (order.financial_status, order.complete) == ("PENDING", True)


def test_few_orders_have_one_on_account_too() -> None:
    for count in range(1, 12):
        assert sum(order.on_account for order in shopped(Habits(on_account=1), count)) == 1, count


def test_a_new_line_changes_nothing_else_of_the_day() -> None:
    def told(order: Order) -> tuple[object, ...]:
        lines = [(line.sku, line.quantity, line.pick_up) for line in order.lines]
        return order.created_at, lines, order.address, order.note, order.planted, order.routed_at

    usual, curious = shopped(Habits()), shopped(Habits(new_line=0.5))

    assert [told(order) for order in usual] == [told(order) for order in curious]
    assert {order.shipping_code for order in usual} == {"standard", "pigeon"}
    assert {order.shipping_code for order in curious} == {"standard", "pigeon", "saturday"}
