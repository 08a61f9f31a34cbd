"""One order folded from what the three systems have now: which state that makes, and what would be sent. Sends nothing.

The translators of normalise and the fold of the orders agent, in memory, in mode observe.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from connectors.runtime.port import Reading
from kernel.log import Partition, Record
from schemas.base import Frozen, OrderId, System, order_key
from schemas.config import BrandConfig
from schemas.raw import RawHeaders, RawKind
from schemas.topics import CONFIG, ORDERS_EVENTS, RAW
from streams.agents.normalise import NormaliseFold, Translators
from streams.agents.orders import OrdersFold
from streams.engine.contract import Emission, UnreadableRecord
from streams.rules.orders.delivery import to_ship
from streams.rules.orders.readiness import is_ours
from streams.rules.orders.state import OrderState

IN_STEP, LEFT_ALONE, ORPHAN, NOWHERE = "in step", "left alone: older than release_from", "orphan", "nowhere"
ORDER = (System.CLARUS, System.ERP, System.SHOPIFY)
"""What was begun is known before the order itself is: nothing seems to be missing that is there."""


class Verdict(Frozen):
    """One order as the systems show it. Nothing personal. `shows` are the states it is in, at least one."""

    order: OrderId
    name: str = ""
    shows: tuple[str, ...] = ()
    would_send: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    orphan_in: tuple[System, ...] = ()


@dataclass(frozen=True, slots=True)
class DryFold:
    """Of one brand, as of one moment. Orders do not know of each other: each is folded alone."""

    config: BrandConfig
    translators: Translators
    now: datetime

    @property
    def mark(self) -> str:
        """Of what a verdict depends on beside the readings: the configuration, whether or not it writes."""
        return sha256(self._observing.model_copy(update={"version": 0}).model_dump_json().encode()).hexdigest()[:16]

    def verdict(self, readings: dict[System, Reading]) -> Verdict:
        """From one reading per system."""
        order = readings[System.SHOPIFY].order
        fold = OrdersFold(0)
        normalise = NormaliseFold(self.translators, "from-systems", 1)
        events = [*self._configured(normalise)]
        for system in ORDER:
            events.extend(_events(normalise, self._raw(system, readings[system])))
        for offset, event in enumerate(events):
            where = Partition(ORDERS_EVENTS.name, 0)
            fold.handle(Record(where, offset, event.key, event.value, self.now, event.headers))
        state = fold.states().get(order_key(self.config.brand, order))
        return Verdict(order=order, shows=(NOWHERE,)) if state is None else self._judged(state, readings)

    @property
    def _observing(self) -> BrandConfig:
        return self.config.model_copy(update={"mode": "observe", "paused": ()})

    def _configured(self, normalise: NormaliseFold) -> Sequence[Emission]:
        body = self._observing.model_dump_json().encode()
        record = Record(Partition(CONFIG.name, 0), 0, self.config.brand.encode(), body, self.now, {})
        return normalise.handle(record).emissions

    def _raw(self, system: System, reading: Reading) -> Record:
        headers = RawHeaders(
            brand=reading.brand,
            system=system,
            kind=RawKind.SNAPSHOT,
            epoch=0,
            read_started_at=reading.read_started_at,
            complete=reading.complete,
            absent=reading.absent,
            api_version=reading.api_version,
        )
        key = order_key(reading.brand, reading.order).encode()
        return Record(Partition(RAW[system].name, 0), 0, key, reading.body, self.now, headers.dump())

    def _judged(self, state: OrderState, readings: dict[System, Reading]) -> Verdict:
        there = {System.CLARUS: bool(state.goods_outs), System.ERP: state.erp is not None}
        gone = readings[System.SHOPIFY].absent
        orphan_in = tuple(system for system, has in there.items() if gone and has)
        return Verdict(
            order=state.order,
            name="" if state.shopify is None else state.shopify.name,
            shows=_shows(state, self.config, gone=gone, orphan=bool(orphan_in)),
            would_send=state.would_send,
            cases=tuple(case.code for case in state.cases),
            orphan_in=orphan_in,
        )


def _shows(state: OrderState, config: BrandConfig, *, gone: bool, orphan: bool) -> tuple[str, ...]:
    if orphan:
        return (ORPHAN,)
    if gone:
        return (NOWHERE,)
    unread = tuple(f"unreadable in {one.system}" for one in state.unreadable)
    waits = tuple(dict.fromkeys(_said(since.name) for since in state.since))
    if unread or waits or state.would_send:
        return (*unread, *waits, *(("to be sent something",) if state.would_send else ()))
    return (LEFT_ALONE,) if _left_alone(state, config) else (IN_STEP,) if not state.cases else ("open case only",)


def _left_alone(state: OrderState, config: BrandConfig) -> bool:
    order = state.shopify
    if order is None or order.cancelled_at is not None or is_ours(state, config):
        return False
    return any(line.remaining for one in to_ship(order, config) for line in one.lines)


def _said(name: str) -> str:
    """`hold:address` → held for address; `erp-post:ACME-5012-71-1` → waiting for erp-post."""
    kind, _, about = name.partition(":")
    return f"held for {about}" if kind == "hold" else f"waiting for {kind}"


def _events(normalise: NormaliseFold, record: Record) -> Iterable[Emission]:
    try:
        return normalise.handle(record).emissions
    except UnreadableRecord as unreadable:
        return unreadable.emissions
