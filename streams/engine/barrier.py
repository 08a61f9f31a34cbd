"""The commit barrier: batches whose sends are under way, oldest first, and how far a commit may go.

The offset of a record may be committed only when the broker has acknowledged every changelog record and emission of
its batch and of every batch before it.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from kernel.clock import Clock
from kernel.log import Appended, LogError, Partition


class Ended(Exception):
    """The process must end now, before any commit: what it did is not known to be in the log."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A batch under way; `finished` may be committed when it is acknowledged. `since` is the clock's monotonic time.

    `changes` are the changelog records in it: (place in the answer, partition number).
    """

    finished: dict[Partition, int]
    acknowledged: "asyncio.Future[Sequence[Appended]]"
    changes: Sequence[tuple[int, int]]
    since: float


@dataclass(frozen=True, slots=True)
class Written:
    """One of our changelog records, acknowledged."""

    number: int
    offset: int


class Barrier:
    """One caller at a time: whoever settles, takes or adds holds the worker's turn."""

    def __init__(self, clock: Clock, silence: float) -> None:
        self._clock, self._silence = clock, silence
        self._under_way: deque[Sent] = deque()
        self._finished: dict[Partition, int] = {}

    def __len__(self) -> int:
        """Batches not acknowledged yet."""
        return len(self._under_way)

    def add(self, batch: Sent) -> None:
        self._under_way.append(batch)

    def waited(self) -> float:
        """Seconds since the oldest batch under way was sent; 0 when there is none."""
        return self._clock.monotonic() - self._under_way[0].since if self._under_way else 0.0

    async def settle(self, *, wait: bool = False) -> list[Written]:
        """Take note of what has been acknowledged, oldest first; with `wait`, of everything under way.

        Raises Ended on a failed send, or when the oldest batch has been out longer than the silence allowed. What
        failed stays under way: no later call lets a commit pass it.
        """
        written: list[Written] = []
        while self._under_way:
            oldest = self._under_way[0]
            if wait and not oldest.acknowledged.done():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, self._silence - self.waited())):
                        await asyncio.wait([oldest.acknowledged])
            if not oldest.acknowledged.done():
                if self.waited() >= self._silence:
                    raise Ended(f"no acknowledgement for {self._silence:.0f} s")
                if wait:
                    continue
                return written
            try:
                appended = oldest.acknowledged.result()
            except LogError as failed:
                raise Ended(f"a send failed: {failed}") from failed
            self._finished.update(oldest.finished)
            self._under_way.popleft()
            written.extend(Written(number, appended[place].offset) for place, number in oldest.changes)
        return written

    def take(self) -> dict[Partition, int]:
        """What may be committed and has not been taken yet."""
        finished, self._finished = self._finished, {}
        return finished
