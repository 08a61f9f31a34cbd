"""One target told of every change of a case, as a member of a consumer group of its own: nobody waits for another."""

from collections import deque

import structlog

from kernel.clock import Clock
from kernel.log import Consumer, Fenced, Log, LogError, Partition, Record
from lockstep.notices.courier import Courier, Sent
from lockstep.notices.notice import body, notice_id
from lockstep.notices.target import NoticeTarget, group_of
from lockstep.notices.told import Told
from lockstep.reading import case_in, everything
from schemas.base import Brand
from schemas.cases import Case
from schemas.errors import Unreadable
from schemas.topics import CASES

_log = structlog.get_logger(__name__)

AHEAD = 200
"""Records held in memory; no more are fetched while a target is away."""
POLL = 1.0
AGAIN = 2.0
"""Seconds before a group is joined anew when the log was away."""


class Teller:
    """Delivers, then commits: after a crash some are sent again, with the same id."""

    def __init__(self, brand: Brand, target: NoticeTarget, log: Log, courier: Courier, clock: Clock) -> None:
        self._brand, self._target = brand, target
        self._log, self._courier, self._clock = log, courier, clock
        self._waiting: deque[Record] = deque()
        self._held: frozenset[Partition] = frozenset()
        self._told: dict[Partition, Told] = {}
        self._past: dict[Partition, dict[int, bool]] = {}
        """What lay there before the target was new, by offset: whether it is still how things stand, and open."""
        self._consumer: Consumer | None = None
        self.ready = False

    @property
    def group(self) -> str:
        return group_of(self._brand, self._target)

    @property
    def holds_first(self) -> bool:
        """Of all members of the group one at most does: it sends the digest."""
        return Partition(CASES.name, 0) in self._held

    async def run(self) -> None:
        """Until cancelled; a log that is away is waited for."""
        while True:
            consumer = self._log.consumer(self.group, [CASES.name], self)
            try:
                await self._tell_all(consumer)
            except LogError as away:
                _log.warning("notices.log_away", brand=self._brand, target=self._target.name, error=str(away))
            finally:
                self.ready = False
                self._forget(self._held)
                await _stopped(consumer)
            await self._clock.sleep(AGAIN)

    async def _tell_all(self, consumer: Consumer) -> None:
        self._consumer = consumer
        await consumer.start()
        self.ready = True
        while True:
            full = len(self._waiting) >= AHEAD
            (consumer.pause if full else consumer.resume)(*self._held)
            wait = self._courier.wait() if self._waiting else POLL
            self._waiting.extend(await consumer.poll(timeout=min(wait, POLL), most=AHEAD))
            await self._tell_next(consumer)

    async def _tell_next(self, consumer: Consumer) -> None:
        """Everything up to and with the next delivery, then commit."""
        finished: dict[Partition, int] = {}
        while self._waiting:
            record = self._waiting[0]
            case = self._news_in(record)
            if case is not None:
                if self._courier.wait() > 0 or finished:
                    break
                if await self._courier.send(notice_id(case), body(case, self._target.form)) is Sent.FAILED:
                    break
                if not (self._waiting and self._waiting[0] is record):
                    break  # another has the partition now, and tells it again
                self._told[record.partition].note(case)
            self._waiting.popleft()
            finished[record.partition] = record.offset + 1
            if case is not None:
                break
        if finished:
            try:
                await consumer.commit(finished)
            except Fenced:
                _log.info("notices.fenced", brand=self._brand, target=self._target.name)

    def _news_in(self, record: Record) -> Case | None:
        """The case a record tells, when it is this target's business and says more than was told."""
        case, told = self._case_in(record), self._told.get(record.partition)
        if case is None or told is None or not told.is_news(case):
            return None
        still_open = self._past.get(record.partition, {}).get(record.offset, True)
        if not still_open or case.brand != self._brand or not self._target.wants(case):
            told.note(case)
            return None
        return case

    def _case_in(self, record: Record) -> Case | None:
        try:
            return case_in(record)
        except Unreadable as unreadable:
            _log.error("notices.unreadable", where=str(record.partition), offset=record.offset, why=str(unreadable))
            return None

    # --- partitions come and go

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """What lies before the commit was told: it is read again, so that what follows is told once. A new target is
        told what is open, and nothing of the past.
        """
        consumer = self._consumer
        assert consumer is not None
        ends = await consumer.end_offsets(sorted(partitions))
        for where in sorted(partitions):
            committed = await consumer.committed(where)
            before = await self._cases_before(where, ends[where] if committed is None else committed)
            self._told[where] = Told()
            if committed is None:
                newest = {case.key: offset for offset, case in before}
                self._past[where] = {offset: case.open and newest[case.key] == offset for offset, case in before}
                continue
            for _, case in before:
                self._told[where].note(case)
        self._held |= partitions

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self._forget(partitions)

    def _forget(self, partitions: frozenset[Partition]) -> None:
        self._held -= partitions
        self._waiting = deque(one for one in self._waiting if one.partition not in partitions)
        for where in partitions:
            self._told.pop(where, None)
            self._past.pop(where, None)

    async def _cases_before(self, where: Partition, end: int) -> list[tuple[int, Case]]:
        found: list[tuple[int, Case]] = []
        if end == 0:
            return found
        async with everything(self._log, [where.topic], partitions=[where.number]) as records:
            async for record in records:
                if record.offset >= end:
                    break
                if (case := self._case_in(record)) is not None:
                    found.append((record.offset, case))
        return found


async def _stopped(consumer: Consumer) -> None:
    try:
        await consumer.stop()
    except LogError as away:
        _log.info("notices.stopped_without_log", error=str(away))
