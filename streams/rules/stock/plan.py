"""What should happen now to a stock item: readings to ask for, a figure to write, cases, a wake-up.

Shopify is read first and Clarus second, by causality: a figure is decided only by a reading of Clarus that was asked
for after Shopify's figure was known, and written only where Shopify still has that figure. In the other order a
despatch between the two readings would be offered again.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from schemas.base import System
from schemas.cases import Case, CaseCode
from schemas.commands import SetOnHand, command_id
from schemas.config import BrandConfig
from schemas.stock import ShopItem
from schemas.stock_rules import StockRules
from streams.rules.orders.cases import judged
from streams.rules.orders.emit import Decision, retry_at
from streams.rules.orders.findings import Look, Waiting
from streams.rules.orders.state import DEAD
from streams.rules.orders.waits import kept_since, whole_milliseconds
from streams.rules.stock.causes import Cause, basis, cause
from streams.rules.stock.figure import wanted
from streams.rules.stock.obstacles import obstacle
from streams.rules.stock.state import Asked, StockState

OBJECT = "on-hand"
ASK_AGAIN_MOST = 3600
"""Seconds. What cannot be read, or is not answered, is asked for ever more rarely, but not more rarely than this."""
_NOTHING: Mapping[str, object] = {"wanted": None, "differs_since": None, "changed_at": None, "drift": ""}
"""Differs."""


class Ask(NamedTuple):
    """Read the item in this system. A reading that began after it was asked bears the token."""

    system: System
    token: int = -1


class Plan(NamedTuple):
    """The state after planning, and what to send. `cases` are those opened, changed or closed now."""

    state: StockState
    commands: tuple[SetOnHand, ...] = ()
    cases: tuple[Case, ...] = ()
    asks: tuple[Ask, ...] = ()


class _Wishes:
    """What one planning collects."""

    def __init__(self) -> None:
        self.asks: dict[System, int] = {}
        self.wakes: list[datetime] = []
        self.looks: list[Look | Waiting] = []
        self.command: SetOnHand | None = None

    def ask(self, system: System, token: int = -1) -> None:
        self.asks[system] = max(token, self.asks.get(system, -1))


def plan(state: StockState, config: BrandConfig, decision: Decision) -> Plan:
    """Decide by what is known; what is missing is asked for."""
    wishes = _Wishes()
    if config.stock.mode == "off":
        state = state.model_copy(update={**_NOTHING, "ask": ()})
    else:
        for system in state.ask:
            wishes.ask(system)
        state = _decided(state.model_copy(update={"ask": (), "would_write": None}), config, decision, wishes)
    state, asks = _asked(state, config.stock, wishes)
    waitings = [one for one in wishes.looks if isinstance(one, Waiting)]
    state, cases = judged(kept_since(state, waitings), wishes.looks, waitings, wishes.wakes)
    wake_at = whole_milliseconds(min((wake for wake in wishes.wakes if wake > state.now), default=None))
    state = state.model_copy(update={"wake_at": wake_at, "config_version": config.version})
    return Plan(state, () if wishes.command is None else (wishes.command,), cases, asks)


def _decided(state: StockState, config: BrandConfig, decision: Decision, wishes: _Wishes) -> StockState:
    if state.level is None:
        wishes.ask(System.SHOPIFY)
    if state.balance is None:
        wishes.ask(System.CLARUS, state.level_at)
    blocked = obstacle(state, config)
    if blocked is not None:
        wishes.looks.extend(blocked.looks)
        return state.model_copy(update=_NOTHING)
    item, figure = state.item, wanted(state, config.stock)
    assert item is not None
    assert figure is not None
    state = _differing(state, item, figure, config.stock)
    if item.on_hand == figure:
        return state.model_copy(update={"basis": basis(state, config.stock), "refusal": None, "compares_lost": 0})
    return _moving(state, item, figure, config, decision, wishes)


def _differing(state: StockState, item: ShopItem, figure: int, rules: StockRules) -> StockState:
    """Since when it differs and why, and when that last changed: what is told, and waited for, before it is written."""
    if item.on_hand == figure:
        return state.model_copy(update={**_NOTHING, "wanted": figure})
    moved = state.differs_since is None or state.wanted != figure
    return state.model_copy(
        update={
            "wanted": figure,
            "differs_since": state.differs_since or state.now,
            "changed_at": state.now if moved else state.changed_at,
            "drift": cause(state, rules),
        }
    )


def due_at(state: StockState, rules: StockRules) -> datetime:
    """When the difference is written: quiet for a while, or after the longest wait; nothing left to offer: at once."""
    assert state.differs_since is not None
    assert state.changed_at is not None
    if state.wanted == 0:
        return state.differs_since
    quiet = state.changed_at + timedelta(seconds=rules.quiet_for)
    return min(quiet, state.differs_since + timedelta(seconds=rules.max_wait))


def _moving(
    state: StockState, item: ShopItem, figure: int, config: BrandConfig, decision: Decision, wishes: _Wishes
) -> StockState:
    """It differs: wait until it is due, then read Clarus after Shopify, then write."""
    rules, now = config.stock, state.now
    if state.refusal is not None:
        wishes.looks.append(Look(CaseCode.STOCK_REFUSED, state.order, state.refusal.code))
    if state.in_flight is not None and now < state.in_flight.decided_at + DEAD:
        wishes.wakes.append(state.in_flight.decided_at + DEAD)
        return state
    state = state.model_copy(update={"in_flight": None})
    until = max(_waits(state, _fingerprint(state, item, figure), config))
    if until > now:
        wishes.wakes.append(until)
        return state
    if state.token < state.level_at:
        wishes.ask(System.CLARUS, state.level_at)
        return state
    why = cause(state, rules)
    if why is Cause.BY_HAND and rules.hand_edits == "respect":
        detail = f"{item.on_hand} in Shopify, {figure} by the warehouse"
        wishes.looks.append(Look(CaseCode.STOCK_BY_HAND, state.order, detail))
        return state
    if rules.mode == "observe" or config.mode == "observe" or System.SHOPIFY in config.paused:
        return state.model_copy(update={"would_write": figure})
    command = _command(state, item, figure, why, decision)
    wishes.command = command
    wishes.wakes.append(command.decided_at + DEAD)
    return state.model_copy(update={"in_flight": command})


def _waits(state: StockState, fingerprint: str, config: BrandConfig) -> Iterator[datetime]:
    """A refusal keeps back what was refused: another figure may be taken, and what it would oversell does not wait."""
    yield due_at(state, config.stock)
    if state.delayed_until is not None:
        yield state.delayed_until
    if state.refusal is not None and not state.refusal.again and state.refusal.fingerprint == fingerprint:
        yield retry_at(state.refusal, config)


def _fingerprint(state: StockState, item: ShopItem, figure: int) -> str:
    return sha256(f"{item.id} {state.location} {item.on_hand} {figure}".encode()).hexdigest()[:16]


def _command(state: StockState, item: ShopItem, figure: int, why: Cause, decision: Decision) -> SetOnHand:
    return SetOnHand(
        id=command_id(state.brand, state.order, decision.partition, decision.offset, 0),
        brand=state.brand,
        order=state.order,
        object=OBJECT,
        fingerprint=_fingerprint(state, item, figure),
        decided_at=state.now,
        decided_partition=decision.partition,
        decided_offset=decision.offset,
        trace=decision.trace,
        item=item.id,
        location=state.location,
        quantity=figure,
        compare=item.on_hand,
        why=why,
    )


def _asked(state: StockState, rules: StockRules, wishes: _Wishes) -> tuple[StockState, tuple[Ask, ...]]:
    """What is asked for and has not come is asked for again after a while, and after twice that: not at every event."""
    asks: list[Ask] = []
    still = {one.system: one for one in state.asked}
    for system, token in ((system, wishes.asks[system]) for system in System if system in wishes.asks):
        wait, before = rules.ask_again, still.get(system)
        if before is not None and before.token >= token:
            waited = before.wait or rules.ask_again
            due = before.at + timedelta(seconds=waited)
            if state.now < due:
                wishes.wakes.append(due)
                continue
            wait = min(2 * waited, ASK_AGAIN_MOST)
        asks.append(Ask(system, token))
        still[system] = Asked(system=system, at=state.now, token=token, wait=wait)
        wishes.wakes.append(state.now + timedelta(seconds=wait))
    asked = tuple(still[system] for system in System if system in wishes.asks)
    return state.model_copy(update={"asked": asked}), tuple(asks)
