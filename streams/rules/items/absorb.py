"""What an event adds to what is known of an item. No decision is made here."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from schemas.base import System
from schemas.commands import AmendProduct, Command, CreateProduct
from schemas.events import (
    CommandEnded,
    GapsCounted,
    ItemsSeen,
    ItemWanted,
    OffersSeen,
    OperatorActed,
    OrderEvent,
    ProductSeen,
    Seen,
    SnapshotUnreadable,
)
from schemas.outcomes import OutcomeKind
from streams.rules.items.state import Crowd, ItemState
from streams.rules.orders.absorb import reach
from streams.rules.orders.acted import closed, meant, retried, taken
from streams.rules.orders.endings import carried_out, landed, not_carried_out
from streams.rules.orders.state import Unread

SEEN_LASTS = timedelta(hours=20)
"""What was last seen so long ago is looked at again when another side of it is, as the daily sweep does."""

_SIDES: Mapping[type[Seen], System] = {
    ItemsSeen: System.ERP,
    ProductSeen: System.CLARUS,
    OffersSeen: System.SHOPIFY,
}


def absorb(state: ItemState, event: OrderEvent, at: datetime, offset: int) -> ItemState:
    """The next state. `at` is the broker's append time of the event: `now` never goes back."""
    state = state.model_copy(
        update={"now": max(at, state.now), "last_offset": offset, "seen": reach(state.seen, event.source)}
    )
    if isinstance(event, Seen):
        system = _SIDES[type(event)]
        if event.epoch < state.epochs.of(system):
            return state.asking(system)
        readable = tuple(one for one in state.unreadable if one.system is not system)
        state = state.model_copy(update={"epochs": state.epochs.with_(system, event.epoch), "unreadable": readable})
    match event:
        case ItemsSeen():
            return _items(state, event)
        case ProductSeen():
            return _product(state, event)
        case OffersSeen():
            return _offers(state, event)
        case GapsCounted():
            return _counted(state, event)
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
    old = _old(state, state.product_at)
    return state.asking(System.CLARUS) if old and event.items and state.code else state


def _old(state: ItemState, at: datetime | None) -> bool:
    return at is None or at + SEEN_LASTS <= state.now


def _product(state: ItemState, event: ProductSeen) -> ItemState:
    """An answer that does not prove that it shows all leaves what was known."""
    if event.product is None and not event.complete:
        return state
    product, before = event.product, state.product
    if product is not None and not product.stock_read and before is not None:
        stock = {"stock_read": before.stock_read, "stocked_in": before.stocked_in}
        product = product.model_copy(update=stock)
    state = state.model_copy(update={"product": product, "product_at": state.now})
    if product is not None and product.stocked_in and _old(state, state.offers_at):
        state = state.asking_gently(System.SHOPIFY)
    there = product is not None and product.ours
    return state.model_copy(update={"waiting": (), "told": state.waiting}) if there and state.waiting else state


def _offers(state: ItemState, event: OffersSeen) -> ItemState:
    """What is sold is looked for in the ERP, whose changes the poll finds, and in Clarus, which nobody tells us of."""
    state = state.model_copy(update={"offers": event.offers, "offers_at": state.now})
    if not any(one.sold for one in event.offers):
        return state
    if not state.erp_read:
        state = state.asking_gently(System.ERP)
    return state.asking_gently(System.CLARUS) if _old(state, state.product_at) else state


def _counted(state: ItemState, event: GapsCounted) -> ItemState:
    def same(one: Crowd) -> bool:
        return (one.partition, one.gap) == (event.partition, event.gap)

    before = next((one for one in state.crowds if same(one)), None)
    if before is not None and before.decided_offset >= event.decided_offset:
        return state
    said = Crowd(
        partition=event.partition,
        decided_offset=event.decided_offset,
        gap=event.gap,
        items=event.items,
        examples=event.examples,
    )
    kept = (*(one for one in state.crowds if not same(one)), said)
    return state.model_copy(update={"crowds": tuple(sorted(kept, key=lambda one: (one.gap, one.partition)))})


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
            return retried(state).asking(*System)
        case "refresh":
            return state.asking(*System)
        case "close":
            return closed(state, *meant(state, event))
        case "assign":
            return taken(state, event)
        case _:
            return state
