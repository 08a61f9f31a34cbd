"""A clock that moves only when it is told to."""

from datetime import UTC, datetime, timedelta


class StepClock:
    """Stands still but for `advance`, and for sleeps, which pass at once."""

    def __init__(self) -> None:
        self._now = datetime(2026, 5, 4, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
