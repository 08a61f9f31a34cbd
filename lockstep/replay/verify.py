"""Is the table what a fold of the log makes of it? Reads only; the workers may go on."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lockstep.replay.asked import Asked, ask, judged, look_around, stops
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.checks import Finding, Weight
from lockstep.replay.compare import Compared, Question, compare
from lockstep.replay.pool import Connect, Ended, in_processes
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.base import Brand

Told = Callable[[Sequence[int], Sequence[int]], None]
"""Hears, a few times a second, how many records of each partition are folded, and how many there are to fold."""


@dataclass(frozen=True, slots=True)
class Verified:
    """`peaks` is the most memory each process of the fold held, in bytes; `cpu_seconds` what they took together."""

    asked: Asked
    partitions: tuple[Compared, ...]
    findings: tuple[Finding, ...]
    peaks: tuple[int, ...] = ()
    cpu_seconds: float = 0.0

    @property
    def differing(self) -> int:
        return sum(one.differing for one in self.partitions)

    @property
    def exit_code(self) -> int:
        """0 equal, 1 differs, 2 cannot be told."""
        if stops(self.findings):
            return 2
        return 1 if self.differing or any(one.weight is Weight.DIFFERS for one in self.findings) else 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to go about a fold: brands left out, where to save, how many processes."""

    folder: Path
    processes: int
    without: tuple[Brand, ...] = ()
    save_every: int = 100_000
    table: FoldedTable = ORDERS


def verify(connect: Connect, plan: Plan, told: Told = lambda *_: None) -> Verified:
    """Where the log may be cut, how far it came is kept, and the next goes on from there.

    Raises Interrupted when everything is saved, FoldProcessLostError, or LogError.
    """
    asked = asyncio.run(_asked(connect, plan.table))
    if asked.stopped:
        return Verified(asked, (), asked.findings)
    questions = questions_of(asked, plan)
    goals = [asked.committed.get(number, span.end) for number, span in sorted(asked.spans.items())]
    ended = in_processes(compare, connect, questions, plan.processes, lambda done: told(done, goals))
    verified = asyncio.run(conclude(connect, asked, ended, plan.without))
    if plan.table.log_is_kept:
        for question in questions:
            question.saved.forget([question.number])
    return verified


def questions_of(asked: Asked, plan: Plan) -> list[Question]:
    """One per partition."""
    saved = Checkpoints(plan.folder, asked.cluster, plan.without, asked.table)
    return [
        Question(number, span.begin, asked.committed.get(number), saved, plan.save_every)
        for number, span in sorted(asked.spans.items())
    ]


async def _asked(connect: Connect, table: FoldedTable) -> Asked:
    return await ask(connect(), table)


async def conclude(
    connect: Connect, asked: Asked, ended: Sequence[Ended[Compared]], without: Sequence[Brand]
) -> Verified:
    partitions = tuple(one.result for one in ended)
    findings = [*asked.findings, *(finding for one in partitions for finding in one.findings)]
    around = await look_around(connect(), asked.table)
    rejected = {one.number: one.rejected for one in partitions}
    findings += judged(rejected, (one.brands for one in partitions), asked, around, without, datetime.now(UTC))
    return Verified(asked, partitions, tuple(findings), peaks(ended), cpu_seconds(ended))


def cpu_seconds(ended: Sequence[Ended[Any]]) -> float:
    return sum(one.cpu_seconds for one in ended)


def peaks(ended: Sequence[Ended[Any]]) -> tuple[int, ...]:
    """Per process."""
    most: dict[int, int] = {}
    for one in ended:
        most[one.process] = max(most.get(one.process, 0), one.peak_bytes)
    return tuple(most.values())
