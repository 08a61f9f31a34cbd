"""Keys of `@idempotent`: the second call with a key gets the first one's outcome (Admin API 2026-10).

How long a key lives, and that a call refused by user errors is answered alike when it is repeated, is documented and
assumed, in this order.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sandbox.clock import Clock

LIVES = timedelta(hours=24)
CONCURRENT = "IDEMPOTENCY_CONCURRENT_REQUEST"
MISMATCH = "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    at: datetime
    parameters: str
    outcome: T


class Keys(Generic[T]):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept[T]] = {}
        self._running: Counter[str] = Counter()

    def begin(self, key: str) -> None:
        """A call with this key is on its way and will be executed later."""
        self._running[key] += 1

    def end(self, key: str) -> None:
        """It is being executed now."""
        self._running[key] -= 1

    def refusal(self, key: str, parameters: str) -> str | None:
        """The code with which a call is turned away, None for one that may go on."""
        if self._running[key] > 0:
            return CONCURRENT
        kept = self._alive(key)
        return MISMATCH if kept is not None and kept.parameters != parameters else None

    def outcome(self, key: str) -> T | None:
        """Of the call that came first; None when this is the first."""
        kept = self._alive(key)
        return None if kept is None else kept.outcome

    def keep(self, key: str, parameters: str, outcome: T) -> None:
        self._kept[key] = _Kept(self._clock.now(), parameters, outcome)

    def _alive(self, key: str) -> _Kept[T] | None:
        kept = self._kept.get(key)
        return None if kept is None or self._clock.now() - kept.at > LIVES else kept
