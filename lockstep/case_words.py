"""A case in plain words: what it is, whose it is, what to do and what happens next. Nothing personal is said."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from shlex import quote

from schemas.base import order_key
from schemas.cases import CATALOGUE, Case, CaseCode
from schemas.questions import QUESTIONS, Then, answer_of


def explained(case: Case, now: datetime) -> Iterator[str]:
    """All there is to say about it, line by line; the first is its head."""
    entry = CATALOGUE[case.code]
    state = "open" if case.closed_at is None else f"closed {moment(case.closed_at)}"
    yield f"{case.code} {case.object}, {state}: {case.detail}"
    yield f"  {entry.meaning}"
    if case.open:
        yield f"  First: {entry.first_action}"
        yield from (f"  {line}" for line in _to_type(case))
    yield f"  Closes when: {entry.closes_when}"
    yield f"  Owner {case.owner}, {case.severity}, due {moment(case.due_at)}{_how_late(case, now)}"
    if case.open:
        yield f"  {_taken(case)}; {goes_up(case)}"


def goes_up(case: Case) -> str:
    """Whether it went up, or when it will."""
    entry = CATALOGUE[case.code]
    if case.escalated_at is not None:
        return f"it went up to {case.escalated_to} {moment(case.escalated_at)}"
    at = moment(case.opened_at + timedelta(seconds=entry.escalates_after))
    return f"it goes up to {entry.escalates_to} {at} if it is still open"


def is_overdue(case: Case, now: datetime) -> bool:
    return case.open and case.due_at < now


def moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def after_answer(case: Case, said: str) -> str:
    """What happens next when that is the answer."""
    answer = answer_of(case.code, said)
    assert answer is not None
    then = CATALOGUE[case.code].closes_when if answer.then is Then.WAITS else ""
    return f"{answer.next}. " + (f"The case stays open until {then}." if then else "The case closes.")


def when_mended(code: CaseCode, key: str) -> str:
    """What to type then, so that nobody waits for the next look."""
    if code in QUESTIONS:
        return f"`lockstep case answer {key} {quote(code)} ANSWER --why WHY`"
    if code in _CONNECTIONS:
        return "it closes by itself with the next answer"
    if code is CaseCode.ITEM_GAPS_MANY:
        return "it closes by itself within a day"
    if code.startswith("unmapped"):
        return "`lockstep config apply FILE`"
    if code in _REFUSED:
        return f"`lockstep case retry {key}`"
    brand, _, order = key.partition("/")
    if code in _SWEPT or order.startswith("~"):
        return f"`lockstep sweep {brand}`"
    return f"`lockstep refresh {key}`"


_CONNECTIONS = (CaseCode.CONNECTION_DOWN, CaseCode.CLARUS_RIGHTS_LOST)
_SWEPT = (CaseCode.ORPHAN_GOODS_OUT, CaseCode.PACKAGE_ASTRAY, CaseCode.SWEEP_LATE)
"""They belong to no order: the next sweep finds them again, or not."""
_REFUSED = (
    CaseCode.UNKNOWN_SKU, CaseCode.CLARUS_REFUSED, CaseCode.ERP_REFUSED, CaseCode.SHOPIFY_REFUSED,
    CaseCode.ITEM_REFUSED, CaseCode.ITEM_BARCODE_TAKEN,
)  # fmt: skip


def _to_type(case: Case) -> Iterator[str]:
    key, entry = order_key(case.brand, case.order), CATALOGUE[case.code]
    question = QUESTIONS.get(case.code)
    if case.answer:
        yield f"Answered: {case.answer}: {after_answer(case, case.answer)}"
    elif question is not None:
        yield f"Question: {question.asks} lockstep case answer {key} {quote(case.code)} ANSWER --why WHY"
        yield from (f"  {said}: {answer.next}" for said, answer in question.answers.items())
    if question is None:
        yield f"When that is done: {when_mended(case.code, key).strip('`')}"
    if entry.by_person and question is None:
        yield f"Or close it: lockstep case close {key} {case.code} --why WHY"
    if entry.override:
        yield f"Or override it, and {entry.override}: lockstep case override {key} {case.code} --why WHY"


def _how_late(case: Case, now: datetime) -> str:
    if not is_overdue(case, now):
        return ""
    return f", overdue by {lasting(now - case.due_at)}"


def lasting(time: timedelta) -> str:
    """`40 min`, `3 h` or `2 d`: rounded down."""
    minutes = int(time.total_seconds()) // 60
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def _taken(case: Case) -> str:
    return f"Taken by {case.assignee}" if case.assignee else "Nobody has taken it"
