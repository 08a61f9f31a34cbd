"""The catalogue is whole: every case is explained for whoever gets it, goes up in time, asks only what it can do."""

import pytest

from schemas.cases import CATALOGUE, CaseCode, Owner, Severity
from schemas.questions import QUESTIONS, Then, answer_of

EVERY = pytest.mark.parametrize("code", list(CaseCode))


@EVERY
def test_every_case_is_explained_for_whoever_gets_it(code: CaseCode) -> None:
    entry = CATALOGUE[code]

    assert entry.meaning.endswith((".", "!", "?"))
    assert entry.first_action.endswith((".", "!", "?"))
    assert entry.closes_when
    assert not entry.closes_when.endswith(".")
    assert entry.owner is not Owner.LEAD, "a lead gets what others did not settle"


@EVERY
def test_every_case_goes_up_to_another_after_its_due_time(code: CaseCode) -> None:
    entry = CATALOGUE[code]

    assert 3600 <= entry.due <= 48 * 3600
    assert entry.due < entry.escalates_after <= 48 * 3600
    assert entry.escalates_to is not entry.owner
    assert entry.escalated is Severity.URGENT or entry.severity is Severity.NORMAL


def test_what_stops_shipping_is_urgent_and_due_within_half_a_shift() -> None:
    """Address, SKU, location and shipping line hold an order back; a goods-out gone or unknown may leave twice."""
    stops = {
        CaseCode.ADDRESS_INCOMPLETE, CaseCode.SKU_MISSING, CaseCode.UNKNOWN_SKU, CaseCode.UNMAPPED_LOCATION,
        CaseCode.UNMAPPED_SHIPPING_LINE, CaseCode.CLARUS_REFUSED, CaseCode.CLARUS_SLOW, CaseCode.GOODS_OUT_MISSING,
        CaseCode.UNKNOWN_GOODS_OUT, CaseCode.CHANGED_AFTER_RELEASE, CaseCode.CANCELLED_AFTER_RELEASE,
        CaseCode.CONNECTION_DOWN, CaseCode.CLARUS_RIGHTS_LOST,
    }  # fmt: skip

    assert {code for code in stops if CATALOGUE[code].severity is not Severity.URGENT} == set()
    assert all(CATALOGUE[code].due <= 4 * 3600 for code in stops)


@EVERY
def test_what_no_system_shows_a_person_may_close(code: CaseCode) -> None:
    entry = CATALOGUE[code]

    if "a person" in entry.closes_when:
        assert entry.by_person
    if code in QUESTIONS:
        assert entry.by_person, "who may answer may close"


@pytest.mark.parametrize("code", list(QUESTIONS))
def test_a_question_has_answers_that_say_what_happens(code: CaseCode) -> None:
    question = QUESTIONS[code]

    assert question.asks.endswith("?")
    assert len(question.answers) >= 2
    for said, one in question.answers.items():
        assert said.replace("-", "").isalpha(), "one word to type"
        assert one.next[0].islower()
        assert not one.next.endswith(".")
        assert answer_of(code, said) is one


def test_only_what_lies_in_the_warehouse_can_be_released_again() -> None:
    releases = {code for code, one in QUESTIONS.items() for said in one.answers.values() if said.then is Then.RELEASES}

    assert releases == {CaseCode.GOODS_OUT_MISSING, CaseCode.SHORT_CLOSED}


def test_a_code_without_a_question_has_no_answer() -> None:
    assert answer_of(CaseCode.CONNECTION_DOWN, "yes") is None
    assert answer_of(CaseCode.SHORT_CLOSED, "perhaps") is None
