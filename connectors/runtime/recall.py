"""What a predecessor tried: its outcomes lie in the raw topic, though it died before it committed the commands."""

from collections.abc import AsyncIterator

from kernel.log import Log, Partition
from schemas.base import CommandId
from schemas.outcomes import Outcome, OutcomeKind
from schemas.raw import RawKind

RECALLED = 5_000
"""Records of a partition that are looked through, the newest: what came between two commits is much less."""
WAIT = 1.0
"""Seconds a poll waits for records that are there."""


async def tried(log: Log, topic: str, number: int) -> AsyncIterator[CommandId]:
    """Commands whose outcome is among the newest records of this partition. One superseded was not tried: a copy of it
    may still be to be carried out.
    """
    where = Partition(topic, number)
    end = (await log.spans([topic]))[where].end
    reader = log.reader([topic], partitions=[number], since=max(0, end - RECALLED))
    await reader.start()
    try:
        while not await reader.caught_up():
            for record in await reader.poll(timeout=WAIT):
                if record.headers.get("kind") == RawKind.OUTCOME.encode() and record.value is not None:
                    outcome = Outcome.model_validate_json(record.value)
                    if outcome.kind is not OutcomeKind.SUPERSEDED:
                        yield outcome.command
    finally:
        await reader.stop()
