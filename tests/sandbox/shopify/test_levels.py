"""What orders, edits, refunds and staff do to a level: (available, committed, on hand), in one transaction each."""

from collections.abc import Callable

import pytest

from sandbox.faults import Faults
from sandbox.shopify.records import Order
from sandbox.shopify.shop import SoldOut
from tests.sandbox.shopify.stocked import LAMP, LEEDS, RUG, YORK, Stocked, in_the_shop

L, R = "0042-LAMP", "0007-RUG"
Step = Callable[[Stocked, Order], object]
Figures = tuple[int, int, int]

AFTERWARDS: dict[str, tuple[list[Step], Figures]] = {
    "nothing": ([], (3, 2, 5)),
    "all of it fulfilled": ([lambda s, o: s.fulfilled(o)], (3, 0, 3)),
    "one of two fulfilled": ([lambda s, o: fulfil(s, o, 1)], (3, 1, 4)),
    "cancelled with restock": ([lambda s, o: s.shop.cancel(o)], (5, 0, 5)),
    "cancelled without restock": ([lambda s, o: s.shop.cancel(o, restock=False)], (3, 0, 3)),
    "edited down by one": ([lambda s, o: s.shop.take_out(o, o.lines[0], 1)], (4, 1, 5)),
    "one refunded as cancel": ([lambda s, o: s.shop.take_out(o, o.lines[0], 1, refund=True)], (4, 1, 5)),
    "one refunded without restock": (
        [lambda s, o: s.shop.take_out(o, o.lines[0], 1, refund=True, restock=False)],
        (3, 1, 4),
    ),
    "fulfilled, one returned": (
        [lambda s, o: s.fulfilled(o), lambda s, o: s.shop.take_back(o, o.lines[0], 1, LEEDS)],
        (4, 0, 4),
    ),
    "fulfilled, fulfilment cancelled": (
        [lambda s, o: s.fulfilled(o), lambda s, o: s.shop.cancel_fulfillment(o, o.fulfillments[0].id)],
        (3, 2, 5),
    ),
    "a lamp added by an edit": ([lambda s, o: s.shop.add_line(o, L, 1, LEEDS)], (2, 3, 5)),
    "held and released": (
        [
            lambda s, o: s.shop.hold(o, o.fulfillment_orders[0].id),
            lambda s, o: s.shop.release_hold(o, o.fulfillment_orders[0].id),
        ],
        (3, 2, 5),
    ),
    "split": ([lambda s, o: s.shop.split(o, o.fulfillment_orders[0].id, {o.lines[0].id: 1})], (3, 2, 5)),
    "moved to York": ([lambda s, o: s.shop.move(o, o.fulfillment_orders[0].id, YORK)], (5, 0, 5)),
    "available typed over": ([lambda s, _: s.shop.inventory.set_by_hand(L, LEEDS, available=9)], (9, 2, 11)),
    "on hand typed over": ([lambda s, _: s.shop.inventory.set_by_hand(L, LEEDS, on_hand=1)], (-1, 2, 1)),
    "two damaged": ([lambda s, _: s.shop.inventory.stock(L, LEEDS, 1, damaged=2)], (1, 2, 5)),
}


def fulfil(s: Stocked, order: Order, units: int) -> None:
    (one,) = order.fulfillment_orders
    s.shop.fulfil(order, {one.id: {one.lines[0].id: units}}, {"number": "P1"}, notify=False)


@pytest.mark.parametrize("what", AFTERWARDS)
def test_two_of_five_lamps_are_bought_and_then(what: str) -> None:
    steps, expected = AFTERWARDS[what]

    async def story(s: Stocked) -> None:
        order = s.routed((L, 2))
        for step in steps:
            step(s, order)
        assert s.figures() == expected

    in_the_shop(story)


def test_moved_units_are_committed_where_they_are_to_be_taken_from() -> None:
    async def story(s: Stocked) -> None:
        order = s.routed((L, 3))
        s.shop.move(order, order.fulfillment_orders[0].id, YORK)
        assert (s.figures(), s.figures(LAMP, YORK)) == ((5, 0, 5), (-1, 3, 2))

    in_the_shop(story)


def test_a_purchase_is_whole_or_not_at_all() -> None:
    async def story(s: Stocked) -> None:
        with pytest.raises(SoldOut, match="0007-RUG, 4"):
            s.bought((L, 1), (R, 4))
        assert (s.figures(), s.figures(RUG), s.shop.orders) == ((5, 0, 5), (3, 0, 3), {})
        s.bought((L, 1), (R, 3))
        assert (s.figures(), s.figures(RUG)) == ((4, 1, 5), (0, 3, 3))
        dump = s.shop.inventory.books.dump()
        assert [(one["sku"], one["units"]) for one in dump["sales"]] == [(L, 1), (R, 3)]
        assert [(one["sku"], one["units"]) for one in dump["sold_out"]] == [(R, 4)]

    in_the_shop(story)


def test_the_last_unit_is_sold_once_and_again_only_by_a_variant_that_continues() -> None:
    async def story(s: Stocked) -> None:
        s.bought((R, 3))
        with pytest.raises(SoldOut):
            s.bought((R, 1))
        s.shop.setup.variants[1].policy = "CONTINUE"
        s.bought((R, 1))
        assert s.figures(RUG) == (-1, 4, 3)
        assert [one.policy for one in s.shop.inventory.books.sales] == ["DENY", "CONTINUE"]

    in_the_shop(story)


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        ([(L, 5)], [LEEDS]),
        ([(L, 1)], [LEEDS]),
        ([(R, 1), (L, 2)], [LEEDS]),
        ([(None, 1), ("CARD", 3), ("UNHEARD-OF", 9)], [LEEDS]),
    ],
)
def test_routing_follows_the_stock(lines: list[tuple[str | None, int]], places: list[int]) -> None:
    async def story(s: Stocked) -> None:
        assert [one.location for one in s.routed(*lines).fulfillment_orders] == places

    in_the_shop(story)


def test_what_leeds_lacks_comes_from_york() -> None:
    async def story(s: Stocked) -> None:
        s.bought((L, 4))
        order = s.routed((L, 2), (R, 1))
        assert [(one.location, one.lines[0].line.sku) for one in order.fulfillment_orders] == [(YORK, L), (LEEDS, R)]
        assert (s.figures(LAMP, YORK), s.figures(RUG)) == ((0, 2, 2), (2, 1, 3))

    in_the_shop(story)


def test_a_bundle_takes_its_components() -> None:
    async def story(s: Stocked) -> None:
        order = s.routed(("SET", 1))
        assert (s.figures(), s.figures(RUG)) == ((4, 1, 5), (1, 2, 3))
        with pytest.raises(SoldOut):
            s.bought(("SET", 1))
        s.fulfilled(order)
        assert (s.figures(), s.figures(RUG)) == ((4, 0, 4), (1, 0, 1))

    in_the_shop(story)


def test_orders_that_were_there_before_anyone_counted_are_committed() -> None:
    async def story(s: Stocked) -> None:
        fresh = Stocked(Faults())
        fresh.shop.inventory.levels.clear()
        fresh.shop.inventory.in_use = False
        fresh.routed((R, 2))
        assert fresh.shop.inventory.levels == {}
        fresh.shop.inventory.stock(R, LEEDS, 1)
        assert fresh.figures(RUG) == (1, 2, 3)

    in_the_shop(story)


def test_webhooks_tell_when_available_moves_and_not_when_a_parcel_leaves() -> None:
    async def story(s: Stocked) -> None:
        webhooks = s.listen()
        order = s.routed((L, 2))
        s.fulfilled(order)
        s.shop.inventory.set_by_hand(L, LEEDS, on_hand=8)
        await s.clock.sleep(10)
        await webhooks.aclose()
        assert [topic for topic, _ in s.heard] == ["inventory_levels/update"] * 2
        assert [(body["inventory_item_id"], body["location_id"], body["available"]) for _, body in s.heard] == [
            (LAMP, LEEDS, 3),
            (LAMP, LEEDS, 8),
        ]
        assert s.heard[0][1].keys() == {
            "inventory_item_id", "location_id", "available", "updated_at", "admin_graphql_api_id",
        }  # fmt: skip

    in_the_shop(story)


@pytest.mark.parametrize(
    ("faults", "heard", "counted"),
    [
        (Faults(webhook_lost=1.0), 0, {"sent": 0, "lost": 1, "doubled": 0}),
        (Faults(webhook_doubled=1.0), 2, {"sent": 1, "lost": 0, "doubled": 1}),
    ],
)
def test_they_get_lost_and_doubled_as_others_do(faults: Faults, heard: int, counted: dict[str, int]) -> None:
    async def story(s: Stocked) -> None:
        webhooks = s.listen(faults)
        s.bought((L, 1))
        await s.clock.sleep(10)
        await webhooks.aclose()
        assert (len(s.heard), s.shop.inventory.books.webhooks) == (heard, counted)

    in_the_shop(story)
