"""Whole tables written: into a topic beside the one in place, kept as a copy, and put in place.

A table is appended between two marks (`streams.engine.changelog`): what lay there before does not count any more, and
while the second mark is missing no worker restores anything. So a run that ends in the middle does no harm: the same
run again makes it whole.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from kernel.log import Log, Outgoing, Producer
from lockstep.reading import everything
from streams.engine.changelog import BEGUN, WHOLE

BATCH = 500
Moved = Callable[[int], None]
"""Hears of so many records more."""


async def put(
    log: Log, topic: str, number: int, table: Mapping[bytes, bytes], stamp: str, moved: Moved = lambda _: None
) -> None:
    """Append a table to one partition, between its marks. Returns when all of it is acknowledged. Raises LogError."""
    entries = [Outgoing(topic, key, value, {}, number) for key, value in sorted(table.items())]
    async with _producing(log) as producer:
        await (await producer.send(topic, key=BEGUN, value=stamp.encode(), partition=number))
        for begin in range(0, len(entries), BATCH):
            batch = entries[begin : begin + BATCH]
            await (await producer.send_many(batch))
            moved(len(batch))
        await (await producer.send(topic, key=WHOLE, value=stamp.encode(), partition=number))


def anew_stamp(stamp: str, at: int) -> str:
    """The stamp of a table that is empty because it is made anew from the systems, from offset `at` of its log on."""
    return f"{stamp}@{at}"


def anew_at(mark: bytes) -> int:
    """Where a table was emptied, by its mark; 0 for one that was rebuilt from its log."""
    return int(mark.rpartition(b"@")[2]) if b"@" in mark else 0


async def copy(log: Log, source: str, target: str, number: int, moved: Moved = lambda _: None) -> int:
    """Append all records of one partition to another topic's, as they are; how many. Raises LogError."""
    copied = 0
    batch: list[Outgoing] = []
    async with _producing(log) as producer, everything(log, [source], partitions=[number]) as records:

        async def send() -> None:
            await (await producer.send_many(batch))
            moved(len(batch))
            batch.clear()

        async for record in records:
            batch.append(Outgoing(target, record.key, record.value, record.headers, number))
            copied += 1
            if len(batch) >= BATCH:
                await send()
        await send()
    return copied


@asynccontextmanager
async def _producing(log: Log) -> AsyncIterator[Producer]:
    producer = log.producer()
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()
