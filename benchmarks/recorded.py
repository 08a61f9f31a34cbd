"""What a run left in the log, kept to be played again: every order event, and the changelog of the orders' states."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.topology import PARTITIONS
from kernel.kafka_log import KafkaLog
from kernel.log import Outgoing, Record
from lockstep.reading import everything
from lockstep.topic_specs import specs
from schemas.topics import COMMANDS, ORDERS_EVENTS, ORDERS_STATE

BATCH = 500


@dataclass(frozen=True, slots=True)
class Recorded:
    """`changes` are all changelog records, `sent` how many commands the run had; sizes are bytes of a value."""

    events: Sequence[Record]
    changes: Sequence[Record]
    state_bytes: int
    command_bytes: int
    sent: int


async def record(log: KafkaLog) -> Recorded:
    """Read it from the brokers of a run."""
    events = await _all(log, [ORDERS_EVENTS.name])
    changes = await _all(log, [ORDERS_STATE.name])
    commands = await _all(log, [topic.name for topic in COMMANDS.values()])
    return Recorded(events, changes, _size(changes), _size(commands), len(commands))


async def _all(log: KafkaLog, topics: Sequence[str]) -> list[Record]:
    async with everything(log, topics) as records:
        return [one async for one in records if one.value is not None]


def _size(records: Sequence[Record]) -> int:
    return sum(len(one.value or b"") for one in records) // max(1, len(records))


async def load(bootstrap: str, events: Sequence[Record]) -> None:
    """Topics on empty brokers, and the events in their partitions as they were."""
    log = KafkaLog(bootstrap, client_id="lockstep-bench")
    await log.create_topics(specs(PARTITIONS, 1))
    await append(
        log, [Outgoing(ORDERS_EVENTS.name, one.key, one.value, one.headers, one.partition.number) for one in events]
    )


async def append(log: KafkaLog, records: Sequence[Outgoing]) -> None:
    producer = log.producer()
    await producer.start()
    try:
        for begin in range(0, len(records), BATCH):
            await (await producer.send_many(records[begin : begin + BATCH]))
    finally:
        await producer.stop()
