"""Cases live by fact and time; what a person does about them is kept, and does nothing the second time."""

from datetime import datetime, timedelta

import pytest

from schemas.cases import CATALOGUE, Case, CaseCode, Owner, Severity
from schemas.commands import CreateGoodsOut
from schemas.orders import FinancialStatus, RiskAdvice
from schemas.outcomes import OutcomeKind
from schemas.topics import CASES
from streams.agents.emissions import RECORDS
from streams.engine.contract import Emission
from streams.rules.orders.cases import judged
from streams.rules.orders.findings import Look
from streams.rules.orders.state import OrderState
from tests.builders import ACME, a_goods_out, an_order
from tests.rules.test_rest import in_step
from tests.story import Story, refold

G1 = "ACME-5012-71-1"
ROUTED = an_order().with_line("MUG", 3).routed("71")
SHORT = a_goods_out(G1).with_line("901", "MUG", 3).despatched(L901=1)
UNPAID = ROUTED.paid(FinancialStatus.PENDING)


def short_closed() -> Story:
    """One of three units left, the rest was closed short."""
    story = Story().shopify(ROUTED)
    return story.applied(story.one(CreateGoodsOut)).clarus(SHORT)


def the_case(story: Story, code: CaseCode = CaseCode.SHORT_CLOSED) -> Case:
    (found,) = (case for case in story.cases.values() if case.code is code)
    return found


def nothing_more(story: Story, action: str, target: str = "", **said: str) -> bool:
    """Whether the same action, asked for a second time, changes neither state nor topic."""
    before, cases, sent = story.state, dict(story.cases), len(story.commands)
    story.operator(action, target, **said)
    place = {"last_offset": 0, "now": before.now, "seen": ()}
    same = story.state.model_copy(update=place) == before.model_copy(update=place)
    return same and story.cases == cases and len(story.commands) == sent


# --- time


def test_a_case_goes_up_when_nobody_settled_it() -> None:
    story = short_closed()
    entry = CATALOGUE[CaseCode.SHORT_CLOSED]

    story.later(seconds=entry.due + 60)
    overdue = the_case(story)
    story.later(seconds=entry.escalates_after - entry.due)
    risen = the_case(story)

    assert (overdue.escalated_at, overdue.severity) == (None, Severity.HIGH)
    assert (risen.escalated_to, risen.severity, risen.owner) == (
        Owner.LEAD, Severity.URGENT, Owner.CUSTOMER_SERVICE,
    )  # fmt: skip
    assert risen.escalated_at is not None
    assert risen.escalated_at - risen.opened_at >= timedelta(seconds=entry.escalates_after)


def test_it_goes_up_once_and_stays_there() -> None:
    story = short_closed().later(days=2)
    risen = the_case(story)

    story.later(days=2)

    assert the_case(story) == risen


def test_a_case_that_closes_in_time_never_goes_up() -> None:
    story = short_closed().later(hours=1).operator("release_again", G1).later(days=2)

    assert the_case(story).closed_at is not None
    assert the_case(story).escalated_at is None


def test_a_configuration_that_would_have_waited_longer_closes_no_case() -> None:
    story = Story().shopify(UNPAID).later(seconds=3700)
    opened = the_case(story, CaseCode.PAYMENT_NOT_MET)
    story.waiting(hold=86_400).later(minutes=5)
    assert the_case(story, CaseCode.PAYMENT_NOT_MET) == opened
    assert opened in story.state.cases
    story.shopify(ROUTED)
    assert the_case(story, CaseCode.PAYMENT_NOT_MET).closed_at is not None


def test_what_is_waited_for_anew_is_another_case() -> None:
    """Held, released, and held again: by then the longer patience holds."""
    story = Story().shopify(UNPAID).later(seconds=3700).waiting(hold=86_400)
    story.shopify(ROUTED).shopify(UNPAID)
    assert the_case(story, CaseCode.PAYMENT_NOT_MET).closed_at is not None
    assert not [case for case in story.state.cases if case.code is CaseCode.PAYMENT_NOT_MET]


def test_one_that_opens_again_begins_anew() -> None:
    story = short_closed().later(days=2)
    assert the_case(story).escalated_at is not None

    story.clarus(a_goods_out(G1).with_line("901", "MUG", 3).despatched()).clarus(SHORT)
    again = the_case(story)

    assert again.open
    assert (again.escalated_at, again.severity) == (None, Severity.HIGH)


@pytest.mark.parametrize(("before", "risen"), [(2, False), (0, True)])
def test_it_goes_up_at_its_moment(before: int, risen: bool) -> None:
    story = short_closed()
    opened, entry = the_case(story).opened_at, CATALOGUE[CaseCode.SHORT_CLOSED]
    assert the_case(story).due_at == opened + timedelta(seconds=entry.due)
    rises = opened + timedelta(seconds=entry.escalates_after)
    assert story.state.wake_at is not None
    assert story.state.wake_at <= rises
    story.later(seconds=(rises - story.at).total_seconds() - before)
    assert (the_case(story).escalated_at is not None) == risen


def test_what_a_case_says_is_kept_up_to_date_and_when_it_was_opened_stays() -> None:
    story = short_closed()
    first = the_case(story)
    two = an_order().with_line("MUG", 3).routed("71").refunded(L901=2)
    story.later(hours=1).shopify(two)
    now = the_case(story)
    assert (first.detail[:6], now.detail[:6]) == ("2 of 3", "1 of 3")
    assert (now.opened_at, now.due_at, now.open) == (first.opened_at, first.due_at, True)


def test_a_closed_case_stays_for_a_while_to_be_sent_again_and_is_then_forgotten() -> None:
    story = short_closed().operator("release_again", G1)
    assert [case.code for case in story.state.closed_cases] == [CaseCode.SHORT_CLOSED]
    assert story.state.closed_cases[0].closed_at == story.state.now
    story.later(minutes=9).shopify(ROUTED.advised(RiskAdvice.ACCEPT))
    assert len(story.state.closed_cases) == 1
    story.later(minutes=2).shopify(ROUTED.advised(RiskAdvice.NONE))
    assert not story.state.closed_cases


def test_a_case_is_told_when_something_of_it_changes_and_not_at_every_event() -> None:
    told: list[Case] = []

    class Telling(Story):
        def receive(self, emission: Emission) -> None:
            super().receive(emission)
            if emission.topic == CASES.name and emission.value is not None:
                case = RECORDS.decode(emission.value, emission.headers)
                told.extend([case] if isinstance(case, Case) and case.code is CaseCode.SHORT_CLOSED else [])

    story = Telling().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(SHORT)
    assert len(told) == 1
    story.shopify(ROUTED.advised(RiskAdvice.ACCEPT)).later(minutes=30)
    assert len(told) == 1
    story.operator("assign", "short_closed", says="kim")
    assert len(told) == 2


def test_that_a_person_closed_it_is_forgotten_when_it_is_over() -> None:
    story = short_closed().operator("close", "short_closed")
    assert [one.code for one in story.state.closed_by_person] == [CaseCode.SHORT_CLOSED]
    story.shopify(ROUTED.refunded(L901=2))
    assert story.state.closed_by_person == ()
    assert CaseCode.SHORT_CLOSED in story.shopify(ROUTED).open_cases, "it is a case anew"


def test_cases_stand_and_are_told_in_the_order_of_their_keys() -> None:
    story = Story().shopify(an_order().with_line("MUG", 3).shipping_to(None).paid(FinancialStatus.PENDING).routed("71"))
    story.later(hours=2)
    keys = [case.key for case in story.state.cases]
    assert len(keys) > 1
    assert keys == sorted(keys)
    assert list(story.cases) == sorted(story.cases)
    story.shopify(ROUTED)
    assert [case.key for case in story.state.closed_cases] == keys


# --- taking


def test_a_case_is_taken_and_given_to_another_and_freed() -> None:
    story = short_closed()

    story.operator("assign", "short_closed", says="kim")
    assert the_case(story).assignee == "kim"
    assert nothing_more(story, "assign", "short_closed", says="kim")
    story.operator("assign", "short_closed", says="ola")
    assert the_case(story).assignee == "ola"
    story.operator("assign", "short_closed")
    assert the_case(story).assignee == ""


def test_who_has_it_is_forgotten_with_the_case() -> None:
    story = short_closed().operator("assign", "short_closed", says="kim").operator("release_again", G1)

    assert story.state.taken == ()
    assert the_case(story).assignee == "kim", "the closed case still says who had it"


def test_nobody_takes_a_case_that_is_not_there() -> None:
    story = short_closed()

    assert nothing_more(story, "assign", "erp_not_posted", says="kim")
    assert nothing_more(story, "assign", "short_closed", object="ACME-5012-71-9", says="kim")


# --- answering


def test_send_again_releases_what_did_not_leave() -> None:
    story = short_closed().operator("answer", "short_closed", says="send-again")

    assert story.quantities == [{"901": 3}, {"901": 2}]
    assert not the_case(story).open
    assert [(one.answer, one.who, one.why) for one in story.state.answers] == [("send-again", "kim", "asked")]
    assert nothing_more(story, "answer", "short_closed", says="send-again")


def test_refund_waits_for_the_refund_and_keeps_the_answer() -> None:
    story = short_closed().operator("answer", "short_closed", says="refund")

    assert the_case(story).open
    assert the_case(story).answer == "refund"
    assert nothing_more(story, "answer", "short_closed", says="refund")

    story.shopify(ROUTED.refunded(L901=2).fulfilled("801", L901=1, numbers=("T1",)))
    assert not the_case(story).open


def test_an_answer_that_closes_closes_for_good() -> None:
    beyond = a_goods_out(G1).with_line("901", "MUG", 3).despatched(L901=5)
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(beyond)
    story.operator("answer", "over_despatched", says="write-off")
    assert not the_case(story, CaseCode.OVER_DESPATCHED).open

    story.clarus(a_goods_out(G1).with_line("901", "MUG", 3).despatched(L901=3)).clarus(beyond)

    assert CaseCode.OVER_DESPATCHED not in story.open_cases, "the same question is not asked again"


def test_a_changed_fact_is_another_question() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out(G1).with_line("901", "MUG", 3).despatched(L901=5))
    story.operator("answer", "over_despatched", says="write-off")

    story.clarus(a_goods_out(G1).with_line("901", "MUG", 3).despatched(L901=6))

    assert CaseCode.OVER_DESPATCHED in story.open_cases
    assert the_case(story, CaseCode.OVER_DESPATCHED).answer == ""


@pytest.mark.parametrize(("code", "says"), [("short_closed", "perhaps"), ("clarus_slow", "yes"), ("nonsense", "yes")])
def test_an_answer_nobody_asked_for_changes_nothing(code: str, says: str) -> None:
    assert nothing_more(short_closed(), "answer", code, says=says)


def test_decisions_outlive_the_hot_state() -> None:
    story = in_step()
    story.clarus(a_goods_out(G1).with_line("901", "MUG", 2).despatched(L901=4))
    story.operator("answer", "over_despatched", says="take-back").later(days=40)

    assert story.state.shopify is None
    assert [(one.code, one.answer) for one in story.state.answers] == [(CaseCode.OVER_DESPATCHED, "take-back")]


# --- trying again


def refused() -> Story:
    """Clarus does not know the SKU; Kim has taken the case."""
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unknown_sku", field="MUG")
    return story.operator("assign", "unknown_sku", says="kim")


def test_what_was_refused_is_tried_at_once_and_its_case_stays_until_it_is_accepted() -> None:
    story = refused().operator("retry")

    assert len(story.sent(CreateGoodsOut)) == 2
    assert the_case(story, CaseCode.UNKNOWN_SKU).open
    assert the_case(story, CaseCode.UNKNOWN_SKU).assignee == "kim"

    story.applied(story.sent(CreateGoodsOut)[1])
    assert not the_case(story, CaseCode.UNKNOWN_SKU).open


def test_refused_again_it_is_the_same_case_and_waits_for_its_back_off() -> None:
    story = refused()
    before = the_case(story, CaseCode.UNKNOWN_SKU)
    story.operator("retry")
    story.ended(story.sent(CreateGoodsOut)[1], OutcomeKind.REJECTED, code="unknown_sku", field="MUG").later(minutes=1)

    assert the_case(story, CaseCode.UNKNOWN_SKU) == before
    assert len(story.sent(CreateGoodsOut)) == 2
    story.later(hours=1)
    assert len(story.sent(CreateGoodsOut)) == 3


def test_trying_again_while_it_is_under_way_sends_nothing_more() -> None:
    story = refused().operator("retry").operator("retry")

    assert len(story.sent(CreateGoodsOut)) == 2


# --- overriding


def test_an_override_is_kept_with_who_and_why() -> None:
    story = Story().shopify(UNPAID).operator("override", "payment_not_met")

    (one,) = story.state.overridden
    assert (one.code, one.who, one.why) == (CaseCode.PAYMENT_NOT_MET, "kim", "asked")
    assert nothing_more(story, "override", "payment_not_met")


@pytest.mark.parametrize("code", ["unmapped_location", "nonsense", ""])
def test_what_could_not_be_sent_cannot_be_overridden(code: str) -> None:
    assert nothing_more(Story().shopify(UNPAID), "override", code)


# --- replay


def test_what_people_did_is_replayed_to_the_last_byte() -> None:
    story = short_closed().operator("assign", "short_closed", says="kim").later(days=1)
    story.operator("answer", "short_closed", says="refund").operator("assign", "short_closed", says="ola").later(days=1)

    changes, _ = refold(story.log)

    folded = {change.key: change.value for change in changes}
    assert folded == story.changelog


def test_a_state_of_an_earlier_release_is_read() -> None:
    state = short_closed().state
    earlier = state.model_dump(mode="json", exclude={"taken", "answers", "overridden"})
    for case in earlier["cases"]:
        for field in ("escalated_at", "escalated_to", "assignee", "answer"):
            del case[field]

    assert OrderState.model_validate(earlier) == state


# --- counting


def test_a_case_that_went_up_is_counted_with_its_higher_severity() -> None:
    story = short_closed()
    high, urgent = ((ACME, CaseCode.SHORT_CLOSED, one) for one in (Severity.HIGH, Severity.URGENT))
    assert story.fold.open_cases() == {high: 1}

    story.later(days=2)
    assert story.fold.open_cases()[urgent] == 1
    assert high not in story.fold.open_cases()

    story.operator("answer", "short_closed", says="send-again")
    assert urgent not in story.fold.open_cases()


def test_an_open_case_is_woken_for_when_it_goes_up_and_never_again() -> None:
    story = short_closed()
    [case] = story.state.cases
    state = story.state.model_copy(update={"since": ()})
    look = Look(code=case.code, object=case.object, detail=case.detail)
    rises = case.opened_at + timedelta(seconds=CATALOGUE[case.code].escalates_after)
    wakes: list[datetime] = []
    judged(state, [look], [], wakes)
    assert wakes == [rises]
    wakes.clear()
    risen, _ = judged(state.model_copy(update={"now": rises}), [look], [], wakes)
    assert risen.cases[0].escalated_at == rises
    judged(risen, [look], [], wakes)
    assert wakes == []
