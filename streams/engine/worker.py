"""Runs a `PartitionFold` over the log: batches in, changes and emissions out, a commit only past what is acknowledged.

    poll ── batch ── handle each record ── send all changes and emissions at once ── acknowledged? ── commit

What it promises (at least once, with an idempotent fold) and what makes it true:

* Commit barrier: the offset of a record is committed only after the broker has acknowledged every changelog record and
  emission of it and of all before it. A failed send, or silence for 30 s, ends the process before the commit.
* No gap: the first record handled after an assignment is the committed one, and each next offset follows; otherwise the
  process ends, and its successor begins at the commit.
* No silent end: what cannot be understood becomes a dead letter, under a fuse; any other exception ends the process.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from kernel.clock import Clock
from kernel.log import Appended, Fenced, Log, LogError, Outgoing, Partition, Record
from kernel.metrics import Metrics
from schemas.errors import Unreadable
from schemas.topics import DLQ
from streams.engine.changelog import OwnWrites, restore
from streams.engine.contract import Emission, FoldFactory, PartitionFold, Step, UnreadableRecord, Verdict
from streams.engine.fuse import Fuse
from streams.engine.settings import EngineSettings

_log = structlog.get_logger(__name__)


class Ended(Exception):
    """The process must end now, before any commit: what it did is not known to be in the log."""


@dataclass(slots=True)
class Owned:
    """One partition number of ours: the fold of all its source topics and what is on the way to the broker."""

    fold: PartitionFold
    writes: OwnWrites
    fuse: Fuse
    expected: dict[str, int] = field(default_factory=dict)
    ticked_at: datetime | None = None
    fused: bool = False


@dataclass(slots=True)
class Sent:
    """A batch whose sends are under way; `finished` may be committed when they are acknowledged."""

    finished: dict[Partition, int]
    acknowledged: "asyncio.Future[Sequence[Appended]]"
    changes: list[tuple[int, int]]
    """(place in the answer, partition number) of the changelog records."""
    since: float


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
        self._under_way: deque[Sent] = deque()
        self._finished: dict[Partition, int] = {}
        self.assigned_once = asyncio.Event()

    async def run(self, deliver: Callable[[Sequence[Record]], Awaitable[None]] | None = None) -> None:
        """Until cancelled. Raises Ended or LogError when the process must end, with nothing unacknowledged committed.

        `deliver` hands each batch on to whoever calls `finish` with it; by default that is done here.
        """
        hand_over = deliver or self.finish
        await self._producer.start()
        await self._consumer.start()
        next_look = self._clock.monotonic()
        try:
            while True:
                records = await self._consumer.poll(timeout=self._settings.tick_every, most=self._settings.batch)
                if records:
                    await hand_over(records)
                await self._settle()
                now = self._clock.monotonic()
                if now >= next_look or not records:
                    next_look = now + self._settings.commit_every
                    await self._commit()
                    await self._tick()
        finally:
            await self._consumer.stop()
            await self._producer.stop()

    @property
    def folds(self) -> dict[int, PartitionFold]:
        """By partition number; for digests and tests."""
        return {number: owned.fold for number, owned in self._owned.items()}

    # --- partitions come and go

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        for number in sorted({where.number for where in partitions}):
            committed = {where: await self._consumer.committed(where) for where in partitions if where.number == number}
            self._owned[number] = await self._own(number, committed)
        _log.info("worker.assigned", role=self._role, partitions=sorted({where.number for where in partitions}))
        self.assigned_once.set()

    async def _own(self, number: int, committed: dict[Partition, int | None]) -> Owned:
        fold = self._factory(number)
        end = 0
        if self._changelog is not None:
            where = Partition(self._changelog, number)
            restored = await restore(self._log, where)
            restored.into(fold)
            end = restored.end
            self._metrics.recovered.inc(restored.records)
            again = [Outgoing(where.topic, key, restored.newest[key], {}, number) for key in sorted(restored.stale)]
            appended = await (await self._producer.send_many(again))
            end = max([end, *(one.offset + 1 for one in appended)])
            resent = fold.resend(min((offset or 0 for offset in committed.values()), default=0))
            await (await self._producer.send_many([_outgoing(one) for one in resent]))
        expected = {where.topic: offset for where, offset in committed.items() if offset is not None}
        return Owned(fold, OwnWrites(end), Fuse(self._settings.fuse_most, self._settings.fuse_window), expected)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Wait for what is on its way, commit it, drop the tables whole."""
        await self._settle(wait=True)
        with contextlib.suppress(Fenced):
            await self._commit()
        for number in {where.number for where in partitions}:
            self._owned.pop(number, None)

    # --- records

    async def finish(self, records: Sequence[Record]) -> None:
        """Fold a batch and send what it causes. Returns before the broker has acknowledged; commits wait for that."""
        outgoing: list[Outgoing] = []
        changes: list[tuple[int, int]] = []
        finished: dict[Partition, int] = {}
        for record in records:
            owned = self._owned.get(record.partition.number)
            if owned is None or owned.fused:
                continue
            self._in_order(record, owned)
            step = self._handled(record, owned)
            if step is None:
                continue
            if self._changelog is not None:
                for change in step.changes:
                    changes.append((len(outgoing), record.partition.number))
                    outgoing.append(Outgoing(self._changelog, change.key, change.value, {}, record.partition.number))
            outgoing.extend(_outgoing(emission) for emission in step.emissions)
            finished[record.partition] = record.offset + 1
            if step.verdict is Verdict.TICK:
                owned.ticked_at = None
            self._metrics.records.labels(record.partition.topic, step.verdict).inc()
        if finished:
            waited = (self._clock.now() - records[-1].at).total_seconds()
            self._metrics.step_seconds.labels(self._role).observe(max(0.0, waited))
            acknowledged = asyncio.ensure_future(await self._producer.send_many(outgoing))
            self._under_way.append(Sent(finished, acknowledged, changes, self._clock.monotonic()))
            if len(self._under_way) > self._settings.batches_under_way:
                await self._settle(wait=True)

    def _in_order(self, record: Record, owned: Owned) -> None:
        expected = owned.expected.get(record.partition.topic)
        if expected is not None and record.offset != expected and not self._may_skip(record, expected):
            raise Ended(f"{record.partition}: expected offset {expected}, found {record.offset}: records were skipped")
        owned.expected[record.partition.topic] = record.offset + 1

    def _may_skip(self, record: Record, expected: int) -> bool:
        """Compacted topics have holes, and retention moves a log's beginning past the commit."""
        return record.offset > expected and record.partition.topic in self._settings.topics_with_holes

    def _handled(self, record: Record, owned: Owned) -> Step | None:
        try:
            step = owned.fold.handle(record)
        except Unreadable as cause:
            told = cause.emissions if isinstance(cause, UnreadableRecord) else ()
            self._metrics.dead_letters.labels(record.partition.topic).inc()
            if not owned.fuse.passed(rejected=True):
                self._blow(record, owned, cause)
                return None
            return Step(Verdict.REJECTED, emissions=[*told, self._dead_letter(record, cause)])
        owned.fuse.passed(rejected=False)
        return step

    def _blow(self, record: Record, owned: Owned, cause: Unreadable) -> None:
        """Too many dead letters: stop this partition before the record, loudly; the others go on."""
        owned.fused = True
        number = record.partition.number
        self._consumer.pause(*(Partition(topic, number) for topic in self._sources))
        self._metrics.fused.inc()
        _log.error("worker.fused", role=self._role, at=str(record.partition), offset=record.offset, error=str(cause))

    def _dead_letter(self, record: Record, cause: Unreadable) -> Emission:
        headers = {
            "topic": record.partition.topic.encode(),
            "partition": str(record.partition.number).encode(),
            "offset": str(record.offset).encode(),
            "reason": str(cause).encode(),
            "stage": self._role.encode(),
        }
        return Emission(DLQ.name, record.key or b"", record.value, headers)

    @property
    def fused(self) -> bool:
        """Whether any partition of ours stands still because of its dead letters."""
        return any(owned.fused for owned in self._owned.values())

    # --- the commit barrier

    async def _settle(self, *, wait: bool = False) -> None:
        """Take note of what has been acknowledged, oldest first. Raises Ended on a failed send or a long silence."""
        while self._under_way:
            oldest = self._under_way[0]
            if wait:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.silence):
                        await asyncio.wait([oldest.acknowledged])
            if not oldest.acknowledged.done():
                if self._clock.monotonic() - oldest.since > self._settings.silence:
                    raise Ended(f"no acknowledgement for {self._settings.silence:.0f} s")
                return
            try:
                appended = oldest.acknowledged.result()
            except LogError as failed:
                raise Ended(f"a send failed: {failed}") from failed
            self._finished.update(oldest.finished)
            self._under_way.popleft()
            await self._watch(oldest, appended)

    async def _watch(self, sent: Sent, appended: Sequence[Appended]) -> None:
        """Whether only we wrote to our changelog partitions; if not, write again what another made stale."""
        by_number: dict[int, list[int]] = {}
        for place, number in sent.changes:
            by_number.setdefault(number, []).append(appended[place].offset)
        for number, offsets in by_number.items():
            owned = self._owned.get(number)
            since = owned.writes.hole(offsets) if owned is not None else None
            if since is not None:
                await self._mend(number, since)

    async def _mend(self, number: int, since: int) -> None:
        assert self._changelog is not None
        restored = await restore(self._log, Partition(self._changelog, number), since=since)
        _log.warning("worker.another_wrote", role=self._role, partition=number, since=since, stale=len(restored.stale))
        again = [Outgoing(self._changelog, key, restored.newest[key], {}, number) for key in sorted(restored.stale)]
        await (await self._producer.send_many(again))

    async def _commit(self) -> None:
        if self._finished:
            finished = {where: offset for where, offset in self._finished.items() if where.number in self._owned}
            self._finished.clear()
            await self._consumer.commit(finished)
        age = self._clock.monotonic() - self._under_way[0].since if self._under_way else 0.0
        self._metrics.commit_age.labels(self._role).set(age)

    # --- time

    async def _tick(self) -> None:
        """One tick at a time per partition; one that got lost is forgotten after a while."""
        now = self._clock.now()
        forgotten = timedelta(seconds=self._settings.tick_forgotten)
        for owned in list(self._owned.values()):
            due = owned.fold.next_due()
            waiting = owned.ticked_at is not None and now - owned.ticked_at < forgotten
            if due is not None and due <= now and not waiting and not owned.fused:
                owned.ticked_at = now
                await (await self._producer.send_many([_outgoing(owned.fold.tick(now))]))


def _outgoing(emission: Emission) -> Outgoing:
    return Outgoing(emission.topic, emission.key, emission.value, emission.headers, emission.partition)
