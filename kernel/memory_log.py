"""The log in memory: partitions, offsets, groups, commits and rebalances, for tests and simulations.

Keeps the contract of `kernel.log` as Kafka does, with the same partitioner. Deterministic under a loop on virtual time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.partitioner import murmur2

from kernel.clock import Clock
from kernel.log import Appended, Fenced, LogError, LogUnavailable, Outgoing, Partition, Rebalance, Record


def partition_of(key: bytes, partitions: int) -> int:
    """Where a key goes: murmur2, as the Java client's default partitioner."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


@dataclass
class _Group:
    members: list["MemoryConsumer"] = field(default_factory=list)
    committed: dict[Partition, int] = field(default_factory=dict)
    owner: dict[Partition, "MemoryConsumer"] = field(default_factory=dict)


class MemoryLog:
    """One cluster. `topics` names every topic with its number of partitions; others do not exist."""

    def __init__(self, clock: Clock, topics: Mapping[str, int]) -> None:
        self._clock = clock
        self._partitions = dict(topics)
        self._records: dict[Partition, list[Record]] = {
            Partition(topic, number): [] for topic, count in topics.items() for number in range(count)
        }
        self._groups: dict[str, _Group] = defaultdict(_Group)
        self._appended = asyncio.Event()
        self._refusals: dict[str, int] = defaultdict(int)
        self.available = True

    # --- what the contract asks for

    def producer(self) -> "MemoryProducer":
        return MemoryProducer(self)

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> "MemoryConsumer":
        return MemoryConsumer(self, group, topics, rebalance)

    def reader(
        self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0
    ) -> "MemoryReader":
        wanted = [
            Partition(topic, number)
            for topic in topics
            for number in range(self._count(topic))
            if partitions is None or number in partitions
        ]
        return MemoryReader(self, wanted, since)

    async def partitions(self, topic: str) -> int:
        return self._count(topic)

    async def cluster_id(self) -> str:
        return "memory"

    # --- what tests look at and break

    def records(self, topic: str) -> list[Record]:
        """Everything in a topic, by partition, then offset."""
        return [record for number in range(self._count(topic)) for record in self._records[Partition(topic, number)]]

    def refuse(self, topic: str, *, times: int = 1) -> None:
        """The next sends to this topic fail at the broker."""
        self._refusals[topic] += times

    # --- inside

    def _count(self, topic: str) -> int:
        if topic not in self._partitions:
            msg = f"expected one of {', '.join(sorted(self._partitions))}, found topic {topic!r}: create it first"
            raise LogError(msg)
        return self._partitions[topic]

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, bytes], number: int | None
    ) -> Appended:
        count = self._count(topic)
        if not self.available:
            raise LogUnavailable("the log is away")
        if self._refusals[topic] > 0:
            self._refusals[topic] -= 1
            raise LogUnavailable(f"the broker refused a record of {topic}")
        where = Partition(topic, number if number is not None else partition_of(key or b"", count))
        record = Record(where, len(self._records[where]), key, value, self._clock.now(), dict(headers))
        self._records[where].append(record)
        self._appended.set()
        self._appended = asyncio.Event()
        return Appended(where, record.offset, record.at)

    def fetch(self, where: Partition, offset: int, most: int) -> list[Record]:
        return self._records[where][offset : offset + most]

    def end(self, where: Partition) -> int:
        return len(self._records[where])

    async def appended(self, timeout: float) -> None:
        """Wait until something is appended anywhere, or so many seconds."""
        event = self._appended
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return

    def group(self, name: str) -> _Group:
        return self._groups[name]


class MemoryProducer:
    """Appends at once; the acknowledgement is ready when `send` returns."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to flush."""

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> Awaitable[Appended]:
        acknowledged: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()
        try:
            acknowledged.set_result(self._log.append(topic, key, value, headers or {}, partition))
        except LogUnavailable as cause:
            acknowledged.set_exception(cause)
        return acknowledged

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        sent = [
            await self.send(one.topic, key=one.key, value=one.value, headers=one.headers, partition=one.partition)
            for one in records
        ]
        return asyncio.gather(*sent)


class MemoryConsumer:
    """A member of a group; partitions are dealt anew, all revoked first, whenever a member comes or goes."""

    def __init__(self, log: MemoryLog, group: str, topics: Sequence[str], rebalance: Rebalance | None) -> None:
        self._log = log
        self._group = log.group(group)
        self._topics = tuple(topics)
        self._rebalance = rebalance
        self._positions: dict[Partition, int] = {}
        self._paused: set[Partition] = set()

    async def start(self) -> None:
        await self._leave_all()
        self._group.members.append(self)
        await self._deal()

    async def stop(self) -> None:
        if self in self._group.members:
            await self._leave_all()
            self._group.members.remove(self)
            await self._deal()

    def lose(self) -> None:
        """Die without a word: nothing is revoked politely, the partitions stay unread until a rebalance."""
        self._group.members.remove(self)
        for where in [where for where, owner in self._group.owner.items() if owner is self]:
            del self._group.owner[where]

    async def _leave_all(self) -> None:
        for member in list(self._group.members):
            await member._revoke()

    async def _deal(self) -> None:
        members = self._group.members
        for number in range(max((self._log._count(topic) for topic in self._topics), default=0)):
            if members:
                owner = members[number % len(members)]
                for topic in owner._topics:
                    self._group.owner[Partition(topic, number)] = owner
        for member in members:
            await member._assign()

    async def _revoke(self) -> None:
        held = frozenset(self._positions)
        if self._rebalance is not None and held:
            await self._rebalance.revoked(held)
        for where in held:
            self._group.owner.pop(where, None)
        self._positions.clear()
        self._paused.clear()

    async def _assign(self) -> None:
        mine = frozenset(where for where, owner in self._group.owner.items() if owner is self)
        self._positions = {where: self._group.committed.get(where, 0) for where in sorted(mine)}
        if self._rebalance is not None:
            await self._rebalance.assigned(mine)

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        found = self._take(most)
        if not found:
            await self._log.appended(timeout)
            found = self._take(most)
        return found

    def _take(self, most: int) -> list[Record]:
        found: list[Record] = []
        for where, position in self._positions.items():
            if where not in self._paused and len(found) < most:
                records = self._log.fetch(where, position, most - len(found))
                self._positions[where] = position + len(records)
                found.extend(records)
        return found

    async def commit(self, finished: Mapping[Partition, int]) -> None:
        for where, offset in finished.items():
            if self._group.owner.get(where) is not self:
                raise Fenced(f"{where} belongs to another member now")
            self._group.committed[where] = offset

    def pause(self, *partitions: Partition) -> None:
        self._paused.update(partitions)

    def resume(self, *partitions: Partition) -> None:
        self._paused.difference_update(partitions)

    async def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        return {where: self._log.end(where) for where in partitions}

    async def committed(self, partition: Partition) -> int | None:
        return self._group.committed.get(partition)


class MemoryReader:
    """Reads given partitions from their beginning, without a group."""

    def __init__(self, log: MemoryLog, partitions: Sequence[Partition], since: int) -> None:
        self._log = log
        self._positions = dict.fromkeys(partitions, since)
        self._goal: dict[Partition, int] = {}

    async def start(self) -> None:
        self._goal = {where: self._log.end(where) for where in self._positions}

    async def stop(self) -> None:
        """Nothing to close."""

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        found = self._take(most)
        if not found:
            await self._log.appended(timeout)
            found = self._take(most)
        return found

    def _take(self, most: int) -> list[Record]:
        found: list[Record] = []
        for where, position in self._positions.items():
            records = self._log.fetch(where, position, most - len(found))
            self._positions[where] = position + len(records)
            found.extend(records)
        return found

    async def caught_up(self) -> bool:
        return all(self._positions[where] >= goal for where, goal in self._goal.items())
