"""The log and the table of one partition, compared while the flow runs.

How far the group has committed is asked first, then the table is read. So all that was committed is in the table, and
some of what came after it may be. The log is folded up to the commit: keys whose state the table has from before it
must be equal there. For keys whose state is younger the fold goes on, and their ends meet where the fold has come to
the very event the table says it folded last; there they must be equal. What is younger than that is not asked for:
a worker may have been about to write it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.log import Partition
from kernel.operated import OperatedLog
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.checks import CannotFoldError, Finding, Rejected, begun_at_the_table, table_ahead
from lockstep.replay.fold import BulkFold, Watch, digest, fold_to
from lockstep.replay.table import Difference, Table, difference, foreign, read_table
from schemas.base import Brand, split_key
from streams.engine.contract import Change
from streams.engine.prefix import last_offset

SHOWN = 20
"""Differences of a partition that are told one by one."""


@dataclass(frozen=True, slots=True)
class Question:
    """One partition to compare, whose log begins at `begin`. `committed` None: the group has no commit."""

    number: int
    begin: int
    committed: int | None
    saved: Checkpoints
    save_every: int = 100_000


@dataclass(frozen=True, slots=True)
class Compared:
    """The log was folded from `since` up to `until`. `differing` counts keys; `differences` tells the first of them."""

    number: int
    since: int
    until: int
    keys: int
    log_digest: str
    table_digest: str
    differing: int
    differences: tuple[Difference, ...]
    findings: tuple[Finding, ...]
    rejected: tuple[Rejected, ...]
    verdicts: Counter[str]
    brands: Counter[Brand]

    @property
    def equal(self) -> bool:
        return self.log_digest == self.table_digest


async def compare(log: OperatedLog, question: Question, watch: Watch) -> Compared:
    """Raises Interrupted after a save, or LogError. A log that cannot be folded is a finding."""
    saved = question.saved
    table = await read_table(log, question.number, saved.table)
    leave_out(table, saved.without)
    begin = max(question.begin, table.anew_at)
    until = max(question.committed or 0, begin)
    bulk = saved.load(question.number, until)
    since, meeting = bulk.next, Meeting(table, until)
    if since < begin or bulk.began_at != table.anew_at:
        return _begun(table, question, begin, until)
    try:
        await fold_to(log, bulk, until, watch, save=saved.save, save_every=question.save_every)
        meeting.at_commit(bulk.newest)
        if meeting.open:
            await fold_to(log, bulk, await _until(log, table, meeting), watch, changed=meeting.heard)
    except CannotFoldError as cause:
        return _told(since, bulk, table, meeting, [*table.findings, cause.finding])
    return _told(since, bulk, table, meeting, table.findings)


def _begun(table: Table, question: Question, begin: int, at: int) -> Compared:
    """Where the log's first records do not lead to the table, a fold begins as a worker does: at the table."""
    begun = BulkFold(table.number, question.saved.without, table.of)
    begun.next, begun.began_at = at, table.anew_at
    begun.newest.update(table.newest)
    question.saved.save(begun)
    nothing = Table(table.of, table.number)
    why = begun_at_the_table(begun.where, begin, at, anew=begin > question.begin)
    return _told(at, begun, nothing, Meeting(nothing, at), [*table.findings, why])


async def _until(log: OperatedLog, table: Table, meeting: "Meeting") -> int:
    """The offset behind the youngest event the table has folded. Raises CannotFoldError when the log has it not."""
    key, latest = max(meeting.open.items(), key=lambda one: one[1])
    where = Partition(table.of.events.name, table.number)
    end = (await log.spans([where.topic]))[where].end
    if latest >= end:
        raise CannotFoldError(table_ahead(table.number, latest, key.decode(errors="replace"), end, table.of))
    return latest + 1


class Meeting:
    """Where the ends of log and table meet, key by key. `open` are keys whose state in the table is past the commit."""

    def __init__(self, table: Table, committed: int) -> None:
        self._table = table.newest
        self.open = {key: at for key, value in table.newest.items() if (at := last_offset(value)) >= committed}
        self.met: dict[bytes, bytes] = {}

    def at_commit(self, newest: dict[bytes, bytes]) -> None:
        """The fold has come to the commit."""
        self.met.update((key, value) for key, value in newest.items() if key not in self.open)

    def heard(self, change: Change) -> None:
        """The fold goes on and has changed a key."""
        if change.value is not None and self.open.get(change.key) == last_offset(change.value):
            self.met[change.key] = change.value

    def differing(self) -> list[bytes]:
        """Every key in which the two say something else, the one that parted first on top."""
        keys = self.met.keys() | self._table.keys()
        found = [key for key in keys if self.met.get(key) != self._table.get(key)]
        return sorted(found, key=lambda key: (self._parted(key), key))

    def _parted(self, key: bytes) -> int:
        values = (self.met.get(key), self._table.get(key))
        return min(last_offset(value) for value in values if value is not None)


def leave_out(table: Table, without: Sequence[Brand]) -> None:
    prefixes = tuple(f"{brand}/".encode() for brand in without)
    if prefixes:
        table.newest = {key: value for key, value in table.newest.items() if not key.startswith(prefixes)}


def _told(since: int, bulk: BulkFold, table: Table, meeting: Meeting, findings: Sequence[Finding]) -> Compared:
    of, differing = table.of, meeting.differing()
    first = differing[:SHOWN]
    fold = {key: meeting.met.get(key) or bulk.newest.get(key) for key in first}
    there = [(key, table.newest[key]) for key in first if key in table.newest]
    strange = (foreign(of, table.number, key, value) for key, value in there)
    return Compared(
        number=bulk.where.number,
        since=since,
        until=bulk.next,
        keys=len(meeting.met),
        log_digest=digest(meeting.met.items()),
        table_digest=digest(table.newest.items()),
        differing=len(differing),
        differences=tuple(difference(of, table.number, key, fold[key], table.newest.get(key)) for key in first),
        findings=(*findings, *(one for one in strange if one is not None)),
        rejected=tuple(bulk.rejected),
        verdicts=bulk.verdicts,
        brands=brands_of(bulk.newest),
    )


def brands_of(newest: dict[bytes, bytes]) -> Counter[Brand]:
    """How many keys each brand has, its configuration and connections aside."""
    keys = (split_key(key.decode()) for key in newest)
    return Counter(brand for brand, order in keys if not order.startswith("~"))
