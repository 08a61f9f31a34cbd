"""Runs a `PartitionFold` over the log: batches in, changes and emissions out, a commit only past what is acknowledged.

    poll ── batch ── handle each record ── send all changes and emissions at once ── acknowledged? ── commit

What it promises (at least once, with an idempotent fold) and what makes it true:

* Commit barrier: the offset of a record is committed only after the broker has acknowledged every changelog record and
  emission of it and of all before it. A failed send, or silence for 30 s, ends the process before the commit.
* No gap: the first record handled after an assignment is the committed one, and each next offset follows; otherwise the
  process ends, and its successor begins at the commit. A batch that a rebalance overtook is dropped, it comes again.
* Nothing is decided by what came later: a step that stands on all before it is written when that is acknowledged.
* No silent end: what cannot be understood becomes a dead letter, under a fuse; any other exception ends the process.

Folding, settling and giving partitions up take turns: a partition is given up only when nothing of it is being folded
and all of it is acknowledged.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from kernel.clock import Clock
from kernel.lag import Lag
from kernel.log import Appended, Fenced, Log, Outgoing, Partition, Record, RecordTooLarge
from kernel.metrics import Metrics
from kernel.pulse import Pulse
from schemas.aggregates import Kind
from schemas.errors import Unreadable
from schemas.topics import DLQ
from streams.engine.barrier import Barrier, Ended, Sent, Written
from streams.engine.changelog import OwnWrites, Restored, mend, restore
from streams.engine.contract import (
    CountsCases,
    Emission,
    FoldFactory,
    OpenKind,
    PartitionFold,
    Step,
    UnreadableRecord,
    Verdict,
)
from streams.engine.fuse import Fuse, dead_letter, without_body
from streams.engine.owned import Owned
from streams.engine.settings import EngineSettings

__all__ = ["Ended", "Worker"]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Batch:
    """What is sent at once, and what is finished by it. See `Sent.changes`."""

    outgoing: list[Outgoing] = field(default_factory=list)
    changes: list[tuple[int, int]] = field(default_factory=list)
    finished: dict[Partition, int] = field(default_factory=dict)


class Worker:
    """One member of the group `lockstep.<role>`. `changelog` None: the fold keeps nothing."""

    def __init__(
        self,
        role: str,
        log: Log,
        sources: Sequence[str],
        factory: FoldFactory,
        changelog: str | None,
        clock: Clock,
        metrics: Metrics,
        settings: EngineSettings | None = None,
    ) -> None:
        self._role, self._log, self._clock, self._metrics = role, log, clock, metrics
        self._sources, self._factory, self._changelog = tuple(sources), factory, changelog
        self._settings = settings or EngineSettings()
        self._producer = log.producer()
        self._consumer = log.consumer(f"lockstep.{role}", self._sources, self)
        self._owned: dict[int, Owned] = {}
        self._fuses: dict[int, Fuse] = {}
        """By partition number, for as long as we live: a rebalance mends nothing of what one has blown for."""
        self._barrier = Barrier(clock, self._settings.silence)
        self._turn = asyncio.Lock()
        self._rebalances = 0
        self._polled_in = 0
        self._pulse, self._lag = Pulse(), Lag(role, metrics)
        self._told_open: set[OpenKind] = set()
        self._recovering = self._folding = False
        self.assigned_once = asyncio.Event()

    async def run(self, deliver: Callable[[Sequence[Record]], Awaitable[None]] | None = None) -> None:
        """Until cancelled. Raises Ended or LogError when the process must end, with nothing unacknowledged committed.

        `deliver` hands each batch on to whoever calls `finish` with it, and returns when that has been done; by
        default it is done here.
        """
        self._turned()
        async with AsyncExitStack() as ending:
            ending.push_async_callback(self._producer.stop)
            await self._producer.start()
            ending.push_async_callback(self._consumer.stop)
            await self._consumer.start()
            await self._turns(deliver or self.finish)

    async def _turns(self, hand_over: Callable[[Sequence[Record]], Awaitable[None]]) -> None:
        next_look = next_measure = self._clock.monotonic()
        while True:
            records = await self._consumer.poll(timeout=self._settings.tick_every, most=self._settings.batch)
            self._polled_in = self._rebalances
            self._turned()
            if records:
                self._folding = True
                await hand_over(records)
                self._folding = False
            now = self._clock.monotonic()
            async with self._turn:
                await self._settle()
                if now >= next_look or not records:
                    next_look = now + self._settings.commit_every
                    await self._commit()
                    await self._tick()
                if now >= next_measure:
                    next_measure = now + self._settings.measure_every
                    await self._measure()

    @property
    def folds(self) -> dict[int, PartitionFold]:
        """By partition number; for digests and tests."""
        return {number: owned.fold for number, owned in self._owned.items()}

    @property
    def ready(self) -> bool:
        """Partitions are dealt, tables recovered, no fuse blown."""
        return self.assigned_once.is_set() and not self._recovering and not self.fused

    @property
    def fused(self) -> bool:
        """Whether any partition of ours stands still because of its dead letters."""
        return any(owned.fused for owned in self._owned.values())

    def stuck_for(self, now: float) -> float:
        """Seconds without progress while something waits for it. `now` is the clock's monotonic time.

        A blown fuse does not count: only a person can mend what it stands for, starting anew cannot.
        """
        return self._pulse.stuck_for(now, waiting=self._waiting)

    # --- partitions come and go

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        numbers = sorted({where.number for where in partitions})
        self._recovering = True
        restored: Mapping[int, Restored] = {}
        if self._changelog is not None:
            restored = await restore(self._log, self._changelog, numbers, progress=self._moved)
        for number in numbers:
            committed = {where: await self._consumer.committed(where) for where in partitions if where.number == number}
            self._owned[number] = await self._own(number, restored.get(number, Restored()), committed)
            self._moved()
        self._recovering = False
        _log.info("worker.assigned", role=self._role, partitions=numbers)
        self.assigned_once.set()

    async def _own(self, number: int, restored: Restored, committed: dict[Partition, int | None]) -> Owned:
        fold, writes = self._factory(number), OwnWrites(0)
        if self._changelog is not None:
            restored.into(fold)
            self._metrics.recovered.inc(restored.records)
            writes = await mend(self._log, self._producer, self._changelog, number, restored)
            resent = fold.resend(min((offset or 0 for offset in committed.values()), default=0))
            await (await self._producer.send_many([_outgoing(one) for one in resent]))
        expected = {where.topic: offset for where, offset in committed.items() if offset is not None}
        fuse = self._fuses.setdefault(number, Fuse(self._settings.fuse_most, self._settings.fuse_window))
        return Owned(fold, writes, fuse, expected, set(restored.newest))

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Wait for what is on its way, commit it, drop the tables whole."""
        async with self._turn:
            self._rebalances += 1
            await self._settle(wait=True)
            await self._commit()
            for number in {where.number for where in partitions}:
                self._owned.pop(number, None)
            self._metrics.fused.set(sum(owned.fused for owned in self._owned.values()))
            self._lag.forget(partitions)
            self._tell_open_cases()

    # --- records

    async def finish(self, records: Sequence[Record]) -> None:
        """Fold a batch and send what it causes. Returns before the broker has acknowledged; commits wait for that."""
        async with self._turn:
            if self._polled_in == self._rebalances:  # otherwise the batch is another owner's, or will come again
                await self._fold(records)
            if len(self._barrier) > self._settings.batches_under_way:
                await self._settle(wait=True)

    async def _fold(self, records: Sequence[Record]) -> None:
        batch = _Batch()
        for record in records:
            owned = self._owned.get(record.partition.number)
            if owned is None or owned.fused:
                continue
            self._in_order(record, owned)
            step = self._handled(record, owned)
            if step is None:
                continue
            if step.stands_on_all:
                await self._send(batch)
                await self._settle(wait=True)
                batch = _Batch()
            if self._changelog is not None:
                for change in step.changes:
                    batch.changes.append((len(batch.outgoing), record.partition.number))
                    batch.outgoing.append(
                        Outgoing(self._changelog, change.key, change.value, {}, record.partition.number)
                    )
                    owned.note(change)
            batch.outgoing.extend(_outgoing(emission) for emission in step.emissions)
            owned.expected[record.partition.topic] = batch.finished[record.partition] = record.offset + 1
            if step.verdict is Verdict.TICK:
                owned.ticked_at = None
            self._metrics.records.labels(record.partition.topic, step.verdict).inc()
            self._took(step)
        if batch.finished:
            waited = (self._clock.now() - records[-1].at).total_seconds()
            self._metrics.step_seconds.labels(self._role).observe(max(0.0, waited))
        await self._send(batch)

    async def _send(self, batch: _Batch) -> None:
        if batch.finished:
            acknowledged = asyncio.ensure_future(await self._sending(batch.outgoing))
            self._barrier.add(Sent(batch.finished, acknowledged, batch.changes, self._clock.monotonic()))

    async def _sending(self, outgoing: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        """Where one is too large it is a dead letter that just fitted where it lies: they go without their bodies."""
        try:
            return await self._producer.send_many(outgoing)
        except RecordTooLarge:
            lighter = [without_body(one) if one.topic == DLQ.name else one for one in outgoing]
            return await self._producer.send_many(lighter)

    def _took(self, step: Step) -> None:
        for compared in step.compared:
            counted = self._metrics.stock_drift if compared.kind is Kind.STOCK else self._metrics.compared
            counted.labels(compared.brand, compared.cause).inc()
        for one in step.took:
            seconds = ((one.until or self._clock.now()) - one.since).total_seconds()
            self._metrics.stage_seconds.labels(one.brand, one.stage).observe(max(0.0, seconds))

    def _in_order(self, record: Record, owned: Owned) -> None:
        expected = owned.expected.get(record.partition.topic)
        if expected is not None and record.offset != expected and not self._may_skip(record, expected):
            raise Ended(
                f"{record.partition}: expected offset {expected}, found {record.offset}: records were skipped. Where "
                "they were deleted before they were read, `lockstep doctor` says what to do"
            )

    def _may_skip(self, record: Record, expected: int) -> bool:
        """Compacted topics have holes."""
        return record.offset > expected and record.partition.topic in self._settings.topics_with_holes

    def _handled(self, record: Record, owned: Owned) -> Step | None:
        try:
            step = owned.fold.handle(record)
        except Unreadable as cause:
            told = cause.emissions if isinstance(cause, UnreadableRecord) else ()
            if not owned.fuse.rejected(record.key):
                self._blow(record, owned, cause)
                return None
            self._metrics.dead_letters.labels(record.partition.topic).inc()
            return Step(Verdict.REJECTED, emissions=[*told, dead_letter(record, self._role, cause)])
        owned.fuse.passed()
        return step

    def _blow(self, record: Record, owned: Owned, cause: Unreadable) -> None:
        """Too many dead letters: stop this partition before the record, loudly; the others go on."""
        owned.fused = True
        number = record.partition.number
        self._consumer.pause(*(Partition(topic, number) for topic in self._sources))
        self._metrics.fused.set(sum(one.fused for one in self._owned.values()))
        _log.error("worker.fused", role=self._role, at=str(record.partition), offset=record.offset, error=str(cause))

    # --- the commit barrier, within a turn

    async def _settle(self, *, wait: bool = False) -> None:
        """Take note of what was acknowledged. What another made stale in our changelog is written again."""
        another_wrote = self._noted(await self._barrier.settle(wait=wait))
        if another_wrote:
            another_wrote |= self._noted(await self._barrier.settle(wait=True))
            for number in sorted(another_wrote):
                await self._mend(number)

    def _noted(self, written: Sequence[Written]) -> set[int]:
        """The partition numbers in whose changelog somebody else wrote between our own records."""
        if written:
            self._moved()
        by_number: dict[int, list[int]] = {}
        for one in written:
            by_number.setdefault(one.number, []).append(one.offset)
        owned = ((self._owned.get(number), number, offsets) for number, offsets in by_number.items())
        return {number for one, number, offsets in owned if one is not None and one.writes.hole(offsets) is not None}

    async def _mend(self, number: int) -> None:
        owned = self._owned[number]
        assert self._changelog is not None
        restored = (await restore(self._log, self._changelog, [number], progress=self._moved))[number]
        _log.warning("worker.another_wrote", role=self._role, partition=number, stale=len(restored.stale))
        owned.writes = await mend(self._log, self._producer, self._changelog, number, restored)

    async def _commit(self) -> None:
        """Another member may own the partitions meanwhile: then it begins where the last commit was, and so do we."""
        finished = {where: offset for where, offset in self._barrier.take().items() if where.number in self._owned}
        if finished:
            self._moved()
            try:
                await self._consumer.commit(finished)
            except Fenced as fenced:
                _log.warning("worker.fenced", role=self._role, error=str(fenced))
        self._metrics.commit_age.labels(self._role).set(self._barrier.waited())

    # --- time

    async def _tick(self) -> None:
        """One tick at a time per partition; one that got lost is forgotten after a while."""
        now, passed = self._clock.now(), self._clock.monotonic()
        for owned in list(self._owned.values()):
            due = owned.fold.next_due()
            waiting = owned.ticked_at is not None and passed - owned.ticked_at < self._settings.tick_forgotten
            if due is not None and due <= now - owned.ahead and not waiting and not owned.fused:
                owned.ticked_at = passed
                (tick,) = await (await self._producer.send_many([_outgoing(owned.fold.tick(now))]))
                owned.ahead = max(timedelta(0), now - tick.at)

    async def _measure(self) -> None:
        """Lag, keys, open cases; and whether another wrote in a changelog in which we have written nothing since."""
        owned = dict(self._owned)
        sources = {Partition(topic, number): one for number, one in owned.items() for topic in one.expected}
        logs = (
            {}
            if self._changelog is None
            else {Partition(self._changelog, number): one for number, one in owned.items()}
        )
        ends = await self._lag.ends(self._consumer, [*sources, *logs])
        for where, one in sources.items():
            if where in ends:
                self._lag.note(where, max(0, ends[where] - one.expected[where.topic]), stands=one.fused)
        self._metrics.keys.labels(self._role).set(sum(len(one.keys) for one in owned.values()))
        self._tell_open_cases()
        if not self._barrier:
            for where, one in logs.items():
                if ends.get(where, 0) > one.writes.next and self._owned.get(where.number) is one:
                    await self._mend(where.number)

    def _tell_open_cases(self) -> None:
        """Of our partitions; what is not open any more is told as 0, so that it does not look open for ever."""
        counts = Counter(dict.fromkeys(self._told_open, 0))
        for owned in self._owned.values():
            if isinstance(owned.fold, CountsCases):
                counts.update(owned.fold.open_cases())
        for kind, count in counts.items():
            self._metrics.open_cases.labels(*kind).set(count)
        self._told_open = set(counts)

    @property
    def _waiting(self) -> bool:
        return self._recovering or self._folding or bool(self._barrier) or bool(self._lag)

    def _turned(self) -> None:
        self._pulse.turned(self._clock.monotonic(), waiting=self._waiting)

    def _moved(self) -> None:
        self._pulse.moved(self._clock.monotonic())


def _outgoing(emission: Emission) -> Outgoing:
    return Outgoing(emission.topic, emission.key, emission.value, emission.headers, emission.partition)
