"""How a command ends, and what stays of it: outcomes of every kind, late, doubled, or of nobody's command."""

from datetime import timedelta

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import (
    CancelGoodsOut,
    CreateFulfilment,
    CreateGoodsOut,
    PostFulfilment,
    UpdateTracking,
    UpsertErpOrder,
    Withdraw,
)
from schemas.orders import RiskAdvice
from schemas.outcomes import Outcome, OutcomeKind
from streams.rules.orders.endings import not_carried_out
from streams.rules.orders.state import DEAD, address_mark
from tests.builders import LEEDS, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
ORDER = an_order().with_line("MUG", 3).with_line("HAT", 1)
ROUTED = ORDER.routed("71")
PLACES = ORDER.routed("71", L901=3).routed("72", L902=1)
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3).with_line("902", "HAT", 1)
SALE = an_erp_order().with_line("901", "MUG", 3).with_line("902", "HAT", 1)


def sent(order: OrderBuilder = ROUTED) -> tuple[Story, CreateGoodsOut]:
    story = Story().shopify(order)
    story.reads.clear()
    return story, story.sent(CreateGoodsOut)[0]


# --- landing


def test_an_outcome_takes_its_command_out_of_flight_and_leaves_the_others() -> None:
    story, create = sent(PLACES)
    other = story.sent(CreateGoodsOut)[1]
    story.applied(create)
    assert create not in story.state.in_flight
    assert other in story.state.in_flight
    assert story.one(UpsertErpOrder) in story.state.in_flight


@pytest.mark.parametrize("kind", [OutcomeKind.REJECTED, OutcomeKind.SUPERSEDED])
def test_the_outcome_of_a_command_nobody_knows_has_its_system_read(kind: OutcomeKind) -> None:
    story, create = sent()
    story.applied(create)
    before = story.state.goods_outs
    story.reads.clear()
    story.ended(create, kind, code="odd")
    assert story.reads == [System.CLARUS]
    assert (story.state.goods_outs, story.state.refusals) == (before, ())


def test_an_outcome_of_an_older_epoch_counts_and_has_the_system_read() -> None:
    story = Story().shopify(ROUTED).clarus(epoch=5)
    story.reads.clear()
    story.ended(story.one(CreateGoodsOut), OutcomeKind.APPLIED, epoch=4, external_id="9001")
    assert story.reads == [System.CLARUS]
    assert [known.reference for known in story.state.goods_outs] == [G1]
    assert story.state.epochs.clarus == 5


def test_an_outcome_of_the_same_epoch_asks_for_nothing() -> None:
    story, create = sent()
    assert story.clarus(epoch=1).applied(create).reads == []


def test_what_a_predecessor_read_before_it_was_done_must_not_pass_for_newer() -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.APPLIED, epoch=7, external_id="9001")
    assert story.state.epochs.clarus == 7
    assert [one.absent for one in story.clarus(epoch=6).state.goods_outs] == [0]


def test_superseded_by_itself_it_is_still_to_come() -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.SUPERSEDED)
    assert create in story.state.in_flight
    assert story.reads == [System.CLARUS]


def test_superseded_by_its_withdrawal_it_is_over_and_the_system_is_read() -> None:
    story, create = sent()
    story.shopify(ROUTED.cancelled())
    assert [one.withdrawn for one in story.state.withdrawn] == [story.one(Withdraw).withdrawn]
    story.reads.clear()
    story.ended(create, OutcomeKind.SUPERSEDED)
    assert create not in story.state.in_flight
    assert story.state.withdrawn == ()
    assert story.reads == [System.CLARUS]


def test_of_two_withdrawals_only_the_one_whose_command_ended_is_over() -> None:
    story, create = sent(PLACES)
    story.shopify(PLACES.cancelled())
    assert len(story.state.withdrawn) == 2
    story.ended(create, OutcomeKind.SUPERSEDED)
    assert [one.object for one in story.state.withdrawn] == [f"goods-out:{G2}"]


# --- carried out


@pytest.mark.parametrize("kind", [OutcomeKind.APPLIED, OutcomeKind.ALREADY_APPLIED])
def test_what_was_made_is_known_as_it_was_asked_for(kind: OutcomeKind) -> None:
    story, create = sent()
    story.ended(create, kind, external_id="9001")
    [known] = story.state.goods_outs
    made = known.goods_out
    assert (made.id, made.reference, made.status) == ("9001", G1, "PENDING")
    assert (made.account, made.warehouse, made.carrier, made.service) == ("ACME", "LDS1", "DPD", "NEXTDAY")
    assert [(line.line, line.sku, line.ordered, line.each, line.despatched) for line in made.lines] == [
        ("901", "MUG", 3, 0, 0), ("902", "HAT", 1, 0, 0),
    ]  # fmt: skip
    assert (known.fulfilment_order, known.generation) == ("71", 1)
    assert known.sent_to == address_mark(known.reference, LEEDS)
    assert (known.absent, known.given_up, known.cancelled_by_us) == (0, False, False)


def test_one_that_was_seen_before_its_outcome_only_learns_where_it_goes() -> None:
    story, create = sent()
    story.clarus(IN_CLARUS.picking()).applied(create, "9099")
    [known] = story.state.goods_outs
    assert (known.goods_out, known.sent_to) == (IN_CLARUS.picking().goods_out, address_mark(known.reference, LEEDS))


def test_made_in_any_order_they_stand_in_the_order_of_their_references() -> None:
    story = Story().shopify(PLACES)
    first, second = story.sent(CreateGoodsOut)
    story.applied(second, "9002").applied(first, "9001")
    assert [known.reference for known in story.state.goods_outs] == [G1, G2]


def test_what_was_cancelled_is_ours_to_have_gone_and_clarus_is_read() -> None:
    story = Story().shopify(PLACES)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    story.shopify(PLACES.closed("72").cancelled())
    cancel = story.sent(CancelGoodsOut)[0]
    story.reads.clear()
    story.applied(cancel)
    assert story.reads == [System.CLARUS]
    assert [known.cancelled_by_us for known in story.state.goods_outs] == [True, False]


def test_the_same_is_not_sent_again_while_nobody_has_read_it() -> None:
    story, _ = sent()
    story.applied(story.one(UpsertErpOrder), "77").later(minutes=1).shopify(ROUTED)
    assert len(story.sent(UpsertErpOrder)) == 1
    assert [done.object for done in story.state.done] == ["erp-order"]


def test_what_was_refused_before_is_over_and_what_others_were_refused_is_not() -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.REJECTED, code="odd")
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="even").operator("retry")
    assert {one.object for one in story.state.refusals} == {create.object, "erp-order"}
    story.applied(story.sent(CreateGoodsOut)[1])
    assert [one.object for one in story.state.refusals] == ["erp-order"]


def test_tracking_that_was_added_is_known_of_that_telling_only() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).applied(story.one(UpsertErpOrder), "77").erp(SALE)
    left = IN_CLARUS.despatched(L901=3, tracking=("",), whole=False)
    story.clarus(left).erp(SALE.fulfilment(G1, L901=3)).later(minutes=11)
    story.applied(story.one(CreateFulfilment), "801").shopify(ROUTED.fulfilled("801", L901=3))
    story.clarus(IN_CLARUS.despatched(tracking=("", ""))).erp(SALE.fulfilment(G1, L901=3, L902=1)).later(minutes=11)
    story.applied(story.sent(CreateFulfilment)[1], "802")
    story.shopify(ROUTED.fulfilled("801", L901=3).fulfilled("802", L902=1))
    story.clarus(IN_CLARUS.despatched(tracking=("T1", "T2")))
    story.applied(story.sent(UpdateTracking)[0])
    assert [(one.fulfilment, one.numbers) for one in story.state.tellings] == [("801", ("T1",)), ("802", ())]


# --- not carried out


def test_a_refusal_keeps_what_was_said() -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.REJECTED, code="unknown_sku", field="sku", text="HAT, TEA")
    [refusal] = story.state.refusals
    assert (refusal.object, refusal.system, refusal.fingerprint) == (create.object, System.CLARUS, create.fingerprint)
    assert (refusal.code, refusal.field, refusal.text) == ("unknown_sku", "sku", "HAT, TEA")
    assert (refusal.tries, refusal.at, refusal.again, refusal.lacks) == (1, story.state.now, False, ("HAT",))


@pytest.mark.parametrize(
    ("code", "text", "lacks"),
    [
        ("unknown_sku", "MUG, HAT", ("HAT", "MUG")),
        ("unknown_sku", "MUG", ("MUG",)),
        ("unknown_sku", "MUG,HAT", ()),
        ("odd", "MUG", ()),
    ],
)
def test_which_products_were_missing(code: str, text: str, lacks: tuple[str, ...]) -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.REJECTED, code=code, text=text)
    assert story.state.refusals[0].lacks == lacks


def test_a_refused_sales_order_lacks_no_product_of_the_warehouse() -> None:
    story, _ = sent()
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="unknown_sku", text="MUG")
    assert story.state.refusals[0].lacks == ()


def test_the_tries_of_the_same_are_counted_and_of_another_begin_anew() -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.REJECTED, code="odd").operator("retry")
    story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.REJECTED, code="odd")
    assert [one.tries for one in story.state.refusals] == [2]
    story.shopify(ROUTED.shipping_to(LEEDS.model_copy(update={"line1": "9 Mill Lane"})))
    story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.REJECTED, code="odd")
    assert [one.tries for one in story.state.refusals] == [1]


@pytest.mark.parametrize(
    ("until", "waited"),
    [
        (timedelta(minutes=5), timedelta(minutes=5)),
        (timedelta(hours=5), timedelta(hours=1)),
        (timedelta(seconds=-30), timedelta(seconds=1)),
    ],
    ids=["as long as it says", "an hour at most", "a second at least"],
)
def test_a_delay_is_waited_for(until: timedelta, waited: timedelta) -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.DELAYED, code="throttled", text="too many", until=story.at + until)
    [delay] = story.state.delays
    assert abs(delay.until - story.state.now - waited) < timedelta(milliseconds=50)
    assert (delay.object, delay.system, delay.why) == (create.object, System.CLARUS, "too many")
    assert story.reads == []


def test_a_delay_without_words_says_its_code_and_without_an_end_a_moment() -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.DELAYED, code="throttled")
    [delay] = story.state.delays
    assert (delay.why, delay.until - story.state.now) == ("throttled", timedelta(seconds=1))


@pytest.mark.parametrize(
    ("code", "read"), [("unclear", True), ("unclear_answer", True), ("held_too_long", True), ("stopped", False)]
)
def test_after_a_delay_that_may_have_done_it_the_system_is_read(code: str, read: bool) -> None:
    story, create = sent()
    story.ended(create, OutcomeKind.DELAYED, code=code, until=story.at + timedelta(minutes=5))
    assert (System.CLARUS in story.reads) == read


def test_a_delay_ends_with_the_next_outcome_and_others_stay() -> None:
    story, create = sent()
    until = story.at + timedelta(minutes=5)
    story.ended(create, OutcomeKind.DELAYED, code="stopped", until=until)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.DELAYED, code="stopped", until=until + timedelta(minutes=30))
    story.later(minutes=6)
    again = story.sent(CreateGoodsOut)[1]
    story.applied(again)
    assert [one.object for one in story.state.delays] == ["erp-order"]


@pytest.mark.parametrize(("age", "delayed"), [(30, True), (59, True), (61, False)])
def test_expired_when_just_decided_the_clocks_are_wrong_and_it_waits_a_minute(age: float, delayed: bool) -> None:
    story, create = sent()
    story.later(seconds=age).ended(create, OutcomeKind.EXPIRED)
    assert bool(story.state.delays) == delayed
    assert len(story.sent(CreateGoodsOut)) == (1 if delayed else 2)
    if delayed:
        [delay] = story.state.delays
        assert delay.until - story.state.now == timedelta(minutes=1)
        assert "clocks" in delay.why


# --- emitting


def test_nothing_goes_to_a_paused_system_and_it_goes_when_it_is_resumed() -> None:
    story = Story(a_brand(paused=["clarus"])).shopify(ROUTED)
    assert story.sent(CreateGoodsOut) == []
    assert story.one(UpsertErpOrder)
    story.configured(paused=[]).later(minutes=2)
    assert len(story.sent(CreateGoodsOut)) == 1


def test_ids_of_commands_of_one_decision_differ() -> None:
    story = Story().shopify(PLACES)
    ids = [command.id for command in story.commands]
    assert len(set(ids)) == len(ids) == 3
    assert {command.decided_offset for command in story.commands} == {1}


def test_withdrawals_count_on_from_the_commands_of_the_same_decision() -> None:
    """An edit withdraws one create and asks for the sales order anew, in one decision."""
    story = Story().shopify(PLACES).shopify(PLACES.cancelled())
    ids = [command.id for command in story.commands]
    assert len(set(ids)) == len(ids)
    assert len(story.sent(Withdraw)) == 2


def test_a_withdrawal_is_sent_once() -> None:
    story = Story().shopify(ROUTED).shopify(ROUTED.cancelled()).shopify(ROUTED.cancelled().paid()).later(minutes=1)
    assert len(story.sent(Withdraw)) == 1


def test_what_is_not_withdrawn_is_forgotten_when_its_outcome_would_have_come() -> None:
    story, _ = sent()
    upsert = story.one(UpsertErpOrder)
    story.shopify(ROUTED.cancelled()).later(seconds=DEAD.total_seconds() - 2)
    assert upsert in story.state.in_flight
    story.later(seconds=4).shopify(ROUTED.cancelled().advised(RiskAdvice.ACCEPT))
    assert upsert not in story.state.in_flight
    assert story.sent(CreateGoodsOut)[0] in story.state.in_flight, "its outcome is waited for as long as it takes"


def test_a_posting_that_grew_replaces_the_one_in_flight() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).applied(story.one(UpsertErpOrder), "77").erp(SALE)
    story.clarus(IN_CLARUS.despatched(L901=1, whole=False)).clarus(IN_CLARUS.despatched())
    first, second = story.sent(PostFulfilment)
    assert first.object == second.object
    assert [one for one in story.state.in_flight if isinstance(one, PostFulfilment)] == [second]
    assert sum(unit.quantity for unit in second.target) == 4


def test_in_observe_mode_what_would_be_sent_changes_with_what_is_known() -> None:
    story = Story(a_brand(mode="observe")).shopify(ROUTED)
    assert len(story.state.would_send) == 2
    assert story.shopify(ROUTED.on_hold("71")).state.would_send == ()
    assert story.commands == []
    assert CaseCode.CLARUS_SLOW not in story.open_cases


# --- the sales order, which stays wanted until it is seen


def test_its_refusal_is_over_as_soon_as_the_erp_accepts_it() -> None:
    story, _ = sent()
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="odd").operator("retry")
    assert CaseCode.ERP_REFUSED in story.open_cases
    story.applied(story.sent(UpsertErpOrder)[1], "77")
    assert (story.state.refusals, CaseCode.ERP_REFUSED in story.open_cases) == ((), False)


def test_changed_and_changed_back_it_is_sent_each_time() -> None:
    story, create = sent()
    story.applied(create)
    for order in (ROUTED.refunded(L901=1), ROUTED):
        story.applied(story.sent(UpsertErpOrder)[-1], "77").shopify(order)
    first, between, last = story.sent(UpsertErpOrder)
    assert (first.fingerprint == last.fingerprint, first.fingerprint == between.fingerprint) == (True, False)


def test_the_tries_are_counted_of_each_by_itself() -> None:
    story, create = sent()
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="odd")
    story.ended(create, OutcomeKind.REJECTED, code="odd").operator("retry")
    story.ended(story.sent(CreateGoodsOut)[1], OutcomeKind.REJECTED, code="odd")
    assert {one.object: one.tries for one in story.state.refusals} == {"erp-order": 1, create.object: 2}


def test_expired_a_minute_after_it_was_decided_the_clocks_are_right() -> None:
    story, create = sent()
    outcome = Outcome(command=create.id, object=create.object, generation=1, kind=OutcomeKind.EXPIRED)
    for seconds, delays in ((59.999, 1), (60, 0)):
        state = story.state.model_copy(update={"now": create.decided_at + timedelta(seconds=seconds)})
        assert len(not_carried_out(state, create, outcome, System.CLARUS).delays) == delays


def test_withdrawals_say_which_generation_they_mean() -> None:
    story, create = sent()
    story.applied(create).clarus(IN_CLARUS).shopify(ROUTED.refunded(L901=1))
    story.applied(story.one(CancelGoodsOut)).clarus()
    assert story.sent(CreateGoodsOut)[-1].generation == 2
    story.shopify(ROUTED.cancelled())
    assert story.one(Withdraw).generation == 2


def test_two_withdrawals_and_two_commands_of_one_decision_have_ids_of_their_own() -> None:
    """Both fulfilment orders are held, and a third comes with a line that was added."""
    grown = PLACES.with_line("TEA", 1).routed("73", L903=1).on_hold("71").on_hold("72")
    story = Story().shopify(PLACES)
    before = len(story.commands)
    story.shopify(grown)
    new = story.commands[before:]
    assert len([one for one in new if isinstance(one, Withdraw)]) == 2
    assert len(new) == 4
    assert len({command.id for command in new}) == 4
