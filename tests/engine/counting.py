"""A fold one can see through: counts the records of each key, tells every count, and misbehaves on request."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime

from kernel.log import Appended, Log, Outgoing, Producer, Reader, Record
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from schemas.errors import Unreadable
from schemas.topics import CASES, ORDERS_EVENTS, ORDERS_STATE
from streams.engine.contract import Change, Emission, Step, Verdict
from streams.engine.prefix import Prefix, last_offset, pack, unpack
from streams.engine.settings import EngineSettings
from streams.engine.worker import Worker
from tests.engine.memory import SetClock

EVENTS, STATE, TOLD = ORDERS_EVENTS.name, ORDERS_STATE.name, CASES.name


class Counting:
    """A `PartitionFold`. A value that begins with `?` cannot be read, `!` is a defect."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.counts: dict[bytes, tuple[int, int]] = {}
        """Key → (last offset, count)."""

    def restore(self, key: bytes, value: bytes) -> None:
        prefix, body = unpack(value)
        self.counts[key] = (prefix.last_offset, int(body))

    def restored(self) -> None:
        """Nothing to build."""

    def handle(self, record: Record) -> Step:
        assert record.key is not None
        if record.value is not None and record.value.startswith(b"?"):
            raise Unreadable("value", "a readable one", "?")
        if record.value == b"!":
            raise ZeroDivisionError("a defect in the fold")
        last, count = self.counts.get(record.key, (-1, 0))
        if record.offset <= last:
            return Step(Verdict.DUPLICATE)
        self.counts[record.key] = (record.offset, count + 1)
        change = Change(record.key, pack(Prefix(record.offset, None, 1), str(count + 1).encode()))
        return Step(Verdict.APPLIED, [change], [self._tell(record.key)])

    def resend(self, committed: int) -> Sequence[Emission]:
        return [self._tell(key) for key, (last, _) in sorted(self.counts.items()) if last >= committed]

    def next_due(self) -> datetime | None:
        return None

    def tick(self, at: datetime) -> Emission:
        raise AssertionError("nothing is ever due")

    def _tell(self, key: bytes) -> Emission:
        return Emission(TOLD, key, str(self.counts[key][1]).encode(), {}, self.number)


def counter(
    log: Log, clock: SetClock, settings: EngineSettings | None = None, metrics: Metrics | None = None
) -> Worker:
    return Worker("orders", log, [EVENTS], Counting, STATE, clock, metrics or Metrics(), settings)


def counts(worker: Worker) -> dict[str, int]:
    found: dict[str, int] = {}
    for fold in worker.folds.values():
        assert isinstance(fold, Counting)
        found |= {key.decode(): count for key, (_, count) in fold.counts.items()}
    return found


async def write(producer: Producer, *values: str, key: str = "a", number: int = 0, topic: str = EVENTS) -> None:
    for value in values:
        await (await producer.send(topic, key=key.encode(), value=value.encode(), partition=number))


def newest_is_last(log: MemoryLog, key: str) -> bool:
    """Whether compaction would keep the newest state of the key."""
    values = [record.value for record in log.records(STATE) if record.key == key.encode() and record.value is not None]
    return last_offset(values[-1]) == max(last_offset(value) for value in values)


class SlowAcks:
    """A log whose batches are acknowledged, or refused, when the test says so."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.held: list[asyncio.Future[Sequence[Appended]]] = []
        self.holding = False

    def holds(self, batches: int) -> bool:
        return len(self.held) == batches

    def producer(self) -> Producer:
        return _SlowProducer(self, self._log.producer())

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)


class SilentReader:
    """A log whose readers wait for a broker that says nothing, until the test lets them hear it."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.silent = True

    def reader(self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0) -> Reader:
        return _SilentReader(self, self._log.reader(topics, partitions=partitions, since=since))

    def __getattr__(self, name: str) -> object:
        return getattr(self._log, name)


class _SilentReader:
    def __init__(self, of: SilentReader, inner: Reader) -> None:
        self._of, self._inner = of, inner
        self.start, self.stop, self.caught_up = inner.start, inner.stop, inner.caught_up

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        if self._of.silent:
            await asyncio.sleep(timeout)
            return []
        return await self._inner.poll(timeout=timeout, most=most)


class _SlowProducer:
    def __init__(self, slow: SlowAcks, inner: Producer) -> None:
        self._slow, self._inner = slow, inner
        self.start, self.stop = inner.start, inner.stop

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> Awaitable[Appended]:
        return await self._inner.send(topic, key=key, value=value, headers=headers, partition=partition)

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        sent = await self._inner.send_many(records)
        if not self._slow.holding:
            return sent
        acknowledged: asyncio.Future[Sequence[Appended]] = asyncio.get_running_loop().create_future()
        self._slow.held.append(acknowledged)
        return acknowledged
