"""Where a process dies or freezes: a log whose producer does it to its own process, at a named moment.

Production code knows nothing of this. The process under test is started with a `CrashPoint`; it runs the real worker or
connector over a `CrashingLog`.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Mapping, Sequence
from enum import StrEnum

from kernel.log import Appended, Consumer, Log, Outgoing, Partition, Producer, Reader, Rebalance, Span
from schemas.topics import CASES, COMMANDS, ORDERS_STATE, RAW

COMMAND_TOPICS = frozenset(topic.name for topic in COMMANDS.values())
RAW_TOPICS = frozenset(topic.name for topic in RAW.values())
MANY = 10
"""A batch that opens so many cases at once is a tick's."""


class CrashPoint(StrEnum):
    NEVER = "never"
    STATE_BEFORE_COMMAND = "state before command"
    """Its changes are acknowledged; none of its commands was sent."""
    COMMAND_BEFORE_COMMIT = "command before commit"
    """All it caused is acknowledged; it is not committed."""
    HALF_A_TICK = "half a tick"
    """Half of a tick's changes are acknowledged, and nothing else of it."""
    FREEZE_BEFORE_SECOND_STATE = "freeze before the second state"
    """Stopped, not killed, when the second state of the key in question is folded and not sent; then goes on."""
    FREEZE_BEFORE_SECOND_STATE_AND_DIE = "freeze before the second state and die"
    """Likewise; woken, it gets as far as that state's acknowledgement."""
    EFFECT_BEFORE_OUTCOME = "effect before outcome"
    """The outside system has done it; nobody was told."""
    OUTCOME_BEFORE_COMMIT = "outcome before commit"
    """The outcome is acknowledged; the command is not committed."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def freeze() -> None:
    """Until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


def say(line: str) -> None:
    """To the test that started us."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class CrashingLog:
    """`trigger` is the key in question: of an order, as text."""

    def __init__(self, log: Log, point: CrashPoint, trigger: str) -> None:
        self._log, self._point, self._trigger = log, point, trigger.encode()
        self._states = 0
        self._doomed = False

    def producer(self) -> Producer:
        return _CrashingProducer(self, self._log.producer())

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> Consumer:
        return self._log.consumer(group, topics, None if rebalance is None else _Announced(rebalance))

    def reader(self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0) -> Reader:
        return self._log.reader(topics, partitions=partitions, since=since)

    async def partitions(self, topic: str) -> int:
        return await self._log.partitions(topic)

    async def spans(self, topics: Sequence[str]) -> Mapping[Partition, Span]:
        return await self._log.spans(topics)

    async def cluster_id(self) -> str:
        return await self._log.cluster_id()

    # --- what the producer asks

    async def before_sending(self, records: Sequence[Outgoing], inner: Producer) -> None:
        changes = [record for record in records if record.topic == ORDERS_STATE.name]
        match self._point:
            case CrashPoint.STATE_BEFORE_COMMAND if self._commands(records):
                await (await inner.send_many(changes))
                die()
            case CrashPoint.HALF_A_TICK if sum(record.topic == CASES.name for record in records) >= MANY:
                await (await inner.send_many(changes[: len(changes) // 2]))
                die()
            case CrashPoint.FREEZE_BEFORE_SECOND_STATE | CrashPoint.FREEZE_BEFORE_SECOND_STATE_AND_DIE:
                self._states += sum(record.key == self._trigger for record in changes)
                if self._states == 2:
                    self._states += 1
                    freeze()
                    self._doomed = self._point is CrashPoint.FREEZE_BEFORE_SECOND_STATE_AND_DIE
            case CrashPoint.COMMAND_BEFORE_COMMIT if self._commands(records):
                self._doomed = True
            case CrashPoint.EFFECT_BEFORE_OUTCOME if self._outcomes(records):
                die()
            case CrashPoint.OUTCOME_BEFORE_COMMIT if self._outcomes(records):
                self._doomed = True

    async def after_sending(self, acknowledged: Awaitable[object]) -> None:
        if self._doomed:
            await acknowledged
            die()

    def _commands(self, records: Sequence[Outgoing]) -> bool:
        return any(record.topic in COMMAND_TOPICS and record.key == self._trigger for record in records)

    def _outcomes(self, records: Sequence[Outgoing]) -> bool:
        return any(
            record.topic in RAW_TOPICS and record.key == self._trigger and record.headers.get("kind") == b"outcome"
            for record in records
        )


class _CrashingProducer:
    def __init__(self, log: CrashingLog, inner: Producer) -> None:
        self._log, self._inner = log, inner

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
        await self._log.before_sending([Outgoing(topic, key, value, headers or {}, partition)], self._inner)
        sent = await self._inner.send(topic, key=key, value=value, headers=headers, partition=partition)
        await self._log.after_sending(sent)
        return sent

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        await self._log.before_sending(records, self._inner)
        sent = await self._inner.send_many(records)
        await self._log.after_sending(sent)
        return sent


class _Announced:
    """Says on standard output what was dealt, when the process is ready for it."""

    def __init__(self, inner: Rebalance) -> None:
        self._inner = inner

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        await self._inner.assigned(partitions)
        say(f"assigned {sorted({where.number for where in partitions})}")

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        await self._inner.revoked(partitions)
        say("revoked")
