"""The cases of a key: opened by fact or by time, escalated by time, closed by fact alone."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, Self, TypeVar

from schemas.base import Brand, OrderId
from schemas.cases import CATALOGUE, Case
from schemas.questions import Then, answer_of
from streams.rules.orders.findings import Finding, Look, Waiting
from streams.rules.orders.state import Answered, Closed, Taken

CLOSED_KEPT = timedelta(minutes=10)
"""A closed case stays in the state so long, to be sent again when nobody knows whether it was."""


class HasCases(Protocol):
    """What a state needs so that people can be asked about it."""

    @property
    def brand(self) -> Brand: ...
    @property
    def order(self) -> OrderId: ...
    @property
    def now(self) -> datetime: ...
    @property
    def cases(self) -> tuple[Case, ...]: ...
    @property
    def closed_cases(self) -> tuple[Case, ...]: ...
    @property
    def closed_by_person(self) -> tuple[Closed, ...]: ...
    @property
    def taken(self) -> tuple[Taken, ...]: ...
    @property
    def answers(self) -> tuple[Answered, ...]: ...
    def since_of(self, name: str) -> datetime | None: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...


S = TypeVar("S", bound=HasCases)


def judged(
    state: S, findings: Sequence[Finding], waitings: Sequence[Waiting], wakes: list[datetime], *, whole: bool = True
) -> tuple[S, tuple[Case, ...]]:
    """A case is open as long as its finding is there, and no person has closed it: also where a changed configuration
    would have waited longer before it opened it. Returns what changed now.

    `whole`: all that there is to know has been read. Until then a finding that is not there may only not be seen yet,
    and what a person closed stays closed.
    """
    looks = [finding for finding in findings if isinstance(finding, Look)]
    opened = {(case.code, case.object): case.opened_at for case in state.cases}
    for waiting in waitings:
        if waiting.code is None:
            continue
        since = state.since_of(waiting.name) or state.now
        opens = since + timedelta(seconds=waiting.after)
        stands = opened.get((waiting.code, waiting.object))
        if opens <= state.now or (stands is not None and since <= stands):
            looks.append(Look(code=waiting.code, object=waiting.object, detail=waiting.detail))
        else:
            wakes.append(opens)
    if not (looks or state.cases or state.closed_cases or state.closed_by_person):
        return state, ()
    said = {Closed(code=one.code, object=one.object, detail=one.detail) for one in looks}
    stay = said if whole else said.union(state.closed_by_person)
    closed = tuple(one for one in dict.fromkeys((*state.closed_by_person, *_decided(state))) if one in stay)
    looks = [one for one in looks if Closed(code=one.code, object=one.object, detail=one.detail) not in closed]

    before = {case.key: case for case in state.cases}
    now_open: dict[str, Case] = {}
    for look in looks:
        case = _case(state, look)
        now_open[case.key] = _now(state, look, before.get(case.key, case), wakes)
    changed_now = [case for key, case in now_open.items() if before.get(key) != case]
    ended = [case.model_copy(update={"closed_at": state.now}) for key, case in before.items() if key not in now_open]
    cases = tuple(sorted(now_open.values(), key=lambda case: case.key))
    recently = (case for case in state.closed_cases if case.closed_at and case.closed_at > state.now - CLOSED_KEPT)
    update = {
        "cases": cases,
        "closed_by_person": closed,
        "closed_cases": (*recently, *ended),
        "taken": tuple(one for one in state.taken if any(_same(one, case) for case in cases)),
    }
    return state.model_copy(update=update), tuple(sorted((*changed_now, *ended), key=lambda case: case.key))


def _decided(state: HasCases) -> Iterable[Closed]:
    """What answers have closed for good: asked once, with these very facts never again."""
    for one in state.answers:
        answer = answer_of(one.code, one.answer)
        if answer is not None and answer.then is Then.CLOSES:
            yield Closed(code=one.code, object=one.object, detail=one.detail)


def _case(state: HasCases, look: Look) -> Case:
    entry = CATALOGUE[look.code]
    return Case(
        brand=state.brand,
        order=state.order,
        object=look.object,
        code=look.code,
        detail=look.detail,
        opened_at=state.now,
        due_at=state.now + timedelta(seconds=entry.due),
        owner=entry.owner,
        severity=entry.severity,
    )


def _now(state: HasCases, look: Look, case: Case, wakes: list[datetime]) -> Case:
    """An open case as it is now: what it says, who has it, what was answered, whether it went up."""
    taken = next((one.by for one in state.taken if _same(one, case)), "")
    answers = (one.answer for one in state.answers if _same(one, case) and one.detail == look.detail)
    update: dict[str, object] = {"detail": look.detail, "assignee": taken, "answer": next(answers, "")}
    entry = CATALOGUE[case.code]
    rises = case.opened_at + timedelta(seconds=entry.escalates_after)
    if case.escalated_at is None and rises <= state.now:
        update |= {"escalated_at": state.now, "escalated_to": entry.escalates_to, "severity": entry.escalated}
    elif case.escalated_at is None:
        wakes.append(rises)
    return case.model_copy(update=update)


def _same(one: Taken | Answered, case: Case) -> bool:
    return (one.code, one.object) == (case.code, case.object)
