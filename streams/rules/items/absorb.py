"""What an event adds to what is known of an item. No decision is made here."""

from datetime import datetime, timedelta

from schemas.base import System
from schemas.commands import AmendProduct, Command, CreateProduct
from schemas.events import (
    CommandEnded,
    ItemsSeen,
    ItemWanted,
    OperatorActed,
    OrderEvent,
    ProductSeen,
    Seen,
    SnapshotUnreadable,
)
from schemas.outcomes import OutcomeKind
from streams.rules.items.state import ItemState
from streams.rules.orders.absorb import reach
from streams.rules.orders.acted import closed, meant, retried, taken
from streams.rules.orders.endings import carried_out, landed, not_carried_out
from streams.rules.orders.state import Unread

SEEN_LASTS = timedelta(hours=20)
"""A product last seen so long ago is looked at again when the ERP's item is, as the daily sweep does."""


def absorb(state: ItemState, event: OrderEvent, at: datetime, offset: int) -> ItemState:
    """The next state. `at` is the broker's append time of the event: `now` never goes back."""
    state = state.model_copy(
        update={"now": max(at, state.now), "last_offset": offset, "seen": reach(state.seen, event.source)}
    )
    if isinstance(event, Seen):
        system = System.ERP if isinstance(event, ItemsSeen) else System.CLARUS
        if event.epoch < state.epochs.of(system):
            return state.asking(system)
        readable = tuple(one for one in state.unreadable if one.system is not system)
        state = state.model_copy(update={"epochs": state.epochs.with_(system, event.epoch), "unreadable": readable})
    match event:
        case ItemsSeen():
            return _items(state, event)
        case ProductSeen():
            return _product(state, event)
        case ItemWanted():
            return _wanted(state, event)
        case CommandEnded():
            return _ended(state, event)
        case SnapshotUnreadable():
            kept = tuple(one for one in state.unreadable if one.system is not event.system)
            return state.model_copy(update={"unreadable": (*kept, Unread(system=event.system, reason=event.reason))})
        case OperatorActed():
            return _acted(state, event)
        case _:
            return state


def _items(state: ItemState, event: ItemsSeen) -> ItemState:
    sold = state.sold or any(item.active for item in event.items)
    state = state.model_copy(update={"erp": event.items, "erp_read": True, "sold": sold})
    old = state.product_at is None or state.product_at + SEEN_LASTS <= state.now
    return state.asking(System.CLARUS) if old and event.items and state.code else state


def _product(state: ItemState, event: ProductSeen) -> ItemState:
    """An answer that does not prove that it shows all leaves what was known."""
    if event.product is None and not event.complete:
        return state
    state = state.model_copy(update={"product": event.product, "product_at": state.now})
    there = event.product is not None and event.product.ours
    return state.model_copy(update={"waiting": (), "told": state.waiting}) if there and state.waiting else state


def _wanted(state: ItemState, event: ItemWanted) -> ItemState:
    """Whoever was refused for want of it knows better than we: both sides are read anew."""
    waiting = tuple(sorted({*state.waiting, event.by}))
    return state.model_copy(update={"waiting": waiting}).asking(System.ERP, System.CLARUS)


def _ended(state: ItemState, event: CommandEnded) -> ItemState:
    state, command = landed(state, event)
    if command is None:
        return state
    if event.outcome.kind in (OutcomeKind.APPLIED, OutcomeKind.ALREADY_APPLIED):
        return _made(carried_out(state, command), command)
    return not_carried_out(state, command, event.outcome, event.system)


def _made(state: ItemState, command: Command) -> ItemState:
    """What it made is seen when it is read; until then what was done is not done again."""
    return state.asking(System.CLARUS) if isinstance(command, CreateProduct | AmendProduct) else state


def _acted(state: ItemState, event: OperatorActed) -> ItemState:
    match event.action:
        case "retry":
            return retried(state).asking(System.ERP, System.CLARUS)
        case "refresh":
            return state.asking(System.ERP, System.CLARUS)
        case "close":
            return closed(state, *meant(state, event))
        case "assign":
            return taken(state, event)
        case _:
            return state
