"""Reading from Kafka: as a member of a group, or alone from the beginning.

aiokafka speaks the classic group protocol: at every rebalance all partitions are revoked, then dealt anew. It awaits a
listener before it gives partitions up, but sends no heartbeat while it tells the listener what was assigned, swallows
the listener's exceptions, does not call it when the consumer stops, takes whoever fetches nothing for five minutes for
dead, tells only who fetches that the group refuses it, and takes a group whose commits its coordinator does not tell
for one that has none. All six are mended here.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor

from kernel.kafka_client import Connection, answered, milliseconds, translated, when
from kernel.kafka_cluster import committed_by
from kernel.log import LogError, LogUnavailable, Partition, Rebalance, Record, Span

FOR_EVER = 2**31 - 1
"""Milliseconds, as many as Kafka's numbers take. Whether a process gets on is for its liveness to tell."""
LOOK_EVERY = 0.5
"""Seconds; how soon who waits for partitions hears that the group refuses it."""


class KafkaConsumer:
    """A member of a group; see `kernel.log.Consumer`.

    `assigned` may take as long as it needs; `poll` answers nothing until it has returned. A rebalance does not wait for
    it: who is late to rejoin is out of the group, and two that restore for long would put each other out in turns.
    What `assigned` or `revoked` raises comes out of `poll`, `start` or `stop`; such a consumer has no sure footing any
    more and must be stopped.
    """

    def __init__(self, connection: Connection, group: str, topics: Sequence[str], rebalance: Rebalance | None) -> None:
        self._connection = connection
        self._group = group
        self._topics = tuple(topics)
        self._rebalance = rebalance
        self._consumer: Any = None
        self._held: frozenset[Partition] = frozenset()
        self._assigning: asyncio.Task[None] | None = None
        self._commits: Mapping[Partition, int] | None = None
        """As asked for beside aiokafka, until `assigned` has returned: nobody else commits meanwhile."""
        self._settled = asyncio.Event()
        self._giving_up = asyncio.Lock()
        self._failure: BaseException | None = None
        self._stopping = False

    async def start(self) -> None:
        """Join the group; returns when partitions are dealt and `assigned` has returned.

        Raises LogUnavailable, or LogError when a topic is missing, they have different numbers of partitions or the
        group refuses us.
        """
        counts = await self._connection.partition_counts(frozenset(self._topics))
        if len(set(counts.values())) > 1:
            raise LogError(
                f"expected the same number of partitions in all topics of group {self._group}, found {counts}"
            )
        settings = self._connection.settings
        consumer = AIOKafkaConsumer(
            **self._connection.arguments(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=milliseconds(settings.session_timeout),
            heartbeat_interval_ms=milliseconds(min(1.0, settings.session_timeout / 3)),  # it also tells of rebalances
            rebalance_timeout_ms=milliseconds(settings.rebalance_timeout),
            max_poll_interval_ms=FOR_EVER,
        )
        self._consumer = consumer
        try:
            consumer.subscribe(self._topics, listener=_Listener(self))
            with translated(f"joining group {self._group} in Kafka at {self._connection.bootstrap}"):
                await consumer.start()
            settled = False
            while not settled:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY):
                        settled = await self._settled.wait()
                self._raise_failure()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Give the partitions up as in a rebalance, then leave the group. Safe to call twice."""
        if self._consumer is None or self._stopping:
            return
        self._stopping = True
        await self._cut_short()
        try:
            await self._give_up()
        finally:
            await self._consumer.stop()

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout
        consumer = self._running()
        self._raise_failure()
        # The limits end waiting only: aiokafka takes records from its buffer and returns them without a pause between.
        with suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                await self._settled.wait()
        self._raise_failure()
        if not self._settled.is_set():
            return []
        taken: dict[Any, Any] = {}
        with translated(f"reading as group {self._group}"), suppress(TimeoutError):
            async with asyncio.timeout_at(deadline):
                remaining = max(0.0, deadline - loop.time())
                taken = await consumer.getmany(timeout_ms=milliseconds(remaining), max_records=most)
        if not self._settled.is_set():
            self._put_back(taken)
            return []
        return _records(taken)

    async def commit(self, finished: Mapping[Partition, int]) -> None:
        if not finished:
            return
        consumer = self._running()
        offsets = {TopicPartition(*where): offset for where, offset in finished.items()}
        doing = f"committing {len(offsets)} partitions as group {self._group}"
        async with answered(doing, within=self._connection.settings.acknowledged_within):
            await consumer.commit(offsets)

    def pause(self, *partitions: Partition) -> None:
        """What is not ours is left alone: a rebalance was faster."""
        consumer = self._running()
        consumer.pause(*(where for where in _native(partitions) if where in consumer.assignment()))

    def resume(self, *partitions: Partition) -> None:
        consumer = self._running()
        consumer.resume(*(where for where in _native(partitions) if where in consumer.assignment()))

    async def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        if not partitions:
            return {}
        return await _end_offsets(self._running(), partitions, self._connection)

    async def committed(self, partition: Partition) -> int | None:
        doing = f"asking for the commit of {partition} by group {self._group}"
        async with answered(doing, within=self._connection.settings.acknowledged_within):
            offset: int | None = await self._running().committed(TopicPartition(*partition))
        if offset is None:
            commits = self._commits
            offset = (await committed_by(self._connection, self._group) if commits is None else commits).get(partition)
        return offset

    # --- the rebalance, told by the listener

    async def taken(self, partitions: frozenset[Partition]) -> None:
        """Return at once, so that heartbeats go on; `assigned` runs on the side."""
        if not self._stopping:
            self._held = partitions
            self._assigning = asyncio.create_task(self._assign(partitions))

    async def lost(self) -> None:
        """Partitions are given up as soon as this returns."""
        await self._cut_short()
        if not self._stopping:
            with suppress(Exception):  # kept in _failure, raised where the caller looks
                await self._give_up()

    async def _cut_short(self) -> None:
        if self._assigning is not None:
            self._assigning.cancel()
            await asyncio.wait([self._assigning])

    async def _assign(self, partitions: frozenset[Partition]) -> None:
        try:
            await self._begin(partitions)
            if self._rebalance is not None:
                await self._rebalance.assigned(partitions)
        except Exception as cause:  # noqa: BLE001 - whatever it is, it comes out of poll
            self._failure = cause
        self._commits = None
        self._settled.set()

    async def _begin(self, partitions: frozenset[Partition]) -> None:
        """Where the group has committed; aiokafka begins with the oldest record where it was not told."""
        self._commits = None
        consumer, doing = self._running(), f"asking for the commits of group {self._group}"
        async with answered(doing, within=self._connection.settings.acknowledged_within):
            told = await asyncio.gather(*(consumer.committed(where) for where in _native(sorted(partitions))))
        if None in told:
            self._commits = await committed_by(self._connection, self._group)
            for where in partitions & self._commits.keys():
                consumer.seek(TopicPartition(*where), self._commits[where])

    async def _give_up(self) -> None:
        self._settled.clear()
        async with self._giving_up:  # a stop in the middle of a rebalance waits for its `revoked`
            held, self._held = self._held, frozenset()
            if self._rebalance is not None and held:
                try:
                    await self._rebalance.revoked(held)
                except Exception as cause:
                    self._failure = cause
                    raise

    def _put_back(self, taken: Mapping[Any, Sequence[Any]]) -> None:
        """A rebalance overtook the fetch: what stays ours is read again, what does not is the next owner's."""
        for where in taken.keys() & self._consumer.assignment():
            self._consumer.seek(where, taken[where][0].offset)

    def _raise_failure(self) -> None:
        """What the listener raised; or why the group refuses us: aiokafka then does nothing until it is asked."""
        if self._failure is not None:
            raise self._failure
        with translated(f"being a member of group {self._group}"):
            self._consumer._coordinator.check_errors()

    def _running(self) -> Any:
        if self._consumer is None:
            raise LogUnavailable(f"expected a started consumer of group {self._group}, found one not started")
        return self._consumer


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    def __init__(self, consumer: KafkaConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: object) -> None:
        """What was held; aiokafka calls this also when that was nothing."""
        await self._consumer.lost()

    async def on_partitions_assigned(self, assigned: frozenset[Any]) -> None:
        await self._consumer.taken(frozenset(Partition(where.topic, where.partition) for where in assigned))


class KafkaReader:
    """Reads without a group; see `kernel.log.Reader`. A `since` outside the log is its nearest end."""

    def __init__(
        self, connection: Connection, topics: Sequence[str], partitions: Sequence[int] | None, since: int
    ) -> None:
        self._connection = connection
        self._topics = frozenset(topics)
        self._numbers = None if partitions is None else frozenset(partitions)
        self._since = since
        self._consumer: Any = None
        self._behind: dict[Partition, int] = {}

    async def start(self) -> None:
        """Raises LogUnavailable, or LogError when a topic is missing."""
        counts = await self._connection.partition_counts(self._topics)
        partitions = [
            Partition(topic, number)
            for topic, count in sorted(counts.items())
            for number in range(count)
            if self._numbers is None or number in self._numbers
        ]
        consumer = AIOKafkaConsumer(
            **self._connection.arguments(), enable_auto_commit=False, auto_offset_reset="earliest"
        )
        try:
            consumer.assign(_native(partitions))
            with translated(f"reading {', '.join(sorted(self._topics))} from Kafka at {self._connection.bootstrap}"):
                await consumer.start()
                ends = await _end_offsets(consumer, partitions, self._connection)
                begins = await consumer.beginning_offsets(_native(partitions))
            for where in partitions:
                begin = min(max(self._since, begins[TopicPartition(*where)]), ends[where])
                consumer.seek(TopicPartition(*where), begin)
                if begin < ends[where]:
                    self._behind[where] = ends[where]
        except BaseException:
            await consumer.stop()
            raise
        self._consumer = consumer

    async def stop(self) -> None:
        if self._consumer is not None:
            await self._consumer.stop()

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        if self._consumer is None:
            raise LogUnavailable("expected a started reader, found one not started")
        with translated(f"reading {', '.join(sorted(self._topics))}"):
            taken = await self._consumer.getmany(timeout_ms=milliseconds(timeout), max_records=most)
        return _records(taken)

    async def caught_up(self) -> bool:
        for where, end in list(self._behind.items()):
            # The position passes holes too, which compaction leaves; the last record's offset would not.
            if await self._consumer.position(TopicPartition(*where)) >= end:
                del self._behind[where]
        return not self._behind


async def spans(connection: Connection, topics: Sequence[str]) -> dict[Partition, Span]:
    """Where every partition of these topics begins and ends. Raises LogUnavailable, or LogError when one is missing."""
    counts = await connection.partition_counts(frozenset(topics))
    partitions = [Partition(topic, number) for topic, count in sorted(counts.items()) for number in range(count)]
    consumer = AIOKafkaConsumer(**connection.arguments(), enable_auto_commit=False)
    try:
        async with answered("asking for the spans of partitions", within=connection.settings.acknowledged_within):
            await consumer.start()
            begins = await consumer.beginning_offsets(_native(partitions))
            ends = await consumer.end_offsets(_native(partitions))
    finally:
        await consumer.stop()
    return {where: Span(begins[TopicPartition(*where)], ends[TopicPartition(*where)]) for where in partitions}


async def _end_offsets(consumer: Any, partitions: Sequence[Partition], connection: Connection) -> dict[Partition, int]:
    async with answered("asking for end offsets", within=connection.settings.acknowledged_within):
        ends = await consumer.end_offsets(_native(partitions))
    return {where: ends[TopicPartition(*where)] for where in partitions}


def _native(partitions: Sequence[Partition]) -> list[Any]:
    return [TopicPartition(*where) for where in partitions]


def _records(taken: Mapping[Any, Sequence[Any]]) -> list[Record]:
    return [
        Record(Partition(topic, number), one.offset, one.key, one.value, when(one.timestamp), dict(one.headers))
        for (topic, number), batch in taken.items()
        for one in batch
    ]
