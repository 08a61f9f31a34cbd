"""When a system is swept, and what of it belongs to no order: kept under the connection (`brand/~clarus`).

The sweep itself is the connector's work: a hint under the connection's key asks for it, its report ends it. What the
report names stays a case until a later report does not name it any more.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from schemas.base import OrderId, System, connection_id
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.events import ConnectionState, OperatorActed, SystemSwept
from streams.rules.orders.findings import Finding, Look, Waiting, Wake
from streams.rules.orders.state import OrderState, Sweeping

AHEAD_MOST = timedelta(minutes=5)
"""A sweep asked for is dated by a person's machine: further ahead than this it is not taken."""

_SYSTEMS = {connection_id(system): system for system in System}


def system_of(order: OrderId) -> System | None:
    """The system whose connection is kept under this order-like id."""
    return _SYSTEMS.get(order)


def known(state: OrderState) -> OrderState:
    """Of a connection heard of for the first time: what was to be swept before that is not made up for."""
    if state.sweeping is not None or system_of(state.order) is None:
        return state
    return state.model_copy(update={"sweeping": Sweeping(newest=state.now)})


def swept(state: OrderState, event: SystemSwept) -> OrderState:
    """A report came. One of an older sweep than the newest says nothing any more."""
    before = state.sweeping
    if before is not None and before.ended is not None and event.sweep < before.newest:
        return state
    still = before is not None and before.wanted is not None and before.wanted > event.sweep
    sweeping = Sweeping(
        newest=event.sweep,
        wanted=before.wanted if before is not None and still else None,
        ended=state.now,
        orders=event.orders,
        strays=event.strays,
        more=event.more,
    )
    return state.model_copy(update={"sweeping": sweeping})


def asked_for(state: OrderState, event: OperatorActed) -> OrderState:
    """A person wants a sweep now. All systems get the same moment, so that each order is compared once."""
    try:
        moment = datetime.fromisoformat(event.says)
    except ValueError:
        return state
    if moment.tzinfo is None or moment > state.now + AHEAD_MOST:
        return state
    return _wanted(known(state), moment)


def due(state: OrderState, config: BrandConfig) -> OrderState:
    """The same, with the sweep that was to begin by now."""
    if system_of(state.order) is None:
        return state
    moment = config.sweep.before(state.now)
    return state if moment is None else _wanted(state, moment)


def _wanted(state: OrderState, moment: datetime) -> OrderState:
    system, sweeping = system_of(state.order), state.sweeping
    if system is None or sweeping is None or moment <= max(sweeping.newest, sweeping.wanted or sweeping.newest):
        return state
    return state.model_copy(update={"sweeping": sweeping.model_copy(update={"wanted": moment})}).asking(system)


def sweep(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: a system is swept at its hour; what belongs to no order is a case until a sweep finds it no more."""
    system, sweeping = system_of(state.order), state.sweeping
    if system is None or sweeping is None:
        return
    if (begun := config.sweep.before(state.now)) is not None:
        yield Wake(begun + timedelta(seconds=config.sweep.every))
    if sweeping.wanted is not None:
        away = state.connection not in (None, ConnectionState.WELL)
        yield Waiting(
            name=f"sweep:{sweeping.wanted:%Y-%m-%dT%H:%M:%S}",
            after=config.waits.sweep,
            code=None if away else CaseCode.SWEEP_LATE,  # a connection that is down is a case of its own
            object=f"{system} sweep",
            detail=f"the sweep of {sweeping.wanted:%Y-%m-%d %H:%M} UTC",
            read=(system,),
        )
    for stray in sweeping.strays:
        yield Look(code=stray.code, object=stray.object, detail=stray.detail)
