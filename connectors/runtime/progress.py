"""Which records of a partition are finished, when they finish out of order: those before the oldest open one."""

from kernel.log import Partition


class Progress:
    """Per partition: records taken and not finished. Offsets are taken in rising order."""

    def __init__(self) -> None:
        self._open: dict[Partition, dict[int, None]] = {}
        self._next: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}

    def take(self, where: Partition, offset: int) -> None:
        self._open.setdefault(where, {})[offset] = None
        self._next[where] = offset + 1

    def finish(self, where: Partition, offset: int) -> None:
        """Finished, whatever became of it. A partition that was given up meanwhile is ignored."""
        self._open.get(where, {}).pop(offset, None)

    def committable(self) -> dict[Partition, int]:
        """For each partition with news: the offset before which everything is finished."""
        return {where: offset for where, offset in self.positions().items() if offset > self._committed.get(where, -1)}

    def positions(self) -> dict[Partition, int]:
        """For each partition anything was taken from: the offset before which everything is finished."""
        return {where: min(waiting) if (waiting := self._open[where]) else after for where, after in self._next.items()}

    def committed(self, offsets: dict[Partition, int]) -> None:
        self._committed.update(offsets)

    def drop(self, where: Partition) -> None:
        self._open.pop(where, None)
        self._next.pop(where, None)
        self._committed.pop(where, None)

    @property
    def waiting(self) -> int:
        return sum(len(one) for one in self._open.values())
