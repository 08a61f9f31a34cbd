"""The changelog of a partition: restored in bulk, and watched for another's writes.

A zombie, a worker that was paused past its session and wakes, may write an older state behind a newer one. So the value
with the highest last offset wins on restore, not the last record; and while we own the partition, a hole between our
own acknowledged offsets tells that somebody else wrote, and what that made stale is written again.

A rebuilt table is put in place by appending it between two marks: what lies before the first does not count any more.
Without the second it is not whole, and nothing may be restored from it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from kernel.log import Log, LogError, Outgoing, Partition, Producer
from streams.engine.contract import PartitionFold
from streams.engine.prefix import last_offset

BEGUN, WHOLE = b"~rebuilt/begun", b"~rebuilt/whole"
"""Keys of the marks around a rebuilt table; their value names the rebuild."""
MARKS = frozenset({BEGUN, WHOLE})


@dataclass(slots=True)
class Restored:
    """What one partition of the changelog holds: the newest value per key, and the keys whose last record is older.

    `under_way` names a rebuilt table that was begun to be put in place and is not whole.
    """

    newest: dict[bytes, bytes] = field(default_factory=dict)
    stale: set[bytes] = field(default_factory=set)
    end: int = 0
    records: int = 0
    under_way: str | None = None

    def note(self, key: bytes, value: bytes) -> None:
        if key in MARKS:
            self._mark(key, value)
            return
        held = self.newest.get(key)
        if held is None or last_offset(value) >= last_offset(held):
            self.newest[key] = value
            self.stale.discard(key)
        else:
            self.stale.add(key)

    def _mark(self, key: bytes, value: bytes) -> None:
        if key == WHOLE:
            self.under_way = None
        else:
            self.under_way = value.decode()
            self.newest.clear()
            self.stale.clear()

    def into(self, fold: PartitionFold) -> None:
        for key, value in self.newest.items():
            fold.restore(key, value)
        fold.restored()


class OwnWrites:
    """Offsets of our acknowledged changelog records in one partition; they must follow each other without a hole."""

    def __init__(self, end: int) -> None:
        self.next = end

    def hole(self, offsets: Iterable[int]) -> int | None:
        """Take note of acknowledged offsets, in order. Where somebody else began to write, None if nobody did."""
        found = None
        for offset in offsets:
            if offset > self.next and found is None:
                found = self.next
            self.next = max(self.next, offset + 1)
        return found


async def restore(
    log: Log, topic: str, numbers: Sequence[int], *, progress: Callable[[], None] = lambda: None
) -> Mapping[int, Restored]:
    """Read these partitions to their present ends, all with one reader; calls `progress` after each bulk that came.

    Raises LogError when a rebuilt table was begun to be put in place and is not whole.
    """
    found = {number: Restored() for number in numbers}
    if not found:
        return found
    reader = log.reader([topic], partitions=list(numbers))
    await reader.start()
    try:
        while not await reader.caught_up():
            records = await reader.poll(timeout=0.2, most=5000)
            for record in records:
                restored = found[record.partition.number]
                restored.end, restored.records = record.offset + 1, restored.records + 1
                if record.key is not None and record.value is not None:
                    restored.note(record.key, record.value)
            if records:
                progress()
    finally:
        await reader.stop()
    for number, restored in found.items():
        if restored.under_way is not None:
            role = topic.partition(".")[0]
            again = "--yes" if role == "orders" else f"--table {role} --yes"
            raise LogError(
                f"{Partition(topic, number)}: expected a whole table, found the rebuilt one {restored.under_way} half "
                f"put in its place: run `lockstep rebuild {again}` again"
            )
    return found


async def mend(log: Log, producer: Producer, topic: str, number: int, restored: Restored) -> OwnWrites:
    """Write the stale keys' newest values again, until nobody wrote in between. Nothing of ours may be under way.

    All of the partition counts, not what is new in it: what another's late write hides may be as old as the partition.
    """
    while True:
        writes = OwnWrites(restored.end)
        again = [Outgoing(topic, key, restored.newest[key], {}, number) for key in sorted(restored.stale)]
        appended = await (await producer.send_many(again))
        if writes.hole(one.offset for one in appended) is None:
            return writes
        restored = (await restore(log, topic, [number]))[number]
