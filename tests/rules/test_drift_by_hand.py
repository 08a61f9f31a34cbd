"""What somebody did by hand in Clarus or in the ERP is told from what is merely on its way."""

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, CreateFulfilment, CreateGoodsOut, PostFulfilment, UpsertErpOrder
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from schemas.sweep import Cause, Comparison, Difference
from streams.rules.orders.drift import compared
from streams.rules.orders.findings import Finding, Look
from streams.rules.orders.plan import asked
from streams.rules.orders.state import Answered, Closed, Delay, OrderState, Overridden
from tests.builders import ACME, NOON, OrderBuilder, a_goods_out, an_order
from tests.rules.test_drift import G1, G2, IN_CLARUS, LEFT, POSTED, ROUTED, SALE, TOLD, entered, released, swept, told
from tests.story import Story

LACKS = Difference.WAREHOUSE_LACKS
TWO = an_order().with_line("MUG", 3).with_line("HAT", 1)
BOTH = TWO.routed("71", L901=3).routed("72", L902=1)
HATS = a_goods_out(G2, "9002").with_line("902", "HAT", 1)
BOTH_SOLD = SALE.with_line("902", "HAT", 1)
FEWER = a_goods_out(G1).with_line("901", "MUG", 2)
CANCELLED = IN_CLARUS.status(GoodsOutStatus.CANCELLED)
SETTLED = {"code": CaseCode.SHORT_CLOSED, "object": G1, "detail": ""}
SOMEBODY = {"who": "kim", "why": "asked", "at": NOON}


def both_released(order: OrderBuilder = BOTH) -> Story:
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    return story.applied(story.one(UpsertErpOrder), "77").clarus(IN_CLARUS, HATS).erp(BOTH_SOLD)


# --- in Clarus


def test_fewer_units_than_it_was_made_with_are_somebodys_doing() -> None:
    assert swept(released(), ROUTED, SALE, FEWER.picking()) == {LACKS: (1, Cause.HAND_CLARUS)}


def test_one_with_fewer_units_that_has_ended_keeps_nothing_back_any_more() -> None:
    """Somebody made three of it two, and both left: the third is on its way in another one."""
    order = ROUTED.fulfilled("801", L901=2, numbers=("T1",))
    found = swept(released(), order, SALE.fulfilment(G1, L901=2), FEWER.despatched())
    assert found == {LACKS: (1, Cause.IN_FLIGHT)}


def test_what_is_still_being_made_is_not_somebodys_doing_because_another_is_there() -> None:
    """Of one line two units are in the warehouse and one is under way."""
    order = an_order().with_line("MUG", 3).routed("71", L901=2).routed("72", L901=1)
    story = Story().shopify(order)
    assert swept(story, order, None, FEWER)[LACKS] == (1, Cause.IN_FLIGHT)


def test_one_cancelled_there_leaves_what_it_was_for_and_nothing_else() -> None:
    story = Story().shopify(BOTH)
    story.applied(story.sent(CreateGoodsOut)[0], "9001").clarus(IN_CLARUS).clarus(CANCELLED)
    found = swept(story, BOTH.refunded(L901=3), None, CANCELLED)
    assert found[LACKS] == (1, Cause.IN_FLIGHT), "the mugs are not owed any more, the hat is under way"
    found = swept(both_released(), BOTH, BOTH_SOLD, CANCELLED, HATS)
    assert found == {LACKS: (3, Cause.HAND_CLARUS)}


@pytest.mark.parametrize("answered", [True, False], ids=["and its answer came", "and its answer is not there yet"])
def test_one_that_we_cancelled_is_nobodys_doing(answered: bool) -> None:
    order = ROUTED.refunded(L901=2)
    story = released().shopify(order)
    if answered:
        story.applied(story.one(CancelGoodsOut))
    found = swept(story, order, SALE, CANCELLED)
    assert found[LACKS] == (1, Cause.IN_FLIGHT)


def test_a_cancel_of_ours_is_of_the_goods_out_it_names() -> None:
    order = BOTH.refunded(L902=1)
    story = both_released().shopify(order)
    assert story.one(CancelGoodsOut).reference == G2
    found = swept(story, order, BOTH_SOLD, CANCELLED, HATS.status(GoodsOutStatus.CANCELLED))
    assert found[LACKS] == (3, Cause.HAND_CLARUS)


def test_a_number_that_was_told_and_is_gone_was_taken_off() -> None:
    assert swept(told(), TOLD, POSTED, IN_CLARUS.despatched(tracking=("",))) == {
        Difference.NO_TRACKING: (1, Cause.HAND_CLARUS),
    }  # fmt: skip


def test_one_number_taken_off_is_named_though_others_never_had_any() -> None:
    left, hats = IN_CLARUS.despatched(), HATS.despatched(tracking=("",))
    sale = BOTH_SOLD.fulfilment(G1, L901=3).fulfilment(G2, L902=1)
    story = both_released().clarus(left, hats).erp(sale).later(minutes=11)
    for telling, id_ in zip(story.sent(CreateFulfilment), ("801", "802"), strict=True):
        story.applied(telling, id_)
    order = BOTH.fulfilled("801", L901=3, numbers=("T1",)).fulfilled("802", of="72", L902=1)
    found = swept(story.shopify(order), order, sale, IN_CLARUS.despatched(tracking=("",)), hats)
    assert found[Difference.NO_TRACKING] == (2, Cause.HAND_CLARUS)


def test_a_parcel_told_without_its_number_is_on_its_way_while_clarus_has_all_numbers() -> None:
    story = released().clarus(IN_CLARUS.despatched(L901=1, whole=False)).erp(SALE.fulfilment(G1, L901=1))
    story.applied(story.one(CreateFulfilment), "801")
    first = ROUTED.fulfilled("801", L901=1, numbers=("T1",))
    story.shopify(first)
    order = first.fulfilled("802", L901=2)
    bare = IN_CLARUS.despatched(tracking=("T1", ""))
    story.clarus(bare).erp(POSTED).later(minutes=11)
    story.applied(story.sent(CreateFulfilment)[1], "802").shopify(order)
    found = swept(story, order, POSTED, IN_CLARUS.despatched(tracking=("T1", "T2")))
    assert found == {Difference.NO_TRACKING: (1, Cause.IN_FLIGHT)}


def test_the_number_of_a_fulfilment_that_was_taken_back_is_not_missed() -> None:
    back = ROUTED.fulfilled("801", L901=3, numbers=("T1",), cancelled=True)
    found = swept(told(), back, POSTED, IN_CLARUS.despatched(tracking=("",)))
    assert found[Difference.NO_TRACKING][1] is not Cause.HAND_CLARUS


# --- in the ERP


def test_a_sales_order_that_waits_to_be_sent_is_nobodys_doing() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.DELAYED, code="stopped")
    assert swept(story, ROUTED, None, IN_CLARUS) == {Difference.ERP_LACKS: (3, Cause.IN_FLIGHT)}


def test_one_that_we_made_and_that_is_not_there_was_taken_away() -> None:
    assert swept(entered(), ROUTED, None, IN_CLARUS) == {Difference.ERP_LACKS: (3, Cause.HAND_ERP)}


def test_one_that_is_changed_once_more_is_on_its_way() -> None:
    order = ROUTED.refunded(L901=1)
    story = entered().shopify(order)
    assert len(story.sent(UpsertErpOrder)) == 2
    assert swept(story, order, SALE, IN_CLARUS)[Difference.ERP_LACKS] == (1, Cause.IN_FLIGHT)


def test_one_that_the_erp_refused_to_change_is_refused() -> None:
    order = ROUTED.refunded(L901=1)
    story = entered().shopify(order)
    story.ended(story.sent(UpsertErpOrder)[1], OutcomeKind.REJECTED, code="odd")
    assert swept(story, order, SALE, IN_CLARUS)[Difference.ERP_LACKS] == (1, Cause.REFUSED)


def test_a_posting_that_is_not_seen_yet_explains_no_posting_of_another_goods_out() -> None:
    story = both_released().clarus(LEFT, HATS)
    story.applied(story.one(PostFulfilment), "88")
    found = swept(story, BOTH, BOTH_SOLD.fulfilment(G2, L902=1), LEFT, HATS)
    assert found[Difference.POSTED_NOT_LEFT] == (1, Cause.UNEXPLAINED)


# --- what


def test_an_order_that_shopify_lost_has_no_other_difference() -> None:
    assert swept(released(), None, SALE, IN_CLARUS) == {Difference.NO_ORDER: (2, Cause.NO_COUNTERPART)}


def test_the_rest_of_one_closed_short_is_not_worked_on() -> None:
    found = swept(released(), ROUTED.refunded(L901=2), SALE, IN_CLARUS.despatched(L901=1))
    assert Difference.WAREHOUSE_HAS_MORE not in found


def test_of_a_cancelled_order_the_sales_order_is_for_what_left() -> None:
    """The mugs had left, the hat had not, and somebody took it out of the sales order."""
    order = BOTH.cancelled()
    assert Difference.ERP_LACKS not in swept(both_released().clarus(LEFT, HATS), order, SALE, LEFT, HATS)


def test_what_left_was_sold_though_it_needs_no_shipping_any_more() -> None:
    lines = (ROUTED.order.lines[0].model_copy(update={"requires_shipping": False}),)
    assert Difference.ERP_LACKS not in swept(told(), TOLD._with(lines=lines), POSTED, LEFT)


def test_what_left_and_is_told_is_missed_in_an_erp_that_never_had_it() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(LEFT)
    assert swept(story, TOLD, None, LEFT)[Difference.ERP_LACKS][0] == 3


# --- the order itself shows it


def weighed(*findings: Finding, **known: object) -> Cause:
    """Of three units that no goods-out is for, in an order of which the rules say nothing, or just this."""
    state = OrderState(brand=ACME, order=ROUTED.order.id, now=NOON, shopify=ROUTED.order)
    asked_for = state.model_copy(update={"comparison": Comparison(sweep=NOON, awaited=()), **known})
    found = compared(asked_for, Story().config, findings)
    assert found is not None
    [drift] = found.drifts
    assert (drift.what, drift.count) == (LACKS, 3)
    return drift.cause


@pytest.mark.parametrize(
    ("known", "cause"),
    [
        ({}, Cause.UNEXPLAINED),
        ({"ask": (System.CLARUS,)}, Cause.IN_FLIGHT),
        ({"delays": (Delay(object="x", system=System.CLARUS, why="stopped", until=NOON),)}, Cause.IN_FLIGHT),
        ({"in_flight": tuple(Story().shopify(ROUTED).sent(CreateGoodsOut))}, Cause.IN_FLIGHT),
        ({"closed_by_person": (Closed(**SETTLED),)}, Cause.SETTLED),
        ({"answers": (Answered(**SETTLED, answer="refund", **SOMEBODY),)}, Cause.SETTLED),
        ({"overridden": (Overridden(code=CaseCode.PAYMENT_NOT_MET, **SOMEBODY),)}, Cause.SETTLED),
    ],
    ids=lambda value: next(iter(value), "nothing") if isinstance(value, dict) else str(value),
)
def test_what_is_read_or_decided_just_now_accounts_for_it(known: dict[str, object], cause: Cause) -> None:
    assert weighed(**known) is cause


def test_an_answer_that_cannot_be_read_accounts_for_what_is_lacking() -> None:
    assert weighed(Look(CaseCode.SNAPSHOT_UNREADABLE, "5012 in clarus", "lines: expected a list")) is Cause.UNREADABLE


def test_one_of_many_that_vanished_at_once_is_missing_though_it_has_no_case() -> None:
    state = released().clarus().clarus().state
    doubted = state.model_copy(update={
        "clarus_doubted": True, "cases": (), "comparison": Comparison(sweep=NOON, awaited=()),
    })  # fmt: skip
    found = compared(doubted, Story().config, asked(doubted, Story().config))
    assert found is not None
    assert [(one.what, one.cause) for one in found.drifts] == [(LACKS, Cause.MISSING)]
