"""The log and the clock as one process of the simulation has them: gated, and with points to strike at."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from kernel.clock import Clock
from kernel.log import Appended, LogUnavailable, Outgoing, Partition, Rebalance, Record, Span
from kernel.memory_group import MemoryConsumer
from kernel.memory_log import MemoryLog, MemoryProducer, MemoryReader
from lockstep.simulation.process import OUTSIDE, Point, SimProcess
from schemas.topics import COMMANDS, COMMANDS_STOCK, ORDERS_STATE, RAW, STOCK_STATE

COMMAND_TOPICS = frozenset(topic.name for topic in (*COMMANDS.values(), COMMANDS_STOCK))
STATE_TOPICS = frozenset({ORDERS_STATE.name, STOCK_STATE.name})
RAW_TOPICS = frozenset(topic.name for topic in RAW.values())


SENDS_AT_ONCE = 2000
"""At one moment of virtual time: more than any batch, resend or burst of a history needs."""


class EndlessError(AssertionError):
    """Work causes work at once, and again: in virtual time nothing else would ever happen."""


class ProcessClock:
    """What passes is everybody's; what time it is, is the machine's opinion."""

    def __init__(self, clock: Clock, process: SimProcess) -> None:
        self._clock, self._process = clock, process

    def now(self) -> datetime:
        skew = self._process.skew
        return self._clock.now() + timedelta(seconds=skew) if skew else self._clock.now()

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        await self._process.gate()


class ProcessLog:
    """`lost`: how many acknowledgements per topic are still to be lost on their way; shared by all processes."""

    def __init__(self, log: MemoryLog, process: SimProcess, lost: Counter[str]) -> None:
        self._log, self._process, self._lost = log, process, lost
        self.consumers: list[ProcessConsumer] = []

    def producer(self) -> "ProcessProducer":
        return ProcessProducer(self._log.producer(), self._process, self._lost)

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> "ProcessConsumer":
        told = None if rebalance is None else _Told(rebalance, self._process)
        made = ProcessConsumer(self._log.consumer(group, topics, told), self._process)
        self.consumers.append(made)
        return made

    def reader(
        self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0
    ) -> "ProcessReader":
        return ProcessReader(self._log.reader(topics, partitions=partitions, since=since), self._process)

    async def partitions(self, topic: str) -> int:
        return await self._log.partitions(topic)

    async def spans(self, topics: Sequence[str]) -> Mapping[Partition, Span]:
        return await self._log.spans(topics)

    async def cluster_id(self) -> str:
        return await self._log.cluster_id()


class ProcessProducer:
    def __init__(self, inner: MemoryProducer, process: SimProcess, lost: Counter[str]) -> None:
        self._inner, self._process, self._lost = inner, process, lost
        self._moment, self._sends = -1.0, 0
        """How often it has sent something at this moment of virtual time."""

    async def start(self) -> None:
        await self._process.gate()
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
        kind = (headers or {}).get("kind") if topic in RAW_TOPICS else None
        what = "" if key is None else key.decode()
        await self._process.gate(Point.BEFORE_READING if kind == b"snapshot" else None, what)
        sent = await self._inner.send(topic, key=key, value=value, headers=headers, partition=partition)
        await self._process.gate(Point.OUTCOME_SENT if kind == b"outcome" else None, what)
        return sent if not self._forgets(topic) else _unacknowledged(sent)

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        """All at once, or where something is to strike in between, in two parts."""
        self._ends(asyncio.get_running_loop().time())
        gate = self._process.gate
        if not records or not (self._process.struck_soon or any(self._lost.values())):
            await gate()
            return await self._inner.send_many(records)
        await gate(Point.FOLDED)
        first = [record for record in records if record.topic in STATE_TOPICS]
        point = Point.STATE_SENT
        if not any(record.topic in COMMAND_TOPICS for record in records):
            first, point = list(records[: (len(records) + 1) // 2]), Point.HALF_SENT
        among = {id(record) for record in first}
        rest = [record for record in records if id(record) not in among]
        sent = await self._inner.send_many(first)
        await gate(point)
        more = await self._inner.send_many(rest)
        await gate(Point.SENT)
        all_sent = asyncio.ensure_future(_in_order(records, first, sent, rest, more))
        forgotten = [record.topic for record in records if self._forgets(record.topic)]
        return all_sent if not forgotten else _unacknowledged(all_sent)

    def _ends(self, moment: float) -> None:
        """Raises EndlessError for a process that time does not get past."""
        self._sends = self._sends + 1 if moment == self._moment else 0
        self._moment = moment
        if self._sends > SENDS_AT_ONCE:
            raise EndlessError(f"{self._process.name} has sent {self._sends} times at one moment")

    def _forgets(self, topic: str) -> bool:
        if self._lost[topic] <= 0:
            return False
        self._lost[topic] -= 1
        return True


async def _in_order(
    records: Sequence[Outgoing],
    first: Sequence[Outgoing],
    sent: Awaitable[Sequence[Appended]],
    rest: Sequence[Outgoing],
    more: Awaitable[Sequence[Appended]],
) -> Sequence[Appended]:
    places = {id(record): where for record, where in zip(first, await sent, strict=True)}
    places.update((id(record), where) for record, where in zip(rest, await more, strict=True))
    return [places[id(record)] for record in records]


async def _unacknowledged(sent: Awaitable[Any]) -> Any:
    """It is in the log, and nobody says so."""
    await sent
    raise LogUnavailable("no acknowledgement")


class ProcessConsumer:
    """The group deals outside of any process: one that is struck in the middle of it holds up nobody."""

    def __init__(self, inner: MemoryConsumer, process: SimProcess) -> None:
        self.inner, self._process = inner, process
        process.on_death.append(inner.lose)

    async def start(self) -> None:
        await self._process.gate()
        await _outside(self.inner.start())

    async def stop(self) -> None:
        if not self._process.dead:
            await _outside(self.inner.stop())

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        await self._process.gate()
        found = await self.inner.poll(timeout=timeout, most=most)
        await self._process.gate()
        return found

    async def commit(self, finished: Mapping[Partition, int]) -> None:
        await self._process.gate()
        await self.inner.commit(finished)
        await self._process.gate(Point.COMMITTED)

    def pause(self, *partitions: Partition) -> None:
        self.inner.pause(*partitions)

    def resume(self, *partitions: Partition) -> None:
        self.inner.resume(*partitions)

    async def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        await self._process.gate()
        return await self.inner.end_offsets(partitions)

    async def committed(self, partition: Partition) -> int | None:
        await self._process.gate()
        return await self.inner.committed(partition)


class ProcessReader:
    def __init__(self, inner: MemoryReader, process: SimProcess) -> None:
        self._inner, self._process = inner, process

    async def start(self) -> None:
        await self._process.gate()
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        found = await self._inner.poll(timeout=timeout, most=most)
        await self._process.gate()
        return found

    async def caught_up(self) -> bool:
        return await self._inner.caught_up()


class _Told:
    """What the group says comes to the process in its own tasks; the group does not wait for one that is gone."""

    def __init__(self, inner: Rebalance, process: SimProcess) -> None:
        self._inner, self._process = inner, process

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        await self._tell(self._inner.assigned(partitions))

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        await self._tell(self._inner.revoked(partitions))

    async def _tell(self, telling: Coroutine[Any, Any, None]) -> None:
        if self._process.dead:
            telling.close()
            return
        told = self._process.run(telling)
        gone = asyncio.get_running_loop().create_task(self._process.gone.wait(), context=OUTSIDE)
        await asyncio.wait((told, gone), return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if told.done() and not told.cancelled():
            told.result()


async def _outside(dealing: Coroutine[Any, Any, None]) -> None:
    await asyncio.shield(asyncio.get_running_loop().create_task(dealing, context=OUTSIDE))
