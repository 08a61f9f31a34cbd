"""Ends that only the log in memory can play: a member that dies in the middle of something."""

import asyncio

from kernel.clock import SystemClock
from kernel.log import Partition
from kernel.memory_log import MemoryLog
from kernel.virtual_time import run_virtual


class Slow:
    """Gives up what it has when it is told to."""

    def __init__(self) -> None:
        self.may = asyncio.Event()

    async def assigned(self, partitions: frozenset[Partition]) -> None:
        """Takes all."""

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        await self.may.wait()


def test_whoever_dies_while_it_joins_is_no_member_and_owns_nothing() -> None:
    async def story() -> None:
        log, slow = MemoryLog(SystemClock(), {"t": 2}), Slow()
        first, second = log.consumer("g", ["t"], slow), log.consumer("g", ["t"])
        await first.start()
        joining = asyncio.create_task(second.start())
        await asyncio.sleep(1)
        second.lose()
        slow.may.set()
        await joining

        assert (await log.describe_groups(["g"]))["g"].members == 1
        async with asyncio.timeout(10):
            await first.commit({Partition("t", 0): 0, Partition("t", 1): 0})

    run_virtual(story())
