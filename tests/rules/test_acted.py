"""What a person asked for, of several cases and commands at once: what is meant changes, and nothing else."""

from datetime import timedelta

import pytest

from schemas.base import GoodsOutRef, System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut, UpsertErpOrder
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from streams.rules.orders.acted import retried
from streams.rules.orders.state import DEAD
from tests.builders import GoodsOutBuilder, a_goods_out, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
PLACES = an_order().with_line("MUG", 3).with_line("HAT", 2).routed("71", L901=3).routed("72", L902=2)
MUGS = a_goods_out(G1).with_line("901", "MUG", 3)
HATS = a_goods_out(G2, "9002").with_line("902", "HAT", 2)


def released() -> Story:
    story = Story().shopify(PLACES)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    return story.clarus(MUGS, HATS)


def both_short() -> Story:
    """Of either goods-out one unit left."""
    return released().clarus(MUGS.despatched(L901=1), HATS.despatched(L902=1))


def open_of(story: Story, code: CaseCode = CaseCode.SHORT_CLOSED) -> set[str]:
    return {case.object for case in story.cases.values() if case.code is code and case.open}


@pytest.mark.parametrize(
    ("target", "about", "left"),
    [
        ("short_closed", G1, {G2}),
        ("short_closed", G2, {G1}),
        ("short_closed", "", set()),
        ("", G1, {G2}),
        ("", "", set()),
        ("erp_slow", G1, {G1, G2}),
        ("short_closed", "ACME-5012-73-1", {G1, G2}),
    ],
)
def test_the_cases_that_are_meant_are_closed(target: str, about: str, left: set[str]) -> None:
    assert open_of(both_short().operator("close", target, object=about)) == left


@pytest.mark.parametrize(("about", "who"), [(G1, {G1: "kim", G2: ""}), ("", {G1: "kim", G2: "kim"})])
def test_the_cases_that_are_meant_are_taken(about: str, who: dict[str, str]) -> None:
    story = both_short().operator("assign", "short_closed", object=about, says="kim")
    assert {case.object: case.assignee for case in story.cases.values() if case.code is CaseCode.SHORT_CLOSED} == who


def test_who_took_which_is_kept_in_an_order_of_its_own() -> None:
    story = both_short().operator("assign", "short_closed", object=G2, says="ola")
    story.operator("assign", "short_closed", object=G1, says="kim")
    assert [(one.object, one.by) for one in story.state.taken] == [(G1, "kim"), (G2, "ola")]
    both = both_short().operator("assign", "short_closed", says="kim")
    assert [one.object for one in both.state.taken] == [G1, G2]


def test_closing_twice_keeps_one_mark() -> None:
    story = both_short().operator("close", "short_closed", object=G1)
    story.clarus(MUGS, HATS.despatched(L902=1)).clarus(MUGS.despatched(L901=1), HATS.despatched(L902=1))
    story.operator("close", "short_closed")
    assert sorted(one.object for one in story.state.closed_by_person) == [G1, G2]


def test_answers_to_two_questions_are_kept_beside_each_other() -> None:
    story = both_short().operator("answer", "short_closed", object=G1, says="refund")
    story.operator("answer", "short_closed", object=G2, says="send-again")
    assert [(one.object, one.answer) for one in story.state.answers] == [(G1, "refund"), (G2, "send-again")]
    assert story.quantities[-1] == {"902": 1}
    assert open_of(story) == {G1}

    story.operator("answer", "short_closed", object=G1, says="send-again")
    assert [(one.object, one.answer) for one in story.state.answers] == [(G2, "send-again"), (G1, "send-again")]
    assert story.quantities[-1] == {"901": 2}


def test_an_answer_that_only_waits_closes_and_releases_nothing() -> None:
    story = both_short().operator("answer", "short_closed", says="refund")
    assert open_of(story) == {G1, G2}
    assert len(story.quantities) == 2
    assert story.state.closed_by_person == ()


def test_an_answer_that_closes_releases_nothing() -> None:
    story = released().clarus(HATS).clarus(HATS)
    assert open_of(story, CaseCode.GOODS_OUT_MISSING) == {G1}
    story.operator("answer", "goods_out_missing", says="keep-back")
    assert open_of(story, CaseCode.GOODS_OUT_MISSING) == set()
    assert len(story.quantities) == 2
    assert not any(known.given_up for known in story.state.goods_outs)


@pytest.mark.parametrize(
    ("case", "goods_out", "again"),
    [
        ("the warehouse works on it", MUGS.picking(), False),
        ("it ended short", MUGS.despatched(L901=1), True),
        ("a line that a person put in", MUGS.with_line("", "JUG", 1).picking(), True),
        ("it was cancelled", MUGS.picked(L901=1).status(GoodsOutStatus.CANCELLED), True),
    ],
)
def test_only_what_the_warehouse_is_done_with_is_released_again(
    case: str, goods_out: GoodsOutBuilder, again: bool
) -> None:
    story = released().clarus(goods_out, HATS).operator("release_again", G1)
    assert [known.given_up for known in story.state.goods_outs] == [again, False], case


def test_releasing_again_what_nobody_knows_changes_nothing() -> None:
    story = both_short()
    before = story.state.goods_outs
    assert story.operator("release_again", "ACME-5012-73-1").state.goods_outs == before


# --- trying again


def refused_by_both() -> Story:
    story = Story().shopify(PLACES)
    create = story.sent(CreateGoodsOut)[0]
    story.applied(create).clarus(MUGS)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="odd")
    story.ended(story.sent(CreateGoodsOut)[1], OutcomeKind.REJECTED, code="odd")
    story.reads.clear()
    return story


def test_retrying_has_those_read_that_refused_or_all() -> None:
    assert set(refused_by_both().operator("retry", "clarus_refused").reads) == {System.CLARUS, System.ERP}
    assert set(Story().shopify(PLACES).operator("retry").reads) == set(System)
    one = Story().shopify(PLACES)
    one.ended(one.sent(CreateGoodsOut)[0], OutcomeKind.REJECTED, code="odd")
    one.reads.clear()
    assert set(one.operator("retry", "clarus_refused").reads) == {System.CLARUS}
    assert set(one.operator("refresh").reads[-3:]) == set(System)


def test_what_is_delayed_is_tried_now() -> None:
    story = Story().shopify(PLACES)
    first = story.sent(CreateGoodsOut)[0]
    story.ended(first, OutcomeKind.DELAYED, code="stopped", until=story.at + timedelta(minutes=30))
    assert len(story.later(minutes=5).sent(CreateGoodsOut)) == 2
    assert len(story.operator("retry").sent(CreateGoodsOut)) == 3
    assert story.state.delays == ()


def test_what_was_done_and_is_not_to_be_seen_is_done_again() -> None:
    """A person looked: the sales order is not in the ERP though it was said to be made."""
    story = Story().shopify(PLACES)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    story.clarus(MUGS, HATS)
    story.applied(story.one(UpsertErpOrder), "77").erp(None)
    assert len(story.sent(UpsertErpOrder)) == 1
    assert len(story.operator("retry").sent(UpsertErpOrder)) == 2


@pytest.mark.parametrize(("age", "kept"), [(DEAD - timedelta(seconds=1), 2), (DEAD, 0)])
def test_what_has_no_outcome_for_long_is_not_waited_for_any_more(age: timedelta, kept: int) -> None:
    state = Story().shopify(PLACES).state
    decided = state.creates_in_flight[0].decided_at
    later = state.model_copy(update={"now": decided + age})
    assert len([one for one in retried(later).in_flight if isinstance(one, CreateGoodsOut)]) == kept


def test_a_withdrawal_stays_with_what_it_withdraws() -> None:
    story = Story().shopify(PLACES).shopify(PLACES.cancelled())
    assert len(story.state.withdrawn) == 2
    assert retried(story.state).withdrawn == story.state.withdrawn
    dead = story.state.model_copy(update={"now": story.state.now + DEAD})
    assert retried(dead).withdrawn == ()


@pytest.mark.parametrize(("tries", "after"), [(1, 1), (2, 2), (7, 2)])
def test_the_back_off_begins_anew_but_not_the_count(tries: int, after: int) -> None:
    story = Story().shopify(PLACES)
    story.ended(story.sent(CreateGoodsOut)[0], OutcomeKind.REJECTED, code="odd")
    [refusal] = story.state.refusals
    state = story.state.model_copy(update={"refusals": (refusal.model_copy(update={"tries": tries}),)})
    assert [(one.tries, one.again) for one in retried(state).refusals] == [(after, True)]


def test_of_an_unknown_goods_out_nothing_is_known() -> None:
    assert released().state.goods_out(GoodsOutRef("ACME-5012-73-1")) is None


def test_an_answer_is_about_one_case_though_another_says_the_same() -> None:
    """Either goods-out had two units, of which one left."""
    order = an_order().with_line("MUG", 2).with_line("HAT", 2).routed("71", L901=2).routed("72", L902=2)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    mugs, hats = a_goods_out(G1).with_line("901", "MUG", 2), a_goods_out(G2, "9002").with_line("902", "HAT", 2)
    story.clarus(mugs.despatched(L901=1), hats.despatched(L902=1))
    assert len({case.detail for case in story.cases.values() if case.code is CaseCode.SHORT_CLOSED}) == 1
    story.operator("answer", "short_closed", object=G1, says="refund")
    answers = {case.object: case.answer for case in story.cases.values() if case.code is CaseCode.SHORT_CLOSED}
    assert answers == {G1: "refund", G2: ""}


def test_one_that_is_closed_by_its_answer_stays_closed_when_it_comes_back() -> None:
    story = both_short().clarus(MUGS.despatched(L901=9), HATS)
    story.operator("answer", "over_despatched", says="write-off")
    assert [(one.code, one.object) for one in story.state.closed_by_person] == [(CaseCode.OVER_DESPATCHED, G1)]
    assert open_of(story, CaseCode.OVER_DESPATCHED) == set()
    assert not any(known.given_up for known in story.state.goods_outs)
