"""What an event adds to what is known. No decision is made here."""

from datetime import datetime

from schemas.base import GoodsOutRef, System
from schemas.events import (
    CommandEnded,
    ConfigChanged,
    ConnectionSeen,
    ErpOrderSeen,
    GoodsOutsSeen,
    ItemMade,
    OperatorActed,
    OrderEvent,
    OrderListed,
    Seen,
    ShopifyOrderSeen,
    SnapshotUnreadable,
    Source,
    SystemSwept,
)
from schemas.goods_outs import GoodsOut
from schemas.references import read_reference
from schemas.sweep import Comparison
from streams.rules.orders.acted import acted
from streams.rules.orders.adopt import adopted
from streams.rules.orders.outcomes import ended
from streams.rules.orders.state import (
    KnownGoodsOut,
    OrderState,
    Reached,
    Unread,
    lines_mark,
)
from streams.rules.orders.sweeping import known, swept
from streams.rules.orders.units import begun


def absorb(state: OrderState, event: OrderEvent, at: datetime, offset: int) -> OrderState:
    """The next state. `at` is the broker's append time of the event: `now` never goes back.

    Callers check `is_repeated` first; an event of a lower epoch than the key's only causes a read.
    """
    update = {"now": max(at, state.now), "last_offset": offset, "seen": reach(state.seen, event.source)}
    if isinstance(event, Seen):
        system = _system_of(event)
        if event.epoch < state.epochs.of(system):
            return state.model_copy(update=update).asking(system)
        update["epochs"] = state.epochs.with_(system, event.epoch)
        update["unreadable"] = tuple(unread for unread in state.unreadable if unread.system is not system)
    state = state.model_copy(update=update)
    match event:
        case ShopifyOrderSeen():
            return _answered(_shopify(state, event), System.SHOPIFY)
        case GoodsOutsSeen():
            after = _clarus(state, event)
            return _answered(after, System.CLARUS) if event.complete else after
        case ErpOrderSeen():
            return _answered(_erp(state, event), System.ERP)
        case CommandEnded():
            return ended(state, event)
        case ConnectionSeen():
            return known(state.model_copy(update={"connection": event.state, "connection_text": event.text}))
        case OrderListed():
            return _listed(state, event)
        case SystemSwept():
            return swept(state, event)
        case SnapshotUnreadable():
            kept = tuple(unread for unread in state.unreadable if unread.system is not event.system)
            return state.model_copy(update={"unreadable": (*kept, Unread(system=event.system, reason=event.reason))})
        case ItemMade() | OperatorActed():
            return acted(state, event) if isinstance(event, OperatorActed) else _tried_again(state)
        case ConfigChanged() | _:
            return state


def _listed(state: OrderState, event: OrderListed) -> OrderState:
    """The first system that names the order in a sweep has it read from all three; the others add nothing. What no rule
    could explain stands until it is compared anew.
    """
    before = state.comparison
    if before is not None and before.sweep >= event.sweep:
        return state
    comparison = Comparison(sweep=event.sweep, drifts=() if before is None else before.unexplained)
    return state.model_copy(update={"comparison": comparison, "ask_gently": tuple(System)})


def _answered(state: OrderState, system: System) -> OrderState:
    """The sweep that compares the order awaits this system no more."""
    found = state.comparison
    if found is None or system not in found.awaited:
        return state
    left = tuple(one for one in found.awaited if one is not system)
    return state.model_copy(update={"comparison": found.model_copy(update={"awaited": left})})


def reach(seen: tuple[Reached, ...], source: Source | None) -> tuple[Reached, ...]:
    """The offsets reached, with this source's among them."""
    if source is None:
        return seen
    for place, reached in enumerate(seen):
        if reached.is_of(source):
            return (*seen[:place], reached.model_copy(update={"offset": source.offset}), *seen[place + 1 :])
    reached = Reached(topic=source.topic, cluster=source.cluster, partition=source.partition, offset=source.offset)
    return tuple(sorted((*seen, reached), key=lambda one: (one.topic, one.cluster, one.partition)))


def _system_of(event: Seen) -> System:
    match event:
        case ShopifyOrderSeen():
            return System.SHOPIFY
        case GoodsOutsSeen():
            return System.CLARUS
        case _:
            return System.ERP


def _shopify(state: OrderState, event: ShopifyOrderSeen) -> OrderState:
    if event.snapshot is None:
        return state.model_copy(update={"shopify_gone": True})
    before = state.shopify
    state = adopted(state.model_copy(update={"shopify": event.snapshot, "shopify_gone": False}))
    if before is None and begun(event.snapshot):
        return state.model_copy(update={"began_unseen": True}).asking(System.CLARUS, System.ERP)
    return state


def _clarus(state: OrderState, event: GoodsOutsSeen) -> OrderState:
    shown: dict[GoodsOutRef, list[GoodsOut]] = {}
    for goods_out in event.goods_outs:
        shown.setdefault(goods_out.reference, []).append(goods_out)
    known: list[KnownGoodsOut] = []
    newly_absent = False
    for one in state.goods_outs:
        now_shown = shown.pop(one.reference, None)
        if now_shown is not None:
            known.append(_updated(one, now_shown, state.now))
        elif event.complete:
            newly_absent = newly_absent or one.absent == 0
            known.append(_unseen(one, state.now))
        else:
            known.append(one)
    known.extend(_adopted(goods_outs, state.now) for goods_outs in shown.values())
    known.sort(key=lambda one: one.reference)
    changed = tuple(known) != state.goods_outs
    goods_outs = tuple(known) if changed else state.goods_outs
    state = state.model_copy(update={"goods_outs": goods_outs, "clarus_read": state.clarus_read or event.complete})
    if changed and state.shopify is None and not state.shopify_gone:
        state = state.asking(System.SHOPIFY)  # lost, or left the hot state: others know more than we
    return state.asking(System.CLARUS) if newly_absent else state


def _unseen(known: KnownGoodsOut, now: datetime) -> KnownGoodsOut:
    """A complete answer did not show it."""
    absent = known.model_copy(update={"absent": min(known.absent + 1, 2)})
    return absent.model_copy(update={"missing_at": known.missing_at or now}) if absent.missing else absent


def _updated(known: KnownGoodsOut, shown: list[GoodsOut], now: datetime) -> KnownGoodsOut:
    """`shown`: all that bear its reference. The one we know stays the one unless it came to nothing; of the others
    those are doubles that did not.
    """
    mine = min(shown, key=lambda one: (_came_to_nothing(one), one.id != known.goods_out.id, *_first(one)))
    doubles = sorted((one for one in shown if one is not mine and not _came_to_nothing(one)), key=lambda one: one.id)
    units = _left(mine)
    update: dict[str, object] = {
        "goods_out": mine,
        "made_as": known.made_as or lines_mark(known.goods_out.lines),
        "doubles": tuple(one.id for one in doubles),
        "open_doubles": tuple(one for one in doubles if not one.status.ended),
        "absent": 0,
        "missing_at": None,
        "cancelled_by_us": known.cancelled_by_us and mine.id == known.goods_out.id,
        "given_up": known.given_up and not known.missing,
    }
    if units > known.most_despatched:
        update |= {"most_despatched": units, "despatch_seen_at": now}
    return known.model_copy(update=update)


def _left(one: GoodsOut) -> int:
    return sum(line.despatched for line in one.lines)


def _came_to_nothing(one: GoodsOut) -> bool:
    """It ended, and nothing left by it."""
    return one.status.ended and not _left(one)


def _first(one: GoodsOut) -> tuple[bool, bool, int, str]:
    """Of several under one reference the one that left, else the one that may, else the oldest."""
    return not _left(one), one.status.ended, len(one.id), one.id


def _adopted(shown: list[GoodsOut], now: datetime) -> KnownGoodsOut:
    """One we did not know: made by a create whose answer was lost, or by a person under our reference."""
    read = read_reference(shown[0].reference)
    bare = KnownGoodsOut(
        goods_out=min(shown, key=_first),
        fulfilment_order=read[2] if read is not None else "",
        generation=read[3] if read is not None else 0,
    )
    return _updated(bare, shown, now)


TRIED_AT_ONCE = 5
"""A goods-out that was refused so often for want of products waits for its back-off: somebody is not right."""


def _tried_again(state: OrderState) -> OrderState:
    """What was refused for want of a product, or of the ERP's item that it is made of, is tried now."""
    refusals = tuple(
        one.model_copy(update={"again": True}) if one.code == "unknown_sku" and one.tries <= TRIED_AT_ONCE else one
        for one in state.refusals
    )
    return state.model_copy(update={"refusals": refusals})


def _erp(state: OrderState, event: ErpOrderSeen) -> OrderState:
    if event.snapshot is None:
        return state.model_copy(update={"erp_read": True})
    return state.model_copy(update={"erp": event.snapshot, "erp_read": True})
