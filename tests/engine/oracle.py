"""What must be true whatever happened: the changelog holds the bulk fold of the log, and all that it wants was sent."""

from kernel.log import Log, Record
from lockstep.simulation.bulk_fold import COMMAND_TOPICS, Folded, bulk_fold, newest, stale, states
from schemas.topics import CASES, ORDERS_EVENTS, ORDERS_STATE
from tests.engine.corner import PARTITIONS


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


async def agrees(log: Log) -> Folded:
    """Ask when every worker has ended. Every state of the bulk fold was written, none was skipped, none is foreign."""
    folded = bulk_fold(await everything(log, ORDERS_EVENTS.name), PARTITIONS)
    changelog = await everything(log, ORDERS_STATE.name)
    commands = await everything(log, *COMMAND_TOPICS)
    cases = await everything(log, CASES.name)
    assert folded.refused == []
    assert newest(changelog) == folded.table
    assert stale(changelog) == set()
    assert set(states(changelog)) == folded.states
    assert {(record.partition.topic, record.key, record.value) for record in commands} == folded.commands
    assert {(record.partition.topic, record.key, record.value) for record in cases} == folded.cases
    return folded
