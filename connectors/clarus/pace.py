"""So many requests a second, evenly, and so many at a time: Clarus documents no limit, so we keep our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kernel.clock import Clock


class Pace:
    """Of one tenant; shared by reading and writing."""

    def __init__(self, per_second: float, at_once: int, clock: Clock) -> None:
        self._gap = 1.0 / per_second
        self._slots = asyncio.Semaphore(at_once)
        self._clock = clock
        self._next = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and for the moment of the next request."""
        async with self._slots:
            now = self._clock.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._gap
            if mine > now:
                await self._clock.sleep(mine - now)
            yield
