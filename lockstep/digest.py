"""The daily digest of an owner's cases, as Markdown that reads well as plain text too. Nothing personal is said."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from lockstep.case_words import is_overdue, lasting, moment
from schemas.base import Brand, order_key
from schemas.cases import CATALOGUE, Case, Owner

MOST = 40
"""Cases listed one by one; the others are counted."""
A_DAY = timedelta(days=1)


def theirs(cases: Sequence[Case], brand: Brand, owner: Owner) -> list[Case]:
    """An owner's open cases and those that went up to it, the one due first on top."""
    found = (case for case in cases if case.open and case.brand == brand and owner in (case.owner, case.escalated_to))
    return sorted(found, key=lambda case: (case.due_at, case.key))


def digest(cases: Sequence[Case], brand: Brand, owner: Owner, now: datetime) -> str:
    """What waits for this owner now, the most pressing first, and what was settled since yesterday."""
    return "\n".join(_lines(cases, brand, owner, now))


def _lines(cases: Sequence[Case], brand: Brand, owner: Owner, now: datetime) -> Iterator[str]:
    found = theirs(cases, brand, owner)
    overdue = [case for case in found if is_overdue(case, now)]
    new = sum(case.opened_at > now - A_DAY for case in found)
    closed = sum(
        case.closed_at is not None and case.closed_at > now - A_DAY and case.brand == brand and case.owner is owner
        for case in cases
    )
    yield f"## {brand}, {owner}: {len(found)} open, {len(overdue)} overdue"
    yield ""
    yield f"{new} opened and {closed} closed since {moment(now - A_DAY)}."
    if not found:
        yield ""
        yield "Nothing waits for you."
        return
    yield ""
    for case in found[:MOST]:
        yield _line(case, now)
    if len(found) > MOST:
        yield f"- and {len(found) - MOST} more: `lockstep case list --brand {brand} --owner '{owner}'`"
    yield ""
    yield "What to do first:"
    yield ""
    for code in sorted({case.code for case in found}):
        yield f"- `{code}`: {CATALOGUE[code].first_action}"


def _line(case: Case, now: datetime) -> str:
    late = f"**overdue by {lasting(now - case.due_at)}**" if is_overdue(case, now) else f"due {moment(case.due_at)}"
    up = "" if case.escalated_to is None else f", went up to {case.escalated_to}"
    taken = "taken" if case.assignee else "nobody has it"
    says = " ".join(f"{case.object}: {case.detail}".split())  # an ERP's refusal has lines of its own
    return f"- `{case.code}` {order_key(case.brand, case.order)} {says}; {late}{up}; {taken}"
