"""What fails again and again for a key, reads or a command: the connection's fault, or the key's own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

TOGETHER_MOST = 2
"""Times that keys fail together before they are read one by one: one of them may be why."""
WAIT_FIRST = 1.0
WAIT_MOST = 300.0
"""Seconds between reads of a key that fails while others are answered, doubling with each."""


@dataclass(slots=True)
class Failing:
    """Of one key, in a row. It is the key's own when it fails alone although others were answered since it failed last;
    from then on it is taken for its own until it is answered.

    `own` counts those times. `doubtful`: it may be what others fail for that are read with it.
    """

    answers: int
    """What the connection had answered when it failed last."""
    shown: int
    """What of other keys it had shown when this one failed first."""
    times: int = 0
    own: int = 0
    doubtful: bool = False
    again_at: datetime | None = None
    _pause: float = WAIT_FIRST / 2

    def failed(self, answers: int, *, certain: bool, same_again: bool) -> None:
        """Once more. `certain`: nothing else was in that read; `same_again`: asking again would end the same."""
        self.times += 1
        self.own += certain and answers > self.answers
        self.answers = answers
        self.doubtful = self.doubtful or same_again or self.times >= TOGETHER_MOST

    def wait(self, now: datetime) -> float:
        """Seconds until it is read again."""
        self._pause = min(self._pause * 2, WAIT_MOST)
        self.again_at = now + timedelta(seconds=self._pause)
        return self._pause

    def rests(self, now: datetime) -> bool:
        return self.again_at is not None and now < self.again_at
