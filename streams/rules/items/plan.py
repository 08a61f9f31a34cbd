"""What should happen now to an item: the rules' findings against what is under way. Pure; by the machinery of orders.

An item whose brand keeps none in step, by `items.mode` off, is known and left alone.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from schemas.base import OrderId, System
from schemas.cases import Case, CaseCode
from schemas.commands import Command
from schemas.config import BrandConfig
from streams.rules.items.gaps import GAP_RULES, bounded, looked_after
from streams.rules.items.state import ItemState
from streams.rules.items.wishes import ITEM_RULES, PRODUCT
from streams.rules.orders.cases import judged
from streams.rules.orders.emit import Decision, emit, forget_unwanted
from streams.rules.orders.findings import Finding, Waiting, Wanted
from streams.rules.orders.state import DEAD
from streams.rules.orders.waits import kept_since, reads_of, whole_milliseconds


class Plan(NamedTuple):
    """The state after planning, and what to send. `told`: orders that hear that the item is there."""

    state: ItemState
    commands: tuple[Command, ...] = ()
    cases: tuple[Case, ...] = ()
    reads: tuple[System, ...] = ()
    gentle_reads: tuple[System, ...] = ()
    """Behind all others."""
    told: tuple[OrderId, ...] = ()


def plan(
    state: ItemState,
    config: BrandConfig,
    decision: Decision,
    told: tuple[OrderId, ...] = (),
    full: AbstractSet[CaseCode] = frozenset(),
) -> Plan:
    """Ask every rule, then reconcile. `full`: gaps of which there are cases enough."""
    if config.items.mode == "off":
        state = state.model_copy(update={"ask": (), "ask_gently": ()})
    findings = asked(state, config)
    if state.product_at is None and state.since_of(PRODUCT) is None and _waits(findings):
        state = state.asking(System.CLARUS)
    wanted = [finding for finding in findings if isinstance(finding, Wanted)]
    kept = forget_unwanted(state, {one.object for one in wanted})
    if kept.refusals != state.refusals:
        findings = asked(kept, config)
    wakes: list[datetime] = []
    state, commands = emit(kept, _as_written(config), wanted, decision, wakes)
    wakes.extend(flying.decided_at + DEAD for flying in state.in_flight)
    state, findings = bounded(state, findings, full)
    waitings = [finding for finding in findings if isinstance(finding, Waiting)]
    whole = not state.unreadable  # what was not understood says nothing, not even that a gap is over
    state, cases = judged(kept_since(state, waitings), findings, waitings, wakes, whole=whole)
    state, reads = reads_of(state, config, waitings, wakes)
    state, gentle = looked_after(state, wakes)
    wake_at = whole_milliseconds(min((wake for wake in wakes if wake > state.now), default=None))
    state = state.model_copy(update={"wake_at": wake_at, "config_version": config.version})
    return Plan(state, commands, cases, _of(reads, config), _of(gentle, config), told)


def asked(state: ItemState, config: BrandConfig) -> list[Finding]:
    """What every rule says of this item."""
    if config.items.mode == "off":
        return []
    rules = (*ITEM_RULES, *GAP_RULES) if config.items.audited else ITEM_RULES
    return [finding for rule in rules for finding in rule(state, config)]


def _waits(findings: list[Finding]) -> bool:
    return any(isinstance(finding, Waiting) and finding.name == PRODUCT for finding in findings)


def _as_written(config: BrandConfig) -> BrandConfig:
    """Items may be observed while orders are live."""
    return config if config.items.writes else config.model_copy(update={"mode": "observe"})


def _of(reads: Iterable[System], config: BrandConfig) -> tuple[System, ...]:
    """Shopify is asked for the audit alone."""
    return tuple(system for system in reads if config.items.audited or system is not System.SHOPIFY)
