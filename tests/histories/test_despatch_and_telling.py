"""Despatch, ERP, telling: the shopper is told what left *and* is posted, once, with its tracking."""

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpdateTracking, UpsertErpOrder
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from tests.builders import ErpBuilder, GoodsOutBuilder, OrderBuilder, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
ORDERED = an_order().with_line("0042-A", 3)
ROUTED = ORDERED.routed("71")
IN_ERP = an_erp_order().with_line("901", "0042-A", 3)
IN_CLARUS = a_goods_out(G1).with_line("901", "0042-A", 3)


def released(order: OrderBuilder = ROUTED, goods_out: GoodsOutBuilder = IN_CLARUS, erp: ErpBuilder = IN_ERP) -> Story:
    """The order is in the warehouse and committed in the ERP."""
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut)).clarus(goods_out)
    story.applied(story.one(UpsertErpOrder), "77").erp(erp)
    return story


def told(story: Story, number: int = -1) -> list[tuple[str, int]]:
    return [(unit.line, unit.quantity) for unit in story.sent(CreateFulfilment)[number].lines]


def test_the_erp_gets_its_sales_order_and_every_posting() -> None:
    story = Story().shopify(ROUTED)
    order = story.one(UpsertErpOrder)
    assert [(line.sku, line.quantity, str(line.unit_price.amount)) for line in order.lines] == [("0042-A", 3, "9.50")]
    story.applied(order, "77").erp(IN_ERP.draft())
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS.despatched())
    assert story.sent(PostFulfilment) == [], "nothing is posted against a draft"
    story.erp(IN_ERP)
    assert [(unit.line, unit.quantity) for unit in story.one(PostFulfilment).target] == [("901", 3)]


def test_erp_slow() -> None:
    """Despatched at once, the ERP posts an hour later: told after the posting, once; a case while it waits too long."""
    story = released().clarus(IN_CLARUS.despatched())
    story.applied(story.one(PostFulfilment), f"{G1}#1")
    waiting = IN_ERP.fulfilment(G1, state=FulfilmentState.OPEN, L901=3)
    story.erp(waiting)
    story.later(minutes=50)
    assert story.sent(CreateFulfilment) == []
    story.later(minutes=20)
    assert story.sent(CreateFulfilment) == []
    assert story.open_cases == {CaseCode.ERP_NOT_POSTED}
    story.erp(waiting.fulfilment(G1, L901=3))
    assert told(story) == [("901", 3)]
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",)))
    story.applied(story.one(CreateFulfilment), "801")
    story.later(hours=5)
    assert len(story.sent(CreateFulfilment)) == 1
    assert story.open_cases == set()


TWO = an_order().with_line("0042-A", 1).with_line("MUG", 2).routed("71", L901=1).routed("72", to="12", L902=2)
G1_OUT = a_goods_out(G1).with_line("901", "0042-A", 1).despatched(tracking=("T1",))
G2_OUT = a_goods_out(G2, "9002", warehouse="MAN1").with_line("902", "MUG", 2).despatched(tracking=("T2",))
TWO_IN_ERP = an_erp_order().with_line("901", "0042-A", 1).with_line("902", "MUG", 2)


def both_despatched() -> Story:
    story = Story().shopify(TWO)
    first, second = story.sent(CreateGoodsOut)
    story.applied(first, "9001").applied(second, "9002")
    story.applied(story.one(UpsertErpOrder), "77").erp(TWO_IN_ERP)
    return story.clarus(G1_OUT, G2_OUT)


def test_erp_posted_first_despatch_only() -> None:
    """Two despatches; only the first is posted: only the first is told."""
    story = both_despatched().erp(TWO_IN_ERP.fulfilment(G1, L901=1))
    assert story.one(CreateFulfilment).goods_out == G1
    assert story.one(CreateFulfilment).tracking.numbers == ("T1",)
    story.later(minutes=30)
    assert len(story.sent(CreateFulfilment)) == 1


def test_second_posted_first() -> None:
    """Two despatches; only the second is posted: the second parcel is told, with its own tracking."""
    story = both_despatched().erp(TWO_IN_ERP.fulfilment(G2, L902=2))
    tell = story.one(CreateFulfilment)
    assert (tell.goods_out, tell.tracking.numbers, told(story)) == (G2, ("T2",), [("902", 2)])


def test_partial_then_rest() -> None:
    """1 of 3, then 2 of 3, in two parcels: two fulfilments, three units, each parcel its own tracking."""
    story = released().clarus(IN_CLARUS.despatched(L901=1, tracking=("T1",), whole=False))
    assert [(unit.line, unit.quantity) for unit in story.one(PostFulfilment).target] == [("901", 1)]
    story.applied(story.one(PostFulfilment), f"{G1}#1").erp(IN_ERP.fulfilment(G1, L901=1))
    assert told(story) == [("901", 1)]
    story.shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    story.applied(story.one(CreateFulfilment), "801")

    story.clarus(IN_CLARUS.despatched(L901=3, tracking=("T1", "T2")))
    assert [(unit.line, unit.quantity) for unit in story.sent(PostFulfilment)[-1].target] == [("901", 3)]
    story.erp(IN_ERP.fulfilment(G1, L901=1).fulfilment(G1, 2, L901=2))
    assert told(story) == [("901", 2)]
    assert story.sent(CreateFulfilment)[-1].tracking.numbers == ("T2",)
    story.shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)).fulfilled("802", L901=2, numbers=("T2",)))
    story.applied(story.sent(CreateFulfilment)[-1], "802")
    story.later(hours=3)
    assert len(story.sent(CreateFulfilment)) == 2
    assert len(story.sent(CreateGoodsOut)) == 1
    assert story.open_cases == set()


def test_short_closed() -> None:
    """Completed with 1 of 2: 1 told, the other is a case, and is released again only by a person."""
    order = an_order().with_line("0042-A", 2).routed("71")
    asked = a_goods_out(G1).with_line("901", "0042-A", 2)
    erp = an_erp_order().with_line("901", "0042-A", 2)
    story = released(order, asked, erp).clarus(asked.despatched(L901=1))
    story.erp(erp.fulfilment(G1, L901=1))
    assert told(story) == [("901", 1)]
    assert story.open_cases == {CaseCode.SHORT_CLOSED}
    story.shopify(order.fulfilled("801", L901=1, numbers=("T1",))).applied(story.one(CreateFulfilment), "801")
    assert len(story.sent(CreateGoodsOut)) == 1
    story.operator("release_again", G1)
    again = story.sent(CreateGoodsOut)[-1]
    assert (again.reference, [unit.quantity for unit in again.lines]) == ("ACME-5012-71-2", [1])


def test_fulfilment_call_times_out_late() -> None:
    """`fulfillmentCreate` for 1 of 3 timed out and ran 20 s later; the look found it: told once."""
    story = released().clarus(IN_CLARUS.despatched(L901=1, whole=False)).erp(IN_ERP.fulfilment(G1, L901=1))
    tell = story.one(CreateFulfilment)
    story.shopify(ROUTED.fulfilled("801", L901=1, numbers=("T1",)))
    story.ended(tell, OutcomeKind.ALREADY_APPLIED, external_id="801")
    story.later(hours=2)
    assert len(story.sent(CreateFulfilment)) == 1


def test_fulfilment_seen_by_its_tracking_although_its_outcome_never_came() -> None:
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",)))
    story.later(hours=2)
    assert len(story.sent(CreateFulfilment)) == 1
    assert CaseCode.FULFILLED_BY_HAND not in story.open_cases


def test_tracking_late() -> None:
    """Despatched without tracking: waits as set, is told without it, and updated once."""
    story = released().clarus(IN_CLARUS.despatched(tracking=("",))).erp(IN_ERP.fulfilment(G1, L901=3))
    story.later(minutes=8)
    assert story.sent(CreateFulfilment) == []
    story.later(minutes=3)
    assert story.one(CreateFulfilment).tracking.numbers == ()
    story.shopify(ROUTED.fulfilled("801", L901=3)).applied(story.one(CreateFulfilment), "801")
    assert story.open_cases == {CaseCode.TRACKING_MISSING}
    story.clarus(IN_CLARUS.despatched(tracking=("T1",)))
    assert story.one(UpdateTracking).tracking.numbers == ("T1",)
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",))).applied(story.one(UpdateTracking), "801")
    story.later(hours=1)
    assert len(story.sent(UpdateTracking)) == 1
    assert story.open_cases == set()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (OutcomeKind.DELAYED, "unclear_answer"),
        (OutcomeKind.REJECTED, "unknown_fulfilment"),
        (OutcomeKind.REJECTED, "fulfilment_orders_changed"),
    ],
)
def test_told_without_tracking_and_nobody_could_say_so(kind: OutcomeKind, code: str) -> None:
    """The answer was lost and Shopify away at the look: the fulfilment that then shows these units is ours."""
    story = released().clarus(IN_CLARUS.despatched(tracking=("",))).erp(IN_ERP.fulfilment(G1, L901=3))
    story.later(minutes=11)
    story.ended(story.one(CreateFulfilment), kind, code=code, text="no answer")
    story.shopify(ROUTED.fulfilled("801", L901=3))
    assert story.open_cases == {CaseCode.TRACKING_MISSING}
    story.clarus(IN_CLARUS.despatched(tracking=("T1",)))
    assert (story.one(UpdateTracking).fulfilment, story.one(UpdateTracking).tracking.numbers) == ("801", ("T1",))
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",))).applied(story.one(UpdateTracking), "801")
    story.later(hours=3)
    assert len(story.sent(CreateFulfilment)) == 1
    assert story.open_cases == set()


def test_a_hand_made_fulfilment_of_other_units_is_not_taken_for_ours() -> None:
    story = released().clarus(IN_CLARUS.despatched(tracking=("",))).erp(IN_ERP.fulfilment(G1, L901=3))
    story.later(minutes=11)
    story.ended(story.one(CreateFulfilment), OutcomeKind.DELAYED, code="unclear_answer", text="no answer")
    story.shopify(ROUTED.fulfilled("801", L901=2))
    assert CaseCode.FULFILLED_BY_HAND in story.open_cases


def test_tracking_that_comes_within_the_wait_is_told_with_the_parcel() -> None:
    story = released().clarus(IN_CLARUS.despatched(tracking=("",))).erp(IN_ERP.fulfilment(G1, L901=3))
    story.later(minutes=8).clarus(IN_CLARUS.despatched(tracking=("T1",)))
    assert story.one(CreateFulfilment).tracking.numbers == ("T1",)
    assert story.sent(UpdateTracking) == []


def test_fulfilled_by_hand() -> None:
    """Staff fulfil in Shopify without our tracking: nothing is told again; a case."""
    story = released().shopify(ROUTED.fulfilled("805", L901=3, numbers=("BY-HAND",)))
    assert CaseCode.FULFILLED_BY_HAND in story.open_cases
    story.clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    story.later(hours=1)
    assert story.sent(CreateFulfilment) == []


def test_fulfilment_cancelled_to_fix_tracking() -> None:
    """Told; staff cancel the fulfilment and a new open fulfilment order appears: nothing is shipped or told again."""
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    done = ROUTED.fulfilled("801", L901=3, numbers=("T1",))
    story.shopify(done).applied(story.one(CreateFulfilment), "801")
    taken_back = ROUTED.fulfilled("801", L901=3, numbers=("T1",), cancelled=True).routed("79")
    story.shopify(taken_back).later(hours=1)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert len(story.sent(CreateFulfilment)) == 1
    assert story.open_cases == {CaseCode.RESHIP}


def test_cancelled_before_told() -> None:
    """Despatched, the ERP slow, staff cancel the order: posted, not told, a case."""
    story = released().clarus(IN_CLARUS.despatched())
    story.shopify(ROUTED.cancelled()).erp(IN_ERP.fulfilment(G1, L901=3))
    assert story.sent(CreateFulfilment) == []
    assert story.open_cases == {CaseCode.SHIPPED_NOT_OWED}
    story.operator("close", CaseCode.SHIPPED_NOT_OWED)
    assert story.open_cases == set()


def test_over_despatch() -> None:
    """The warehouse sends 4 of 3: 3 told and posted, 1 reported."""
    story = released().clarus(IN_CLARUS.despatched(L901=4))
    assert [(unit.line, unit.quantity) for unit in story.one(PostFulfilment).target] == [("901", 3)]
    story.erp(IN_ERP.fulfilment(G1, L901=3))
    assert told(story) == [("901", 3)]
    assert story.open_cases == {CaseCode.OVER_DESPATCHED}


def test_undespatch() -> None:
    """A completed goods-out goes back to picking: nothing told is untold; a case."""
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",))).applied(story.one(CreateFulfilment), "801")
    story.clarus(IN_CLARUS.status(GoodsOutStatus.PICK))
    assert story.open_cases == {CaseCode.UNDESPATCHED}
    assert len(story.sent(CreateFulfilment)) == 1


def test_an_erp_that_never_commits_is_a_case() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(UpsertErpOrder), "77").erp(an_erp_order(ErpOrderState.DRAFT).with_line("901", "0042-A", 3))
    story.later(minutes=31)
    assert CaseCode.ERP_NOT_COMMITTED in story.open_cases


def test_a_refused_sales_order_is_one_case_not_two() -> None:
    """That it is not committed follows from the refusal; who mends that needs no second case to say so."""
    story = Story().shopify(ROUTED)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="unknown_sku", field="sku", text="0042-A")
    story.later(minutes=31)
    assert CaseCode.UNKNOWN_SKU in story.open_cases
    assert CaseCode.ERP_NOT_COMMITTED not in story.open_cases


def test_a_refused_posting_is_a_case_for_finance_and_told_after_it_is_mended() -> None:
    story = released().clarus(IN_CLARUS.despatched())
    refused = story.one(PostFulfilment)
    story.ended(refused, OutcomeKind.REJECTED, code="closed_period", text="the period is closed")
    assert story.open_cases == {CaseCode.ERP_REFUSED}
    assert story.sent(CreateFulfilment) == []
    story.operator("retry")
    assert len(story.sent(PostFulfilment)) == 2
    story.erp(IN_ERP.fulfilment(G1, L901=3))
    assert told(story) == [("901", 3)]
    assert story.open_cases == set()


def test_erp_order_edited_after_commit() -> None:
    """A line added when the sale is committed already: amended there first, then posted and told."""
    story = released().erp(IN_ERP)
    edited = an_order().with_line("0042-A", 3).with_line("MUG", 1).routed("71", L901=3).routed("72", L902=1)
    story.shopify(edited)
    amended = story.sent(UpsertErpOrder)[-1]
    assert [(line.line, line.quantity) for line in amended.lines] == [("901", 3), ("902", 1)]
    second = story.sent(CreateGoodsOut)[-1]
    left = a_goods_out(second.reference, "9002").with_line("902", "MUG", 1).despatched()
    story.applied(second, "9002").clarus(IN_CLARUS, left)
    assert story.sent(PostFulfilment) == [], "the ERP would not know the line"
    story.applied(amended, "77").erp(IN_ERP.with_line("902", "MUG", 1))
    assert [(unit.line, unit.quantity) for unit in story.one(PostFulfilment).target] == [("902", 1)]
    story.erp(IN_ERP.with_line("902", "MUG", 1).fulfilment(second.reference, L902=1))
    assert told(story) == [("902", 1)]
    assert story.open_cases == set()


def test_a_hold_whose_end_no_webhook_tells_is_read_again() -> None:
    """Despatched while held: not owed, as far as Shopify says. The end of the hold moves no date there."""
    story = released().shopify(ROUTED.on_hold("71"))
    story.clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    assert CaseCode.SHIPPED_NOT_OWED in story.open_cases
    before = story.reads.count(System.SHOPIFY)
    story.later(hours=1)
    assert story.reads.count(System.SHOPIFY) > before
    story.shopify(ROUTED)
    assert told(story) == [("901", 3)]
    assert story.open_cases == set()
