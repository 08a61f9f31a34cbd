"""The engine's pieces in memory and on virtual time, and a wall clock that can be set."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from kernel.clock import Clock, LoopClock
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from schemas.topics import ALL, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.orders import orders_fold
from streams.engine.settings import EngineSettings
from streams.engine.worker import Worker
from tests.builders import NOON
from tests.engine.corner import PARTITIONS


class SetClock:
    """Wall time may be set; what passes is the loop's."""

    def __init__(self) -> None:
        self._clock = LoopClock(NOON)
        self.set_by = timedelta(0)

    def now(self) -> datetime:
        return self._clock.now() + self.set_by

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


def in_memory(story: Callable[[MemoryLog, SetClock], Awaitable[None]]) -> None:
    """Tell a story over a log that has every topic, on virtual time that begins at noon."""

    async def main() -> None:
        clock = SetClock()
        await story(MemoryLog(clock, {topic.name: PARTITIONS for topic in ALL}), clock)

    run_virtual(main())


def orders_worker(log: MemoryLog, clock: Clock, settings: EngineSettings | None = None) -> Worker:
    return Worker("orders", log, [ORDERS_EVENTS.name], orders_fold, ORDERS_STATE.name, clock, Metrics(), settings)


class Running:
    """Tasks that end with the block; what one of them raised comes out where it is waited for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: list[asyncio.Task[Any]] = []

    async def __aenter__(self) -> "Running":
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            await self.end(task)

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        self._tasks.append(asyncio.create_task(work))
        return self._tasks[-1]

    async def end(self, task: "asyncio.Task[None]") -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def ended(self, task: "asyncio.Task[None]") -> BaseException | None:
        """Wait for its own end; what it raised."""
        self._tasks.remove(task)
        async with asyncio.timeout(100):
            (result,) = await asyncio.gather(task, return_exceptions=True)
        return result

    async def until(self, holds: Callable[[], bool], what: str, *, within: float = 60.0) -> None:
        """Let virtual seconds pass until it is so."""
        end = self._clock.monotonic() + within
        while not holds():
            for task in self._tasks:
                if task.done() and not task.cancelled() and task.exception() is not None:
                    raise AssertionError(f"ended before: {what}") from task.exception()
            assert self._clock.monotonic() < end, f"it never came to that: {what}"
            await self._clock.sleep(0.05)
