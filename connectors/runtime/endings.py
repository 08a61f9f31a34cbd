"""Every record a connector takes ends here: finished, or as a dead letter and then finished."""

from connectors.runtime.progress import Progress
from connectors.runtime.records import dead_letter
from kernel.log import Producer, Record
from kernel.metrics import Metrics


class Endings:
    def __init__(self, stage: str, progress: Progress, producer: Producer, metrics: Metrics) -> None:
        self._stage, self._progress, self._producer, self._metrics = stage, progress, producer, metrics

    def finish(self, record: Record) -> None:
        """Whatever became of it, it need not come again."""
        self._progress.finish(record.partition, record.offset)

    async def dead_letter(self, record: Record, reason: str) -> None:
        """Returns when the broker has it; only then the record is finished."""
        await (await self._producer.send(**dead_letter(record, self._stage, reason)))
        self._metrics.dead_letters.labels(record.partition.topic).inc()
        self.finish(record)
