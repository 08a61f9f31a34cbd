"""`step` is `absorb`, then `plan`; nothing else writes an order's state."""

from datetime import datetime

from schemas.config import BrandConfig
from schemas.events import OrderEvent
from streams.rules.orders.absorb import absorb
from streams.rules.orders.emit import Decision
from streams.rules.orders.plan import Plan, plan
from streams.rules.orders.repeated import is_repeated, says_nothing_new
from streams.rules.orders.state import OrderState, first


def step(
    state: OrderState | None,
    event: OrderEvent,
    config: BrandConfig | None,
    at: datetime,
    decision: Decision,
    *,
    clarus_doubted: bool = False,
    redelivered: bool = False,
) -> Plan | None:
    """Fold one event and decide. None: nothing changes and nothing is written. This very record was folded before; or
    it says nothing new, and what was decided on the same knowledge stands. What only time changes has its wake-up.

    `clarus_doubted`: so much of the brand is newly missing there that absence is not believed.
    `redelivered`: the event stands before the configuration in the log. When it says nothing new it said nothing new
    then either, and is not what the newer configuration is planned for.
    Without a configuration the order is known and waits: nothing is decided for a brand that nobody has configured.
    """
    if state is not None and (decision.offset <= state.last_offset or is_repeated(state.seen, event.source)):
        return None
    before = state if state is not None else first(event.brand, event.order, at)
    known = absorb(before, event, at, decision.offset).model_copy(update={"clarus_doubted": clarus_doubted})
    if state is not None and says_nothing_new(state, known, None if redelivered else config):
        return None
    return Plan(known) if config is None else plan(known, config, decision)


def wake(
    state: OrderState, config: BrandConfig, at: datetime, decision: Decision, *, clarus_doubted: bool = False
) -> Plan:
    """Plan again because time has come. `at` is the append time of the record that brought it."""
    later = state.model_copy(
        update={"now": max(at, state.now), "last_offset": decision.offset, "clarus_doubted": clarus_doubted}
    )
    return plan(later, config, decision)
