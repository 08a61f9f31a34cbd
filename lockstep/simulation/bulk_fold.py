"""A fold of a log of events from its beginning, by nobody but ourselves, and the table as its changelog has it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from kernel.log import Record
from lockstep.replay.tables import ORDERS, FoldedTable
from schemas.errors import Unreadable
from schemas.topics import CASES, COMMANDS, COMMANDS_STOCK
from streams.engine.contract import Change, PartitionFold, Verdict
from streams.engine.prefix import last_offset

COMMAND_TOPICS = frozenset(topic.name for topic in COMMANDS.values())
TOLD = COMMAND_TOPICS | {COMMANDS_STOCK.name, CASES.name}
"""Topics whose records the folds alone decide, to the last byte."""

Key = tuple[int, bytes]
"""A key in its partition; a brand's configuration has one in each."""
Sent = tuple[str, bytes, bytes]
"""Topic, key, value."""


@dataclass
class Folded:
    """`refused`: what no fold can read. `verdicts` counts how records ended; `headers` are those of each command."""

    folds: dict[int, PartitionFold]
    changes: list[tuple[Key, Change]] = field(default_factory=list)
    commands: set[Sent] = field(default_factory=set)
    headers: dict[Sent, Mapping[str, bytes]] = field(default_factory=dict)
    cases: set[Sent] = field(default_factory=set)
    newest_case: dict[bytes, bytes] = field(default_factory=dict)
    refused: list[Record] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def table(self) -> dict[Key, bytes]:
        """The newest of each key; only those are written out."""
        return {place: _written(change) for place, change in dict(self.changes).items()}

    @property
    def states(self) -> set[tuple[Key, bytes]]:
        """All there ever were."""
        return {(place, _written(change)) for place, change in self.changes}


def _written(change: Change) -> bytes:
    assert change.value is not None
    return change.value


def bulk_fold(events: Iterable[Record], partitions: int, table: FoldedTable = ORDERS) -> Folded:
    folded = Folded({number: table.fold(number) for number in range(partitions)})
    for record in events:
        try:
            step = folded.folds[record.partition.number].handle(record)
        except Unreadable:
            folded.verdicts[Verdict.REJECTED] += 1
            folded.refused.append(record)
            continue
        folded.verdicts[step.verdict] += 1
        folded.changes.extend(((record.partition.number, change.key), change) for change in step.changes)
        for one in step.emissions:
            if one.topic in TOLD:
                assert one.value is not None
                sent = one.topic, one.key, one.value
                if one.topic != CASES.name:
                    folded.commands.add(sent)
                    folded.headers[sent] = one.headers
                else:
                    folded.cases.add(sent)
                    folded.newest_case[one.key] = one.value
    return folded


def newest(changelog: Sequence[Record]) -> dict[Key, bytes]:
    """The table: of each key the value with the highest last offset, as a restore takes it."""
    found: dict[Key, bytes] = {}
    for place, value in states(changelog):
        if place not in found or last_offset(value) >= last_offset(found[place]):
            found[place] = value
    return found


def stale(changelog: Sequence[Record]) -> set[Key]:
    """Keys behind whose newest state an older one lies; compaction would keep the older."""
    table = newest(changelog)
    return {place for place, value in dict(states(changelog)).items() if value != table[place]}


def states(changelog: Iterable[Record]) -> Iterator[tuple[Key, bytes]]:
    for record in changelog:
        assert record.key is not None
        assert record.value is not None
        yield (record.partition.number, record.key), record.value
