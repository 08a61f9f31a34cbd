"""Whether a process makes progress while something waits for it: the figure behind "is it alive"."""


class Pulse:
    """All times are a clock's monotonic seconds, passed in."""

    def __init__(self) -> None:
        self._turned_at: float | None = None
        self._moved_at = 0.0

    def turned(self, now: float, *, waiting: bool) -> None:
        """The process came round. While nothing waits, this is all the progress there can be."""
        if self._turned_at is None or not waiting:
            self._moved_at = now
        self._turned_at = now

    def moved(self, now: float) -> None:
        """Something went on: a record, a call, an acknowledgement, a commit."""
        self._moved_at = max(self._moved_at, now)

    def stuck_for(self, now: float, *, waiting: bool) -> float:
        """Seconds since the last progress; 0 before the first turn."""
        if self._turned_at is None:
            return 0.0
        since = self._moved_at if waiting else max(self._turned_at, self._moved_at)
        return max(0.0, now - since)
