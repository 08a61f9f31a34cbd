"""What should happen now: the rules in their order, and how their findings become commands, cases, reads and a wake-up.

`plan` is pure: same state and configuration, same plan, byte for byte. Rules say what *should* be so; this module
compares it with what is under way (in flight, refused, delayed, done) and emits only the difference.
"""

from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from schemas.base import System
from schemas.cases import Case
from schemas.commands import Command
from schemas.config import BrandConfig
from streams.rules.orders.after_release import (
    changed,
    gone,
    half_a_kit,
    missing,
    not_despatched,
    over_despatched,
    short_closed,
    undespatched,
    unreadable,
)
from streams.rules.orders.by_hand import told_otherwise
from streams.rules.orders.cases import judged
from streams.rules.orders.connection import connection
from streams.rules.orders.demand import may_withhold, withheld
from streams.rules.orders.drift import compared, unexplained
from streams.rules.orders.edits import cancelled, edited
from streams.rules.orders.emit import Decision, emit, forget_unwanted
from streams.rules.orders.finance import posting, refused_by_erp, sales_order
from streams.rules.orders.findings import Finding, Rule, Waiting, Wake, Wanted
from streams.rules.orders.orphans import manifest_failed, orphan_fulfilment, orphan_posting, orphan_sale
from streams.rules.orders.readiness import held
from streams.rules.orders.release import instructed, must_read_first, refused_by_clarus, release, strange, under_way
from streams.rules.orders.rest import at_rest, stub
from streams.rules.orders.state import DEAD, OrderState
from streams.rules.orders.sweeping import due, sweep
from streams.rules.orders.telling import late_tracking, refused_by_shopify, tell
from streams.rules.orders.waits import kept_since, reads_of, whole_milliseconds

ORDER_RULES: tuple[Rule, ...] = (
    held,
    release,
    under_way,
    instructed,
    sales_order,
    cancelled,
    edited,
    posting,
    tell,
    late_tracking,
    missing,
    not_despatched,
    short_closed,
    half_a_kit,
    over_despatched,
    undespatched,
    changed,
    told_otherwise,
    strange,
    refused_by_clarus,
    refused_by_erp,
    refused_by_shopify,
    gone,
    orphan_sale,
    orphan_posting,
    orphan_fulfilment,
    manifest_failed,
    unreadable,
)
"""In the order in which an order lives. Each is asked every time; none depends on another's answer."""

CONNECTION_RULES: tuple[Rule, ...] = (connection, sweep)


AT_REST = 1 << 62
"""Planned with any configuration to come: an order about which no rule has anything to say is left alone by changes."""


class Plan(NamedTuple):
    """The state after planning, and what to send. `cases` are those opened, changed or closed now."""

    state: OrderState
    commands: tuple[Command, ...] = ()
    cases: tuple[Case, ...] = ()
    reads: tuple[System, ...] = ()
    gentle_reads: tuple[System, ...] = ()
    """Behind all that orders need."""


def plan(state: OrderState, config: BrandConfig, decision: Decision) -> Plan:
    """Ask every rule, then reconcile."""
    state = due(state, config)
    findings = asked(state, config)
    wanted = [finding for finding in findings if isinstance(finding, Wanted)]
    kept = forget_unwanted(state, {one.object for one in wanted})
    if kept.refusals != state.refusals:
        findings = asked(kept, config)
    wakes = [finding.at for finding in findings if isinstance(finding, Wake)]
    state, commands = emit(kept, config, wanted, decision, wakes)
    comparison = compared(state, config, findings)
    findings.extend(unexplained(comparison, state, config))
    state = state.model_copy(update={"comparison": comparison})
    waitings = [finding for finding in findings if isinstance(finding, Waiting)]
    state = kept_since(state, waitings)
    state, cases = judged(state, findings, waitings, wakes, whole=_read_whole(state))
    gentle = state.ask_gently
    if gentle:
        state = state.model_copy(update={"ask_gently": ()})
    state, reads = reads_of(state, config, waitings, wakes)
    if config.stock.mode != "off" and may_withhold(state, config):
        state = state.model_copy(update={"withheld": withheld(state, config)})
    gentle = tuple(system for system in gentle if system not in reads)
    state = _rest(state, config, findings, wakes)
    wake_at = whole_milliseconds(min((wake for wake in wakes if wake > state.now), default=None))
    version = config.version if findings else AT_REST
    return Plan(
        state.model_copy(update={"wake_at": wake_at, "config_version": version}), commands, cases, reads, gentle
    )


def asked(state: OrderState, config: BrandConfig) -> list[Finding]:
    """What every rule says of this state."""
    rules = CONNECTION_RULES if state.order.startswith("~") else ORDER_RULES
    return list(chain.from_iterable(rule(state, config) for rule in rules))


def _read_whole(state: OrderState) -> bool:
    """Not of an order that left the hot state, came back and has not been read from all three systems yet."""
    known = state.shopify is not None or state.shopify_gone or state.order.startswith("~")
    return known and not must_read_first(state)


def _rest(state: OrderState, config: BrandConfig, findings: list[Finding], wakes: list[datetime]) -> OrderState:
    """An order in step leaves after its grace period."""
    if not at_rest(state, findings):
        return state.model_copy(update={"at_rest_since": None})
    if state.in_flight:
        wakes.append(max(one.decided_at for one in state.in_flight) + DEAD)
        return state.model_copy(update={"at_rest_since": None})
    since = state.at_rest_since or state.now
    leaves = since + timedelta(seconds=config.waits.kept)
    if leaves <= state.now:
        return stub(state)
    wakes.append(leaves)
    return state.model_copy(update={"at_rest_since": since})
