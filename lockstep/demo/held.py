"""How many orders were held, and how that ended: from the log alone, by a fold of it as the workers make it.

What the demo meant to happen plays no part here; an order counts as held when the rules said so.
"""

from collections import Counter
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from enum import StrEnum

from kernel.log import Log, Record
from lockstep.awaited import holds_of
from lockstep.demo.report import Held
from lockstep.reading import everything
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.topics import ORDERS_EVENTS
from streams.agents.orders import OrdersFold
from streams.rules.orders.readiness import order_holds
from streams.rules.orders.state import OrderState

PASSING = frozenset({CaseCode.NOT_ROUTED, CaseCode.EDIT_WINDOW, CaseCode.SCHEDULED})
"""Every order passes these, and nobody mends anything."""
REFUSED = frozenset({CaseCode.UNKNOWN_SKU, CaseCode.CLARUS_REFUSED})
"""Cases of what was ready and the warehouse would not take: held for those who wait for it."""
NOTHING: frozenset[CaseCode] = frozenset()


class End(StrEnum):
    """How an order stopped being held."""

    BY_ITSELF = "by itself"
    BY_PERSON = "by person"
    ENDED = "ended"


@dataclass(slots=True)
class _Story:
    now: frozenset[CaseCode] = NOTHING
    ever: set[CaseCode] = field(default_factory=set)
    end: End = End.BY_ITSELF


async def held_in(log: Log) -> Held:
    """Reads `orders.events` from its beginning. Raises LogError."""
    counted = HeldCount()
    async with everything(log, [ORDERS_EVENTS.name]) as records:
        async for record in records:
            counted.take(record)
    return counted.held()


def held_by(events: Iterable[Record]) -> Held:
    """The same of records in hand, per partition in order."""
    counted = HeldCount()
    for record in events:
        counted.take(record)
    return counted.held()


class HeldCount:
    """Takes the records of all partitions, those of each in order."""

    def __init__(self) -> None:
        self._folds: dict[int, OrdersFold] = {}
        self._stories: dict[bytes, _Story] = {}

    def take(self, record: Record) -> None:
        number = record.partition.number
        fold = self._folds.setdefault(number, OrdersFold(number, effects=False))
        try:
            step = fold.handle(record)
        except Unreadable:
            return  # it lies in the dead letters
        for change in step.changes:
            state = fold.state_of(change.key)
            if state is not None and not state.order.startswith("~"):
                self._note(change.key, state, fold.config_of(state.brand))

    def _note(self, key: bytes, state: OrderState, config: BrandConfig | None) -> None:
        reasons = _reasons(state)
        story = self._stories.get(key)
        if story is None:
            if not reasons:
                return
            story = self._stories[key] = _Story()
        if story.now - PASSING and not reasons - PASSING:
            story.end = _end(state, config)
        story.now = reasons
        story.ever |= reasons

    def held(self) -> Held:
        kept = [story for story in self._stories.values() if story.ever - PASSING]
        ends = Counter(story.end for story in kept if not story.now - PASSING)
        return Held(
            orders=len(kept),
            by_reason=_by_reason(story.ever for story in kept),
            released_by_themselves=ends[End.BY_ITSELF],
            released_by_person=ends[End.BY_PERSON],
            ended=ends[End.ENDED],
            still=sum(bool(story.now - PASSING) for story in kept),
            still_by_reason=_by_reason(story.now for story in kept),
            passing=len(self._stories) - len(kept),
        )


def _reasons(state: OrderState) -> frozenset[CaseCode]:
    refused = {case.code for case in state.cases if case.code in REFUSED}
    return frozenset({*holds_of(state), *refused})


def _end(state: OrderState, config: BrandConfig | None) -> End:
    order = state.shopify
    if order is None or config is None:
        return End.BY_ITSELF
    if order.cancelled_at is not None or state.shopify_gone:
        return End.ENDED
    standing = {hold.code for hold in order_holds(order, config)}
    overridden = {one.code for one in state.overridden}
    return End.BY_PERSON if standing & overridden else End.BY_ITSELF


def _by_reason(reasons: Iterable[Set[CaseCode]]) -> dict[str, int]:
    counts = Counter(str(code) for codes in reasons for code in codes - PASSING)
    return dict(sorted(counts.items()))
