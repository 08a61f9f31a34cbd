"""What must be true whatever happened: the changelog holds the bulk fold of the log, and all that it wants was sent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kernel.log import Log, Record
from schemas.topics import CASES, COMMANDS, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.orders import OrdersFold
from streams.engine.prefix import last_offset
from tests.engine.corner import PARTITIONS

Place = tuple[int, bytes]
"""A key in its partition; a brand's configuration has one in each."""


@dataclass
class Folded:
    """A fold of `orders.events` from its beginning, by nobody but ourselves."""

    folds: dict[int, OrdersFold]
    table: dict[Place, bytes] = field(default_factory=dict)
    states: set[tuple[Place, bytes]] = field(default_factory=set)
    commands: set[tuple[str, bytes, bytes]] = field(default_factory=set)
    cases: set[tuple[str, bytes, bytes]] = field(default_factory=set)


async def everything(log: Log, *topics: str) -> list[Record]:
    """All that lies in these topics now, per partition in order."""
    reader = log.reader(topics)
    await reader.start()
    records: list[Record] = []
    try:
        while not await reader.caught_up():
            records.extend(await reader.poll(timeout=0.2, most=5000))
    finally:
        await reader.stop()
    return records


def bulk_fold(events: Sequence[Record]) -> Folded:
    folded = Folded({number: OrdersFold(number) for number in range(PARTITIONS)})
    command_topics = {topic.name for topic in COMMANDS.values()}
    for record in events:
        step = folded.folds[record.partition.number].handle(record)
        for change in step.changes:
            assert change.value is not None
            place = (record.partition.number, change.key)
            folded.table[place] = change.value
            folded.states.add((place, change.value))
        for emission in step.emissions:
            sent = folded.commands if emission.topic in command_topics else folded.cases
            if emission.topic in command_topics or emission.topic == CASES.name:
                assert emission.value is not None
                sent.add((emission.topic, emission.key, emission.value))
    return folded


def table(changelog: Sequence[Record]) -> dict[Place, bytes]:
    """The newest value of each key: the highest last offset wins."""
    newest: dict[Place, bytes] = {}
    for place, value in _states(changelog):
        if place not in newest or last_offset(value) >= last_offset(newest[place]):
            newest[place] = value
    return newest


def stale(changelog: Sequence[Record]) -> set[Place]:
    """Keys behind whose newest state an older one lies; compaction would keep the older."""
    newest = table(changelog)
    return {place for place, value in dict(_states(changelog)).items() if value != newest[place]}


def _states(changelog: Sequence[Record]) -> Iterator[tuple[Place, bytes]]:
    for record in changelog:
        assert record.key is not None
        assert record.value is not None
        yield (record.partition.number, record.key), record.value


async def agrees(log: Log) -> Folded:
    """Ask when every worker has ended. Every state of the bulk fold was written, none was skipped, none is foreign."""
    folded = bulk_fold(await everything(log, ORDERS_EVENTS.name))
    changelog = await everything(log, ORDERS_STATE.name)
    commands = await everything(log, *(topic.name for topic in COMMANDS.values()))
    cases = await everything(log, CASES.name)
    assert table(changelog) == folded.table
    assert stale(changelog) == set()
    assert set(_states(changelog)) == folded.states
    assert {(record.partition.topic, record.key, record.value) for record in commands} == folded.commands
    assert {(record.partition.topic, record.key, record.value) for record in cases} == folded.cases
    return folded
