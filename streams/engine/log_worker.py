"""Runs a `PartitionFold` straight over the log seam, without Faust: for the in-memory log, simulations and tests.

The same order of steps as the Faust worker: changes and emissions are acknowledged before the commit; a failed send
ends the worker before it. One record at a time: what it loses in speed it gains in places where a test may crash it.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from kernel.clock import Clock
from kernel.log import Fenced, Log, Partition, Record
from kernel.metrics import Metrics
from schemas.errors import Unreadable
from schemas.topics import DLQ
from streams.engine.contract import Emission, FoldFactory, PartitionFold, Step, UnreadableRecord, Verdict
from streams.engine.prefix import last_offset

TICK_FORGOTTEN_AFTER = timedelta(seconds=30)


class LogWorker:
    """One member of a group. `changelog` None: the fold keeps nothing."""

    def __init__(
        self,
        role: str,
        log: Log,
        sources: Sequence[str],
        factory: FoldFactory,
        changelog: str | None,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._role, self._log, self._clock, self._metrics = role, log, clock, metrics
        self._sources, self._factory, self._changelog = tuple(sources), factory, changelog
        self._producer = log.producer()
        self._consumer = log.consumer(f"lockstep.{role}", self._sources, self)
        self._folds: dict[int, PartitionFold] = {}
        self._ticked: dict[int, datetime] = {}
        self._finished: dict[Partition, int] = {}

    async def run(self) -> None:
        """Until cancelled. Raises LogError when a send fails: nothing past it is committed."""
        await self._producer.start()
        await self._consumer.start()
        try:
            while True:
                for record in await self._consumer.poll(timeout=0.5):
                    await self._finish(record)
                await self._commit()
                await self._tick()
        finally:
            await self._consumer.stop()
            await self._producer.stop()

    @property
    def folds(self) -> dict[int, PartitionFold]:
        """By partition number; for tests that look at state."""
        return self._folds

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        for number in sorted({where.number for where in partitions}):
            fold = self._factory(number)
            if self._changelog is not None:
                for key, value in (await self._newest(self._changelog, number)).items():
                    fold.restore(key, value)
            fold.restored()
            committed = [await self._consumer.committed(where) or 0 for where in partitions if where.number == number]
            await self._send(fold.resend(min(committed)))
            self._folds[number] = fold

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        with contextlib.suppress(Fenced):
            await self._commit()
        for number in {where.number for where in partitions}:
            self._folds.pop(number, None)

    async def _newest(self, changelog: str, number: int) -> dict[bytes, bytes]:
        """Per key the value with the highest last offset, whoever wrote it last."""
        newest: dict[bytes, bytes] = {}
        reader = self._log.reader([changelog], partitions=[number])
        await reader.start()
        try:
            while not await reader.caught_up():
                for record in await reader.poll(timeout=0.2):
                    assert record.key is not None
                    held = newest.get(record.key)
                    if record.value is None:
                        newest.pop(record.key, None)
                    elif held is None or last_offset(record.value) >= last_offset(held):
                        newest[record.key] = record.value
                    self._metrics.recovered.inc()
        finally:
            await reader.stop()
        return newest

    async def _finish(self, record: Record) -> None:
        step = await self._handled(record)
        waiting = []
        if self._changelog is not None:
            number = record.partition.number
            waiting = [
                await self._producer.send(self._changelog, key=change.key, value=change.value, partition=number)
                for change in step.changes
            ]
        for acknowledged in waiting:
            await acknowledged
        await self._send(step.emissions)
        if step.verdict is Verdict.TICK:
            self._ticked.pop(record.partition.number, None)
        self._metrics.records.labels(record.partition.topic, step.verdict).inc()
        self._finished[record.partition] = record.offset + 1

    async def _handled(self, record: Record) -> Step:
        try:
            return self._folds[record.partition.number].handle(record)
        except Unreadable as cause:
            told = cause.emissions if isinstance(cause, UnreadableRecord) else ()
            self._metrics.dead_letters.labels(record.partition.topic).inc()
            return Step(Verdict.REJECTED, emissions=[*told, self._dead_letter(record, cause)])

    def _dead_letter(self, record: Record, cause: Unreadable) -> Emission:
        headers = {
            "topic": record.partition.topic.encode(),
            "partition": str(record.partition.number).encode(),
            "offset": str(record.offset).encode(),
            "reason": str(cause).encode(),
            "stage": self._role.encode(),
        }
        return Emission(DLQ.name, record.key or b"", record.value, headers)

    async def _send(self, emissions: Sequence[Emission]) -> None:
        waiting = [
            await self._producer.send(
                one.topic, key=one.key, value=one.value, headers=one.headers, partition=one.partition
            )
            for one in emissions
        ]
        await asyncio.gather(*waiting)

    async def _commit(self) -> None:
        if self._finished:
            finished, self._finished = self._finished, {}
            await self._consumer.commit(finished)

    async def _tick(self) -> None:
        """One tick at a time per partition; one that got lost is forgotten."""
        now = self._clock.now()
        for number, fold in self._folds.items():
            due, ticked = fold.next_due(), self._ticked.get(number)
            lost = ticked is not None and now - ticked > TICK_FORGOTTEN_AFTER
            if due is not None and due <= now and (ticked is None or lost):
                self._ticked[number] = now
                await self._send([fold.tick(now)])
