"""Whole orders as the real topology plays them, kept so that a million alike can be stamped without playing them.

Some orders are played in memory and virtual time: shoppers, pickers, faults, every role. The events of each are cut at
what differs between two orders alike: ids, the place and time of what they were made from, and the command an outcome
answers, whose id names the offset of the event that decided it.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from kernel.log import Partition, Record
from kernel.virtual_time import run_virtual
from lockstep.simulation.house import House
from schemas.base import Brand, CommandId, OrderId
from schemas.commands import command_id
from schemas.events import CommandEnded, ConfigChanged, ErpOrderSeen, OrderEvent, Seen, ShopifyOrderSeen
from schemas.topics import COMMANDS, ORDERS_EVENTS
from streams.agents.orders import EVENTS, OrdersFold, decode_command

SEED = 20
EVENTS_OF_AN_ORDER = 33
"""As many as orders of the benches have, of which about a third change nothing; readings are doubled up to it."""
FIRST_ID = 7_000_000_000_000
"""Ids of stamped orders begin here; as long as Shopify's, for a text keeps its length in the bytes."""
APART = 100
"""Ids of an order, its fulfilment orders and lines lie within so many."""
_OFFSET, _PARTITION = 0x2A5A_5A5A_5A5A_5A5A, 0x2B5B_5B5B_5B5B_5B5B
_MOMENT = datetime(2233, 7, 7, 7, 7, 7, 777_777, tzinfo=UTC)
_COMMAND = "~~~the command~~~"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Decided:
    """The command that the order's event `by` decided, as its command number `index`."""

    brand: Brand
    by: int
    index: int

    def id(self, order: int, partition: int, offsets: Sequence[int]) -> CommandId:
        """`offsets`: of the order's events so far."""
        return command_id(self.brand, OrderId(str(order)), partition, offsets[self.by], self.index)


@dataclass(frozen=True, slots=True)
class Cut:
    """One event. `parts` are bytes to keep; between them stand an id (a distance to the order's own) or a mark."""

    headers: dict[str, bytes]
    parts: tuple[bytes, ...]
    holes: tuple[int | str, ...]
    topic: str
    answers: Decided | None
    read_again: bool = False
    """Followed by a second reading of the same: a webhook came twice, a poll found what a webhook had told."""


@dataclass(frozen=True, slots=True)
class Template:
    """One order's events, first to last."""

    brand: Brand
    events: tuple[Cut, ...]


class Places:
    """Where the next record of each source topic lies, for one partition; and how far the event log is."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._next: Counter[str] = Counter()

    def next(self, topic: str) -> int:
        self._next[topic] += 1
        return self._next[topic]


def stamp(cut: Cut, order: int, places: Places, decided: Sequence[int], at: datetime) -> bytes:
    """The value of one event of an order. `decided`: the offsets of its events so far."""
    values: dict[str, bytes] = {
        "offset": _long(places.next(cut.topic)),
        "partition": _long(places.number),
        "moment": _long((at - _EPOCH) // timedelta(microseconds=1)),
    }
    if cut.answers is not None:
        command = cut.answers.id(order, places.number, decided).encode()
        values["command"] = _long(len(command)) + command
    out = [cut.parts[0]]
    for hole, part in zip(cut.holes, cut.parts[1:], strict=True):
        out.append(values[hole] if isinstance(hole, str) else b"%d" % (order + hole))
        out.append(part)
    return b"".join(out)


def _long(value: int) -> bytes:
    """As Avro writes it: zigzag, seven bits a byte."""
    rest, out = value << 1 if value >= 0 else ~(value << 1), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_MARKS = {
    "offset": _long(_OFFSET),
    "partition": _long(_PARTITION),
    "moment": _long((_MOMENT - _EPOCH) // timedelta(microseconds=1)),
    "command": _long(len(_COMMAND)) + _COMMAND.encode(),
}
_HOLE = re.compile(
    b"|".join(
        [rb"(?P<id>612\d{10})", *(b"(?P<%s>%s)" % (name.encode(), re.escape(mark)) for name, mark in _MARKS.items())]
    )
)


def _cut(event: OrderEvent, cluster: str, order: int, answers: Decided | None) -> Cut:
    assert event.source is not None
    place = {"cluster": cluster, "offset": _OFFSET, "partition": _PARTITION}
    changes: dict[str, object] = {"source": event.source.model_copy(update=place)}
    if isinstance(event, Seen):
        changes["read_started_at"] = _MOMENT
    if isinstance(event, CommandEnded):
        changes["outcome"] = event.outcome.model_copy(update={"command": _COMMAND})
    value, headers = EVENTS.encode(event.model_copy(update=changes))
    parts: list[bytes] = []
    holes: list[int | str] = []
    begin = 0
    for found in _HOLE.finditer(value):
        parts.append(value[begin : found.start()])
        assert found.lastgroup is not None
        holes.append(int(found.group()) - order if found.lastgroup == "id" else found.lastgroup)
        begin = found.end()
    return Cut(headers, (*parts, value[begin:]), tuple(holes), event.source.topic, answers)


@dataclass(frozen=True, slots=True)
class Played:
    """What was played: a template per order that went all the way, and the brands' configuration events."""

    templates: tuple[Template, ...]
    configs: tuple[ConfigChanged, ...]


def play(cluster: str, orders: int = 40) -> Played:
    """Play some orders; those that come to rest as well when nothing wakes them in between are templates."""
    records: list[Record] = []

    async def story() -> None:
        async with House(seed=SEED) as house:
            pickers = asyncio.create_task(house.outside.pickers().run())
            await house.outside.shoppers().run(orders, 1.0)
            await house.clock.sleep(600)
            pickers.cancel()
            records.extend(house.log.records(ORDERS_EVENTS.name))

    run_virtual(story())
    events = [(record, EVENTS.decode(record.value or b"", record.headers)) for record in records]
    configs = {event.brand: event for _, event in events if isinstance(event, ConfigChanged)}
    keys = sorted({record.key for record in records if record.key is not None and b"/~" not in record.key})
    made = []
    for key in keys:
        own = [(record, event) for record, event in events if record.key == key and isinstance(event, OrderEvent)]
        template = _template(own, cluster, int(key.partition(b"/")[2]))
        if template is not None and _comes_to_rest(template, configs[template.brand]):
            made.append(template)
    if not made:
        raise RuntimeError("expected orders that go all the way when they are played, found none")
    return Played(tuple(made), tuple(configs.values()))


def _template(own: Sequence[tuple[Record, OrderEvent]], cluster: str, order: int) -> Template | None:
    """None when a command was decided by another record than the order's own, a tick for instance."""
    at = {record.offset: place for place, (record, _) in enumerate(own)}
    cuts = []
    for _, event in own:
        answers = None
        if isinstance(event, CommandEnded):
            _, offset, _, index = event.outcome.command.split(".")
            if int(offset) not in at:
                return None
            answers = Decided(event.brand, at[int(offset)], int(index))
        cuts.append(_cut(event, cluster, order, answers))
    doubled = [place for place, (_, event) in enumerate(own) if isinstance(event, ShopifyOrderSeen | ErpOrderSeen)]
    for place in doubled[: max(0, EVENTS_OF_AN_ORDER - len(cuts))]:
        cuts[place] = replace(cuts[place], read_again=True)
    return Template(own[0][1].brand, tuple(cuts))


def _comes_to_rest(template: Template, config: ConfigChanged) -> bool:
    """Whether every outcome finds its command, and nothing is in flight at the end."""
    fold, places, where = OrdersFold(0), Places(0), Partition(ORDERS_EVENTS.name, 0)
    now = datetime(2026, 12, 1, tzinfo=UTC)
    key, offset = f"{template.brand}/{FIRST_ID}".encode(), 0
    sent: set[str] = set()
    decided: list[int] = []
    topics = {topic.name for topic in COMMANDS.values()}

    def handle(name: bytes, value: bytes, headers: dict[str, bytes]) -> None:
        nonlocal offset
        record = Record(where, offset, name, value, now + timedelta(milliseconds=offset), headers)
        for one in fold.handle(record).emissions:
            if one.topic in topics and one.value is not None:
                sent.add(decode_command(one.value, dict(one.headers)).id)
        offset += 1

    handle(config.key.encode(), *EVENTS.encode(config))
    for cut in template.events:
        if cut.answers is not None and cut.answers.id(FIRST_ID, 0, decided) not in sent:
            return False
        decided.append(offset)
        for _ in range(1 + cut.read_again):
            handle(key, stamp(cut, FIRST_ID, places, decided, now), cut.headers)
    state = fold.states()[key.decode()]
    return not state.in_flight and not state.cases and bool(state.tellings)
