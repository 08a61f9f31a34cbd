"""What must be true of the log at the end: nothing fell out of it, and the table is the fold of its events."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from kernel.log import Partition, Record
from kernel.memory_log import MemoryLog
from lockstep.simulation.oracle import Violation
from schemas.avro import Codec
from schemas.commands import COMMAND_KINDS, Decided, Withdraw
from schemas.errors import Unreadable
from schemas.outcomes import Outcome
from schemas.topics import CASES, COMMANDS, CONFIG, DLQ, HINTS, OPERATOR_ACTIONS, ORDERS_EVENTS, ORDERS_STATE, RAW
from streams.agents.normalise import EVENTS
from streams.agents.orders import OrdersFold
from streams.engine.contract import Verdict
from streams.engine.prefix import last_offset

_COMMANDS = Codec(COMMAND_KINDS)
Place = tuple[str, int, int]
"""Topic, partition number, offset."""


class LogOracle:
    """Of a run that has come to rest. `verdicts` counts how the records of `orders.events` ended in the fold."""

    def __init__(self, log: MemoryLog, partitions: int) -> None:
        self._log, self._partitions = log, partitions
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
            f"lockstep.{system}": (HINTS[system].name, COMMANDS[system].name) for system in HINTS
        }
        groups["lockstep.normalise"] = (*(topic.name for topic in RAW.values()), OPERATOR_ACTIONS.name, CONFIG.name)
        groups["lockstep.orders"] = (ORDERS_EVENTS.name,)
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
        for record in self._log.records(ORDERS_EVENTS.name):
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
        ended = set()
        for topic in RAW.values():
            for record in self._log.records(topic.name):
                if record.headers.get("kind") == b"outcome":
                    ended.add(Outcome.model_validate_json(record.value or b"").command)
        for topic in COMMANDS.values():
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

    def _folded(self) -> Iterator[Violation]:
        """Table, commands and cases are those of a fold of the log by nobody but ourselves, byte for byte."""
        folds = {number: OrdersFold(number) for number in range(self._partitions)}
        table: dict[tuple[int, bytes], bytes | None] = {}
        sent: set[tuple[str, bytes, bytes | None]] = set()
        command_topics = {topic.name for topic in COMMANDS.values()}
        told = {CASES.name, *command_topics}
        for record in self._log.records(ORDERS_EVENTS.name):
            try:
                step = folds[record.partition.number].handle(record)
            except Unreadable:
                self.verdicts[Verdict.REJECTED] += 1
                if _place_of(record) not in self._letters:
                    yield Violation("lost", f"{record.partition} offset {record.offset} is no dead letter")
                continue
            self.verdicts[step.verdict] += 1
            table.update({(record.partition.number, change.key): change.value for change in step.changes})
            sent.update((one.topic, one.key, one.value) for one in step.emissions if one.topic in told)
        if sum(self.verdicts.values()) != len(self._log.records(ORDERS_EVENTS.name)):
            yield Violation("conservation", f"{dict(self.verdicts)} are not all records of {ORDERS_EVENTS.name}")
        yield from self._same_table(table)
        there = {
            (topic, record.key or b"", record.value)
            for topic in sorted(told)
            for record in self._log.records(topic)
            if _place_of(record) not in self._letters
        }
        for topic, key, _ in sorted(sent - there, key=str):
            yield Violation("not sent", f"to {topic}, under {key.decode()}: the fold sends it, the log has it not")
        for topic, key, _ in sorted(there - sent, key=str):
            yield Violation("not decided", f"in {topic}, under {key.decode()}: no fold of the log sends it")

    def _same_table(self, table: dict[tuple[int, bytes], bytes | None]) -> Iterator[Violation]:
        newest: dict[tuple[int, bytes], bytes] = {}
        last: dict[tuple[int, bytes], bytes] = {}
        for record in self._log.records(ORDERS_STATE.name):
            assert record.key is not None
            assert record.value is not None
            place = record.partition.number, record.key
            last[place] = record.value
            if place not in newest or last_offset(record.value) >= last_offset(newest[place]):
                newest[place] = record.value
        for place in sorted(table.keys() | newest.keys()):
            if table.get(place) != newest.get(place):
                yield Violation("table", f"{place[1].decode()} is not what a fold of the log makes it")
            elif last[place] != newest[place]:
                yield Violation("table", f"{place[1].decode()} has an older state behind its newest")


def _place_of(record: Record) -> Place:
    return record.partition.topic, record.partition.number, record.offset


def _place_in(letter: Record) -> Place:
    headers = letter.headers
    return headers["topic"].decode(), int(headers["partition"]), int(headers["offset"])
