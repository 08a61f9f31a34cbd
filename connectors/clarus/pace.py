"""So many requests a second, evenly, and so many at a time: Clarus documents no limit, so we keep our own.

When Clarus says that it was too many, all wait as long as it asks and go on at half the speed; each answer after that
brings a little of it back. The urgent go first, but that every so-manieth turn is that of who has waited longest.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from enum import IntEnum

from connectors.runtime.errors import RateLimited
from kernel.clock import Clock

SLOWEST = 16.0
"""Times the usual gap between two requests."""
EASE = 0.9
"""Of the gap, after an answer."""
FAIR_TURN = 4
"""Every so-manieth turn is that of who has waited longest."""


class Urgency(IntEnum):
    """What a request is made for, the most urgent first."""

    COMMAND = 0
    """A write, and the looks before and after it."""
    READ = 1
    """What a hint names is read."""
    SEARCH = 2
    """Whose a hint is, polls, sweeps, the set-up."""


_urgency = ContextVar("urgency", default=Urgency.SEARCH)


@contextmanager
def made_for(urgency: Urgency) -> Iterator[None]:
    """Requests made inside are as urgent as this."""
    before = _urgency.set(urgency)
    try:
        yield
    finally:
        _urgency.reset(before)


class Pace:
    """Of one tenant; shared by reading and writing."""

    def __init__(self, per_second: float, at_once: int, clock: Clock) -> None:
        self._usual = self._gap = 1.0 / per_second
        self._slots = _Slots(at_once)
        self._clock = clock
        self._next = 0.0

    @property
    def left(self) -> float:
        """The share of the usual pace that we may go at, 0 to 1: less after Clarus said that it was too fast."""
        return self._usual / self._gap

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a slot and for the moment of the next request; the request is made inside."""
        async with self._slots.one(_urgency.get()):
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


class _Slots:
    """So many at a time; those that wait have theirs by urgency, and by age among the equally urgent."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._waiting: dict[Urgency, dict[int, asyncio.Future[None]]] = {urgency: {} for urgency in Urgency}
        self._came = self._given = 0

    @asynccontextmanager
    async def one(self, urgency: Urgency) -> AsyncIterator[None]:
        await self._take(urgency)
        try:
            yield
        finally:
            self._give()

    async def _take(self, urgency: Urgency) -> None:
        if self._free:
            self._free -= 1
            return
        self._came += 1
        mine, slot = self._came, asyncio.get_running_loop().create_future()
        self._waiting[urgency][mine] = slot
        try:
            await slot
        except asyncio.CancelledError:
            if self._waiting[urgency].pop(mine, None) is None and not slot.cancelled():
                self._give()  # it had come in the same moment
            raise

    def _give(self) -> None:
        """To the next who still waits for it."""
        while (slot := self._next()) is not None:
            if not slot.done():
                slot.set_result(None)
                return
        self._free += 1

    def _next(self) -> asyncio.Future[None] | None:
        queues = [waiting for waiting in self._waiting.values() if waiting]
        if not queues:
            return None
        self._given += 1
        oldest = min(queues, key=_first_of)
        queue = oldest if self._given % FAIR_TURN == 0 else queues[0]
        return queue.pop(_first_of(queue))


def _first_of(queue: dict[int, asyncio.Future[None]]) -> int:
    return next(iter(queue))
