"""A corner of a shared broker: every topic and group of ours under a prefix, so that tests do not meet.

`Corner` is a `kernel.log.Log`. What is run on it, the real workers and connectors, sees the names of the registry.
"""

from collections.abc import Awaitable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from kernel.kafka_log import KafkaLog, KafkaSettings, TopicSpec
from kernel.log import Appended, Consumer, Outgoing, Partition, Producer, Reader, Rebalance, Record, Span
from schemas.topics import ALL

PARTITIONS = 4
QUICK = KafkaSettings(session_timeout=6, rebalance_timeout=8, acknowledged_within=10, compression="none")


class Corner:
    """One prefix of one cluster."""

    def __init__(self, bootstrap: str, prefix: str, client_id: str = "test") -> None:
        self._log = KafkaLog(bootstrap, client_id=client_id, settings=QUICK)
        self.bootstrap, self.prefix = bootstrap, prefix

    async def create_topics(self, **settings: Mapping[str, str]) -> None:
        """All topics of the registry; `settings` by topic name with `_` for `.` go on top of the registry's."""
        specs = [
            TopicSpec(
                self.name(topic.name),
                PARTITIONS,
                config={**topic.configuration(), **settings.get(topic.name.replace(".", "_"), {})},
            )
            for topic in ALL
        ]
        await self._log.create_topics(specs)

    def name(self, ours: str) -> str:
        """As the cluster knows it."""
        return self.prefix + ours

    def place(self, where: Partition) -> Partition:
        return Partition(self.name(where.topic), where.number)

    def ours(self, where: Partition) -> Partition:
        return Partition(where.topic.removeprefix(self.prefix), where.number)

    def producer(self) -> Producer:
        return _Producer(self, self._log.producer())

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> Consumer:
        told = None if rebalance is None else _Rebalance(self, rebalance)
        names = [self.name(topic) for topic in topics]
        return _Consumer(self, self._log.consumer(self.name(group), names, told))

    def reader(self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0) -> Reader:
        return _Reader(
            self, self._log.reader([self.name(topic) for topic in topics], partitions=partitions, since=since)
        )

    async def partitions(self, topic: str) -> int:
        return await self._log.partitions(self.name(topic))

    async def spans(self, topics: Sequence[str]) -> Mapping[Partition, Span]:
        found = await self._log.spans([self.name(topic) for topic in topics])
        return {self.ours(where): span for where, span in found.items()}

    async def cluster_id(self) -> str:
        return await self._log.cluster_id()

    # --- for tests: how far groups are

    async def ends(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        client = AIOKafkaConsumer(bootstrap_servers=self.bootstrap)
        await client.start()
        try:
            ends = await client.end_offsets([TopicPartition(*self.place(where)) for where in partitions])
        finally:
            await client.stop()
        return {self.ours(Partition(*where)): offset for where, offset in ends.items()}

    async def commits(self, group: str) -> dict[Partition, int]:
        """What the group has committed; partitions without a commit are left out."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self.name(group))
        finally:
            await admin.close()
        return {self.ours(Partition(*where)): one.offset for where, one in found.items() if one.offset >= 0}

    async def allow(self, topic: str, **settings: str) -> None:
        """Change settings of a topic, named with `_` for `.`; those not named fall back to the broker's."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            named = {name.replace("_", "."): value for name, value in settings.items()}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, self.name(topic), named)])
        finally:
            await admin.close()

    def record(self, found: Record) -> Record:
        return Record(self.ours(found.partition), found.offset, found.key, found.value, found.at, found.headers)


class _Producer:
    def __init__(self, corner: Corner, inner: Producer) -> None:
        self._corner, self._inner = corner, inner

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> Awaitable[Appended]:
        named = self._corner.name(topic)
        return await self._inner.send(named, key=key, value=value, headers=headers, partition=partition)

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        named = [Outgoing(self._corner.name(r.topic), r.key, r.value, r.headers, r.partition) for r in records]
        return await self._inner.send_many(named)


class _Rebalance:
    def __init__(self, corner: Corner, inner: Rebalance) -> None:
        self._corner, self._inner = corner, inner

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        await self._inner.assigned(frozenset(self._corner.ours(where) for where in partitions))

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        await self._inner.revoked(frozenset(self._corner.ours(where) for where in partitions))


class _Consumer:
    def __init__(self, corner: Corner, inner: Consumer) -> None:
        self._corner, self._inner = corner, inner

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        return [self._corner.record(found) for found in await self._inner.poll(timeout=timeout, most=most)]

    async def commit(self, finished: Mapping[Partition, int]) -> None:
        await self._inner.commit({self._corner.place(where): offset for where, offset in finished.items()})

    def pause(self, *partitions: Partition) -> None:
        self._inner.pause(*(self._corner.place(where) for where in partitions))

    def resume(self, *partitions: Partition) -> None:
        self._inner.resume(*(self._corner.place(where) for where in partitions))

    async def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        ends = await self._inner.end_offsets([self._corner.place(where) for where in partitions])
        return {self._corner.ours(where): offset for where, offset in ends.items()}

    async def committed(self, partition: Partition) -> int | None:
        return await self._inner.committed(self._corner.place(partition))


class _Reader:
    def __init__(self, corner: Corner, inner: Reader) -> None:
        self._corner, self._inner = corner, inner

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        return [self._corner.record(found) for found in await self._inner.poll(timeout=timeout, most=most)]

    async def caught_up(self) -> bool:
        return await self._inner.caught_up()
