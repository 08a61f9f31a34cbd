"""Units per order line: reckoned as a Counter reckons, whole bundles and begun ones, what goods-outs cover."""

from collections import Counter
from datetime import timedelta
from itertools import product

import pytest

from schemas.base import LineId
from schemas.commands import CreateGoodsOut
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FinancialStatus, FulfilmentOrderStatus
from streams.rules.orders.per_line import PerLine, in_lines
from streams.rules.orders.units import (
    begun,
    covers,
    despatched,
    left_in_all,
    ordered,
    picked,
    remaining,
    surplus,
    torn,
    tracking_numbers,
)
from tests.builders import GoodsOutBuilder, OrderBuilder, a_goods_out, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
A, B = LineId("901"), LineId("902")
THREE = an_order().with_line("MUG", 3)
ROUTED = THREE.routed("71")
MUGS = a_goods_out(G1).with_line("901", "MUG", 3)

SMALL = [
    dict(zip((A, B), units, strict=False)) for units in [(), *product(range(-2, 3)), *product(range(-2, 3), repeat=2)]
]


@pytest.mark.parametrize("one", SMALL, ids=str)
def test_it_reckons_as_a_counter_does(one: dict[LineId, int]) -> None:
    for other in SMALL:
        mine, theirs = PerLine(one), PerLine(other)
        assert mine - theirs == Counter(one) - Counter(other)
        assert dict(mine - theirs) == dict(Counter(one) - Counter(other))
        assert dict(mine & theirs) == dict(Counter(one) & Counter(other))
        assert dict(mine | theirs) == dict(Counter(one) | Counter(other))
        added, taken = PerLine(one), PerLine(one)
        added.update(theirs)
        taken.subtract(theirs)
        assert dict(added) == {line: one.get(line, 0) + other.get(line, 0) for line in {*one, *other}}
        assert dict(taken) == {line: one.get(line, 0) - other.get(line, 0) for line in {*one, *other}}
    assert dict(+PerLine(one)) == dict(+Counter(one))


@pytest.mark.parametrize(
    ("parts", "whole", "started"),
    [
        ([("901", 0, 2), ("901", 0, 1)], {"901": 3}, {"901": 3}),
        ([("", 0, 2), ("901", 0, 1)], {"901": 1}, {"901": 1}),
        ([("901", 2, 4), ("901", 1, 2)], {"901": 2}, {"901": 2}),
        ([("901", 2, 3), ("901", 1, 2)], {"901": 1}, {"901": 2}),
        ([("901", 2, 1), ("901", 1, 0)], {"901": 0}, {"901": 1}),
        ([("901", 2, 5), ("901", 1, 1)], {"901": 1}, {"901": 3}),
        ([("901", 2, 2), ("901", 0, 1), ("902", 1, 1)], {"901": 2, "902": 1}, {"901": 2, "902": 1}),
    ],
)
def test_parts_of_bundles_are_counted_whole_or_begun(
    parts: list[tuple[LineId, int, int]], whole: dict[str, int], started: dict[str, int]
) -> None:
    assert in_lines(parts, begun=False) == whole
    assert in_lines(parts, begun=True) == started


@pytest.mark.parametrize(
    ("case", "order", "first_seen_late"),
    [
        ("new", ROUTED, False),
        ("fulfilled in part", ROUTED.fulfilled("801", L901=1), True),
        ("a fulfilment taken back", ROUTED.fulfilled("801", L901=1, cancelled=True), True),
        ("a fulfilment order closed", ROUTED.routed("72", L901=1).closed("72"), True),
        ("refunded", ROUTED.paid(FinancialStatus.REFUNDED), True),
        ("refunded in part", ROUTED.paid(FinancialStatus.PARTIALLY_REFUNDED), True),
        ("a unit removed", ROUTED.refunded(L901=1), True),
        ("a unit of one of two lines removed", THREE.with_line("HAT", 1).routed("71").refunded(L901=1), True),
        ("not paid", ROUTED.paid(FinancialStatus.PENDING), False),
    ],
)
def test_an_order_that_had_begun_before_we_saw_it(case: str, order: OrderBuilder, first_seen_late: bool) -> None:
    assert begun(order.order) == first_seen_late, case


def test_what_remains_is_over_all_fulfilment_orders_that_have_not_ended() -> None:
    order = THREE.routed("71", L901=1).routed("72", L901=2).closed("71")
    assert remaining(order.order) == {"901": 2}
    assert remaining(order.fulfilment_order("71", status=FulfilmentOrderStatus.CANCELLED).order) == {"901": 2}


@pytest.mark.parametrize(
    ("goods_out", "left", "in_totes", "beyond"),
    [
        (MUGS, {}, False, 0),
        (MUGS.picked(L901=2), {}, True, 0),
        (MUGS.picked(L901=2).despatched(L901=2), {"901": 2}, False, 0),
        (MUGS.picked(L901=3).despatched(L901=2), {"901": 2}, True, 0),
        (MUGS.with_line("902", "HAT", 1).picked(L901=2), {}, True, 0),
        (MUGS.despatched(L901=5), {"901": 3}, False, 2),
        (MUGS.with_line("", "JUG", 2).despatched(), {"901": 3}, False, 2),
        (MUGS.with_line("902", "HAT", 1).despatched(L901=4), {"901": 3}, False, 1),
    ],
)
def test_what_left_lies_in_totes_and_is_too_many(
    goods_out: GoodsOutBuilder, left: dict[str, int], in_totes: bool, beyond: int
) -> None:
    assert despatched(goods_out.goods_out) == left
    assert picked(goods_out.goods_out) == in_totes
    assert surplus(goods_out.goods_out) == beyond


@pytest.mark.parametrize(
    ("cups", "pots", "whole", "in_part", "beyond"),
    [(0, 0, {}, {}, 0), (4, 2, {"901": 2}, {}, 0), (2, 0, {}, {"901": 1}, 0), (4, 1, {"901": 1}, {"901": 1}, 0),
     (1, 0, {}, {"901": 1}, 0), (6, 2, {"901": 2}, {}, 2), (6, 3, {"901": 2}, {}, 3)],
)  # fmt: skip
def test_bundles_that_left(cups: int, pots: int, whole: dict[str, int], in_part: dict[str, int], beyond: int) -> None:
    """Two sets of two cups and a pot."""
    made = a_goods_out(G1).with_part("901", "CUP", 4, each=2, left=cups).with_part("901", "POT", 2, each=1, left=pots)
    assert despatched(made.goods_out) == whole
    assert torn(made.goods_out) == in_part
    assert surplus(made.goods_out) == beyond


def test_a_component_too_many_does_not_make_up_for_another() -> None:
    """A cup too many beside a pot too few is one too many."""
    made = a_goods_out(G1).with_part("901", "CUP", 4, each=2, left=5).with_part("901", "POT", 2, each=1, left=1)
    assert surplus(made.goods_out) == 1


def test_a_bundle_of_which_any_component_is_asked_for_is_asked_for() -> None:
    """A person took a pot out of the goods-out: both sets stay the warehouse's."""
    made = a_goods_out(G1).with_part("901", "CUP", 4, each=2).with_part("901", "POT", 1, each=1)
    assert ordered(made.goods_out) == {"901": 2}


def test_numbers_stand_in_the_order_of_the_packages_each_once() -> None:
    assert tracking_numbers(MUGS.despatched(tracking=("T2", "", "T1", "T2")).goods_out) == ("T2", "T1")


# --- covering


def covered(goods_out: GoodsOutBuilder, order: OrderBuilder = ROUTED, *, given_up: bool = False) -> dict[str, int]:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(goods_out).shopify(order)
    [known] = story.state.goods_outs
    if given_up:
        known = known.model_copy(update={"given_up": True})
    return dict[str, int](covers(story.state, known).items())


CANCELLED, DONE = GoodsOutStatus.CANCELLED, GoodsOutStatus.COMPLETED
TOLD_TWO = ROUTED.fulfilled("801", L901=2, numbers=("T1",))


@pytest.mark.parametrize(
    ("case", "goods_out", "order", "units"),
    [
        ("in the warehouse", MUGS, ROUTED, {"901": 3}),
        ("two left", MUGS.despatched(L901=2, whole=False), ROUTED, {"901": 3}),
        ("two left and are told", MUGS.despatched(L901=2, whole=False), TOLD_TWO, {"901": 1}),
        ("closed short", MUGS.despatched(L901=2), ROUTED, {"901": 3}),
        ("closed short, what left is told", MUGS.despatched(L901=2), TOLD_TWO, {"901": 1}),
        ("cancelled, nobody had begun", MUGS.status(CANCELLED), ROUTED, {}),
        ("cancelled with goods in totes", MUGS.picked(L901=1).status(CANCELLED), ROUTED, {"901": 3}),
        ("cancelled when two had left", MUGS.despatched(L901=2).status(CANCELLED), ROUTED, {"901": 2}),
        ("and they are told", MUGS.despatched(L901=2).status(CANCELLED), TOLD_TWO, {}),
        ("told and taken back", MUGS.despatched(L901=2).status(CANCELLED),
         ROUTED.fulfilled("801", L901=2, numbers=("T1",), cancelled=True), {"901": 2}),
        ("all left, too many", MUGS.despatched(L901=5), ROUTED, {"901": 3}),
    ],
)  # fmt: skip
def test_what_a_goods_out_covers(
    case: str, goods_out: GoodsOutBuilder, order: OrderBuilder, units: dict[str, int]
) -> None:
    assert covered(goods_out, order) == units, case


@pytest.mark.parametrize(
    ("order", "units"),
    [
        (ROUTED, {"901": 2}),
        (TOLD_TWO, {}),
        (ROUTED.fulfilled("801", L901=2, numbers=("T1",), cancelled=True), {}),
    ],
)
def test_one_that_was_given_up_covers_what_left_and_was_never_told(order: OrderBuilder, units: dict[str, int]) -> None:
    assert covered(MUGS.despatched(L901=2), order, given_up=True) == units


def test_one_we_cancelled_that_is_gone_covers_nothing() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(MUGS).clarus()
    [known] = story.state.goods_outs
    assert dict(covers(story.state, known)) == {"901": 3}
    ours = known.model_copy(update={"cancelled_by_us": True})
    assert dict(covers(story.state, ours)) == {}
    assert (ours.gone, ours.missing, known.gone) == (True, False, False)
    twice = ours.model_copy(update={"absent": 2})
    assert (twice.gone, twice.missing, known.model_copy(update={"absent": 2}).missing) == (True, False, True)
    still = ours.model_copy(update={"absent": 0})
    assert (still.gone, dict(covers(story.state, still))) == (False, {"901": 3})


def test_a_split_takes_what_it_covers_along() -> None:
    """Three asked for; the fulfilment order keeps one, another has two: nothing is sent again, by either."""
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(MUGS)
    story.shopify(THREE.routed("71", L901=1).routed("72", L901=2)).later(hours=1)
    assert story.quantities == [{"901": 3}]
    more = an_order().with_line("MUG", 4).routed("71", L901=1).routed("72", L901=2).routed("73", L901=1)
    story.shopify(more)
    assert story.quantities == [{"901": 3}, {"901": 1}]
    assert story.later(seconds=timedelta(hours=2).total_seconds()).quantities == [{"901": 3}, {"901": 1}]


def test_what_a_replaced_fulfilment_order_still_shows_makes_no_room() -> None:
    """Cancelled by Shopify and replaced by another, it goes on showing what remained: the goods-out counts there."""
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(MUGS)
    four = an_order().with_line("MUG", 4).routed("71", L901=3).routed("72", L901=3).routed("73", L901=1)
    story.shopify(four.fulfilment_order("71", status=FulfilmentOrderStatus.CANCELLED))
    assert story.quantities == [{"901": 3}, {"901": 1}]
    assert story.sent(CreateGoodsOut)[1].fulfilment_order == "73"


def test_lines_of_which_no_mark_was_kept_are_not_called_changed() -> None:
    [known] = Story().clarus(MUGS).state.goods_outs
    assert not known.changed_in_clarus
    assert known.model_copy(update={"made_as": "of other lines"}).changed_in_clarus
    assert not known.model_copy(update={"made_as": ""}).changed_in_clarus


def test_what_left_in_all_is_what_left_of_each_goods_out() -> None:
    order = an_order().with_line("MUG", 3).with_line("HAT", 2).routed("71", L901=2, L902=2).routed("72", L901=1)
    story = Story().shopify(order)
    assert left_in_all(story.state) == {}
    first = a_goods_out(G1).with_line("901", "MUG", 2).with_line("902", "HAT", 2)
    second = a_goods_out("ACME-5012-72-1").with_line("901", "MUG", 1)
    story.clarus(first.despatched(L901=2, L902=1), second)
    assert left_in_all(story.state) == {A: 2, B: 1}
    story.clarus(first.despatched(L901=2, L902=1), second.despatched(L901=1))
    assert left_in_all(story.state) == {A: 3, B: 1}
