"""The cost bucket of one app at one shop: points leak in at a steady rate (Admin API, rate limits)."""

from datetime import datetime

MOST_POINTS_A_QUERY = 1000


class Bucket:
    """`rate` points a second, twenty seconds' worth at most, as observed."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.maximum = rate * 20
        self._available = self.maximum
        self._at: datetime | None = None

    def available(self, now: datetime) -> float:
        if self._at is not None:
            self._available = min(self.maximum, self._available + (now - self._at).total_seconds() * self.rate)
        self._at = now
        return self._available

    def take(self, points: float, now: datetime) -> bool:
        """Reserve; False when there are not as many."""
        if self.available(now) < points:
            return False
        self._available -= points
        return True

    def give_back(self, points: float) -> None:
        self._available = min(self.maximum, self._available + points)

    def status(self, now: datetime) -> dict[str, float]:
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": int(self.available(now)),
            "restoreRate": self.rate,
        }
