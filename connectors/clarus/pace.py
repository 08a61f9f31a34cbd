"""So many requests a second, evenly, and so many at a time: Clarus documents no limit, so we keep our own.

When Clarus says that it was too many, all wait as long as it asks and go on at half the speed; each answer after that
brings a little of it back.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.runtime.errors import RateLimited
from kernel.clock import Clock

SLOWEST = 16.0
"""Times the usual gap between two requests."""
EASE = 0.9
"""Of the gap, after an answer."""


class Pace:
    """Of one tenant; shared by reading and writing."""

    def __init__(self, per_second: float, at_once: int, clock: Clock) -> None:
        self._usual = self._gap = 1.0 / per_second
        self._slots = asyncio.Semaphore(at_once)
        self._clock = clock
        self._next = 0.0

    @property
    def left(self) -> float:
        """The share of the usual pace that we may go at, 0 to 1: less after Clarus said that it was too fast."""
        return self._usual / self._gap

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and for the moment of the next request; the request is made inside."""
        async with self._slots:
            now = self._clock.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._gap
            if mine > now:
                await self._clock.sleep(mine - now)
            try:
                yield
            except RateLimited as busy:
                self._gap = min(self._gap * 2, self._usual * SLOWEST)
                self._next = max(self._next, self._clock.monotonic() + busy.retry_after)
                raise
            else:
                self._gap = max(self._gap * EASE, self._usual)
