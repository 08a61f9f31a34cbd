"""Commands between decision and outcome: withdrawn, sent twice, expired, delayed; never lost, never in a hot loop."""

from datetime import UTC, datetime, timedelta

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, Command, CreateGoodsOut, PostFulfilment, UpsertErpOrder, Withdraw
from schemas.erp import FulfilmentState
from schemas.outcomes import OutcomeKind
from streams.agents.orders import OrdersFold
from tests.builders import a_goods_out, an_erp_order, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
ORDER = an_order().with_line("MUG", 2)
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 2)


def cancelled_while_the_create_is_out() -> Story:
    story = Story().shopify(ORDER.routed("71"))
    return story.shopify(ORDER.routed("71").cancelled())


def test_cancelled_while_the_create_is_out_withdrawn_in_time() -> None:
    story = cancelled_while_the_create_is_out()
    create = story.one(CreateGoodsOut)
    assert story.one(Withdraw).withdrawn == create.id
    before = len(story.reads)
    story.ended(create, OutcomeKind.SUPERSEDED)
    assert story.reads[before:] == [System.CLARUS], "its predecessor may have done it and died"
    story.clarus().later(hours=9)
    assert story.sent(CancelGoodsOut) == []
    assert story.open_cases == set()


def test_cancelled_while_the_create_is_out_and_made_all_the_same() -> None:
    """Withdrawn, seen, cancelled, gone: in the end nothing is in the warehouse and no case is open."""
    story = cancelled_while_the_create_is_out()
    story.clarus(IN_CLARUS).applied(story.one(CreateGoodsOut))
    cancel = story.one(CancelGoodsOut)
    assert (cancel.reference, cancel.goods_out) == (G1, "9001")
    story.clarus().applied(cancel).clarus().later(hours=9)
    assert len(story.sent(CancelGoodsOut)) == 1
    assert story.open_cases == set()


def test_said_to_be_withdrawn_in_time_and_made_by_a_predecessor_that_died() -> None:
    story = cancelled_while_the_create_is_out()
    story.ended(story.one(CreateGoodsOut), OutcomeKind.SUPERSEDED).clarus(IN_CLARUS)
    assert story.one(CancelGoodsOut).reference == G1


def test_a_cancel_that_does_not_come_through_is_a_case_until_it_does() -> None:
    story = cancelled_while_the_create_is_out()
    story.clarus(IN_CLARUS).applied(story.one(CreateGoodsOut))
    story.later(minutes=16)
    assert story.open_cases == {CaseCode.CANCELLED_AFTER_RELEASE}
    story.applied(story.one(CancelGoodsOut)).clarus(IN_CLARUS).later(hours=1)
    assert story.open_cases == {CaseCode.CANCELLED_AFTER_RELEASE}, "Clarus said yes and shows it still"
    story.clarus()
    assert story.open_cases == set()


def sent_again(story: Story, committed: int) -> list[Command]:
    """What a worker that starts there sends to Clarus before its first record."""
    fold = OrdersFold(0)
    for key, value in story.changelog.items():
        fold.restore(key, value)
    fold.restored()
    again = Story()
    for emission in fold.resend(committed):
        if emission.topic == "commands.clarus":
            again.receive(emission)
    return again.commands


def test_a_restart_sends_the_withdrawal_again_after_its_command() -> None:
    """Else the create, sent again alone, would be carried out although it was withdrawn."""
    story = cancelled_while_the_create_is_out()
    create, withdrawal = story.one(CreateGoodsOut), story.one(Withdraw)
    assert sent_again(story, create.decided_offset) == [create, withdrawal]


def test_a_withdrawn_command_that_went_out_long_ago_is_not_sent_behind_its_withdrawal() -> None:
    story = cancelled_while_the_create_is_out()
    withdrawal = story.one(Withdraw)
    assert sent_again(story, withdrawal.decided_offset) == [withdrawal]


def test_a_command_sent_twice_is_still_under_way_when_one_of_the_two_is_superseded_by_the_other() -> None:
    """After a restart the same command lies in the topic twice; its outcome comes from the later record."""
    story = Story().shopify(ORDER.routed("71"))
    create = story.one(CreateGoodsOut)
    story.ended(create, OutcomeKind.SUPERSEDED)
    assert story.state.creates_in_flight == (create,)
    story.applied(create)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert len(story.state.goods_outs) == 1


def test_clocks_that_differ_by_minutes_do_not_make_a_hot_loop() -> None:
    """The connector's clock is ahead: each command is old for it the moment it comes. Once a minute, and a case."""
    story = Story().shopify(ORDER.routed("71"))
    for _ in range(60):
        story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.EXPIRED).later(seconds=20)
    assert len(story.sent(CreateGoodsOut)) <= 21
    clarus = next(case for case in story.cases.values() if case.code is CaseCode.CLARUS_SLOW)
    assert "clocks" in clarus.detail


def test_a_delay_into_next_year_is_not_believed() -> None:
    story = Story().shopify(ORDER.routed("71"))
    far = datetime(9999, 12, 31, tzinfo=UTC)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.DELAYED, code="stopped", until=far)
    story.later(hours=1, seconds=1)
    assert len(story.sent(CreateGoodsOut)) == 2


def test_a_delay_between_two_milliseconds_fires_alike_after_a_restart() -> None:
    """The changelog counts milliseconds: rounded up, or a restored index would fire before a live one."""
    story = Story().shopify(ORDER.routed("71"))
    until = story.at + timedelta(seconds=5, microseconds=1234)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.DELAYED, code="stopped", until=until)
    fold = OrdersFold(0)
    for key, value in story.changelog.items():
        fold.restore(key, value)
    fold.restored()
    assert fold.next_due() == story.fold.next_due()
    due = fold.next_due()
    assert due is not None
    assert due >= until


def test_an_operator_frees_a_command_whose_outcome_was_lost() -> None:
    story = Story().shopify(ORDER.routed("71")).operator("retry")
    assert len(story.sent(CreateGoodsOut)) == 1, "it may still be under way"
    story.later(minutes=16)
    assert CaseCode.CLARUS_SLOW in story.open_cases
    story.operator("retry")
    assert len(story.sent(CreateGoodsOut)) == 2
    assert story.sent(CreateGoodsOut)[-1].reference == G1, "the same reference: the look finds the first"


def test_a_withdrawn_create_whose_outcome_never_comes_is_a_case() -> None:
    """Its units count until somebody says what became of it: the moved order must not wait in silence."""
    story = Story().shopify(ORDER.routed("71"))
    story.shopify(ORDER.routed("71").closed("71").routed("75", to="12")).later(minutes=16)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert CaseCode.CLARUS_SLOW in story.open_cases
    story.ended(story.one(CreateGoodsOut), OutcomeKind.SUPERSEDED).clarus()
    assert story.sent(CreateGoodsOut)[-1].warehouse == "MAN1"
    assert len(story.sent(CreateGoodsOut)) == 2


def test_what_a_predecessor_read_does_not_pass_for_newer_than_an_outcome() -> None:
    """The new owner made the goods-out; the old one's empty answers come after: dropped, not two absences."""
    story = Story().shopify(ORDER.routed("71")).clarus(epoch=3)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.APPLIED, epoch=7, external_id="9001")
    story.clarus(epoch=3).clarus(epoch=3)
    assert story.state.last_offset == len(story.log) - 1, "dropped, and folded all the same"
    assert story.open_cases == set()
    assert story.reads[-2:] == [System.CLARUS] * 2
    assert not story.state.goods_outs[0].missing


def test_an_outcome_of_an_older_epoch_is_kept_and_read_after() -> None:
    story = Story().shopify(ORDER.routed("71"))
    story.clarus(epoch=9)
    before = len(story.reads)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.APPLIED, epoch=3, external_id="9001")
    assert [known.reference for known in story.state.goods_outs] == [G1]
    assert story.reads[before:] == [System.CLARUS]


def test_a_sale_that_was_made_and_not_committed_when_the_try_was_cut_short_is_gone_on_with() -> None:
    """The ERP was slow: it shows a draft, and nobody else will commit it."""
    story = Story().shopify(an_order().with_line("MUG").routed("71"))
    first = story.one(UpsertErpOrder)
    story.ended(first, OutcomeKind.DELAYED, code="timed_out", until=story.at + timedelta(seconds=30))
    story.erp(an_erp_order().draft().with_line("901", "MUG"))
    assert story.sent(UpsertErpOrder) == [first], "not before the delay is over"

    story.later(minutes=1)

    again = story.sent(UpsertErpOrder)[-1]
    assert again != first
    story.erp(an_erp_order().draft().with_line("901", "MUG"))
    assert story.sent(Withdraw) == [], "what is under way is not called back because a draft is there"
    story.applied(again, "77").later(minutes=30)
    assert story.sent(UpsertErpOrder) == [first, again], "done is done: the ERP's own people commit it"


def test_a_posting_that_was_begun_when_the_try_was_cut_short_is_gone_on_with() -> None:
    story = Story().shopify(an_order().with_line("MUG").routed("71"))
    sale = an_erp_order().with_line("901", "MUG")
    story.applied(story.one(UpsertErpOrder), "77").erp(sale).applied(story.one(CreateGoodsOut))
    reference = story.one(CreateGoodsOut).reference
    story.clarus(a_goods_out(reference).with_line("901", "MUG").despatched())
    first = story.one(PostFulfilment)
    story.ended(first, OutcomeKind.DELAYED, code="timed_out", until=story.at + timedelta(seconds=30))
    begun = sale.fulfilment(reference, 1, FulfilmentState.OPEN, L901=1)

    story.erp(begun).later(minutes=1).erp(begun)

    again = story.sent(PostFulfilment)[-1]
    assert again != first
    assert story.sent(Withdraw) == []
    story.applied(again, f"{reference}#1").erp(begun).later(minutes=30)
    assert story.sent(PostFulfilment) == [first, again], "done is done: the ERP's own people post it"
