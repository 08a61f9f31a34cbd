"""What must be true of the log at the end: nothing fell out of it, and the table is the fold of its events."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from kernel.log import Partition, Record
from lockstep.reading import case_in
from lockstep.replay.tables import ORDERS, STOCK, FoldedTable
from lockstep.simulation.bulk_fold import TOLD, Folded, Sent, bulk_fold, newest, stale
from lockstep.simulation.evidence import Told
from lockstep.simulation.oracle import Compared, Violation
from schemas.avro import Codec
from schemas.base import CommandId, System
from schemas.cases import Case
from schemas.commands import COMMAND_KINDS, Decided, Withdraw
from schemas.errors import Unreadable
from schemas.outcomes import Outcome
from schemas.topics import (
    CASES,
    CONFIG,
    DLQ,
    HINTS,
    OPERATOR_ACTIONS,
    ORDERS_STATE,
    RAW,
    commands_of,
)
from streams.agents.normalise import EVENTS
from streams.engine.prefix import unpack
from streams.rules.orders.state import OrderState

_COMMANDS = Codec(COMMAND_KINDS)
Place = tuple[str, int, int]
"""Topic, partition number, offset."""


class Shown(Protocol):
    """A log as whoever judges it sees it: the one in memory as it stands, or what was read out of Kafka."""

    def records(self, topic: str) -> Sequence[Record]:
        """Everything in a topic, by partition, then offset."""
        ...

    def committed(self) -> Mapping[str, Mapping[Partition, int]]:
        """How far each group has come."""
        ...

    def next_of(self, where: Partition, offset: int) -> Record | None:
        """The record at this offset, or the next there is."""
        ...


class LogOracle:
    """Of a run that has come to rest. `verdicts` counts how the records of `orders.events` ended in the fold.

    `stock`: whether the run keeps stock; then its table is judged as well.
    """

    def __init__(self, log: Shown, partitions: int, *, stock: bool = False) -> None:
        self._log, self._partitions = log, partitions
        self._tables = (ORDERS, STOCK) if stock else (ORDERS,)
        self._letters = {_place_in(record) for record in log.records(DLQ.name)}
        self.verdicts: Counter[str] = Counter()

    def violations(self, before: datetime) -> Iterator[Violation]:
        """Of what was in the log before that moment; what is younger may still be under way."""
        yield from self._committed(before)
        yield from self._normalised(before)
        yield from self._answered(before)
        yield from self._folded()

    def under_way(self, before: datetime) -> Iterator[Violation]:
        """What was in the log before that moment and is not finished yet; cheap."""
        yield from self._committed(before)

    def _committed(self, before: datetime) -> Iterator[Violation]:
        """Every group has finished all there was."""
        groups: dict[str, tuple[str, ...]] = {
            f"lockstep.{system}": (HINTS[system].name, *(topic.name for topic in commands_of(system)))
            for system in HINTS
        }
        groups["lockstep.normalise"] = (*(topic.name for topic in RAW.values()), OPERATOR_ACTIONS.name, CONFIG.name)
        groups |= {table.group: (table.events.name,) for table in self._tables}
        committed = self._log.committed()
        for group, topics in groups.items():
            for topic in topics:
                for number in range(self._partitions):
                    where = Partition(topic, number)
                    reached = committed.get(group, {}).get(where, 0)
                    waiting = self._log.next_of(where, reached)
                    if waiting is not None and waiting.at < before:
                        yield Violation("unfinished", f"{group} has finished {where} up to {reached}, no further")

    def _normalised(self, before: datetime) -> Iterator[Violation]:
        """What went in to normalise is an event, or a dead letter."""
        events: set[Place] = set()
        for table in self._tables:
            for record in self._log.records(table.events.name):
                event = EVENTS.decode(record.value or b"", record.headers)
                source = getattr(event, "source", None)
                if source is not None:
                    events.add((source.topic, source.partition, source.offset))
        for topic in (*(topic.name for topic in RAW.values()), OPERATOR_ACTIONS.name, CONFIG.name):
            for record in self._log.records(topic):
                if record.at >= before:
                    continue
                place = (topic, record.partition.number, record.offset)
                if record.headers.get("kind") != b"ownership" and place not in events and place not in self._letters:
                    yield Violation("lost", f"{record.partition} offset {record.offset} is neither event nor letter")

    def _answered(self, before: datetime) -> Iterator[Violation]:
        """Every command has an outcome; only a withdrawal has the other's."""
        ended = self._ended()
        for topic in (topic for system in System for topic in commands_of(system)):
            for record in self._log.records(topic.name):
                try:
                    command = _COMMANDS.decode(record.value or b"", record.headers)
                except Unreadable:
                    if _place_of(record) not in self._letters:
                        yield Violation("lost", f"{record.partition} offset {record.offset} is no dead letter")
                    continue
                assert isinstance(command, Decided)
                if not isinstance(command, Withdraw) and command.id not in ended and record.at < before:
                    yield Violation("unanswered", f"{type(command).__name__} {command.id} of {command.object}")

    def _ended(self) -> set[CommandId]:
        """Commands that have an outcome."""
        return {
            Outcome.model_validate_json(record.value or b"").command
            for topic in RAW.values()
            for record in self._log.records(topic.name)
            if record.headers.get("kind") == b"outcome"
        }

    def _folded(self) -> Iterator[Violation]:
        """Tables, commands and cases are those of a fold of the log by nobody but ourselves, byte for byte."""
        there = {
            (topic, record.key or b"", record.value or b"")
            for topic in sorted(TOLD)
            for record in self._log.records(topic)
            if _place_of(record) not in self._letters
        }
        sent: set[Sent] = set()
        for table in self._tables:
            folded = bulk_fold(self._log.records(table.events.name), self._partitions, table)
            if table is ORDERS:
                self.verdicts = folded.verdicts
            sent |= folded.commands | folded.cases
            yield from self._conserved(table, folded)
            yield from self._same_table(table, folded)
            missing = sorted((folded.commands | folded.cases) - there, key=str)
            ended = self._ended() if missing else set()
            for topic, key, _ in (one for one in missing if not _overtaken(one, folded, there, ended)):
                yield Violation("not sent", f"to {topic}, under {key.decode()}: the fold sends it, the log has it not")
        for topic, key, _ in sorted(there - sent, key=str):
            yield Violation("not decided", f"in {topic}, under {key.decode()}: no fold of the log sends it")

    def _conserved(self, table: FoldedTable, folded: Folded) -> Iterator[Violation]:
        for record in folded.refused:
            if _place_of(record) not in self._letters:
                yield Violation("lost", f"{record.partition} offset {record.offset} is no dead letter")
        if folded.verdicts.total() != len(self._log.records(table.events.name)):
            yield Violation("conservation", f"{dict(folded.verdicts)} are not all records of {table.events.name}")

    def _same_table(self, table: FoldedTable, folded: Folded) -> Iterator[Violation]:
        changelog = self._log.records(table.state.name)
        kept, behind, wanted = newest(changelog), stale(changelog), folded.table
        for place in sorted(wanted.keys() | kept.keys()):
            if wanted.get(place) != kept.get(place):
                yield Violation("table", f"{place[1].decode()} is not what a fold of the log makes it")
            elif place in behind:
                yield Violation("table", f"{place[1].decode()} has an older state behind its newest")


def _overtaken(missing: Sent, folded: Folded, there: Collection[Sent], ended: Collection[CommandId]) -> bool:
    """Whether what the log lacks was decided anew before anybody had it: a batch whose sends failed held both, its
    newest states were acknowledged, and what they want goes out again after the restart. The newest per object counts;
    a withdrawal counts for nothing once what it withdraws has ended.
    """
    topic, key, value = missing
    if topic == CASES.name:
        return (topic, key, folded.newest_case[key]) in there
    lacking = _COMMANDS.decode(value, folded.headers[missing])
    assert isinstance(lacking, Decided)
    if isinstance(lacking, Withdraw) and lacking.withdrawn in ended:
        return True
    others = (one for one in folded.commands if one[:2] == (topic, key) and one in there)
    newer = (_COMMANDS.decode(one[2], folded.headers[one]) for one in others)
    return any(
        isinstance(one, Decided) and one.object == lacking.object and one.decided_offset > lacking.decided_offset
        for one in newer
    )


def _place_of(record: Record) -> Place:
    return record.partition.topic, record.partition.number, record.offset


def _place_in(letter: Record) -> Place:
    headers = letter.headers
    return headers["topic"].decode(), int(headers["partition"]), int(headers["offset"])


def cases_of(log: Shown) -> list[Case]:
    """The newest of each."""
    return list(
        {case.key: case for record in log.records(CASES.name) if (case := case_in(record)) is not None}.values()
    )


def compared_in(log: Shown) -> Compared:
    """Read from the changelog of the orders' table, for the orders that are asked about."""

    def compared(key: str) -> Sequence[tuple[datetime, datetime]]:
        found: dict[datetime, datetime] = {}
        for record in log.records(ORDERS_STATE.name):
            if record.key == key.encode() and record.value is not None:
                comparison = OrderState.model_validate_json(unpack(record.value)[1]).comparison
                if comparison is not None and comparison.at is not None:
                    found[comparison.sweep] = comparison.at
        return sorted(found.items())

    return compared


def shown_by(log: Shown) -> Told:
    """Whether anything the Clarus connector said named that goods-out before the moment."""

    def told(number: int, at: str) -> bool:
        name, moment = str(number).encode(), datetime.fromisoformat(at)
        return any(
            record.at < moment and record.value is not None and name in record.value
            for record in log.records(RAW[System.CLARUS].name)
        )

    return told
