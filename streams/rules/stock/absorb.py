"""What an event adds to what is known of a stock item. No decision is made here."""

from datetime import datetime, timedelta

from schemas.base import System
from schemas.commands import SetOnHand
from schemas.events import (
    BalanceSeen,
    CommandEnded,
    DemandSeen,
    LevelSeen,
    OperatorActed,
    OrderEvent,
    Seen,
)
from schemas.outcomes import Outcome, OutcomeKind
from schemas.stock import Level
from streams.rules.orders.absorb import reach
from streams.rules.orders.endings import YOUNG
from streams.rules.orders.state import Refusal, Taken
from streams.rules.stock.state import StockState, Withheld, Written

STALE = "stale"
"""The code of an outcome: Shopify had another figure than the one compared with."""
SHORTEST_DELAY, LONGEST_DELAY = timedelta(seconds=5), timedelta(hours=1)
"""A wait shorter or longer than these is not believed: whoever said so has a wrong clock, and one that is slow would be
asked again at once, and again.
"""


def absorb(state: StockState, event: OrderEvent, at: datetime, offset: int) -> StockState:
    """The next state. `at` is the broker's append time of the event: `now` never goes back."""
    state = state.model_copy(
        update={"now": max(at, state.now), "last_offset": offset, "seen": reach(state.seen, event.source)}
    )
    if isinstance(event, Seen):
        system = System.SHOPIFY if isinstance(event, LevelSeen) else System.CLARUS
        if event.epoch < state.epochs.of(system):
            return state.asking(system)
        state = state.model_copy(
            update={"epochs": state.epochs.with_(system, event.epoch), "asked": state.answered(system)}
        )
    match event:
        case LevelSeen():
            return _level(state, event.level, offset)
        case BalanceSeen():
            return _balance(state, event)
        case DemandSeen():
            return _demand(state, event)
        case CommandEnded():
            return _ended(state, event, offset)
        case OperatorActed():
            return _acted(state, event)
        case _:
            return state


def _level(state: StockState, level: Level, offset: int) -> StockState:
    """Sales move what is available and committed, and leave alone what we write: then the place stays."""
    same = state.level is not None and _on_hand(state.level) == _on_hand(level)
    return state.model_copy(update={"level": level, "level_at": state.level_at if same else offset})


def _on_hand(level: Level) -> list[tuple[object, ...]]:
    return [(one.id, one.on_hand, one.updated_at, one.tracked, one.stocked) for one in level.items]


def _balance(state: StockState, event: BalanceSeen) -> StockState:
    """An answer that cannot be believed leaves what was known; the plan asks again."""
    if not (event.complete and event.balance.steady):
        return state
    return state.model_copy(update={"balance": event.balance, "token": max(state.token, event.token)})


def _demand(state: StockState, event: DemandSeen) -> StockState:
    before = next((one for one in state.withheld if one.partition == event.partition), None)
    if before is not None and before.decided_offset >= event.decided_offset:
        return state
    said = Withheld(partition=event.partition, decided_offset=event.decided_offset, units=event.units)
    others = (one for one in state.withheld if one.partition != event.partition)
    return state.model_copy(update={"withheld": tuple(sorted((*others, said), key=lambda one: one.partition))})


def _ended(state: StockState, event: CommandEnded, offset: int) -> StockState:
    """An outcome is never dropped: one of a command we do not know causes a read."""
    if event.epoch > state.epochs.of(event.system):
        # What a predecessor read before this was done must not pass for newer, though it comes later.
        state = state.model_copy(update={"epochs": state.epochs.with_(event.system, event.epoch)})
    command, outcome = state.in_flight, event.outcome
    if command is None or command.id != outcome.command:
        return state.asking(System.SHOPIFY)
    state = state.model_copy(update={"in_flight": None, "delayed_until": None, "delayed_why": ""})
    match outcome.kind:
        case OutcomeKind.APPLIED | OutcomeKind.ALREADY_APPLIED:
            return _applied(state, command, offset)
        case OutcomeKind.REJECTED if outcome.code == STALE:
            lost = state.model_copy(update={"compares_lost": state.compares_lost + 1})
            seen_since = state.item is not None and state.item.on_hand != command.compare
            return lost if seen_since else lost.asking(System.SHOPIFY)
        case OutcomeKind.REJECTED:
            return _refused(state, command.fingerprint, outcome)
        case OutcomeKind.DELAYED:
            until = min(max(outcome.until or state.now, state.now + SHORTEST_DELAY), state.now + LONGEST_DELAY)
            return state.model_copy(update={"delayed_until": until, "delayed_why": outcome.text or outcome.code})
        case OutcomeKind.EXPIRED if state.now - command.decided_at < YOUNG:
            why = "expired although just decided: the clocks of the broker and the connector differ"
            waits = state.model_copy(update={"delayed_until": state.now + YOUNG, "delayed_why": why})
            return waits.asking(System.SHOPIFY)
        case OutcomeKind.SUPERSEDED | OutcomeKind.EXPIRED:
            return state.asking(System.SHOPIFY)


def _applied(state: StockState, command: SetOnHand, offset: int) -> StockState:
    """The figure our own write left counts as read, of the item it was written to."""
    quantity = command.quantity
    update: dict[str, object] = {
        "written": Written(quantity=quantity, instead_of=command.compare, why=command.why, at=state.now),
        "refusal": None,
        "compares_lost": 0,
    }
    item = state.item
    if state.level is not None and item is not None and item.id == command.item:
        left = item.model_copy(
            update={"on_hand": quantity, "available": item.available + quantity - item.on_hand, "updated_at": None}
        )
        items = tuple(left if one is item else one for one in state.level.items)
        update |= {"level": Level(items=items), "level_at": offset}
    return state.model_copy(update=update)


def _refused(state: StockState, fingerprint: str, outcome: Outcome) -> StockState:
    before = state.refusal
    refusal = Refusal(
        object=outcome.object,
        system=System.SHOPIFY,
        fingerprint=fingerprint,
        code=outcome.code,
        field=outcome.field,
        text=outcome.text,
        tries=before.tries + 1 if before is not None else 1,
        at=state.now,
    )
    return state.model_copy(update={"refusal": refusal})


def _acted(state: StockState, event: OperatorActed) -> StockState:
    match event.action:
        case "retry" | "refresh":
            refusal = None if state.refusal is None else state.refusal.model_copy(update={"again": True})
            # What a person asks for does not wait because it could not be read before.
            return state.model_copy(update={"refusal": refusal, "asked": ()}).asking(System.SHOPIFY, System.CLARUS)
        case "assign":
            mine = [case for case in state.cases if case.code == event.target]
            others = tuple(one for one in state.taken if one.code != event.target)
            taken = (Taken(code=case.code, object=case.object, by=event.says) for case in mine if event.says)
            return state.model_copy(update={"taken": (*others, *taken)})
        case _:
            return state
