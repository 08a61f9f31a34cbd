"""What is asked of the cluster beside a fold: where the log begins and ends, how far workers are, what is set aside."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kernel.log import Log, Partition, Span
from kernel.operated import OperatedLog
from lockstep.reading import brands_in, everything
from lockstep.replay.checks import (
    Finding,
    Rejected,
    Weight,
    brands_without_configuration,
    group_is_of_this_log,
    log_is_whole,
    rejected_records,
)
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.base import Brand
from schemas.topics import CONFIG, DLQ


@dataclass(frozen=True, slots=True)
class Asked:
    """`spans` and `committed` are of the table's log, by partition number; commits are older than spans."""

    table: FoldedTable
    cluster: str
    spans: Mapping[int, Span]
    committed: Mapping[int, int]
    members: int
    findings: tuple[Finding, ...]

    @property
    def stopped(self) -> bool:
        return stops(self.findings)


def stops(findings: Iterable[Finding]) -> bool:
    return any(one.weight is Weight.STOPS for one in findings)


async def ask(log: OperatedLog, table: FoldedTable = ORDERS) -> Asked:
    """Raises LogError."""
    group = (await log.describe_groups([table.group]))[table.group]
    spans = await log.spans([table.events.name])
    committed = {where: offset for where, offset in group.committed.items() if where in spans}
    findings = (*log_is_whole(spans, table), *group_is_of_this_log(spans, committed, table))
    return Asked(
        table=table,
        cluster=await log.cluster_id(),
        spans={where.number: span for where, span in spans.items()},
        committed={where.number: offset for where, offset in committed.items()},
        members=group.members,
        findings=findings,
    )


@dataclass(frozen=True, slots=True)
class Around:
    """What is known beside a log: dead letters of it by (partition, offset), and configured brands."""

    letters: frozenset[tuple[int, int]]
    configured: frozenset[Brand]


async def look_around(log: Log, table: FoldedTable = ORDERS) -> Around:
    letters: set[tuple[int, int]] = set()
    async with everything(log, [DLQ.name]) as records:
        async for record in records:
            headers = record.headers
            if headers.get("topic", b"").decode() == table.events.name:
                letters.add((int(headers["partition"]), int(headers["offset"])))
    return Around(frozenset(letters), frozenset(await brands_in(log, CONFIG.name)))


def judged(
    rejected: Mapping[int, Sequence[Rejected]],
    keys: Iterable[Counter[Brand]],
    asked: Asked,
    around: Around,
    without: Collection[Brand],
    now: datetime,
) -> Iterator[Finding]:
    """What the fold met that is only understood beside dead letters, commits and configurations."""
    for number, records in sorted(rejected.items()):
        where, committed = Partition(asked.table.events.name, number), asked.committed.get(number)
        yield from rejected_records(where, records, around.letters, committed, now)
    total: Counter[Brand] = sum(keys, Counter())
    yield from brands_without_configuration(total, around.configured, without, asked.table)
