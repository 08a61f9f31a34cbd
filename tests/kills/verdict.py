"""The verdict on a run that has come to rest: the outside systems' books and the log out of Kafka, by the oracles."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kernel.kafka_log import KafkaLog
from kernel.log import Partition, Record
from lockstep.demo.judge import Books
from lockstep.reading import everything
from lockstep.roles import Role
from lockstep.simulation.evidence import OrderStory, read
from lockstep.simulation.log_oracle import LogOracle, cases_of, shown_by
from lockstep.simulation.oracle import DOUBLES, Violation, never, unsettled
from lockstep.simulation.people import Account
from schemas.base import OrderKey, System, order_key
from schemas.cases import Case
from schemas.topics import ALL, DLQ, ORDERS_EVENTS
from tests.kills.blows import Nap

ORDERS_GROUP = "lockstep.orders"
GROUPS = (*(f"lockstep.{system}" for system in System), "lockstep.normalise", ORDERS_GROUP)

SENT_WITHIN = timedelta(seconds=6)
"""After a sleeper woke, what it had checked before its nap has been executed: time-out, delay and slowness included."""

LOST = frozenset(
    {
        "lost", "unfinished", "unanswered", "not sent", "not released", "not despatched", "not posted", "not told",
        "not sold", "no tracking", "unsettled",
    }
)  # fmt: skip
DOUBLED = DOUBLES | {"sold twice", "stranger"}
TABLE = frozenset({"table", "conservation"})


class Taken:
    """Everything in the log, read out. What the orders workers had not committed when they ended is left out of
    `orders.events`: nobody has folded it.
    """

    def __init__(self, records: Sequence[Record], committed: Mapping[str, Mapping[Partition, int]]) -> None:
        self._committed = committed
        self._by_place: dict[Partition, list[Record]] = defaultdict(list)
        self._by_topic: dict[str, list[Record]] = defaultdict(list)
        folded = committed[ORDERS_GROUP]
        for record in sorted(records, key=lambda record: (record.partition, record.offset)):
            where = record.partition
            if where.topic != ORDERS_EVENTS.name or record.offset < folded.get(where, 0):
                self._by_place[where].append(record)
                self._by_topic[where.topic].append(record)

    def records(self, topic: str) -> Sequence[Record]:
        return self._by_topic[topic]

    def committed(self) -> Mapping[str, Mapping[Partition, int]]:
        return self._committed

    def next_of(self, where: Partition, offset: int) -> Record | None:
        records = self._by_place[where]
        found = bisect_left(records, offset, key=lambda record: record.offset)
        return records[found] if found < len(records) else None


async def take(log: KafkaLog) -> Taken:
    """When every process has ended."""
    groups = await log.describe_groups(GROUPS)
    async with everything(log, [topic.name for topic in ALL]) as records:
        return Taken([one async for one in records], {name: group.committed for name, group in groups.items()})


@dataclass(frozen=True, slots=True)
class Verdict:
    """`doubled_found` are excused: a sleeper woke between its last check and its write, and a case says so."""

    violations: tuple[Violation, ...]
    doubled_found: tuple[Violation, ...]
    events: int
    cases: tuple[Case, ...]

    def count(self, rules: frozenset[str]) -> int:
        return sum(one.rule in rules for one in self.violations)


def judge(books: Books, taken: Taken, partitions: int, before: datetime, naps: Sequence[Nap]) -> Verdict:
    """`before`: every record older than this was to be finished."""
    account, cases = Account(), cases_of(taken)
    found = list(never(books, account, shown_by(taken)))
    doubled = excused(found, books, cases, naps)
    found.extend(unsettled(books, cases, account))
    found.extend(LogOracle(taken, partitions).violations(before))
    found.extend(Violation("dead letter", f"{letter.headers}") for letter in taken.records(DLQ.name))
    orders = {one.order for one in doubled}
    return Verdict(
        violations=tuple(one for one in found if one.order not in orders),
        doubled_found=tuple(doubled),
        events=len(taken.records(ORDERS_EVENTS.name)),
        cases=tuple(cases),
    )


def excused(found: Sequence[Violation], books: Books, cases: Sequence[Case], naps: Sequence[Nap]) -> list[Violation]:
    """Doubles of a connector that woke just then, in a system without idempotency, of which people were told."""
    stories = {order_key(*story.key): story for story in read(books).orders.values()}
    return [
        one
        for one in found
        if one.rule in DOUBLES
        and any(_just_woken(stories[OrderKey(one.order)], nap) for nap in naps)
        and any(order_key(case.brand, case.order) == one.order for case in cases)
    ]


def _just_woken(story: OrderStory, nap: Nap) -> bool:
    """Whether the sleeper's system has an effect from the moment after it woke. The ERP knows its keys and refuses."""
    match nap.role:
        case Role.CLARUS:
            moments = [one.arrived_at for one in story.goods_outs.values()]
        case Role.SHOPIFY:
            moments = [one["at"] for one in story.tellings]
        case _:
            return False
    return any(nap.woke <= datetime.fromisoformat(moment) <= nap.woke + SENT_WITHIN for moment in moments)
