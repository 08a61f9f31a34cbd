"""The changelog of one partition: restored in bulk, and watched for another's writes.

A zombie, a worker that was paused past its session and wakes, may write an older state behind a newer one. So the value
with the highest last offset wins on restore, not the last record; and while we own the partition, a hole between our
own acknowledged offsets tells that somebody else wrote, and what that made stale is written again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kernel.log import Log, Partition
from streams.engine.contract import PartitionFold
from streams.engine.prefix import last_offset


@dataclass(frozen=True, slots=True)
class Restored:
    """What the changelog held: the newest value per key, and the keys whose last record was older than that."""

    newest: Mapping[bytes, bytes]
    stale: frozenset[bytes]
    end: int
    records: int

    def into(self, fold: PartitionFold) -> None:
        for key, value in self.newest.items():
            fold.restore(key, value)
        fold.restored()


async def restore(log: Log, where: Partition, *, since: int = 0) -> Restored:
    """Read the partition from `since` to its present end."""
    newest: dict[bytes, bytes] = {}
    stale: set[bytes] = set()
    end, count = since, 0
    reader = log.reader([where.topic], partitions=[where.number], since=since)
    await reader.start()
    try:
        while not await reader.caught_up():
            for record in await reader.poll(timeout=0.2, most=5000):
                end, count = record.offset + 1, count + 1
                if record.key is None or record.value is None:
                    continue
                held = newest.get(record.key)
                if held is None or last_offset(record.value) >= last_offset(held):
                    newest[record.key] = record.value
                    stale.discard(record.key)
                else:
                    stale.add(record.key)
    finally:
        await reader.stop()
    return Restored(newest, frozenset(stale), end, count)


class OwnWrites:
    """Offsets of our acknowledged changelog records in one partition; they must follow each other without a hole."""

    def __init__(self, end: int) -> None:
        self._next = end

    def hole(self, offsets: Iterable[int]) -> int | None:
        """Take note of acknowledged offsets, in order. Where somebody else began to write, None if nobody did."""
        found = None
        for offset in offsets:
            if offset > self._next and found is None:
                found = self._next
            self._next = max(self._next, offset + 1)
        return found
