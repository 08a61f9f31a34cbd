"""When something was read over an API: what a judge needs to say since when somebody could know."""

from bisect import bisect_left
from datetime import datetime


class Reads:
    """Moments, oldest first."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at: list[datetime] = []

    def note(self, moment: datetime) -> None:
        """Never earlier than the one before."""
        if not self._at or self._at[-1] != moment:
            self._at.append(moment)

    def first_since(self, moment: datetime) -> datetime | None:
        """The first at or after it."""
        place = bisect_left(self._at, moment)
        return self._at[place] if place < len(self._at) else None
