"""What a person asked for. Asked twice, it changes nothing the second time."""

from typing import TypeVar

from schemas.base import GoodsOutRef, System
from schemas.cases import CATALOGUE, Case, CaseCode
from schemas.events import OperatorActed
from schemas.questions import Then, answer_of
from streams.rules.orders.acting import Acting
from streams.rules.orders.cases import HasCases
from streams.rules.orders.state import DEAD, Answered, Closed, KnownGoodsOut, OrderState, Overridden, Taken
from streams.rules.orders.sweeping import asked_for

S = TypeVar("S", bound=HasCases)
A = TypeVar("A", bound=Acting)


def acted(state: OrderState, event: OperatorActed) -> OrderState:
    """The state after an operator's action. One that names nothing known changes nothing."""
    match event.action:
        case "retry":
            rejected_by = tuple(refusal.system for refusal in state.refusals)
            return retried(state).asking(*(rejected_by if event.target else System))
        case "refresh":
            return state.asking(*System)
        case "close":
            return closed(state, *meant(state, event))
        case "release_again":
            return _given_up(state, GoodsOutRef(event.target))
        case "override":
            return _overridden(state, event)
        case "assign":
            return taken(state, event)
        case "answer":
            return _answered(state, event)
        case "sweep":
            return asked_for(state, event)


def meant(state: HasCases, event: OperatorActed) -> tuple[Case, ...]:
    """The open cases that an action is about."""
    return tuple(case for case in state.cases if event.target in ("", case.code) and event.object in ("", case.object))


def retried(state: A) -> A:
    """What was refused is tried now; that it was refused stays until it is accepted, and its case with it."""
    alive = tuple(flying for flying in state.in_flight if state.now - flying.decided_at < DEAD)
    ids = {flying.id for flying in alive}
    return state.model_copy(
        update={
            "refusals": tuple(
                one.model_copy(update={"again": True, "tries": min(one.tries, 2)}) for one in state.refusals
            ),
            "delays": (),
            "done": (),
            "in_flight": alive,
            "withdrawn": tuple(one for one in state.withdrawn if one.withdrawn in ids),
        }
    )


def closed(state: S, *cases: Case) -> S:
    now_closed = tuple(Closed(code=case.code, object=case.object, detail=case.detail) for case in cases)
    new = tuple(one for one in now_closed if one not in state.closed_by_person)
    return state.model_copy(update={"closed_by_person": (*state.closed_by_person, *new)})


def may_go_again(known: KnownGoodsOut) -> bool:
    """Whether the warehouse is done with it, or it bears a line that nobody ordered."""
    settled = known.missing or known.goods_out.status.ended
    return settled or any(not line.line for line in known.goods_out.lines)


def _given_up(state: OrderState, reference: GoodsOutRef) -> OrderState:
    """What a goods-out still covers may go again. While the warehouse works on it, it is cancelled there first."""
    known = state.goods_out(reference)
    if known is None or not may_go_again(known):
        return state
    return state.with_goods_out(reference, given_up=True)


def _overridden(state: OrderState, event: OperatorActed) -> OrderState:
    code = next((code for code in CaseCode if code == event.target), None)
    if code is None or not CATALOGUE[code].override or any(one.code is code for one in state.overridden):
        return state
    one = Overridden(code=code, who=event.who, why=event.why, at=state.now)
    return state.model_copy(update={"overridden": (*state.overridden, one)})


def taken(state: S, event: OperatorActed) -> S:
    """By whom it is taken last counts; nobody frees it."""
    theirs = {(case.code, case.object) for case in meant(state, event)}
    others = [one for one in state.taken if (one.code, one.object) not in theirs]
    if event.says:
        others += [Taken(code=code, object=what, by=event.says) for code, what in theirs]
    return state.model_copy(update={"taken": tuple(sorted(others, key=lambda one: (one.code, one.object)))})


def _answered(state: OrderState, event: OperatorActed) -> OrderState:
    """The newest answer counts; what an earlier one released is not taken back."""
    for case in meant(state, event):
        answer = answer_of(case.code, event.says)
        if answer is None or case.answer == event.says:
            continue
        answered = Answered(
            code=case.code,
            object=case.object,
            detail=case.detail,
            answer=event.says,
            who=event.who,
            why=event.why,
            at=state.now,
        )
        earlier = (one for one in state.answers if (one.code, one.object) != (case.code, case.object))
        state = state.model_copy(update={"answers": (*earlier, answered)})
        if answer.then is Then.RELEASES:
            state = _given_up(state, GoodsOutRef(case.object))
    return state
