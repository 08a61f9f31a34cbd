"""`step` is `absorb`, then `plan`; nothing else writes an item's state."""

from collections.abc import Set as AbstractSet
from datetime import datetime

from schemas.aggregates import item_of
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.events import OrderEvent
from streams.rules.items.absorb import absorb
from streams.rules.items.plan import Plan, plan
from streams.rules.items.state import ItemState, first
from streams.rules.orders.emit import Decision
from streams.rules.orders.repeated import is_repeated, says_nothing_new


def step(
    state: ItemState | None,
    event: OrderEvent,
    config: BrandConfig | None,
    at: datetime,
    decision: Decision,
    full: AbstractSet[CaseCode] = frozenset(),
    *,
    redelivered: bool = False,
) -> Plan | None:
    """Fold one event and decide. None: it was folded before, or says nothing new and time has its own wake-up.

    `full`: gaps of which there are cases enough. `redelivered`: see the orders' step.

    Raises ValueError for an event whose id is no item's.
    """
    if state is not None and (decision.offset <= state.last_offset or is_repeated(state.seen, event.source)):
        return None
    before = state
    if before is None:
        code = item_of(event.order)
        if code is None:
            msg = f"expected item:CODE, found {event.order!r}"
            raise ValueError(msg)
        before = first(event.brand, event.order, code, at)
    known = absorb(before, event, at, decision.offset)
    if state is not None and says_nothing_new(state, known, None if redelivered else config):
        return None
    told = known.told if known.waiting != before.waiting and not known.waiting else ()
    return Plan(known, told=told) if config is None else plan(known, config, decision, told, full)


def wake(
    state: ItemState, config: BrandConfig, at: datetime, decision: Decision, full: AbstractSet[CaseCode] = frozenset()
) -> Plan:
    """Plan again because time has come. `at` is the append time of the record that brought it."""
    later = state.model_copy(update={"now": max(at, state.now), "last_offset": decision.offset})
    return plan(later, config, decision, full=full)
