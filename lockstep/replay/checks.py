"""What can be wrong with a log or a table that is folded or compared: where, what was expected and found, what to do.

stops     no answer is possible, and nothing is put anywhere
differs   the flow and the log do not agree
note      worth knowing; nothing is wrong by it
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from kernel.log import Partition, Span
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.base import Brand
from schemas.errors import Unreadable
from schemas.topics import CONFIG, DLQ

LETTERS_KEPT = timedelta(milliseconds=DLQ.retention_ms or 0)


class Weight(StrEnum):
    STOPS = "stops"
    DIFFERS = "differs"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`offset` is that of a record of the topic; None: it is about the partition as a whole."""

    weight: Weight
    where: Partition
    offset: int | None
    found: str
    do: str

    def __str__(self) -> str:
        place = str(self.where) if self.offset is None else f"{self.where} offset {self.offset}"
        return f"{place}: {self.found}. {self.do}"


class CannotFoldError(Exception):
    """The fold of a partition cannot go on."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class Rejected(NamedTuple):
    """A record that the fold cannot read."""

    offset: int
    at: datetime
    where: str
    reason: str

    @classmethod
    def of(cls, offset: int, at: datetime, cause: Unreadable) -> "Rejected":
        return cls(offset, at, cause.where, str(cause))

    @property
    def of_unknown_schema(self) -> bool:
        return self.where in {"header schema", "header kind"}


def log_is_whole(spans: Mapping[Partition, Span], table: FoldedTable) -> Iterator[Finding]:
    """Where a log is kept for ever, every partition begins at 0."""
    for where, span in sorted(spans.items()):
        if table.log_is_kept and span.begin > 0:
            found = f"expected a log that is kept for ever and begins at offset 0, found that it begins at {span.begin}"
            do = f"What is folded from a cut log is not the state. {table.anew}; `lockstep doctor` says why it is cut"
            yield Finding(Weight.STOPS, where, span.begin, found, do)


def group_is_of_this_log(
    spans: Mapping[Partition, Span], committed: Mapping[Partition, int], table: FoldedTable
) -> Iterator[Finding]:
    for where, offset in sorted(committed.items()):
        span = spans.get(where)
        if span is not None and offset > span.end:
            found = f"group {table.group} has finished {offset} records, the partition ends at {span.end}"
            do = f"The log is not the one the table was made from: point at its cluster. {table.anew}"
            yield Finding(Weight.STOPS, where, offset, found, do)


def hole(where: Partition, expected: int, found: int | None, table: FoldedTable) -> Finding:
    """`found` None: nothing comes any more, although the partition goes on."""
    what = "nothing up to the partition's end" if found is None else f"offset {found}"
    do = f"Records are gone, and what is folded without them is not the state. {table.anew}"
    return Finding(Weight.STOPS, where, expected, f"expected the record at this offset, found {what}: a hole", do)


def another_cluster(where: Partition, offset: int, cause: Exception, table: FoldedTable) -> Finding:
    return Finding(Weight.STOPS, where, offset, str(cause), table.anew)


def begun_at_the_table(where: Partition, begin: int, at: int, *, anew: bool) -> Finding:
    """The log is cut, or the table was made `anew` from the systems, and nobody has folded on from there yet."""
    why = "the table was made anew here" if anew else "the log begins here, what lay before is forgotten"
    found = f"{why}: the table at offset {at} is where the fold begins"
    do = "Run the same again later, from the same --work folder: what came since is folded and compared"
    return Finding(Weight.STOPS, where, begin, found, do)


def rejected_records(
    where: Partition,
    rejected: Sequence[Rejected],
    letters: Collection[tuple[int, int]],
    committed: int | None,
    now: datetime,
) -> Iterator[Finding]:
    """What this release cannot read: fine where the worker could not either, which its dead letter shows."""
    for one in rejected:
        if (where.number, one.offset) in letters:
            continue
        if committed is None or one.offset >= committed:
            found = f"cannot be read ({one.reason}); the worker has not come to it yet"
            yield Finding(Weight.NOTE, where, one.offset, found, "It will be a dead letter")
        elif one.of_unknown_schema:
            found = f"{one.reason}; the worker could read it, for no dead letter of it lies in {DLQ.name}"
            do = "Run this command from the release that the workers run, or a newer one"
            yield Finding(Weight.STOPS, where, one.offset, found, do)
        elif now - one.at > LETTERS_KEPT:
            found = f"cannot be read ({one.reason}), and is older than dead letters are kept"
            do = f"Whether it was set aside cannot be told from {DLQ.name} any more; its order's next event says more"
            yield Finding(Weight.NOTE, where, one.offset, found, do)
        else:
            found = f"cannot be read ({one.reason}), and no dead letter of it lies in {DLQ.name}"
            do = (
                "Either the workers run another release, or its bytes changed after they had read it: run this command "
                "from their release; if it stays, refresh the order and look at the broker's disks"
            )
            yield Finding(Weight.DIFFERS, where, one.offset, found, do)


def brands_without_configuration(
    keys: Mapping[Brand, int], configured: Collection[Brand], without: Collection[Brand], table: FoldedTable
) -> Iterator[Finding]:
    """Brands with something in the log that nobody configures any more."""
    for brand, count in sorted(keys.items()):
        if brand not in configured and brand not in without:
            found = f"expected a configuration of brand {brand}, of which the log has {count} {table.role}, found none"
            do = f"Apply one (`lockstep config apply`), or leave the brand out: --without-brand {brand}"
            yield Finding(Weight.NOTE, Partition(CONFIG.name, 0), None, found, do)


def foreign_value(where: Partition, offset: int | None, key: str, cause: object, table: FoldedTable) -> Finding:
    """A value of the table that is no state of ours."""
    said = str(cause).splitlines()[0] if str(cause) else type(cause).__name__
    found = f"{key}: expected a state as this release writes it, found other bytes ({said})"
    anew = "`lockstep rebuild` makes the table anew from the log" if table is ORDERS else table.anew
    do = f"Other code wrote it, or it was damaged: {anew}"
    return Finding(Weight.DIFFERS, where, offset, found, do)


def table_ahead(number: int, offset: int, key: str, end: int, table: FoldedTable) -> Finding:
    found = f"{key} was folded up to offset {offset} of {table.events.name}/{number}, which ends at {end}"
    do = f"The table was made from another log: point at its cluster. {table.anew}"
    return Finding(Weight.STOPS, Partition(table.state.name, number), None, found, do)


def half_put(where: Partition, stamp: str, table: FoldedTable) -> Finding:
    found = f"a rebuilt table ({stamp}) was begun to be put in place here and is not whole"
    again = "lockstep rebuild --yes" if table is ORDERS else f"lockstep rebuild --table {table.role} --yes"
    return Finding(Weight.STOPS, where, None, found, f"Run `{again}` again; no worker starts before")
