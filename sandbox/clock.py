"""Time in the sandbox, as one seam: an event loop on virtual time moves shoppers, pickers and latencies too."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells and spends time."""

    def now(self) -> datetime:
        """The present, aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class LoopClock:
    """`start` plus the seconds of the running event loop since the first look at it; without it, real time."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._zero: float | None = None

    def now(self) -> datetime:
        at = asyncio.get_running_loop().time()
        if self._zero is None:
            self._zero = at
        if self._start is None:
            self._start = datetime.now(UTC)
        return self._start + timedelta(seconds=at - self._zero)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
