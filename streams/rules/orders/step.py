"""`step` is `absorb`, then `plan`; nothing else writes an order's state."""

from datetime import datetime

from schemas.config import BrandConfig
from schemas.events import OrderEvent
from streams.rules.orders.absorb import absorb, is_repeated
from streams.rules.orders.emit import Decision
from streams.rules.orders.plan import Plan, plan
from streams.rules.orders.state import OrderState, first


def step(
    state: OrderState | None,
    event: OrderEvent,
    config: BrandConfig | None,
    at: datetime,
    decision: Decision,
    *,
    clarus_doubted: bool = False,
) -> Plan | None:
    """Fold one event and decide. None: this very record was folded before; nothing changes and nothing is written.

    `clarus_doubted`: so much of the brand is newly missing there that absence is not believed.
    Without a configuration the order is known and waits: nothing is decided for a brand that nobody has configured.
    """
    if state is not None and (decision.offset <= state.last_offset or is_repeated(state, event.source)):
        return None
    before = state if state is not None else first(event.brand, event.order, at)
    known = absorb(before, event, at, decision.offset).model_copy(update={"clarus_doubted": clarus_doubted})
    return Plan(known) if config is None else plan(known, config, decision)


def wake(
    state: OrderState, config: BrandConfig, at: datetime, decision: Decision, *, clarus_doubted: bool = False
) -> Plan:
    """Plan again because time has come. `at` is the append time of the record that brought it."""
    later = state.model_copy(
        update={"now": max(at, state.now), "last_offset": decision.offset, "clarus_doubted": clarus_doubted}
    )
    return plan(later, config, decision)
