"""Time, as one seam.

Rules never see a clock. The shells around them (connectors, intake, agents, the sandbox's callers) get a `Clock` and
wait through it, so that a test whose event loop runs on virtual time moves everything at once.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells and spends time. Callers must not assume that a second of it is a second on the wall."""

    def now(self) -> datetime:
        """The present, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back; differences only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; zero or less yields once."""
        ...


class SystemClock:
    """The machine's clock for facts, the event loop's for waiting."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class LoopClock:
    """All time from the event loop: `now` is a fixed start plus the loop's seconds. For loops on virtual time."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._zero: float | None = None
        self._told = 0.0, start
        """The last moment told, in seconds and as a date: on virtual time many ask before it moves."""

    def now(self) -> datetime:
        seconds = self.monotonic()
        if seconds != self._told[0]:
            self._told = seconds, self._start + timedelta(seconds=seconds)
        return self._told[1]

    def monotonic(self) -> float:
        at = asyncio.get_running_loop().time()
        if self._zero is None:
            self._zero = at
        return at - self._zero

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))
