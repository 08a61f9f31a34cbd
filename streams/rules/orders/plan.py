"""What should happen now: the rules in their order, and how their findings become commands, cases, reads and a wake-up.

`plan` is pure: same state and configuration, same plan, byte for byte. Rules say what *should* be so; this module
compares it with what is under way (in flight, refused, delayed, done) and emits only the difference.
"""

from datetime import datetime, timedelta
from hashlib import sha256
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
from streams.rules.orders.demand import withheld
from streams.rules.orders.drift import compared, unexplained
from streams.rules.orders.edits import cancelled, edited
from streams.rules.orders.emit import Decision, emit, forget_unwanted
from streams.rules.orders.finance import posting, refused_by_erp, sales_order
from streams.rules.orders.findings import Finding, Rule, Waiting, Wake, Wanted
from streams.rules.orders.orphans import manifest_failed, orphan_fulfilment, orphan_posting, orphan_sale
from streams.rules.orders.readiness import held
from streams.rules.orders.release import instructed, refused_by_clarus, release, strange, under_way
from streams.rules.orders.rest import at_rest, stub
from streams.rules.orders.state import DEAD, OrderState, Reread, Since
from streams.rules.orders.sweeping import due, sweep
from streams.rules.orders.telling import late_tracking, refused_by_shopify, tell

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
    state = _since(state, waitings)
    state, cases = judged(state, findings, waitings, wakes)
    gentle = state.ask_gently
    state, reads = _reads(state, config, waitings, wakes)
    if config.stock.mode != "off" and (state.goods_outs or state.in_flight or state.withheld):
        state = state.model_copy(update={"withheld": withheld(state, config)})
    gentle = tuple(system for system in gentle if system not in reads)
    state = _rest(state, config, findings, wakes)
    wake_at = whole_milliseconds(min((wake for wake in wakes if wake > state.now), default=None))
    version = config.version if findings else AT_REST
    return Plan(
        state.model_copy(update={"wake_at": wake_at, "config_version": version}), commands, cases, reads, gentle
    )


def whole_milliseconds(moment: datetime | None) -> datetime | None:
    """Rounded up: the log counts milliseconds, and a restored index must not fire before a live one."""
    return None if moment is None else moment + timedelta(microseconds=-moment.microsecond % 1000)


def asked(state: OrderState, config: BrandConfig) -> list[Finding]:
    """What every rule says of this state."""
    rules = CONNECTION_RULES if state.order.startswith("~") else ORDER_RULES
    return [finding for rule in rules for finding in rule(state, config)]


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


def _since(state: OrderState, waitings: list[Waiting]) -> OrderState:
    """Keep since when each condition holds; forget those that are over."""
    if not waitings and not state.since:
        return state
    before = {entry.name: entry for entry in state.since}
    names = sorted({waiting.name for waiting in waitings})
    return state.model_copy(
        update={"since": tuple(before.get(name) or Since(name=name, at=state.now) for name in names)}
    )


def _reads(
    state: OrderState, config: BrandConfig, waitings: list[Waiting], wakes: list[datetime]
) -> tuple[OrderState, tuple[System, ...]]:
    """Systems to read again: asked for at once, or waited for long enough. Backs off; spread by the key."""
    needed = {system for waiting in waitings for system in waiting.read}
    if not (needed or state.ask or state.ask_gently or state.rereads):
        return state, ()
    before = {reread.system: reread for reread in state.rereads}
    reads = set(state.ask)
    rereads: list[Reread] = []
    for system in (system for system in System if system in needed):
        reread = before.get(system)
        if reread is None:
            reread = Reread(system=system, asked=0, next_at=_next_read(state, config, 0))
        elif reread.next_at <= state.now:
            reads.add(system)
            asked = reread.asked + 1
            reread = Reread(system=system, asked=asked, next_at=_next_read(state, config, asked))
        rereads.append(reread)
        wakes.append(reread.next_at)
    return (
        state.model_copy(update={"ask": (), "ask_gently": (), "rereads": tuple(rereads)}),
        tuple(system for system in System if system in reads),
    )


def _next_read(state: OrderState, config: BrandConfig, asked: int) -> datetime:
    seconds = min(config.waits.reread * 2 ** min(asked, 20), config.waits.reread_most)
    return state.now + timedelta(seconds=seconds, milliseconds=spread(state.order, seconds * 100))


def spread(key: str, most: int) -> int:
    """0 to `most`, the same for the same key: so that what begins together does not come back together."""
    return int.from_bytes(sha256(key.encode()).digest()[:4]) % (most + 1)
