"""How many items of one partition have the same gap: each gets a case of its own, until there are enough of a kind.

A brand whose whole catalogue is unknown to the ERP is one thing to mend, not ten thousand. What is beyond is counted,
and told to one key of the brand (`item-gaps`), which makes one case per kind of it.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from schemas.aggregates import GAPS
from schemas.avro import Codec
from schemas.base import Brand, Sku, order_key
from schemas.cases import CaseCode
from schemas.events import GapsCounted
from schemas.topics import ITEMS_EVENTS
from streams.engine.contract import Emission
from streams.rules.items.gaps import KINDS
from streams.rules.items.state import ItemState

MOST_CASES = 10
"""Open at a time, of one kind, in one partition."""
EXAMPLES = 3

_EVENTS = Codec((GapsCounted,))
Gap = tuple[Brand, CaseCode]


class GapCrowds:
    """Of all brands in one partition. A pure function of the states noted: the same after a restart."""

    IN_STATE = b'"gaps":'
    """Stands in the JSON of a state that has a gap."""

    def __init__(self, partition: int) -> None:
        self._partition = partition
        self._open: defaultdict[Gap, set[bytes]] = defaultdict(set)
        self._without: defaultdict[Gap, dict[bytes, Sku]] = defaultdict(dict)
        self._told: dict[Gap, int] = {}
        """By this process; what another told before it, nobody knows."""
        self._touched: dict[Gap, None] = {}

    def note(self, key: bytes, state: ItemState) -> None:
        """The newest state of an item."""
        has = {case.code for case in state.cases}
        settled = has | {closed.code for closed in state.closed_by_person}
        for code in KINDS:
            gap = state.brand, code
            if code in has:
                self._open[gap].add(key)
            elif gap in self._open:
                self._open[gap].discard(key)
            if code in state.gaps and code not in settled:
                self._without[gap][key] = state.code
                self._touched[gap] = None
            elif gap in self._without and self._without[gap].pop(key, None) is not None:
                self._touched[gap] = None

    def full(self, brand: Brand) -> frozenset[CaseCode]:
        """Kinds of which there are cases enough."""
        return frozenset(code for code in KINDS if len(self._open.get((brand, code), ())) >= MOST_CASES)

    def news(self, offset: int) -> Iterator[Emission]:
        """What is to be told of what changed since it was last asked for."""
        touched, self._touched = self._touched, {}
        for gap in touched:
            if about(len(self._without[gap])) != self._told.get(gap):
                yield self._telling(gap, offset)

    def all(self, brands: set[Brand], offset: int) -> Iterator[Emission]:
        """Every figure as it stands, of these brands those too that are none: nobody knows what was told."""
        self._touched = {}
        for gap in sorted({(brand, code) for brand in brands for code in KINDS} | set(self._without)):
            yield self._telling(gap, offset)

    def _telling(self, gap: Gap, offset: int) -> Emission:
        (brand, code), items = gap, self._without[gap]
        self._told[gap] = about(len(items))
        event = GapsCounted(
            brand=brand,
            order=GAPS,
            partition=self._partition,
            decided_offset=offset,
            gap=code,
            items=self._told[gap],
            examples=tuple(sorted(islice(items.values(), EXAMPLES))),
        )
        value, headers = _EVENTS.encode(event)
        key = order_key(brand, GAPS).encode()
        return Emission(ITEMS_EVENTS.name, key, value, headers | {"brand": brand.encode(), "trace": b""})


def about(count: int) -> int:
    """Rounded down to 1, 2 or 5 with zeros behind it."""
    if count < 1:
        return 0
    tens = int("1".ljust(len(str(count)), "0"))
    return next(step * tens for step in (5, 2, 1) if step * tens <= count)
