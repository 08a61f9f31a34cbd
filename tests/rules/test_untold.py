"""A telling without tracking that nobody could tell us of: remembered while in doubt, recognised by its units."""

from datetime import timedelta

import pytest

from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpdateTracking, UpsertErpOrder
from schemas.outcomes import OutcomeKind
from streams.rules.orders.adopt import adopted
from tests.builders import OrderBuilder, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
ROUTED = an_order().with_line("MUG", 3).routed("71")
BARE = a_goods_out(G1).with_line("901", "MUG", 3).despatched(tracking=("",))
TRACKED = a_goods_out(G1).with_line("901", "MUG", 3).despatched()
SALE = an_erp_order().with_line("901", "MUG", 3).fulfilment(G1, L901=3)


def telling(*, tracked: bool = False) -> Story:
    """The telling is on its way."""
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(TRACKED if tracked else BARE)
    story.applied(story.one(UpsertErpOrder), "77").erp(an_erp_order().with_line("901", "MUG", 3))
    story.applied(story.one(PostFulfilment), "88").erp(SALE).later(minutes=11)
    assert story.one(CreateFulfilment)
    return story


def doubted(kind: OutcomeKind = OutcomeKind.REJECTED, code: str = "unclear_answer") -> Story:
    story = telling()
    return story.ended(story.one(CreateFulfilment), kind, code=code)


@pytest.mark.parametrize("code", ["unclear_answer", "unknown_fulfilment", "fulfilment_orders_changed"])
@pytest.mark.parametrize("kind", [OutcomeKind.DELAYED, OutcomeKind.REJECTED])
def test_one_that_may_have_been_done_is_remembered(kind: OutcomeKind, code: str) -> None:
    assert [one.object for one in doubted(kind, code).state.untold] == [f"fulfilment:{G1}"]


def test_one_that_was_surely_not_done_is_not() -> None:
    assert doubted(code="odd").state.untold == ()
    assert doubted(OutcomeKind.DELAYED, "throttled").state.untold == ()
    story = telling()
    assert story.ended(story.one(CreateFulfilment), OutcomeKind.SUPERSEDED, code="unclear_answer").state.untold == ()


def test_one_with_tracking_is_known_by_its_tracking() -> None:
    story = telling(tracked=True)
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code="unclear_answer")
    assert story.state.untold == ()


def test_no_other_command_is_remembered() -> None:
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unclear_answer")
    assert story.state.untold == ()


def test_its_end_is_known_when_the_next_try_ends() -> None:
    story = doubted().operator("retry")
    again = story.sent(CreateFulfilment)[1]
    assert len(story.ended(again, OutcomeKind.DELAYED, code="unclear_answer").state.untold) == 1
    story.operator("retry")
    assert story.applied(story.sent(CreateFulfilment)[2], "801").state.untold == ()


def test_a_fulfilment_of_its_very_units_is_ours() -> None:
    story = doubted().shopify(ROUTED.fulfilled("801", L901=3))
    assert [(one.fulfilment, one.goods_out, one.numbers) for one in story.state.tellings] == [("801", G1, ())]
    assert [(unit.line, unit.quantity) for unit in story.state.tellings[0].lines] == [("901", 3)]
    assert (story.state.untold, story.state.refusals) == ((), ())
    assert len(story.later(hours=1).sent(CreateFulfilment)) == 1


def test_what_a_reading_shows_before_its_outcome_comes_is_told_once() -> None:
    story = doubted().operator("retry")
    again = story.sent(CreateFulfilment)[1]
    story.shopify(ROUTED.fulfilled("801", L901=3)).ended(again, OutcomeKind.ALREADY_APPLIED, external_id="801")
    assert [one.fulfilment for one in story.state.tellings] == ["801"]
    assert len(story.clarus(TRACKED).sent(UpdateTracking)) == 1


def test_a_delay_of_it_is_over_too() -> None:
    story = doubted(OutcomeKind.DELAYED)
    assert len(story.state.delays) == 1
    assert story.shopify(ROUTED.fulfilled("801", L901=3)).state.delays == ()


def test_what_others_were_refused_or_wait_for_stays() -> None:
    story = doubted()
    others = story.state.refusals[0].model_copy(update={"object": "erp-order"})
    assert story.state.refusals[0].object != others.object
    waits = story.state.model_copy(update={"refusals": (*story.state.refusals, others)})
    shown = waits.model_copy(update={"shopify": ROUTED.fulfilled("801", L901=3).order})
    assert adopted(shown).refusals == (others,)


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("of other units", ROUTED.fulfilled("801", L901=2)),
        ("cancelled", ROUTED.fulfilled("801", L901=3, cancelled=True)),
        ("with tracking of its own", ROUTED.fulfilled("801", L901=3, numbers=("BY-HAND",))),
    ],
)
def test_any_other_fulfilment_is_somebody_elses(case: str, order: OrderBuilder) -> None:
    story = doubted().shopify(order)
    assert story.state.tellings == (), case
    assert len(story.state.untold) == 1


def test_one_that_was_there_when_it_was_decided_is_not_it() -> None:
    order = an_order().with_line("MUG", 6).routed("71", L901=3).routed("72", to="99", L901=3)
    by_hand = order.fulfilled("700", of="72", L901=3)
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut)).clarus(BARE).shopify(by_hand)
    sale = an_erp_order().with_line("901", "MUG", 6)
    story.applied(story.one(UpsertErpOrder), "77").erp(sale)
    story.applied(story.one(PostFulfilment), "88").erp(sale.fulfilment(G1, L901=3)).later(minutes=11)
    assert story.one(CreateFulfilment).known_fulfilments == ("700",)
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code="unclear_answer")
    assert story.shopify(by_hand).state.tellings == ()
    story.shopify(by_hand.fulfilled("801", L901=3))
    assert [one.fulfilment for one in story.state.tellings] == ["801"]


def test_the_numbers_of_a_telling_are_kept() -> None:
    story = telling(tracked=True)
    story.applied(story.one(CreateFulfilment), "801")
    assert [one.numbers for one in story.state.tellings] == [("T1",)]


def test_found_again_it_sets_nothing_else_going_and_what_left_since_is_told_at_once() -> None:
    """One of three left and its telling is in doubt; the others left meanwhile."""
    story = Story().shopify(ROUTED)
    one = a_goods_out(G1).with_line("901", "MUG", 3).despatched(tracking=("",), L901=1, whole=False)
    story.applied(story.one(CreateGoodsOut)).clarus(one)
    sale = an_erp_order().with_line("901", "MUG", 3)
    story.applied(story.one(UpsertErpOrder), "77").erp(sale)
    story.applied(story.one(PostFulfilment), "88").erp(sale.fulfilment(G1, L901=1)).later(minutes=11)
    until = story.at + timedelta(minutes=50)
    story.ended(story.one(CreateFulfilment), OutcomeKind.DELAYED, code="unclear_answer", until=until)
    story.clarus(BARE)
    story.ended(story.sent(PostFulfilment)[1], OutcomeKind.DELAYED, code="stopped", until=until).erp(SALE)
    assert len(story.sent(CreateFulfilment)) == 1
    story.shopify(ROUTED.fulfilled("801", L901=1)).later(minutes=11)
    assert [sum(unit.quantity for unit in told.lines) for told in story.sent(CreateFulfilment)] == [1, 2]


def test_found_again_its_own_delay_is_over_and_that_of_others_is_not() -> None:
    story = doubted(OutcomeKind.DELAYED)
    other = story.state.delays[0].model_copy(update={"object": "erp-order"})
    waits = story.state.model_copy(update={"delays": (*story.state.delays, other)})
    shown = waits.model_copy(update={"shopify": ROUTED.fulfilled("801", L901=3).order})
    assert adopted(shown).delays == (other,)
