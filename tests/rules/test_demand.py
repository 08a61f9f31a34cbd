"""What orders take from stock: units that may still leave though Shopify has freed them, and what was fulfilled."""

from datetime import timedelta

import pytest

from schemas.base import OrderId, System
from schemas.commands import CreateGoodsOut
from schemas.goods_outs import GoodsOutStatus
from schemas.mapping import Bundle, Component
from streams.rules.orders.demand import fulfilled, may_withhold
from streams.rules.orders.demand import withheld as demanded
from tests.builders import NOON, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
TWO = an_order().with_line("MUG", 2).routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 2)
STOCKED = a_brand(stock={"mode": "observe"})
SET = {"sku": "SET", "components": [{"sku": "CUP", "quantity": 2}, {"sku": "POT", "quantity": 1}]}


def released(order: OrderBuilder = TWO, goods_out: GoodsOutBuilder = IN_CLARUS) -> Story:
    story = Story(STOCKED).shopify(order)
    return story.applied(story.sent(CreateGoodsOut)[0]).clarus(goods_out)


def withheld(story: Story) -> dict[str, int]:
    return {one.item.removeprefix("stock:"): one.units for one in story.state.withheld}


def test_what_shopify_commits_itself_is_not_withheld_as_well() -> None:
    story = Story(STOCKED).shopify(TWO)
    assert withheld(story) == {}, "being made"
    assert withheld(released()) == {}, "made"


@pytest.mark.parametrize(
    ("case", "order", "units"),
    [
        ("cancelled in Shopify", TWO.cancelled(), 2),
        ("one unit refunded", TWO.refunded(L901=1), 1),
        ("moved to another fulfilment order", TWO.routed("71", L901=1).routed("72", L901=1), 0),
    ],
)
def test_what_shopify_frees_and_the_warehouse_may_still_ship_is_withheld(
    case: str, order: OrderBuilder, units: int
) -> None:
    story = released(goods_out=IN_CLARUS.picking()).shopify(order)
    assert withheld(story) == ({"11/MUG": units} if units else {}), case


def test_what_is_still_being_made_is_withheld_too() -> None:
    assert withheld(Story(STOCKED).shopify(TWO).shopify(TWO.cancelled())) == {"11/MUG": 2}


@pytest.mark.parametrize(
    ("case", "goods_out", "units"),
    [
        ("nothing has left", IN_CLARUS.picking(), 2),
        ("one has left", IN_CLARUS.despatched(L901=1, whole=False), 1),
        ("all have left", IN_CLARUS.despatched(), 0),
        ("more have left than were asked for", IN_CLARUS.despatched(L901=3, whole=False), 0),
        ("completed short: the rest is free", IN_CLARUS.despatched(L901=1), 0),
        ("cancelled in the warehouse", IN_CLARUS.status(GoodsOutStatus.CANCELLED), 0),
        ("also by a line that a person put in", IN_CLARUS.with_line("", "MUG", 1).picking(), 3),
    ],
)
def test_only_what_may_still_leave_is_withheld(case: str, goods_out: GoodsOutBuilder, units: int) -> None:
    story = released(goods_out=IN_CLARUS.picking()).shopify(TWO.cancelled()).clarus(goods_out)
    assert withheld(story) == {"11/MUG": units}, case


def test_that_it_is_over_is_said_too() -> None:
    story = released(goods_out=IN_CLARUS.picking()).shopify(TWO.cancelled()).clarus(IN_CLARUS.despatched())
    assert withheld(story) == {"11/MUG": 0}
    assert withheld(story.later(minutes=5)) == {"11/MUG": 0}


def test_two_goods_outs_share_what_shopify_still_commits() -> None:
    """Two lines of one product on two fulfilment orders; of three units one is refunded."""
    order = an_order().with_line("MUG", 3).routed("71", L901=2).routed("72", L901=1)
    story = Story(STOCKED).shopify(order)
    for create in story.sent(CreateGoodsOut):
        story.applied(create, external_id=f"9{create.fulfilment_order}")
    both = (IN_CLARUS.picking(), a_goods_out(G2, "9072").with_line("901", "MUG", 1).picking())
    story.clarus(*both)
    assert withheld(story) == {}
    assert withheld(story.shopify(order.refunded(L901=1))) == {"11/MUG": 1}
    assert withheld(story.shopify(order.refunded(L901=3))) == {"11/MUG": 3}


PARTS = a_goods_out(G1).with_part("901", "CUP", 4, each=2).with_part("901", "POT", 2, each=1)
SETS = an_order().with_line("SET", 2).routed("71")


def bundled(order: OrderBuilder = SETS, **more: object) -> Story:
    return Story(a_brand(stock={"mode": "observe"}, bundles=[{**SET, **more}])).shopify(order)


def test_of_a_bundle_whose_components_shopify_commits_they_are_withheld_once_it_frees_them() -> None:
    story = bundled(commits="components")
    story.applied(story.one(CreateGoodsOut)).clarus(PARTS.picking())
    assert withheld(story) == {}
    assert withheld(story.shopify(SETS.refunded(L901=1))) == {"11/CUP": 2, "11/POT": 1}


def test_of_a_bundle_that_only_the_warehouse_takes_apart_the_components_are_withheld_from_the_purchase_on() -> None:
    story = bundled(SETS.on_hold("71"))
    assert withheld(story) == {"11/CUP": 4, "11/POT": 2}, "held"
    story.shopify(SETS)
    assert withheld(story) == {"11/CUP": 4, "11/POT": 2}, "being made"
    story.applied(story.one(CreateGoodsOut)).clarus(PARTS.picking())
    assert withheld(story) == {"11/CUP": 4, "11/POT": 2}, "in the warehouse"
    left = a_goods_out(G1).with_part("901", "CUP", 4, each=2, left=2).with_part("901", "POT", 2, each=1, left=1)
    assert withheld(story.clarus(left.picking())) == {"11/CUP": 2, "11/POT": 1}, "one has left"
    gone = a_goods_out(G1).with_part("901", "CUP", 4, each=2, left=4).with_part("901", "POT", 2, each=1, left=2)
    assert withheld(story.clarus(gone.status(GoodsOutStatus.COMPLETED))) == {"11/CUP": 0, "11/POT": 0}, "all have left"


def test_of_a_bundle_whose_components_shopify_commits_nothing_is_withheld_before_the_release() -> None:
    assert withheld(bundled(SETS.on_hold("71"), commits="components")) == {}


def test_of_such_a_bundle_what_has_been_fulfilled_is_over() -> None:
    order = SETS.routed("71", L901=1).routed("72", to="12", L901=1).on_hold("72").fulfilled("501", L901=1).closed("71")
    assert withheld(bundled(order)) == {"12/CUP": 2, "12/POT": 1}


def test_of_such_a_bundle_all_is_withheld_that_the_warehouse_has_before_the_order_is_read() -> None:
    story = Story(a_brand(stock={"mode": "observe"}, bundles=[SET])).clarus(PARTS.picking())
    assert withheld(story) == {"11/CUP": 4, "11/POT": 2}


def test_what_a_goods_out_wants_is_looked_at_though_nothing_else_is_to_be_said() -> None:
    state = released(goods_out=IN_CLARUS.picking()).state.model_copy(update={"in_flight": (), "withheld": ()})
    assert may_withhold(state, STOCKED)
    assert not may_withhold(state.model_copy(update={"goods_outs": ()}), STOCKED)


def test_of_such_a_bundle_what_is_released_and_what_is_not_is_withheld_together() -> None:
    story = bundled(SETS.routed("71", L901=1).routed("72", to="12", L901=1).on_hold("72"))
    one = a_goods_out(G1).with_part("901", "CUP", 2, each=2).with_part("901", "POT", 1, each=1)
    story.applied(story.one(CreateGoodsOut)).clarus(one.picking())
    assert withheld(story) == {"11/CUP": 2, "11/POT": 1, "12/CUP": 2, "12/POT": 1}


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("cancelled before anything was made", SETS.on_hold("71").cancelled()),
        ("nothing of it goes from a warehouse of ours", an_order().with_line("SET", 2).routed("71", to="99")),
        ("not routed yet", an_order().with_line("SET", 2)),
        ("from before the brand was switched on", SETS.placed(NOON - timedelta(days=400))),
    ],
)
def test_of_such_a_bundle_nothing_is_withheld_that_we_do_not_send(case: str, order: OrderBuilder) -> None:
    assert withheld(bundled(order)) == {}, case


def test_of_a_bundle_that_is_none_any_more_the_components_are_withheld_until_they_have_left() -> None:
    story = bundled(commits="components")
    story.applied(story.one(CreateGoodsOut)).clarus(PARTS.picking())
    story.configured(bundles=[]).later(minutes=1)
    assert withheld(story) == {"11/CUP": 4, "11/POT": 2}


def test_a_goods_out_of_a_fulfilment_order_that_is_gone_counts_where_its_warehouse_is() -> None:
    bare = an_order().with_line("MUG", 2).cancelled()
    story = released(goods_out=IN_CLARUS.picking()).shopify(bare)
    assert withheld(story) == {"11/MUG": 2}


def test_of_an_order_that_is_gone_all_is_withheld() -> None:
    assert withheld(released(goods_out=IN_CLARUS.picking()).shopify(None)) == {"11/MUG": 2}


def test_where_stock_is_not_kept_nothing_is_withheld() -> None:
    story = Story().shopify(TWO)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS.picking()).shopify(TWO.cancelled())
    assert story.state.withheld == ()


TOLD = TWO.fulfilled("501", L901=1)
KEPT = Bundle(sku=TWO.order.lines[0].sku, components=(Component(sku=type(TWO.order.lines[0].sku)("CUP")),))


@pytest.mark.parametrize(
    ("case", "before", "after", "items"),
    [
        ("one unit fulfilled", TWO, TOLD, ("stock:11/MUG",)),
        ("a fulfilment cancelled", TOLD, TWO.fulfilled("501", L901=1, cancelled=True), ("stock:11/MUG",)),
        ("nothing fulfilled", TWO, TWO.on_hold("71"), ()),
        ("the same fulfilled", TOLD, TOLD.on_hold("71"), ()),
        ("gone", TOLD, None, ()),
        (
            "of two lines the one that was fulfilled, at both its places",
            TWO.with_line("HAT", 1).routed("71", L901=1, L902=1).routed("72", to="12", L901=1),
            TWO.with_line("HAT", 1).routed("71", L901=1, L902=1).routed("72", to="12", L901=1).fulfilled("501", L901=1),
            ("stock:11/MUG", "stock:12/MUG"),
        ),
    ],
)
def test_what_was_fulfilled_between_two_readings(
    case: str, before: OrderBuilder, after: OrderBuilder | None, items: tuple[OrderId, ...]
) -> None:
    earlier = Story().shopify(before).state
    later = earlier.model_copy(update={"shopify": after.order if after is not None else None})
    assert fulfilled(earlier, later, a_brand()) == items, case


def test_of_a_bundle_the_components_were_fulfilled() -> None:
    earlier = Story().shopify(TWO).state
    later = earlier.model_copy(update={"shopify": TOLD.order})
    assert fulfilled(earlier, later, a_brand(bundles=(KEPT,))) == ("stock:11/CUP",)


def test_of_an_order_never_read_before_nothing_is_known() -> None:
    now = Story().shopify(TOLD).state
    assert fulfilled(None, now, a_brand()) == ()
    assert fulfilled(now.model_copy(update={"shopify": None}), now, a_brand()) == ()
    assert fulfilled(now, now, a_brand()) == ()
    assert System.SHOPIFY not in now.ask


FIVE = an_order()
for sku in ("MUG", "HAT", "TEA", "JUG", "CUP"):
    FIVE = FIVE.with_line(sku, 1)
FIVE = FIVE.routed("71")


def test_items_stand_in_the_order_of_their_ids() -> None:
    goods_out = a_goods_out(G1)
    for line in FIVE.order.lines:
        goods_out = goods_out.with_line(line.id, line.sku, 1)
    story = released(FIVE, goods_out.picking()).shopify(FIVE.cancelled())
    named = [one.item for one in story.state.withheld]
    assert len(named) == 5
    assert named == sorted(named)
    earlier = Story().shopify(FIVE).state
    told = FIVE.fulfilled("801", L901=1, L902=1, L903=1, L904=1, L905=1)
    found = fulfilled(earlier, earlier.model_copy(update={"shopify": told.order}), a_brand())
    assert len(found) == 5
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("missing", {"absent": 2}),
        ("cancelled by us and gone", {"cancelled_by_us": True, "absent": 1}),
    ],
)
def test_what_the_warehouse_does_not_have_any_more_is_not_withheld(case: str, changes: dict[str, object]) -> None:
    state = released(goods_out=IN_CLARUS.picking()).shopify(TWO.cancelled()).state
    [known] = state.goods_outs
    [one] = demanded(state, STOCKED)
    assert one.units == 2
    [none] = demanded(state.model_copy(update={"goods_outs": (known.model_copy(update=changes),)}), STOCKED)
    assert none.units == 0, case


DOUBLE = IN_CLARUS.as_id("9002").picking()


@pytest.mark.parametrize(
    ("case", "shown", "units"),
    [
        ("it may leave beside ours", [IN_CLARUS.picking(), DOUBLE], 2),
        ("one of it has left", [IN_CLARUS.picking(), DOUBLE.despatched(L901=1, whole=False)], 1),
        ("all of it has left", [IN_CLARUS.picking(), DOUBLE.despatched()], 0),
        ("there are two", [IN_CLARUS.picking(), DOUBLE, DOUBLE.as_id("9003")], 4),
        (
            "it was made with another product",
            [IN_CLARUS.picking(), a_goods_out(G1, "9002").with_line("902", "HAT", 3)],
            3,
        ),
        ("ours has left and is not told", [IN_CLARUS.despatched(), DOUBLE], 0),
        ("ours was cancelled instead of it", [IN_CLARUS.status(GoodsOutStatus.CANCELLED), DOUBLE], 0),
    ],
)
def test_what_a_second_goods_out_under_our_reference_may_take_is_withheld(
    case: str, shown: list[GoodsOutBuilder], units: int
) -> None:
    assert sum(withheld(released().clarus(*shown)).values()) == units, case


def test_a_double_takes_from_its_own_warehouse() -> None:
    elsewhere = a_goods_out(G1, "9002", warehouse="MAN1").with_line("901", "MUG", 2)
    assert withheld(released().clarus(IN_CLARUS.picking(), elsewhere)) == {"12/MUG": 2}


def test_a_goods_out_that_a_person_gave_up_and_the_warehouse_still_has_takes_what_it_holds() -> None:
    """Its units are released once more, so there are two goods-outs for them."""
    changed = IN_CLARUS.with_line("", "HAT", 1).picking()
    story = released().clarus(changed)
    story.operator("release_again", G1)
    assert len(story.sent(CreateGoodsOut)) == 2
    assert withheld(story.clarus(changed)) == {"11/HAT": 1, "11/MUG": 2}


def test_only_lines_that_moved_are_told() -> None:
    """The same line in two fulfilment orders of one place is one item; a line that did not move is none."""
    order = TWO.with_line("HAT", 1).routed("71", L901=1, L902=1).routed("72", L901=1)
    earlier = Story().shopify(order).state
    told = order.fulfilled("801", L902=1)
    assert fulfilled(earlier, earlier.model_copy(update={"shopify": told.order}), a_brand()) == ("stock:11/HAT",)


# --- where it leaves from


CLOSED_DOWN = IN_CLARUS.picking()._with(warehouse="OLD1")


def test_one_in_a_warehouse_that_serves_no_place_any_more_is_withheld_where_its_fulfilment_order_is() -> None:
    assert withheld(released(goods_out=CLOSED_DOWN).shopify(TWO.cancelled())) == {"11/MUG": 2}


def test_where_nobody_knows_the_place_nothing_is_withheld() -> None:
    bare = an_order().with_line("MUG", 2).cancelled()
    assert withheld(released(goods_out=CLOSED_DOWN).shopify(bare)) == {}


def test_of_two_places_that_one_warehouse_serves_it_is_the_one_it_was_made_for() -> None:
    rules = [{"location": "11", "warehouse": "LDS1"}, {"location": "12", "warehouse": "LDS1"}]
    order = an_order().with_line("MUG", 3).routed("71", L901=1).routed("72", to="12", L901=2)
    story = Story(a_brand(stock={"mode": "observe"}, warehouses=rules)).shopify(order)
    for create in story.sent(CreateGoodsOut):
        story.applied(create, external_id=f"9{create.fulfilment_order}")
    one = a_goods_out(G1, "9071").with_line("901", "MUG", 1)
    two = a_goods_out(G2, "9072").with_line("901", "MUG", 2)
    story.clarus(one.picking(), two.picking()).shopify(order.cancelled())
    assert withheld(story) == {"11/MUG": 1, "12/MUG": 2}
