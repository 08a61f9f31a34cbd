"""Where units are told, with which numbers, and until when tracking is waited for: literal cases."""

from datetime import timedelta

import pytest

from schemas.base import GoodsOutRef, LineId, System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpdateTracking, UpsertErpOrder, Withdraw
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FulfilmentOrderStatus
from schemas.outcomes import OutcomeKind
from streams.rules.orders.findings import Look, Waiting, Wake, Wanted
from streams.rules.orders.state import Closed
from streams.rules.orders.telling import fulfilment_object, late_tracking, tell
from tests.builders import GoodsOutBuilder, OrderBuilder, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
THREE = an_order().with_line("MUG", 3)
ROUTED = THREE.routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3)
SALE = an_erp_order().with_line("901", "MUG", 3)


def left(goods_out: GoodsOutBuilder, *, posted: int = 3, order: OrderBuilder = ROUTED) -> Story:
    """Released, sold, left as this goods-out says, and so many posted."""
    story = Story().shopify(order)
    story.applied(story.sent(CreateGoodsOut)[0]).clarus(IN_CLARUS)
    story.applied(story.one(UpsertErpOrder), "77").erp(SALE).clarus(goods_out)
    return story.erp(SALE.fulfilment(G1, L901=posted)) if posted else story


def places(story: Story) -> list[list[tuple[str, int]]]:
    """Fulfilment orders and units of each telling."""
    return [[(unit.fulfilment_order, unit.quantity) for unit in one.lines] for one in story.sent(CreateFulfilment)]


@pytest.mark.parametrize(
    ("left_units", "posted", "told"), [(3, 3, [3]), (2, 3, [2]), (3, 2, [2]), (3, 0, []), (0, 3, []), (1, 1, [1])]
)
def test_told_is_what_left_and_is_posted(left_units: int, posted: int, told: list[int]) -> None:
    goods_out = IN_CLARUS.despatched(L901=left_units, whole=False) if left_units else IN_CLARUS
    assert [sum(units for _, units in one) for one in places(left(goods_out, posted=posted))] == told


def test_own_fulfilment_order_first_then_the_oldest_by_number() -> None:
    order = ROUTED.routed("71", L901=1).routed("101", L901=1).routed("99", L901=1)
    story = left(IN_CLARUS.despatched(), posted=0)
    story.shopify(order).erp(SALE.fulfilment(G1, L901=3))
    assert places(story) == [[("71", 1), ("99", 1), ("101", 1)]]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, [[("71", 3)]]),
        ({"status": FulfilmentOrderStatus.IN_PROGRESS}, [[("71", 3)]]),
        ({"status": FulfilmentOrderStatus.ON_HOLD}, []),
        ({"can_fulfil": False}, []),
    ],
)
def test_only_what_shopify_lets_us_fulfil_has_room(
    changes: dict[str, object], told: list[list[tuple[str, int]]]
) -> None:
    story = left(IN_CLARUS.despatched(), posted=0).shopify(ROUTED.fulfilment_order("71", **changes))
    story.erp(SALE.fulfilment(G1, L901=3))
    assert places(story) == told
    assert (CaseCode.SHIPPED_NOT_OWED in story.open_cases) == (not told)


def test_what_has_no_room_is_named_and_the_rest_is_told() -> None:
    story = left(IN_CLARUS.despatched(), posted=0).shopify(ROUTED.refunded(L901=1))
    story.erp(SALE.fulfilment(G1, L901=3))
    assert places(story) == [[("71", 2)]]
    [case] = [case for case in story.cases.values() if case.code is CaseCode.SHIPPED_NOT_OWED]
    assert (case.object, case.detail[:12]) == (G1, "1 units left")
    story.reads.clear()
    story.later(minutes=40)
    assert System.SHOPIFY in story.reads, "a hold that ends is only seen by reading"


@pytest.mark.parametrize("judged", [False, True])
def test_one_that_a_person_has_judged_is_not_read_for(judged: bool) -> None:
    story = left(IN_CLARUS.despatched(), posted=0).shopify(ROUTED.on_hold("71")).erp(SALE.fulfilment(G1, L901=3))
    if judged:
        story.operator("close", CaseCode.SHIPPED_NOT_OWED)
    named = [one.name for one in tell(story.state, story.config) if isinstance(one, Waiting)]
    assert named == ([] if judged else [f"not-owed:{G1}"])


def test_two_parcels_of_one_line_share_the_room() -> None:
    order = THREE.routed("71", L901=1).routed("72", L901=2)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    one, two = a_goods_out(G1).with_line("901", "MUG", 1), a_goods_out(G2, "9002").with_line("901", "MUG", 2)
    story.clarus(one.despatched(tracking=("T1",)), two.despatched(tracking=("T2",)))
    story.applied(story.one(UpsertErpOrder), "77").erp(SALE.fulfilment(G1, L901=1).fulfilment(G2, L901=2))
    assert places(story) == [[("71", 1)], [("72", 2)]]
    assert [one.tracking.numbers for one in story.sent(CreateFulfilment)] == [("T1",), ("T2",)]
    assert story.open_cases == set()


def test_what_was_moved_to_another_location_is_told_by_a_fulfilment_of_its_own() -> None:
    moved = THREE.routed("71", L901=2).routed("72", L901=1, to="12")
    story = left(IN_CLARUS.despatched(tracking=("T1",)), posted=0).shopify(moved).erp(SALE.fulfilment(G1, L901=3))
    first = story.one(CreateFulfilment)
    assert places(story) == [[("71", 2)]]
    shown = moved.fulfilled("801", L901=2, numbers=("T1",))
    story.applied(first, "801")
    waits = [one.name for one in tell(story.state, story.config) if isinstance(one, Waiting)]
    assert (len(places(story)), waits) == (1, [f"tell:{G1}"]), "what is told must show before the next is placed"
    second = story.shopify(shown).sent(CreateFulfilment)[1]
    assert places(story)[1] == [("72", 1)]
    assert (second.tracking.numbers, second.generation, second.known_fulfilments) == (("T1",), 2, ("801",))
    story.applied(second, "802").shopify(shown.fulfilled("802", of="72", L901=1, numbers=("T1",)))
    assert (len(story.sent(CreateFulfilment)), story.open_cases) == (2, set())


# --- while it is under way


def test_a_telling_under_way_is_kept_and_waited_for() -> None:
    story = left(IN_CLARUS.despatched())
    [keep] = [one for one in tell(story.state, story.config) if isinstance(one, Wanted)]
    assert (keep.object, keep.keep_while_flying) == (f"fulfilment:{G1}", True)
    [wait] = [one for one in tell(story.state, story.config) if isinstance(one, Waiting)]
    assert (wait.name, wait.code, wait.object) == (f"tell:{G1}", CaseCode.NOT_TOLD, G1)
    assert (wait.after, wait.read, wait.detail.split()[0]) == (900, (System.SHOPIFY,), "3")
    assert fulfilment_object(GoodsOutRef(G1)) == keep.object
    assert len(story.later(minutes=5).sent(CreateFulfilment)) == 1


def test_more_that_leaves_meanwhile_waits_for_its_outcome() -> None:
    story = left(IN_CLARUS.despatched(L901=1, whole=False), posted=1)
    first = story.one(CreateFulfilment)
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2"))).erp(SALE.fulfilment(G1, L901=3))
    assert len(story.sent(CreateFulfilment)) == 1
    story.applied(first, "801").shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    second = story.sent(CreateFulfilment)[1]
    assert ([unit.quantity for unit in second.lines], second.tracking.numbers, second.generation) == ([2], ("T2",), 2)


def test_a_number_that_was_told_is_not_told_again_though_staff_took_it_off() -> None:
    story = left(IN_CLARUS.despatched(L901=1, whole=False), posted=1)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=1))
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2"))).erp(SALE.fulfilment(G1, L901=3))
    assert story.sent(CreateFulfilment)[1].tracking.numbers == ("T2",)


def test_one_that_is_not_true_any_more_is_withdrawn() -> None:
    story = left(IN_CLARUS.despatched())
    story.clarus(IN_CLARUS.despatched(L901=2, whole=False))
    assert story.one(Withdraw).withdrawn == story.one(CreateFulfilment).id


def test_it_shows_before_its_outcome_comes() -> None:
    story = left(IN_CLARUS.despatched())
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",)))
    assert [one for one in tell(story.state, story.config) if isinstance(one, Waiting)] == []
    assert story.sent(Withdraw) == []


# --- tracking


@pytest.mark.parametrize(
    ("tracking", "status", "numbers"),
    [
        (("T1",), GoodsOutStatus.COMPLETED, ("T1",)),
        (("T1", "T2"), GoodsOutStatus.COMPLETED, ("T1", "T2")),
        (("T2", "T1", "T2"), GoodsOutStatus.COMPLETED, ("T2", "T1")),
        (("", "T1"), GoodsOutStatus.COMPLETED, ("T1",)),
    ],
)
def test_a_parcel_is_told_with_all_its_numbers(
    tracking: tuple[str, ...], status: GoodsOutStatus, numbers: tuple[str, ...]
) -> None:
    story = left(IN_CLARUS.despatched(tracking=tracking).status(status))
    assert story.one(CreateFulfilment).tracking.numbers == numbers


def then(goods_out: GoodsOutBuilder) -> Story:
    """One unit was told with T1; now all three have left as this goods-out says."""
    story = left(IN_CLARUS.despatched(L901=1, whole=False), posted=1)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    return story.clarus(goods_out).erp(SALE.fulfilment(G1, L901=3))


@pytest.mark.parametrize(
    ("case", "goods_out", "numbers"),
    [
        ("a second parcel", IN_CLARUS.despatched(tracking=("T1", "T2")), ("T2",)),
        ("in the same parcel, all done", IN_CLARUS.despatched(tracking=("T1",)), ("T1",)),
        ("in the same parcel, more to come", IN_CLARUS.despatched(tracking=("T1",), whole=False), None),
        ("in one whose number is to come", IN_CLARUS.despatched(tracking=("T1", "")), None),
    ],
)
def test_what_left_later_is_told_with_the_numbers_nobody_was_told(
    case: str, goods_out: GoodsOutBuilder, numbers: tuple[str, ...] | None
) -> None:
    story = then(goods_out)
    assert [one.tracking.numbers for one in story.sent(CreateFulfilment)[1:]] == ([numbers] if numbers else []), case
    if numbers is None:
        story.later(minutes=11)
        assert [one.tracking.numbers for one in story.sent(CreateFulfilment)[1:]] == [()]


@pytest.mark.parametrize(("seconds", "told"), [(590, False), (610, True)])
def test_tracking_is_waited_for_since_it_left_and_then_told_without(seconds: float, told: bool) -> None:
    """The brand waits ten minutes."""
    story = left(IN_CLARUS.despatched(tracking=("",)), posted=0)
    seen = story.state.goods_outs[0].despatch_seen_at
    assert seen is not None
    story.erp(SALE.fulfilment(G1, L901=3))
    assert [one.at for one in tell(story.state, story.config) if isinstance(one, Wake)] == [
        seen + timedelta(minutes=10)
    ]
    story.later(seconds=(seen - story.at).total_seconds() + seconds)
    assert bool(story.sent(CreateFulfilment)) == told


def bare() -> Story:
    """Told without tracking."""
    story = left(IN_CLARUS.despatched(tracking=("",))).later(minutes=11)
    return story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=3))


def waits(story: Story) -> list[tuple[str, CaseCode | None, str, tuple[System, ...]]]:
    found = late_tracking(story.state, story.config)
    return [(one.name, one.code, one.object, one.read) for one in found if isinstance(one, Waiting)]


def test_a_parcel_told_without_tracking_is_a_case_at_once_and_clarus_is_read() -> None:
    story = bare()
    assert [one.after for one in late_tracking(story.state, story.config) if isinstance(one, Waiting)] == [0]
    assert waits(story) == [(f"tracking:{G1}", CaseCode.TRACKING_MISSING, G1, (System.CLARUS,))]
    assert story.open_cases == {CaseCode.TRACKING_MISSING}


def test_a_parcel_that_has_no_number_to_come_is_left_alone_once_a_person_has_closed_its_case() -> None:
    """A letter: Clarus is read for it no more and the order comes to rest; a number that comes is told all the same."""
    story = bare().operator("close", "tracking_missing")
    assert (waits(story), story.open_cases) == ([], set())
    assert story.state.rereads == ()
    assert story.clarus(IN_CLARUS.despatched(tracking=("T1",))).one(UpdateTracking).tracking.numbers == ("T1",)
    rests = bare().applied(story.sent(PostFulfilment)[0]).operator("close", "tracking_missing")
    assert rests.later(days=8).state.shopify is None


def test_once_it_is_there_it_is_added_and_waited_for() -> None:
    story = bare().clarus(IN_CLARUS.despatched(tracking=("T1",)))
    assert story.one(UpdateTracking).tracking.numbers == ("T1",)
    assert waits(story) == [("track:801", CaseCode.NOT_TOLD, f"{G1} tracking", (System.SHOPIFY,))]
    assert story.open_cases == set()
    story.applied(story.one(UpdateTracking))
    assert waits(story) == []
    assert len(story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",))).sent(UpdateTracking)) == 1


@pytest.mark.parametrize(
    "order",
    [ROUTED.fulfilled("801", L901=3, numbers=("HAND",)), ROUTED.fulfilled("801", L901=3, cancelled=True)],
    ids=["a person added one", "a person cancelled it"],
)
def test_what_people_have_seen_to_is_left_alone(order: OrderBuilder) -> None:
    story = bare().shopify(order)
    assert waits(story) == []
    assert story.clarus(IN_CLARUS.despatched(tracking=("T1",))).sent(UpdateTracking) == []


def test_what_left_without_a_number_is_a_case_after_a_while_though_nobody_was_told() -> None:
    story = left(IN_CLARUS.despatched(tracking=("",)), posted=0)
    assert waits(story) == [(f"tracking:{G1}", CaseCode.TRACKING_MISSING, G1, (System.CLARUS,))]
    assert story.open_cases == set()
    assert CaseCode.TRACKING_MISSING in story.later(minutes=11).open_cases
    assert waits(left(IN_CLARUS, posted=0)) == []
    assert waits(left(IN_CLARUS.despatched(), posted=0)) == []


def first_told_bare() -> Story:
    """One of three left and was told without its number."""
    story = left(IN_CLARUS.despatched(L901=1, tracking=("",), whole=False), posted=1).later(minutes=11)
    return story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=1))


def both_told_bare() -> Story:
    """And then the other two, in a parcel of their own."""
    story = first_told_bare().clarus(IN_CLARUS.despatched(tracking=("", "")))
    story.erp(SALE.fulfilment(G1, L901=3)).later(minutes=11).applied(story.sent(CreateFulfilment)[1], "802")
    return story.shopify(ROUTED.fulfilled("801", L901=1).fulfilled("802", L901=2))


def updates(story: Story) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.fulfilment, one.tracking.numbers) for one in story.sent(UpdateTracking)]


@pytest.mark.parametrize(
    ("first", "updated"),
    [(("T1", "T2"), ["801", "802"]), (("T1", ""), ["801"]), (("", "T2"), ["802"])],
    ids=["at once", "the first one's first", "the second one's first"],
)
def test_each_of_two_parcels_told_without_a_number_gets_its_own_once(
    first: tuple[str, str], updated: list[str]
) -> None:
    """The first number went to both, and when the second came there were three mails and two numbers for one parcel."""
    own = {"801": ("T1",), "802": ("T2",)}
    story = both_told_bare().clarus(IN_CLARUS.despatched(tracking=first))
    assert updates(story) == [(one, own[one]) for one in updated]
    for update in story.sent(UpdateTracking):
        story.applied(update)
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    for update in story.sent(UpdateTracking)[len(updated) :]:
        story.applied(update)
    seen = ROUTED.fulfilled("801", L901=1, numbers=("T1",)).fulfilled("802", L901=2, numbers=("T2",))
    assert sorted(updates(story.shopify(seen).later(hours=1))) == sorted(own.items())
    assert story.open_cases == set()


def test_the_number_of_a_parcel_told_without_it_is_not_the_next_one_s() -> None:
    """It comes in the moment in which the rest, whose own is still to come, may be told."""
    story = first_told_bare().clarus(IN_CLARUS.despatched(tracking=("T1", ""))).erp(SALE.fulfilment(G1, L901=3))
    assert updates(story) == [("801", ("T1",))]
    assert len(story.sent(CreateFulfilment)) == 1, "its number is waited for"
    story.later(minutes=11)
    assert story.sent(CreateFulfilment)[1].tracking.numbers == ()


def test_both_numbers_come_before_the_second_parcel_is_told() -> None:
    story = first_told_bare().clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert updates(story) == [("801", ("T1",))]
    story.erp(SALE.fulfilment(G1, L901=3))
    assert story.sent(CreateFulfilment)[1].tracking.numbers == ("T2",)
    assert updates(story) == [("801", ("T1",))]


def test_of_several_parcels_told_at_once_all_have_their_numbers_there() -> None:
    story = bare().clarus(IN_CLARUS.despatched(tracking=("T1", "T2", "T2", "T3")))
    assert updates(story) == [("801", ("T1", "T2", "T3"))]


def test_the_newest_of_two_bare_tellings_has_all_the_parcels_that_are_left() -> None:
    story = both_told_bare().clarus(IN_CLARUS.despatched(tracking=("T1", "T2", "T3")))
    assert updates(story) == [("801", ("T1",)), ("802", ("T2", "T3"))]


def test_while_more_is_to_leave_a_number_is_the_first_one_s_alone() -> None:
    """The second parcel is not listed yet."""
    second = IN_CLARUS.despatched(L901=2, tracking=("",), whole=False)
    story = first_told_bare().clarus(second).erp(SALE.fulfilment(G1, L901=2)).later(minutes=11)
    story.applied(story.sent(CreateFulfilment)[1], "802")
    story.shopify(ROUTED.fulfilled("801", L901=1).fulfilled("802", L901=1))
    story.clarus(IN_CLARUS.despatched(L901=2, tracking=("T1",), whole=False))
    assert updates(story) == [("801", ("T1",))]
    assert story.open_cases == {CaseCode.TRACKING_MISSING}


def test_two_tellings_of_one_parcel_have_its_number_both() -> None:
    """The second despatch went into the parcel of the first, which was not closed yet."""
    story = both_told_bare().clarus(IN_CLARUS.despatched(tracking=("T1",)))
    assert updates(story) == [("801", ("T1",)), ("802", ("T1",))]


def told_with_one_number(then: OrderBuilder = ROUTED) -> Story:
    """Two parcels left together; all was told while only the first had its number."""
    story = left(IN_CLARUS.despatched(tracking=("T1", "")))
    seen = ROUTED.fulfilled("801", L901=3, numbers=("T1",))
    return story.applied(story.one(CreateFulfilment), "801").shopify(seen if then is ROUTED else then)


def test_the_number_of_a_second_parcel_that_comes_late_is_added() -> None:
    story = told_with_one_number()
    assert (waits(story), story.sent(UpdateTracking)) == ([], [])
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    update = story.one(UpdateTracking)
    assert (update.fulfilment, update.tracking.numbers) == ("801", ("T1", "T2"))
    assert waits(story) == [("track:801", CaseCode.NOT_TOLD, f"{G1} tracking", (System.SHOPIFY,))]
    story.applied(update).shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1", "T2"))).later(hours=1)
    assert (waits(story), story.one(UpdateTracking), story.open_cases) == ([], update, set())


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("a person gave it another", ROUTED.fulfilled("801", L901=3, numbers=("HAND",))),
        ("a person took it back", ROUTED.fulfilled("801", L901=3, numbers=("T1",), cancelled=True)),
    ],
)
def test_nothing_is_added_to_what_people_have_seen_to(case: str, order: OrderBuilder) -> None:
    story = told_with_one_number(order).clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert story.sent(UpdateTracking) == [], case


def test_the_number_is_added_though_shopify_has_not_shown_the_fulfilment_yet() -> None:
    story = left(IN_CLARUS.despatched(tracking=("T1", "")))
    story.applied(story.one(CreateFulfilment), "801").clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert story.one(UpdateTracking).tracking.numbers == ("T1", "T2")


def test_it_is_added_to_the_newest_of_two_tellings_though_a_person_took_the_other_back() -> None:
    story = left(IN_CLARUS.despatched(L901=1, tracking=("T1",), whole=False), posted=1)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2", ""))).erp(SALE.fulfilment(G1, L901=3))
    both = ROUTED.fulfilled("801", L901=1, numbers=("T1",), cancelled=True).fulfilled("802", L901=2, numbers=("T2",))
    story.applied(story.sent(CreateFulfilment)[1], "802").shopify(both)
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2", "T3")))
    assert [(one.fulfilment, one.tracking.numbers) for one in story.sent(UpdateTracking)] == [("802", ("T2", "T3"))]


def test_a_number_of_a_parcel_that_a_person_told_is_not_added_by_us() -> None:
    story = left(IN_CLARUS.despatched(tracking=("T1", "")), posted=0)
    story.shopify(ROUTED.fulfilled("805", L901=3, numbers=("T1",)))
    assert story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2"))).sent(UpdateTracking) == []


def test_of_an_order_that_shopify_does_not_have_no_tracking_is_told_or_missed() -> None:
    assert bare().shopify(None).clarus(IN_CLARUS.despatched(tracking=("T1",))).sent(UpdateTracking) == []
    unseen = Story().clarus(IN_CLARUS.despatched(tracking=("",)))
    assert waits(unseen.later(hours=2)) == []


def test_a_number_that_goes_with_what_is_still_to_be_told_is_not_added_to_what_was() -> None:
    """The rest left in a second parcel and the ERP has not posted it yet."""
    story = left(IN_CLARUS.despatched(L901=1, whole=False), posted=1)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert story.sent(UpdateTracking) == []
    story.clarus(IN_CLARUS.despatched(L901=1, tracking=("T1", "T2"), whole=False))
    assert story.sent(UpdateTracking) == [], "the second parcel's label is printed, and it has not left"


def test_a_refused_telling_is_tried_again_and_the_parcel_told() -> None:
    story = left(IN_CLARUS.despatched())
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code="odd").operator("retry")
    assert places(story) == [[("71", 3)], [("71", 3)]]
    assert story.sent(PostFulfilment)
    assert LineId("901") in {unit.line for unit in story.sent(CreateFulfilment)[1].lines}


# --- two parcels of one order


TWO_PLACES = THREE.routed("71", L901=1).routed("72", L901=2)
ONE = a_goods_out(G1).with_line("901", "MUG", 1)
OTHER = a_goods_out(G2, "9002").with_line("901", "MUG", 2)


def two(order: OrderBuilder = TWO_PLACES) -> Story:
    """One mug in the first goods-out, two in the second, and sold."""
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    return story.applied(story.one(UpsertErpOrder), "77").erp(SALE)


def test_two_parcels_that_are_posted_at_once_share_what_shopify_allows() -> None:
    story = two().shopify(TWO_PLACES.refunded(L901=2))
    story.clarus(ONE.despatched(tracking=("T1",)), OTHER.despatched(tracking=("T2",)))
    story.erp(SALE.fulfilment(G1, L901=1).fulfilment(G2, L901=2))
    assert sum(units for one in places(story) for _, units in one) == 1


def test_a_telling_that_shows_before_its_outcome_takes_no_room_a_second_time() -> None:
    story = two().clarus(ONE.despatched(tracking=("T1",)), OTHER).erp(SALE.fulfilment(G1, L901=1))
    story.shopify(TWO_PLACES.fulfilled("801", of="71", L901=1, numbers=("T1",)))
    story.clarus(ONE.despatched(tracking=("T1",)), OTHER.despatched(tracking=("T2",)))
    story.erp(SALE.fulfilment(G1, L901=1).fulfilment(G2, L901=2))
    assert places(story) == [[("71", 1)], [("72", 2)]]
    assert CaseCode.SHIPPED_NOT_OWED not in story.open_cases


def test_nothing_is_told_on_a_fulfilment_order_that_is_held() -> None:
    """Its own is on hold; the other has room for it."""
    story = two().shopify(TWO_PLACES.on_hold("71"))
    story.clarus(ONE.despatched(tracking=("T1",)), OTHER).erp(SALE.fulfilment(G1, L901=1))
    assert places(story) == [[("72", 1)]]


def test_one_parcel_with_goods_of_both_is_told_for_each() -> None:
    """Both bear its number; what was told for the first counts for the first alone."""
    story = two().clarus(ONE.despatched(tracking=("T1",)), OTHER).erp(SALE.fulfilment(G1, L901=1))
    seen = TWO_PLACES.fulfilled("801", of="71", L901=1, numbers=("T1",))
    story.applied(story.one(CreateFulfilment), "801").shopify(seen)
    story.clarus(ONE.despatched(tracking=("T1",)), OTHER.despatched(tracking=("T1",)))
    story.erp(SALE.fulfilment(G1, L901=1).fulfilment(G2, L901=2))
    assert places(story) == [[("71", 1)], [("72", 2)]]


def test_a_parcel_told_without_tracking_is_not_the_other_ones() -> None:
    story = two().clarus(ONE.despatched(tracking=("",)), OTHER).erp(SALE.fulfilment(G1, L901=1)).later(minutes=11)
    story.applied(story.one(CreateFulfilment), "801").shopify(TWO_PLACES.fulfilled("801", of="71", L901=1))
    story.clarus(ONE.despatched(tracking=("",)), OTHER.despatched(tracking=("T2",)))
    story.erp(SALE.fulfilment(G1, L901=1).fulfilment(G2, L901=2))
    second = story.sent(CreateFulfilment)[1]
    assert (second.goods_out, second.generation, second.tracking.numbers) == (G2, 1, ("T2",))
    assert waits(story) == [(f"tracking:{G1}", CaseCode.TRACKING_MISSING, G1, (System.CLARUS,))]
    assert story.sent(UpdateTracking) == []


# --- what a person has judged, and moments


@pytest.mark.parametrize(
    ("code", "about", "judged"),
    [
        (CaseCode.SHIPPED_NOT_OWED, G1, True),
        (CaseCode.SHIPPED_NOT_OWED, G2, False),
        (CaseCode.TRACKING_MISSING, G1, False),
    ],
)
def test_a_case_that_a_person_closed_is_judged_of_that_goods_out_and_for_that_reason(
    code: CaseCode, about: str, judged: bool
) -> None:
    story = left(IN_CLARUS.despatched(), posted=0).shopify(ROUTED.on_hold("71")).erp(SALE.fulfilment(G1, L901=3))
    closed = story.state.model_copy(update={"closed_by_person": (Closed(code=code, object=about, detail=""),)})
    named = [one.name for one in tell(closed, story.config) if isinstance(one, Waiting)]
    assert named == ([] if judged else [f"not-owed:{G1}"])


def test_of_a_cancelled_order_nothing_more_is_read() -> None:
    story = left(IN_CLARUS.despatched(), posted=0).shopify(ROUTED.cancelled()).erp(SALE.fulfilment(G1, L901=3))
    [look] = tell(story.state, story.config)
    assert isinstance(look, Look)
    assert (look.code, look.object) == (CaseCode.SHIPPED_NOT_OWED, G1)


def test_a_telling_that_was_refused_is_still_waited_for() -> None:
    story = left(IN_CLARUS.despatched())
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code="odd")
    waiting = [one for one in tell(story.state, story.config) if isinstance(one, Waiting)]
    assert [(one.name, one.after, one.code, one.detail.split()[0]) for one in waiting] == [
        (f"tell:{G1}", 900, CaseCode.NOT_TOLD, "3")
    ]


def test_a_second_telling_that_is_not_true_any_more_is_withdrawn_whatever_was_told_before() -> None:
    """One was told, then two more; of those one came back."""
    story = then(IN_CLARUS.despatched(tracking=("T1", "T2")))
    second = story.sent(CreateFulfilment)[1]
    story.clarus(IN_CLARUS.despatched(L901=2, tracking=("T1", "T2"), whole=False))
    assert story.one(Withdraw).withdrawn == second.id


def test_the_moment_tracking_has_been_waited_for_it_is_told() -> None:
    story = left(IN_CLARUS.despatched(tracking=("",)))
    seen = story.state.goods_outs[0].despatch_seen_at
    assert seen is not None
    until = story.state.model_copy(update={"now": seen + timedelta(minutes=10)})
    assert [type(one) for one in tell(until, story.config)] == [Waiting, Wanted]


def test_of_a_part_that_was_told_with_its_number_no_tracking_is_missing() -> None:
    story = left(IN_CLARUS.despatched(L901=1, whole=False), posted=1)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    assert waits(story) == []
