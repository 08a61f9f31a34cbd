"""Small logs in memory, folded by a real worker, for what is compared and rebuilt."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from kernel.log import Outgoing, Partition, Record
from kernel.memory_log import MemoryLog
from lockstep.replay.asked import ask, judged, look_around
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.checks import Finding
from lockstep.replay.compare import Compared, Question, compare
from lockstep.replay.pool import Quiet
from lockstep.replay.tables import ORDERS as ORDERS_TABLE
from lockstep.replay.tables import FoldedTable
from lockstep.replay.verify import Plan, questions_of
from schemas.base import Brand
from schemas.topics import CONFIG, ORDERS_EVENTS, ORDERS_STATE
from tests.builders import NOON, a_brand
from tests.engine.corner import PARTITIONS
from tests.engine.events import Events, orders_in, wanting
from tests.engine.memory import Running, SetClock, in_memory, orders_worker
from tests.kernel.worlds import running

Story = Callable[[MemoryLog, Events], Awaitable[None]]
ORDERS = orders_in({0, 1, 2, 3}, 12)


def after_a_day(story: Story) -> None:
    """Tell a story over a log with twelve released orders and a held one, all folded and committed by a worker."""

    async def day(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer:
            events = Events(producer)
            await events.configure(a_brand())
            config = a_brand().model_dump_json().encode()
            await (await producer.send(CONFIG.name, key=b"acme", value=config))
            await events.seen(*(wanting(order) for order in ORDERS))
            await events.seen(wanting(ORDERS[0], 3), wanting(ORDERS[1]).shipping_to(None))
            await worked(log, clock)
            await story(log, events)

    in_memory(day)


async def worked(log: MemoryLog, clock: SetClock) -> None:
    """A worker comes, finishes all there is, and leaves in order."""
    async with Running(clock) as work:
        task = work.start(orders_worker(log, clock).run())
        await work.until(lambda: committed(log) == ends(log), "all is committed")
        await work.end(task)


def committed(log: MemoryLog) -> dict[int, int]:
    found = log.committed().get(ORDERS_TABLE.group, {})
    return {number: found.get(Partition(ORDERS_EVENTS.name, number), 0) for number in range(PARTITIONS)}


def ends(log: MemoryLog) -> dict[int, int]:
    return {number: log.end(Partition(ORDERS_EVENTS.name, number)) for number in range(PARTITIONS)}


def newest_of(log: MemoryLog, key: str) -> Record:
    return [record for record in log.records(ORDERS_STATE.name) if record.key == key.encode()][-1]


async def append(log: MemoryLog, *records: Outgoing) -> None:
    async with running(log.producer()) as producer:
        await (await producer.send_many(records))


async def compared(log: MemoryLog, folder: Path, *, without: Sequence[str] = ()) -> list[Compared]:
    reached, saved = committed(log), Checkpoints(folder, "memory", tuple(Brand(brand) for brand in without))
    questions = [Question(number, 0, reached[number], saved) for number in range(PARTITIONS)]
    return list(await asyncio.gather(*(compare(log, question, Quiet()) for question in questions)))


async def found(log: MemoryLog, folder: Path, *, without: Sequence[str] = ()) -> list[Finding]:
    """All that `verify` would report beside differences."""
    asked, parts = await ask(log), await compared(log, folder, without=without)
    around, brands = await look_around(log), [Brand(brand) for brand in without]
    beside = judged(
        {one.number: one.rejected for one in parts}, (one.brands for one in parts), asked, around, brands, NOON
    )
    return [*asked.findings, *(finding for one in parts for finding in one.findings), *beside]


async def verified(log: MemoryLog, table: FoldedTable, folder: Path) -> list[Compared]:
    """As `lockstep verify --table` compares it, in this very process."""
    asked = await ask(log, table)
    assert not asked.findings
    return [await compare(log, question, Quiet()) for question in questions_of(asked, Plan(folder, 1))]
