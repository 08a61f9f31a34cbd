"""How a worker fares: whether it makes progress while something waits, and how far it is behind."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from kernel.log import Consumer, LogError, Partition
from kernel.metrics import Metrics

_log = structlog.get_logger(__name__)


class Pulse:
    """All times are the clock's monotonic seconds, passed in."""

    def __init__(self, role: str, metrics: Metrics) -> None:
        self._role, self._metrics = role, metrics
        self._turned_at: float | None = None
        self._moved_at = 0.0
        self._behind: dict[Partition, int] = {}
        self._known: set[Partition] = set()
        self.waiting = False
        """A batch is being folded, or its sends are not acknowledged."""
        self.recovering = False
        """Tables are being read."""

    def began(self, now: float) -> None:
        self._turned_at = self._moved_at = now

    def turned(self, now: float) -> None:
        """The worker came round; without anything that waits, this is all the progress there can be."""
        self._turned_at = now
        if not self._anything_waits():
            self._moved_at = now

    def moved(self, now: float) -> None:
        """Something was recovered, acknowledged or committed."""
        self._moved_at = max(self._moved_at, now)

    def stuck_for(self, now: float) -> float:
        """Seconds since the last progress; 0 before the beginning."""
        if self._turned_at is None:
            return 0.0
        since = self._moved_at if self._anything_waits() else max(self._turned_at, self._moved_at)
        return max(0.0, now - since)

    def _anything_waits(self) -> bool:
        return self.waiting or self.recovering or any(self._behind.values())

    # --- how far behind

    async def ends(self, consumer: Consumer, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where these partitions end; nothing when the broker does not say, for a figure is not worth an end."""
        try:
            return await consumer.end_offsets(partitions)
        except LogError as away:
            _log.warning("pulse.no_end_offsets", role=self._role, error=str(away))
            return {}

    def lag(self, where: Partition, records: int, *, counts: bool = True) -> None:
        """So many records of a partition are not finished. With `counts` they should be, and their standing is told."""
        self._known.add(where)
        self._behind[where] = records if counts else 0
        self._metrics.lag.labels(self._role, where.topic, str(where.number)).set(records)

    def forget(self, partitions: Iterable[Partition]) -> None:
        """They are another's to tell about."""
        for where in self._known.intersection(partitions):
            self._behind.pop(where, None)
            self._metrics.lag.remove(self._role, where.topic, str(where.number))
        self._known.difference_update(partitions)
