"""Every record a connector takes ends here: finished, or as a dead letter and then finished."""

from dataclasses import replace

from connectors.runtime.progress import Progress
from connectors.runtime.records import dead_letter
from kernel.log import Producer, Record, RecordTooLarge
from kernel.metrics import Metrics
from schemas.base import CommandId

REMEMBERED = 20_000
"""Commands; a worker that starts sends again what is in flight, which is much less."""


class Endings:
    def __init__(self, stage: str, progress: Progress, producer: Producer, metrics: Metrics) -> None:
        self._stage, self._progress, self._producer, self._metrics = stage, progress, producer, metrics
        self._tried: dict[CommandId, None] = {}

    def tried(self, command: CommandId) -> None:
        """It was tried and its outcome is in the log: a second copy of it has nothing left to say."""
        self._tried[command] = None
        if len(self._tried) > REMEMBERED:
            del self._tried[next(iter(self._tried))]

    def was_tried(self, command: CommandId) -> bool:
        """By us. What the world has become since is for the fold to judge, not for a copy of an old command."""
        return command in self._tried

    def finish(self, record: Record) -> None:
        """Whatever became of it, it need not come again."""
        self._progress.finish(record.partition, record.offset)

    async def dead_letter(self, record: Record, reason: str) -> None:
        """Returns when the broker has it; only then the record is finished. One that is too large with what is said of
        it goes without its body, which lies where the headers say.
        """
        try:
            await (await self._producer.send(**dead_letter(record, self._stage, reason)))
        except RecordTooLarge:
            reason = f"{reason} (a body of {len(record.value or b'')} bytes, left where it lies)"
            await (await self._producer.send(**dead_letter(replace(record, value=b""), self._stage, reason)))
        self._metrics.dead_letters.labels(record.partition.topic).inc()
        self.finish(record)
