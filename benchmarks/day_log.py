"""The log of a day at peak, and the table of it: stamped, folded and written in processes, a partition each."""

import asyncio
import random
from collections import defaultdict, deque
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.templates import APART, FIRST_ID, Places, Played, Template, stamp
from kernel.log import Outgoing, Partition, Producer
from kernel.operated import OperatedLog
from kernel.partitioner import partition_of
from lockstep.replay.fold import BulkFold, Watch, fold_to
from schemas.events import TICK_BRAND, TICK_ID, Tick
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE
from streams.agents.keyed import TICK_KEY
from streams.agents.orders import EVENTS
from streams.engine.contract import Change

AT_ONCE = 200
"""Orders of a partition that are on their way beside each other."""
TICK_EVERY = 200
BATCH = 1000
UNDER_WAY = 4
"""Batches that are not acknowledged while the next is made."""


@dataclass(frozen=True, slots=True)
class Day:
    """What one partition shall hold: orders by id, each with the template it is stamped from."""

    number: int
    orders: tuple[tuple[int, int], ...]
    played: Played


class Sending:
    """Batches to one producer, some of them under way. Counts what it was given."""

    def __init__(self, producer: Producer) -> None:
        self._producer, self._batch = producer, list[Outgoing]()
        self._under_way: deque[Awaitable[Any]] = deque()
        self.given = 0

    def give(self, record: Outgoing) -> bool:
        """Whether it is time to `send`."""
        self._batch.append(record)
        self.given += 1
        return len(self._batch) >= BATCH

    async def send(self, *, all_of_it: bool = False) -> None:
        if self._batch:
            self._under_way.append(asyncio.ensure_future(await self._producer.send_many(self._batch)))
            self._batch = []
        while self._under_way and (all_of_it or len(self._under_way) > UNDER_WAY):
            await self._under_way.popleft()


async def generate(log: OperatedLog, day: Day, watch: Watch) -> int:
    """Append a day to one partition; how many events."""
    producer = log.producer()
    await producer.start()
    sending = Sending(producer)
    try:
        for key, value, headers in _events(day):
            if sending.give(Outgoing(ORDERS_EVENTS.name, key, value, headers, day.number)):
                await sending.send()
                watch.done(sending.given)
        await sending.send(all_of_it=True)
    finally:
        await producer.stop()
    watch.done(sending.given)
    return sending.given


def _events(day: Day) -> Iterator[tuple[bytes, bytes, dict[str, bytes]]]:
    """Configuration first; then orders beside each other, each in its own order, and ticks."""
    chance, places, offset = random.Random(day.number), Places(day.number), 0
    for config in day.played.configs:
        yield (config.key.encode(), *EVENTS.encode(config))
        offset += 1
    waiting = iter(day.orders)
    going: list[tuple[int, Template, bytes, list[int]]] = []
    tick = EVENTS.encode(Tick(brand=TICK_BRAND, order=TICK_ID, at=datetime.now(UTC)))
    while True:
        while len(going) < AT_ONCE and (one := next(waiting, None)) is not None:
            template = day.played.templates[one[1]]
            going.append((one[0], template, f"{template.brand}/{one[0]}".encode(), []))
        if not going:
            return
        place = chance.randrange(len(going))
        order, template, key, decided = going[place]
        cut = template.events[len(decided)]
        decided.append(offset)
        for _ in range(1 + cut.read_again):
            yield key, stamp(cut, order, places, decided, datetime.now(UTC)), cut.headers
            offset += 1
        if len(decided) == len(template.events):
            going[place] = going[-1]
            going.pop()
        if offset % TICK_EVERY == 0:
            yield (TICK_KEY, *tick)
            offset += 1


async def tabulate(log: OperatedLog, number: int, watch: Watch) -> int:
    """Write one partition's table as workers do: every change, in order; how many."""
    end = (await log.spans([ORDERS_EVENTS.name]))[Partition(ORDERS_EVENTS.name, number)].end
    producer = log.producer()
    await producer.start()
    sending, changes, bulk = Sending(producer), list[Change](), BulkFold(number)
    try:
        while bulk.next < end:
            await fold_to(log, bulk, min(end, bulk.next + 20 * BATCH), watch, changed=changes.append)
            for change in changes:
                if sending.give(Outgoing(ORDERS_STATE.name, change.key, change.value, {}, number)):
                    await sending.send()
            changes.clear()
            bulk.renew()
        await sending.send(all_of_it=True)
    finally:
        await producer.stop()
    return sending.given


def days(played: Played, events: int, partitions: int) -> list[Day]:
    """So many orders that about so many events come of them, each in the partition of its key."""
    orders: dict[int, list[tuple[int, int]]] = defaultdict(list)
    chance = random.Random(1)
    total = 0
    order = FIRST_ID
    while total < events:
        which = chance.randrange(len(played.templates))
        template = played.templates[which]
        orders[partition_of(f"{template.brand}/{order}".encode(), partitions)].append((order, which))
        total += sum(1 + cut.read_again for cut in template.events)
        order += APART
    return [Day(number, tuple(orders[number]), played) for number in range(partitions)]
