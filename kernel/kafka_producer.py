"""Appending to Kafka: idempotent, acknowledged by all replicas, in order per partition.

aiokafka's idempotent producer never gives a record up: it tries again until the broker takes or refuses it. Two things
are added here. An acknowledgement has a time limit. And when a broker has refused a batch, its sequence number is lost
and every later one of that partition would be refused too (measured: OutOfOrderSequenceNumber), so the producer is
replaced by a new one.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from kernel.kafka_client import Connection, milliseconds, translate, translated, when
from kernel.log import Appended, LogError, LogUnavailable, Outgoing, Partition, RecordTooLarge
from kernel.partitioner import partition_of

BYTES_AROUND_A_RECORD = 128
"""More than length fields, offsets and a batch's header take."""

BROKERS_TIME = 1
"""aiokafka's `timestamp_type` of topics with LogAppendTime."""


class KafkaProducer:
    """Appends records; see `kernel.log.Producer`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._settings = connection.settings
        self._producer: Any = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._replacing = asyncio.Lock()
        self._spoilt = False
        self._turn = 0

    async def start(self) -> None:
        """Raises LogUnavailable when no broker answers."""
        self._producer = await self._made()

    async def stop(self) -> None:
        """Flushes for as long as an acknowledgement may take, then gives up what is left."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await self._end(producer)
        await asyncio.gather(*self._retiring)

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
        producer = await self._current()
        where = await self._where(producer, record)
        self._refuse_what_never_fits(record)
        deadline = asyncio.get_running_loop().time() + self._settings.acknowledged_within
        stamped = time.time_ns() // 1_000_000
        fields = {"key": key, "value": value, "headers": list(record.headers.items()), "timestamp_ms": stamped}
        try:
            async with asyncio.timeout_at(deadline):
                sent = await producer.send(topic, partition=where.number, **fields)
        except (KafkaError, TimeoutError) as cause:
            raise translate(cause, f"sending to {where}") from cause
        return _Acknowledgement(self, where, sent, stamped, deadline)

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        """One batch per partition where they fit: no future, no look-up and no time limit per record."""
        producer = await self._current()
        places: dict[Partition, list[int]] = defaultdict(list)
        for place, record in enumerate(records):
            self._refuse_what_never_fits(record)
            places[await self._where(producer, record)].append(place)
        deadline = asyncio.get_running_loop().time() + self._settings.acknowledged_within
        batches: list[_Batch] = []
        try:
            async with asyncio.timeout_at(deadline):
                for where, theirs in places.items():
                    for batch in _batches(producer, where, theirs, records):
                        batch.sent = await producer.send_batch(batch.builder, where.topic, partition=where.number)
                        batches.append(batch)
        except (KafkaError, TimeoutError) as cause:
            raise translate(cause, f"sending {len(records)} records") from cause
        return _Acknowledgements(self, batches, len(records), deadline)

    # --- inside

    def spoilt(self) -> None:
        """A batch was refused: the sequence of its partition has a hole now."""
        self._spoilt = True

    async def _current(self) -> Any:
        if self._producer is None:
            raise LogUnavailable("expected a started producer, found one that is not started or has been stopped")
        if self._spoilt:
            async with self._replacing:
                if self._spoilt:
                    fresh = await self._made()
                    self._retire(self._producer)
                    self._producer, self._spoilt = fresh, False
        return self._producer

    def _retire(self, producer: Any) -> None:
        """What it was given before is still on its way: it flushes on the side."""
        retiring = asyncio.create_task(self._end(producer))
        self._retiring.add(retiring)
        retiring.add_done_callback(self._retiring.discard)

    async def _made(self) -> Any:
        settings = self._settings
        producer = AIOKafkaProducer(
            **self._connection.arguments(),
            enable_idempotence=True,
            acks="all",
            compression_type=None if settings.compression == "none" else settings.compression,
            linger_ms=milliseconds(settings.linger),
            max_batch_size=settings.batch_bytes,
            max_request_size=settings.largest_record + settings.batch_bytes,
        )
        try:
            with translated(f"reaching Kafka at {self._connection.bootstrap}"):
                async with asyncio.timeout(settings.acknowledged_within):
                    await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _end(self, producer: Any) -> None:
        try:
            async with asyncio.timeout(self._settings.acknowledged_within):
                await producer.stop()
        except TimeoutError:
            # The broker is away and aiokafka would wait for it: what is not acknowledged by now is given up.
            await producer.client.close()
            with suppress(asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(self._settings.acknowledged_within):
                    await producer._sender.close()

    async def _where(self, producer: Any, record: Outgoing) -> Partition:
        if record.key is None and record.value is None:
            raise LogError(f"expected a key or a value in a record to {record.topic}, found neither")
        known = producer.client.cluster.partitions_for_topic(record.topic)
        if known:
            count = len(known)
        else:
            count = (await self._connection.partition_counts(frozenset({record.topic})))[record.topic]
            with translated(f"asking for the leaders of {record.topic}"):
                await producer.partitions_for(record.topic)
        if record.partition is not None:
            if not 0 <= record.partition < count:
                raise LogError(f"expected a partition of {record.topic} below {count}, found {record.partition}")
            return Partition(record.topic, record.partition)
        if record.key is None:
            self._turn += 1
            return Partition(record.topic, self._turn % count)
        return Partition(record.topic, partition_of(record.key, count))

    def _refuse_what_never_fits(self, record: Outgoing) -> None:
        around = sum(len(name) + len(text) + 16 for name, text in record.headers.items()) + BYTES_AROUND_A_RECORD
        size = len(record.key or b"") + len(record.value or b"") + around
        if size > self._settings.largest_record:
            raise RecordTooLarge(
                f"expected at most {self._settings.largest_record} bytes in a record to {record.topic}, found {size}"
            )


class _Batch:
    """Records of one partition on their way together."""

    def __init__(self, where: Partition, builder: Any) -> None:
        self.where = where
        self.builder = builder
        self.sent: Any = None
        self.places: list[int] = []
        self.stamped: list[int] = []


def _batches(
    producer: Any, where: Partition, places: Sequence[int], records: Sequence[Outgoing]
) -> Generator[_Batch, None, None]:
    batch = _Batch(where, producer.create_batch())
    for place in places:
        record = records[place]
        fields = {"key": record.key, "value": record.value, "headers": list(record.headers.items())}
        written = batch.builder.append(timestamp=None, **fields)
        if written is None:  # full; the first record of an empty batch always fits
            yield batch
            batch = _Batch(where, producer.create_batch())
            written = batch.builder.append(timestamp=None, **fields)
        batch.places.append(place)
        batch.stamped.append(written.timestamp)
    batch.builder.close()
    yield batch


async def _outcome(producer: KafkaProducer, where: Partition, sent: Any, deadline: float) -> Any:
    """Wait for the broker's word. Cancelling the wait does not take the record back."""
    try:
        if not sent.done():
            async with asyncio.timeout_at(deadline):
                await asyncio.wait([sent])
        return sent.result()
    except TimeoutError as cause:
        limit = producer._settings.acknowledged_within
        raise LogUnavailable(f"{where}: no acknowledgement within {limit:g} s; the record may come yet") from cause
    except KafkaError as cause:
        producer.spoilt()
        raise translate(cause, f"appending to {where}") from cause


class _Acknowledgement:
    """Of one record; may be awaited more than once."""

    def __init__(self, producer: KafkaProducer, where: Partition, sent: Any, stamped: int, deadline: float) -> None:
        self._producer, self._where, self._sent = producer, where, sent
        self._stamped, self._deadline = stamped, deadline

    def __await__(self) -> Generator[Any, None, Appended]:
        return self._wait().__await__()

    async def _wait(self) -> Appended:
        done = await _outcome(self._producer, self._where, self._sent, self._deadline)
        # Where the broker does not stamp, aiokafka tells all of a batch the first one's time (read in 0.14).
        stamp = done.timestamp if done.timestamp_type == BROKERS_TIME else self._stamped
        return Appended(self._where, done.offset, when(stamp))


class _Acknowledgements:
    """Of many records; waits for all of them before it tells that one failed."""

    def __init__(self, producer: KafkaProducer, batches: Sequence[_Batch], records: int, deadline: float) -> None:
        self._producer, self._batches, self._records, self._deadline = producer, batches, records, deadline

    def __await__(self) -> Generator[Any, None, Sequence[Appended]]:
        return self._wait().__await__()

    async def _wait(self) -> Sequence[Appended]:
        appended: dict[int, Appended] = {}
        failed: LogError | None = None
        for batch in self._batches:
            try:
                done = await _outcome(self._producer, batch.where, batch.sent, self._deadline)
            except LogError as cause:
                failed = failed or cause
                continue
            for nth, place in enumerate(batch.places):
                stamp = done.timestamp if done.timestamp_type == BROKERS_TIME else batch.stamped[nth]
                appended[place] = Appended(batch.where, done.offset + nth, when(stamp))
        if failed is not None:
            raise failed
        return [appended[place] for place in range(self._records)]
