"""Two logs behind one contract: what a story needs to run in memory on virtual time, or on a real broker."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from kernel.clock import LoopClock
from kernel.kafka_log import KafkaLog, KafkaSettings, TopicSpec
from kernel.log import Consumer, Log, Partition, Reader, Record
from kernel.memory_group import MemoryConsumer
from kernel.memory_log import MemoryLog
from kernel.virtual_time import run_virtual

PARTITIONS = 4
QUICK = KafkaSettings(session_timeout=6, rebalance_timeout=2, acknowledged_within=10)
DEADLINE = 30.0


@dataclass(frozen=True, slots=True)
class Names:
    """The topics of one story: two that are partitioned alike, one that is not, and its group."""

    orders: str
    commands: str
    narrow: str
    missing: str
    group: str

    @classmethod
    def of(cls, prefix: str) -> "Names":
        return cls(*(prefix + name for name in ("orders", "commands", "narrow", "missing", "group")))


Story = Callable[[Log, Names], Awaitable[None]]


class World(ABC):
    """Runs a story against one of the logs."""

    def __init__(self, names: Names) -> None:
        self.names = names

    @abstractmethod
    def run(self, story: Story) -> None: ...

    @abstractmethod
    async def overtake(self, slow: Consumer, fresh: Consumer) -> None:
        """Make `fresh` a member and own everything, while `slow` is out of the group and has not noticed.

        Where the log is real, `slow` gets there by taking longer over `revoked` than it may.
        """

    @abstractmethod
    async def delete_before(self, log: Log, where: Partition, offset: int) -> None:
        """Make the records below the offset be gone, as after their retention."""


class MemoryWorld(World):
    def run(self, story: Story) -> None:
        async def main() -> None:
            topics = {self.names.orders: PARTITIONS, self.names.commands: PARTITIONS, self.names.narrow: 1}
            log = MemoryLog(LoopClock(datetime(2026, 3, 2, 9, tzinfo=UTC)), topics)
            await story(log, self.names)

        run_virtual(main())

    async def overtake(self, slow: Consumer, fresh: Consumer) -> None:
        assert isinstance(slow, MemoryConsumer)
        await slow.expire()
        await fresh.start()

    async def delete_before(self, log: Log, where: Partition, offset: int) -> None:
        assert isinstance(log, MemoryLog)
        log.delete_before(where, offset)


class KafkaWorld(World):
    def __init__(self, names: Names, bootstrap: str) -> None:
        super().__init__(names)
        self._bootstrap = bootstrap

    def run(self, story: Story) -> None:
        async def main() -> None:
            log = KafkaLog(self._bootstrap, client_id="contract", settings=QUICK)
            await log.create_topics(
                [
                    TopicSpec(self.names.orders, PARTITIONS),
                    TopicSpec(self.names.commands, PARTITIONS),
                    TopicSpec(self.names.narrow, 1),
                ]
            )
            await story(log, self.names)

        asyncio.run(main())

    async def overtake(self, slow: Consumer, fresh: Consumer) -> None:
        await fresh.start()

    async def delete_before(self, log: Log, where: Partition, offset: int) -> None:
        await delete_before(self._bootstrap, where, offset)


async def delete_before(bootstrap: str, where: Partition, offset: int) -> None:
    """In a real Kafka, by its own administrator's request."""
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        await client.delete_records({TopicPartition(*where): RecordsToDelete(before_offset=offset)})
    finally:
        await client.close()


class Startable(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...


S = TypeVar("S", bound=Startable)


@asynccontextmanager
async def running(one: S) -> AsyncIterator[S]:
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@dataclass
class Rebalances:
    """Notes what a consumer is told; `hold_revoked` keeps `revoked` from returning, `fail` makes `assigned` raise."""

    name: str = ""
    told: list[str] = field(default_factory=list)
    held: frozenset[Partition] = frozenset()
    hold_revoked: asyncio.Event | None = None
    hold_assigned: asyncio.Event | None = None
    when_revoked: Callable[[], Awaitable[None]] | None = None
    fail: Exception | None = None

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        self.told.append(f"{self.name} assigned")
        if self.hold_assigned is not None:
            await self.hold_assigned.wait()
        if self.fail is not None:
            raise self.fail
        self.held = partitions

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self.told.append(f"{self.name} revoking")
        if self.when_revoked is not None:
            await self.when_revoked()
        if self.hold_revoked is not None:
            await self.hold_revoked.wait()
        self.held = frozenset()
        self.told.append(f"{self.name} revoked")


async def read(source: Consumer | Reader, count: int) -> list[Record]:
    """Poll until so many records have come; fails when they do not within the deadline."""
    records: list[Record] = []
    async with asyncio.timeout(DEADLINE):
        while len(records) < count:
            records.extend(await source.poll(timeout=1))
    return records


async def until(holds: Callable[[], bool], *others: Consumer) -> None:
    """Wait for something that polling `others` may bring about; fails when it does not within the deadline."""
    async with asyncio.timeout(DEADLINE):
        while not holds():
            for other in others:
                assert not await other.poll(timeout=0), "no record was expected"
            await asyncio.sleep(0.02)


async def write(log: Log, topic: str, values: Sequence[str], *, key: str = "acme/1") -> list[Record]:
    """Append values under one key; returns them as they must be read."""
    async with running(log.producer()) as producer:
        sent = [await producer.send(topic, key=key.encode(), value=value.encode()) for value in values]
        appended = [await one for one in sent]
    return [
        Record(one.partition, one.offset, key.encode(), value.encode(), one.at)
        for one, value in zip(appended, values, strict=True)
    ]
