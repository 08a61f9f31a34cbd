"""The log in memory: partitions, offsets, groups, commits and rebalances, for tests and simulations.

Keeps the contract of `kernel.log` as Kafka does, with the same partitioner and the same ranges of partitions per
member. Deterministic under a loop on virtual time.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Awaitable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kernel.clock import Clock
from kernel.log import (
    Appended,
    Group,
    LogError,
    LogUnavailable,
    Outgoing,
    Partition,
    Rebalance,
    Record,
    RecordTooLarge,
    Span,
)
from kernel.memory_group import MemoryConsumer, MemoryGroup
from kernel.partitioner import partition_of


@dataclass(slots=True)
class _Stored:
    """One partition. Compaction leaves holes, so an offset is not an index."""

    records: list[Record] = field(default_factory=list)
    begin: int = 0
    end: int = 0

    def since(self, offset: int, most: int) -> list[Record]:
        begin = bisect_left(self.records, offset, key=lambda record: record.offset)
        return self.records[begin : begin + max(0, most)]


class MemoryLog:
    """One cluster. `topics` names every topic with its number of partitions; others do not exist."""

    def __init__(self, clock: Clock, topics: Mapping[str, int], *, largest_record: int = 1_000_000) -> None:
        self._clock = clock
        self._counts = dict(topics)
        self._largest_record = largest_record
        self._stored = {
            Partition(topic, number): _Stored() for topic, count in topics.items() for number in range(count)
        }
        self._groups: dict[str, MemoryGroup] = {}
        self._waiting: dict[asyncio.Future[bool], Collection[Partition]] = {}
        self._refusals: dict[str, int] = defaultdict(int)
        self.available = True
        """False: nothing can be appended, read or committed; what is there stays."""

    # --- what the contract asks for

    def producer(self) -> "MemoryProducer":
        return MemoryProducer(self)

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> MemoryConsumer:
        return MemoryConsumer(self, self._groups.setdefault(group, MemoryGroup(group)), topics, rebalance)

    def reader(
        self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0
    ) -> "MemoryReader":
        return MemoryReader(self, topics, partitions, since)

    async def partitions(self, topic: str) -> int:
        self.must_be_there()
        return self.count(topic)

    async def spans(self, topics: Sequence[str]) -> Mapping[Partition, Span]:
        self.must_be_there()
        every = [Partition(topic, number) for topic in topics for number in range(self.count(topic))]
        return {where: Span(self._stored[where].begin, self._stored[where].end) for where in every}

    async def cluster_id(self) -> str:
        self.must_be_there()
        return "memory"

    async def describe_groups(self, names: Sequence[str]) -> dict[str, Group]:
        self.must_be_there()
        return {name: self._groups.get(name, MemoryGroup(name)).seen() for name in names}

    async def place_group(self, name: str, offsets: Mapping[Partition, int]) -> None:
        self.must_be_there()
        self._groups.setdefault(name, MemoryGroup(name)).place(offsets)

    async def create_like(self, name: str, model: str) -> bool:
        self.must_be_there()
        count, there = self.count(model), name in self._counts
        self._counts.setdefault(name, count)
        for number in range(count):
            self._stored.setdefault(Partition(name, number), _Stored())
        return not there

    # --- what tests look at and break

    def records(self, topic: str) -> list[Record]:
        """Everything in a topic, by partition, then offset."""
        return [
            record for number in range(self.count(topic)) for record in self._stored[Partition(topic, number)].records
        ]

    def committed(self) -> dict[str, dict[Partition, int]]:
        """How far each group has come."""
        return {name: dict(group.committed) for name, group in self._groups.items()}

    def refuse(self, topic: str, *, times: int = 1) -> None:
        """The next sends to this topic are not acknowledged, and not in the log."""
        self._refusals[topic] += times

    def compact(self, topic: str) -> None:
        """What the broker does to a compacted topic in its own time: per key the last record stays, no tombstone."""
        for number in range(self.count(topic)):
            stored = self._stored[Partition(topic, number)]
            last = {record.key: record.offset for record in stored.records}
            stored.records = [
                record
                for record in stored.records
                if record.key is None or (last[record.key] == record.offset and record.value is not None)
            ]

    def delete_before(self, where: Partition, offset: int) -> None:
        """What the broker does when retention has passed, or a person by hand: records below the offset are gone."""
        stored = self._stored[where]
        stored.records = stored.since(offset, len(stored.records))
        stored.begin = max(stored.begin, min(offset, stored.end))

    def make_anew(self, topic: str) -> None:
        """Deleted by a person, and created again: empty, and its offsets begin at 0."""
        for number in range(self.count(topic)):
            self._stored[Partition(topic, number)] = _Stored()

    # --- for producers, consumers and readers of this log

    def must_be_there(self) -> None:
        if not self.available:
            raise LogUnavailable("the log is away")

    def count(self, topic: str) -> int:
        if topic not in self._counts:
            raise LogError(
                f"expected one of the topics {', '.join(sorted(self._counts))}, found {topic}: create it first"
            )
        return self._counts[topic]

    def place(self, record: Outgoing) -> Partition:
        """Where a record belongs. Raises RecordTooLarge, or LogError when it belongs nowhere."""
        count = self.count(record.topic)
        if record.key is None and record.value is None:
            raise LogError(f"expected a key or a value in a record to {record.topic}, found neither")
        around = sum(len(name) + len(text) for name, text in record.headers.items())
        size = len(record.key or b"") + len(record.value or b"") + around
        if size > self._largest_record:
            raise RecordTooLarge(
                f"expected at most {self._largest_record} bytes in a record to {record.topic}, found {size}"
            )
        number = record.partition if record.partition is not None else partition_of(record.key or b"", count)
        if not 0 <= number < count:
            raise LogError(f"expected a partition of {record.topic} below {count}, found {number}")
        return Partition(record.topic, number)

    def append(self, record: Outgoing, where: Partition) -> Appended:
        self.must_be_there()
        if self._refusals[record.topic] > 0:
            self._refusals[record.topic] -= 1
            raise LogUnavailable(f"{where}: no acknowledgement")
        stored = self._stored[where]
        at = self._clock.now()
        stored.records.append(Record(where, stored.end, record.key, record.value, at, dict(record.headers)))
        stored.end += 1
        self.wake(where)
        return Appended(where, stored.end - 1, at)

    def fetch(self, positions: dict[Partition, int], most: int) -> list[Record]:
        """The next records of these partitions, one partition after the other; moves the positions behind them.

        None while the log is away: a Kafka client waits for its broker too, and says nothing.
        """
        found: list[Record] = []
        if not self.available:
            return found
        for where, position in positions.items():
            records = self._stored[where].since(position, most - len(found))
            if records:
                positions[where] = records[-1].offset + 1
                found.extend(records)
        return found

    def end(self, where: Partition) -> int:
        self.must_be_there()
        return self._stored[where].end

    def next_of(self, where: Partition, offset: int) -> Record | None:
        """The record at this offset, or the next there is."""
        found = self._stored[where].since(offset, 1)
        return found[0] if found else None

    def last(self, where: Partition) -> int:
        """The offset after the last record that is still there."""
        records = self._stored[where].records
        return records[-1].offset + 1 if records else 0

    def wake(self, where: Partition | None = None) -> None:
        """Whoever waits for records of this partition looks again; whoever waits for any when it is None."""
        for waiter, of in list(self._waiting.items()):
            if where is None or where in of:
                _answer(waiter, happened=True)

    async def happening(self, of: Collection[Partition], deadline: float) -> bool:
        """Wait for something to happen in these partitions; False when the deadline of the loop's clock came first."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting[waiter] = of
        late = loop.call_at(deadline, lambda: _answer(waiter, happened=False))
        try:
            return await waiter
        finally:
            late.cancel()
            del self._waiting[waiter]


def _answer(waiter: "asyncio.Future[bool]", *, happened: bool) -> None:
    if not waiter.done():
        waiter.set_result(happened)


class MemoryProducer:
    """Appends at once; the acknowledgement is ready when `send` returns."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._running = False

    async def start(self) -> None:
        self._log.must_be_there()
        self._running = True

    async def stop(self) -> None:
        self._running = False

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> Awaitable[Appended]:
        record = Outgoing(topic, key, value, headers or {}, partition)
        where = self._placed(record)
        try:
            return _ready(self._log.append(record, where), ())
        except LogUnavailable as cause:
            return _ready(None, (cause,))

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        """Each record is tried; the first failure is everybody's."""
        appended: list[Appended] = []
        failures: list[LogUnavailable] = []
        for record, where in zip(records, [self._placed(record) for record in records], strict=True):
            try:
                appended.append(self._log.append(record, where))
            except LogUnavailable as cause:
                failures.append(cause)
        return _ready(appended, failures)

    def _placed(self, record: Outgoing) -> Partition:
        if not self._running:
            raise LogUnavailable("expected a started producer, found one that is not started or has been stopped")
        return self._log.place(record)


def _ready(result: Any, failures: Sequence[LogUnavailable]) -> asyncio.Future[Any]:
    """Over already; heard of, also where an earlier failure keeps the sender from asking."""
    acknowledged: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    if failures:
        acknowledged.set_exception(failures[0])
        acknowledged.exception()
    else:
        acknowledged.set_result(result)
    return acknowledged


class MemoryReader:
    """Reads given partitions, without a group. A `since` outside the log is its nearest end."""

    def __init__(self, log: MemoryLog, topics: Sequence[str], partitions: Sequence[int] | None, since: int) -> None:
        self._log = log
        self._topics = sorted(set(topics))
        self._numbers = partitions
        self._since = since
        self._positions: dict[Partition, int] = {}
        self._goal: dict[Partition, int] = {}

    async def start(self) -> None:
        self._log.must_be_there()
        for topic in self._topics:
            for number in range(self._log.count(topic)):
                if self._numbers is None or number in self._numbers:
                    where = Partition(topic, number)
                    self._positions[where] = min(self._since, self._log.end(where))
                    self._goal[where] = self._log.last(where)

    async def stop(self) -> None:
        """Nothing to close."""

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        deadline = asyncio.get_running_loop().time() + timeout
        found = self._log.fetch(self._positions, most)
        while not found and await self._log.happening(self._positions, deadline):
            found = self._log.fetch(self._positions, most)
        return found

    async def caught_up(self) -> bool:
        return all(self._positions[where] >= goal for where, goal in self._goal.items())
