"""What the shopper is told: once, never more than left and is posted; and what a person must look at ends by a fact."""

import pytest

from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpdateTracking, UpsertErpOrder, Withdraw
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from tests.builders import GoodsOutBuilder, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
ORDERED = an_order().with_line("MUG", 3)
ROUTED = ORDERED.routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3)
IN_ERP = an_erp_order().with_line("901", "MUG", 3)
ONE_LEFT = IN_CLARUS.despatched(L901=1, tracking=("",), whole=False)


def released() -> Story:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    return story.applied(story.one(UpsertErpOrder), "77").erp(IN_ERP)


def told(story: Story) -> list[int]:
    return [sum(unit.quantity for unit in command.lines) for command in story.sent(CreateFulfilment)]


def test_a_telling_without_tracking_whose_outcome_was_lost_is_not_told_again() -> None:
    """The connector told and died; the next one finds a fulfilment with these units that was not there before: ours."""
    story = released().clarus(ONE_LEFT).erp(IN_ERP.fulfilment(G1, L901=1)).later(minutes=11)
    tell = story.one(CreateFulfilment)
    assert tell.tracking.numbers == ()
    seen = ROUTED.fulfilled("801", L901=1)
    story.shopify(seen).ended(tell, OutcomeKind.REJECTED, code="unknown_fulfilment", field="801")
    story.shopify(seen.paid()).later(hours=3)
    assert told(story) == [1]
    assert story.open_cases == {CaseCode.TRACKING_MISSING}


def test_units_fulfilled_by_hand_before_the_release_do_not_keep_the_parcel_untold() -> None:
    by_hand = ROUTED.fulfilled("801", L901=1)
    story = Story().shopify(ORDERED).shopify(by_hand)
    assert story.quantities == [{"901": 2}]
    two = a_goods_out(G1).with_line("901", "MUG", 2)
    story.applied(story.one(CreateGoodsOut)).clarus(two.despatched())
    story.applied(story.one(UpsertErpOrder), "77").erp(IN_ERP.fulfilment(G1, L901=2))
    assert told(story) == [2]


def test_a_unit_fulfilled_by_hand_and_returned_does_not_keep_the_parcel_untold() -> None:
    """One of three was fulfilled from elsewhere and came back, refunded, before the warehouse's two left."""
    order = ORDERED.routed("71", L901=2).routed("72", to="99", L901=1)
    by_hand, two = order.fulfilled("801", of="72", L901=1), a_goods_out(G1).with_line("901", "MUG", 2)
    returned = by_hand.order.lines[0].model_copy(update={"current_quantity": 2})
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut)).clarus(two.picking()).shopify(by_hand._with(lines=(returned,)))
    story.clarus(two.despatched()).applied(story.sent(UpsertErpOrder)[-1], "77").erp(IN_ERP.fulfilment(G1, L901=2))
    assert told(story) == [2]


def test_nothing_is_withdrawn_while_its_reading_comes_before_its_outcome() -> None:
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",)))
    story.applied(story.one(CreateFulfilment), "801")
    assert story.sent(Withdraw) == []
    assert story.state.flying(f"fulfilment:{G1}") is None


@pytest.mark.parametrize(
    ("case", "then"),
    [
        ("it left and is posted", IN_CLARUS.despatched()),
        ("a part of it left, the rest was stopped", IN_CLARUS.despatched(L901=1)),
        ("all of it was stopped and deleted", None),
    ],
)
def test_of_an_order_that_shopify_has_no_more_one_case_stands_and_it_comes_to_rest(
    case: str, then: GoodsOutBuilder | None
) -> None:
    """What left is posted; nobody can be told, nothing is owed, and nobody is asked again what was asked once."""
    story = released().shopify(None)
    assert story.open_cases == {CaseCode.ORDER_GONE}
    story.operator("answer", "order_gone", says="let-go" if then else "stopped")
    for _ in range(2):
        story.clarus(*([then] if then else []))
    for posting in story.sent(PostFulfilment):
        story.erp(IN_ERP.fulfilment(G1, L901=posting.target[0].quantity)).applied(posting, "88")
    assert bool(story.sent(PostFulfilment)) == bool(then), case
    assert (told(story), story.later(hours=9).open_cases) == ([], set()), case
    assert story.later(days=8).state.shopify is None, case


def test_an_order_that_shopify_shows_again_is_told() -> None:
    story = released().shopify(None).clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    assert told(story) == []
    assert told(story.shopify(ROUTED)) == [3]


def test_a_telling_under_way_when_the_order_goes_is_withdrawn() -> None:
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    assert story.shopify(None).one(Withdraw).withdrawn == story.one(CreateFulfilment).id


def test_a_posting_taken_back_withdraws_the_telling() -> None:
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    story.erp(IN_ERP)
    assert story.one(Withdraw).withdrawn == story.one(CreateFulfilment).id


def test_cancelled_before_told_leaves_no_case_but_its_own() -> None:
    """Not told for good: nobody waits for Shopify to show it, and closing the one case closes all."""
    story = released().clarus(IN_CLARUS.despatched())
    story.shopify(ROUTED.cancelled()).erp(IN_ERP.fulfilment(G1, L901=3)).later(hours=5)
    assert story.open_cases == {CaseCode.SHIPPED_NOT_OWED}
    story.operator("close", CaseCode.SHIPPED_NOT_OWED).later(hours=5)
    assert story.open_cases == set()


def test_fulfilled_by_hand_leaves_no_case_but_its_own() -> None:
    story = released().shopify(ROUTED.fulfilled("805", L901=3, numbers=("BY-HAND",)))
    story.clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3)).later(hours=5)
    assert told(story) == []
    assert story.open_cases == {CaseCode.FULFILLED_BY_HAND}


def test_the_case_of_one_made_by_hand_stays_open_while_another_is_told() -> None:
    two = ORDERED.with_line("HAT", 1).routed("71", L901=3).routed("72", L902=1)
    story = Story().shopify(two)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    erp = IN_ERP.with_line("902", "HAT", 1)
    story.applied(story.one(UpsertErpOrder), "77").erp(erp)
    story.shopify(two.fulfilled("805", of="72", L902=1, numbers=("BY-HAND",)))
    assert CaseCode.FULFILLED_BY_HAND in story.open_cases
    hats = a_goods_out(G2, "9002").with_line("902", "HAT", 1)
    story.clarus(IN_CLARUS.despatched(), hats).erp(erp.fulfilment(G1, L901=3))
    assert told(story) == [3]
    assert CaseCode.FULFILLED_BY_HAND in story.open_cases


def test_a_reshipment_that_a_person_orders_is_sent() -> None:
    """Told, the fulfilment cancelled by hand, a new fulfilment order: sent again only because a person says so."""
    story = released().clarus(IN_CLARUS.despatched()).erp(IN_ERP.fulfilment(G1, L901=3))
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",))).applied(story.one(CreateFulfilment), "801")
    back = ROUTED.fulfilled("801", L901=3, numbers=("T1",), cancelled=True).routed("79")
    story.shopify(back).later(hours=1)
    assert len(story.sent(CreateGoodsOut)) == 1
    story.operator("release_again", G1)
    assert story.quantities == [{"901": 3}, {"901": 3}]
    assert story.sent(CreateGoodsOut)[-1].fulfilment_order == "79"


def test_what_left_and_is_not_told_is_not_released_again_by_giving_up() -> None:
    story = released().clarus(IN_CLARUS.despatched(L901=2))
    story.operator("release_again", G1)
    assert story.quantities == [{"901": 3}, {"901": 1}]


def test_tracking_that_does_not_reach_shopify_is_a_case() -> None:
    story = released().clarus(IN_CLARUS.despatched(tracking=("",))).erp(IN_ERP.fulfilment(G1, L901=3)).later(minutes=11)
    story.shopify(ROUTED.fulfilled("801", L901=3)).applied(story.one(CreateFulfilment), "801")
    story.clarus(IN_CLARUS.despatched(tracking=("T1",)))
    story.ended(story.one(UpdateTracking), OutcomeKind.DELAYED, text="away", until=story.at.replace(hour=23))
    story.later(minutes=16)
    assert story.open_cases == {CaseCode.NOT_TOLD}
    story.shopify(ROUTED.fulfilled("801", L901=3, numbers=("T1",)))
    assert story.open_cases == set()


def test_what_left_is_posted_although_all_of_it_was_refunded_before_the_erp_had_the_order() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS.despatched(L901=2))
    story.ended(story.one(UpsertErpOrder), OutcomeKind.EXPIRED)
    story.shopify(ROUTED.refunded(L901=3).paid(FinancialStatus.REFUNDED)).later(minutes=2)
    assert [(line.line, line.quantity) for line in story.sent(UpsertErpOrder)[-1].lines] == [("901", 2)]
    story.applied(story.sent(UpsertErpOrder)[-1], "77").erp(an_erp_order().with_line("901", "MUG", 2))
    assert [(unit.line, unit.quantity) for unit in story.one(PostFulfilment).target] == [("901", 2)]


def test_a_cancelled_order_of_which_nothing_left_needs_no_sales_order() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.EXPIRED)
    story.shopify(ROUTED.cancelled()).clarus().clarus().later(hours=9)
    assert story.open_cases == set()


def test_a_line_that_a_person_added_in_clarus_is_neither_posted_nor_told() -> None:
    story = released().clarus(IN_CLARUS.with_line("", "GIFT", 1).despatched())
    assert [(unit.line, unit.quantity) for unit in story.one(PostFulfilment).target] == [("901", 3)]
    assert story.open_cases == {CaseCode.OVER_DESPATCHED, CaseCode.UNKNOWN_GOODS_OUT}
    story.erp(IN_ERP.fulfilment(G1, L901=3))
    assert told(story) == [3]


@pytest.mark.parametrize("fewer", [1, 2])
def test_a_telling_under_way_uses_up_what_shopify_allows(fewer: int) -> None:
    """Two parcels of one line, some of it refunded: together no more is told than Shopify still lets us."""
    order = ORDERED.routed("71", L901=1).routed("72", L901=2)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    story.applied(story.one(UpsertErpOrder), "77").erp(IN_ERP)
    first = a_goods_out(G1).with_line("901", "MUG", 1).despatched(tracking=("T1",))
    second = a_goods_out(G2, "9002").with_line("901", "MUG", 2).despatched(tracking=("T2",))
    story.shopify(order.refunded(L901=fewer)).clarus(first, second)
    posted = IN_ERP.fulfilment(G1, L901=1)
    story.erp(posted).erp(posted.fulfilment(G2, L901=2))
    assert sum(told(story)) == 3 - fewer
    assert CaseCode.SHIPPED_NOT_OWED in story.open_cases


def test_a_parcel_is_told_on_its_own_fulfilment_order() -> None:
    """Two places hold the same line; the parcel of the second is told there, whatever is older."""
    order = ORDERED.routed("71", L901=1).routed("72", to="12", L901=2)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    story.applied(story.one(UpsertErpOrder), "77").erp(IN_ERP)
    second = a_goods_out(G2, "9002", warehouse="MAN1").with_line("901", "MUG", 2).despatched()
    story.clarus(a_goods_out(G1).with_line("901", "MUG", 1), second).erp(IN_ERP.fulfilment(G2, L901=2))
    assert [(unit.fulfilment_order, unit.quantity) for unit in story.one(CreateFulfilment).lines] == [("72", 2)]
