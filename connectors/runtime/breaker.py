"""When a connection fails again and again it is left alone for a while, and everybody is told once."""

from datetime import datetime, timedelta

from schemas.events import ConnectionState

FAILURES = 4
"""So many in a row open the breaker."""

WAIT_FIRST = 0.5
WAIT_MOST = 30.0
"""Seconds between tries, doubling with each failure."""


class Breaker:
    """Of one brand's connection to one system. Callers pass `now`; a changed state is to be published once."""

    def __init__(self) -> None:
        self._failures = 0
        self._until: datetime | None = None
        self.state = ConnectionState.WELL
        self.text = ""

    def closed_until(self, now: datetime) -> datetime | None:
        """Until when nothing should be tried; None when something may."""
        return self._until if self._until is not None and self._until > now else None

    @property
    def open(self) -> bool:
        """Whether commands should be put off at once rather than tried."""
        return self.state is not ConnectionState.WELL

    def succeeded(self) -> bool:
        """An answer we can believe. True when that changes the state."""
        self._failures, self._until, self.text = 0, None, ""
        changed = self.state is not ConnectionState.WELL
        self.state = ConnectionState.WELL
        return changed

    def failed(self, now: datetime, text: str, *, wait: float | None = None) -> bool:
        """No answer. True when that changes the state."""
        self._failures += 1
        seconds = wait if wait is not None else min(WAIT_FIRST * 2 ** min(self._failures - 1, 10), WAIT_MOST)
        self._until = now + timedelta(seconds=seconds)
        if self._failures < FAILURES:
            return False
        return self._becomes(ConnectionState.DOWN, text)

    def refused(self, now: datetime, text: str) -> bool:
        """Our credentials or rights. True when that changes the state."""
        self._until = now + timedelta(seconds=WAIT_MOST / 3)
        return self._becomes(ConnectionState.UNAUTHORISED, text)

    def blinded(self, now: datetime, text: str) -> bool:
        """Answers come, but do not show what they should: they cannot be believed. True when that changes the state."""
        self._until = now + timedelta(seconds=WAIT_MOST / 6)
        return self._becomes(ConnectionState.RIGHTS_LOST, text)

    def _becomes(self, state: ConnectionState, text: str) -> bool:
        changed = self.state is not state
        self.state, self.text = state, text
        return changed
