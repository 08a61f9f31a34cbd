"""Work that causes work at once, and again, ends a history instead of never ending it."""

import asyncio
from collections import Counter

import pytest

from kernel.clock import LoopClock
from kernel.log import Outgoing
from kernel.memory_log import MemoryLog
from kernel.virtual_time import run_virtual
from lockstep.simulation.house import START
from lockstep.simulation.process import SimProcess
from lockstep.simulation.seams import SENDS_AT_ONCE, EndlessError, ProcessLog

ONE = [Outgoing("t", b"key", b"value", {})]


def test_a_process_that_time_does_not_get_past_is_stopped() -> None:
    async def play() -> None:
        producer = ProcessLog(MemoryLog(LoopClock(START), {"t": 1}), SimProcess("p-1", "p"), Counter()).producer()
        await producer.start()
        for _ in range(SENDS_AT_ONCE + 1):
            await producer.send_many(ONE)
        with pytest.raises(EndlessError, match="p-1 has sent"):
            await producer.send_many(ONE)

    run_virtual(play())


def test_one_that_lets_time_pass_goes_on() -> None:
    async def play() -> None:
        log = MemoryLog(LoopClock(START), {"t": 1})
        producer = ProcessLog(log, SimProcess("p-1", "p"), Counter()).producer()
        await producer.start()
        for _ in range(SENDS_AT_ONCE + 10):
            await (await producer.send_many(ONE))
            await asyncio.sleep(0.001)
        assert len(log.records("t")) == SENDS_AT_ONCE + 10

    run_virtual(play())
