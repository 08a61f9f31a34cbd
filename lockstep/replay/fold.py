"""One partition of a log of events folded in bulk, by the very fold of the workers; its effects go nowhere.

Memory is bounded by the state, not by the log: per key the newest value as the changelog holds it, and decoded only
what was touched since the last save.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from hashlib import sha256
from typing import Protocol

from kernel.log import Log, Partition, Record
from lockstep.replay.checks import CannotFoldError, Rejected, another_cluster, hole
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.base import Brand
from schemas.errors import Unreadable
from streams.agents.same_log import AnotherLogError
from streams.engine.contract import Change, Verdict

BATCH = 2000
WAIT = 2.0
"""Seconds a poll waits for records that must be there."""
LEFT_OUT = "left out"
"""Counted beside the verdicts: records of brands that shall be left out."""


class Interrupted(Exception):
    """Somebody asked to stop; what was done is saved."""


class Watch(Protocol):
    """Whoever waits for a fold."""

    def done(self, records: int) -> None:
        """So many records of the partition are folded."""
        ...

    def stopping(self) -> bool:
        """Whether the fold shall save and end."""
        ...


class BulkFold:
    """The state of one partition at `next`, the offset of the record to come. `rejected` are unreadable records."""

    def __init__(self, number: int, without: Collection[Brand] = (), table: FoldedTable = ORDERS) -> None:
        self.table, self.where = table, Partition(table.events.name, number)
        self.next = 0
        self.began_at = 0
        """Where the table it began at had been emptied; 0 for one that never was, and for a fold of the whole log."""
        self._newest: dict[bytes, bytes] = {}
        self._changed: dict[bytes, Change] = {}
        self.rejected: list[Rejected] = []
        self.verdicts: Counter[str] = Counter()
        self._without = tuple(f"{brand}/".encode() for brand in without)
        self._fold = table.fold(number, effects=False)

    @property
    def newest(self) -> dict[bytes, bytes]:
        """Per key the value as the changelog holds it; made when it is asked for."""
        for key, change in self._changed.items():
            if change.value is None:
                self._newest.pop(key, None)
            else:
                self._newest[key] = change.value
        self._changed.clear()
        return self._newest

    def take(self, record: Record) -> Sequence[Change]:
        """Fold one record; what it changed. Raises CannotFoldError where the log has a hole or is another's."""
        if record.offset != self.next:
            raise CannotFoldError(hole(self.where, self.next, record.offset, self.table))
        self.next += 1
        if self._without and record.key is not None and record.key.startswith(self._without):
            self.verdicts[LEFT_OUT] += 1
            return ()
        try:
            step = self._fold.handle(record)
        except Unreadable as cause:
            self.rejected.append(Rejected.of(record.offset, record.at, cause))
            self.verdicts[Verdict.REJECTED] += 1
            return ()
        except AnotherLogError as cause:
            raise CannotFoldError(another_cluster(self.where, record.offset, cause, self.table)) from cause
        self.verdicts[step.verdict] += 1
        self._changed.update((change.key, change) for change in step.changes)
        return step.changes

    def renew(self) -> None:
        """A fold as a worker has it after a restore: states are decoded when something happens to them."""
        self._fold = self.table.fold(self.where.number, effects=False)
        for key, value in self.newest.items():
            self._fold.restore(key, value)
        self._fold.restored()


async def fold_to(
    log: Log,
    bulk: BulkFold,
    until: int,
    watch: Watch,
    *,
    save: Callable[[BulkFold], None] = lambda _: None,
    save_every: int = 100_000,
    changed: Callable[[Change], None] | None = None,
) -> None:
    """Fold the records below offset `until`. `changed` hears every change; `save` is called on the way and at the end.

    Raises CannotFoldError, LogError, or Interrupted after a save.
    """
    if bulk.next >= until:
        watch.done(bulk.next)
        return
    reader = log.reader([bulk.table.events.name], partitions=[bulk.where.number], since=bulk.next)
    await reader.start()
    saved = bulk.next
    try:
        while bulk.next < until:
            records = await reader.poll(timeout=WAIT, most=BATCH)
            if not records and await reader.caught_up():
                raise CannotFoldError(hole(bulk.where, bulk.next, None, bulk.table))
            for record in records:
                if record.offset >= until:
                    break
                for change in bulk.take(record):
                    if changed is not None:
                        changed(change)
            watch.done(bulk.next)
            if watch.stopping():
                save(bulk)
                raise Interrupted
            if bulk.next - saved >= save_every:
                save(bulk)
                bulk.renew()
                saved = bulk.next
    finally:
        await reader.stop()
    save(bulk)


def digest(entries: Iterable[tuple[bytes, bytes]]) -> str:
    """One digest of a table, whatever the order its entries come in; equal exactly for equal tables."""
    whole = sha256()
    for key, value in sorted(entries):
        whole.update(sha256(key).digest())
        whole.update(sha256(value).digest())
    return whole.hexdigest()
