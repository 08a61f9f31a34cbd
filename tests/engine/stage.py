"""What a story on the real broker is told with."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kernel.log import Partition, Producer, Record
from schemas.topics import ORDERS_EVENTS
from tests.engine.corner import PARTITIONS, Corner
from tests.engine.events import Events
from tests.engine.oracle import everything
from tests.engine.processes import DEADLINE, Processes, processes
from tests.kernel.worlds import running

ORDERS = "lockstep.orders"


@dataclass(frozen=True)
class Stage:
    """`events` appends to `orders.events`; `producer` to anything; `processes` starts workers and connectors."""

    corner: Corner
    events: Events
    processes: Processes
    producer: Producer

    async def records(self, topic: str, key: str = "") -> list[Record]:
        """What lies in a topic, under one key or all."""
        found = await everything(self.corner, topic)
        return [record for record in found if not key or record.key == key.encode()]

    async def finished(self, group: str = ORDERS, topics: Sequence[str] = (ORDERS_EVENTS.name,)) -> None:
        """Wait until the group has committed all that lies in these topics."""

        async def nothing_is_left() -> bool:
            wheres = [Partition(topic, number) for topic in topics for number in range(PARTITIONS)]
            ends, committed = await self.corner.ends(wheres), await self.corner.commits(group)
            return all(committed.get(where, 0) >= ends[where] for where in wheres)

        await comes(nothing_is_left, f"{group} has finished {', '.join(topics)}")


async def comes(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for a condition of the log; fails, naming it, when it does not come within the deadline."""
    end = asyncio.get_running_loop().time() + DEADLINE
    while not await holds():
        assert asyncio.get_running_loop().time() < end, f"it never came to that: {what}"
        await asyncio.sleep(0.1)


Story = Callable[[Stage], Awaitable[None]]
Play = Callable[..., None]
"""Runs a story; keywords are settings of topics, see `Corner.create_topics`."""


def player(bootstrap: str, prefix: str, folder: Path) -> Play:
    def play(story: Story, **settings: dict[str, str]) -> None:
        async def main() -> None:
            corner = Corner(bootstrap, prefix)
            await corner.create_topics(**settings)
            async with running(corner.producer()) as producer, processes(bootstrap, prefix, folder) as ours:
                await story(Stage(corner, Events(producer), ours, producer))

        asyncio.run(main())

    return play
