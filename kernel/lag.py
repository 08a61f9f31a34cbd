"""How far a member of a group is behind, per partition: measured now and then, told as `lockstep_lag_records`."""

from collections.abc import Iterable, Mapping, Sequence

import structlog

from kernel.log import Consumer, LogError, Partition
from kernel.metrics import Metrics

_log = structlog.get_logger(__name__)


class Lag:
    """Of one role's partitions. A partition that is given up is not told about any more."""

    def __init__(self, role: str, metrics: Metrics) -> None:
        self._role, self._metrics = role, metrics
        self._behind: dict[Partition, int] = {}

    def __bool__(self) -> bool:
        """Whether, when last measured, records waited that should not."""
        return any(self._behind.values())

    async def ends(self, consumer: Consumer, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """Where these partitions end; nothing when the broker does not say, for a figure is not worth an end."""
        try:
            return await consumer.end_offsets(partitions)
        except LogError as away:
            _log.warning("lag.not_measured", role=self._role, error=str(away))
            return {}

    def note(self, where: Partition, records: int, *, stands: bool = False) -> None:
        """So many records are not finished; with `stands` on purpose: told, and not counted as waiting."""
        self._behind[where] = 0 if stands else records
        self._metrics.lag.labels(self._role, where.topic, str(where.number)).set(records)

    def forget(self, partitions: Iterable[Partition]) -> None:
        for where in partitions:
            if self._behind.pop(where, None) is not None:
                self._metrics.lag.remove(self._role, where.topic, str(where.number))
