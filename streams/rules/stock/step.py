"""`step` is `absorb`, then `plan`; nothing else writes a stock item's state."""

from datetime import datetime

from schemas.aggregates import stock_of
from schemas.config import BrandConfig
from schemas.events import OrderEvent
from streams.rules.orders.emit import Decision
from streams.rules.orders.repeated import is_repeated, says_nothing_new
from streams.rules.stock.absorb import absorb
from streams.rules.stock.plan import Plan, plan
from streams.rules.stock.state import StockState, first


def step(
    state: StockState | None,
    event: OrderEvent,
    config: BrandConfig | None,
    at: datetime,
    decision: Decision,
    *,
    redelivered: bool = False,
) -> Plan | None:
    """Fold one event and decide. None: it was folded before, or says nothing new and time has its own wake-up.
    `redelivered`: see the orders' step.

    Raises ValueError for an event whose id is no stock item's.
    """
    if state is not None and (decision.offset <= state.last_offset or is_repeated(state.seen, event.source)):
        return None
    before = state
    if before is None:
        of = stock_of(event.order)
        if of is None:
            msg = f"expected stock:LOCATION/CODE, found {event.order!r}"
            raise ValueError(msg)
        before = first(event.brand, event.order, *of, at)
    known = absorb(before, event, at, decision.offset)
    if state is not None and says_nothing_new(state, known, None if redelivered else config):
        return None
    return Plan(known) if config is None else plan(known, config, decision)


def wake(state: StockState, config: BrandConfig, at: datetime, decision: Decision) -> Plan:
    """Plan again because time has come. `at` is the append time of the record that brought it."""
    later = state.model_copy(update={"now": max(at, state.now), "last_offset": decision.offset})
    return plan(later, config, decision)
