"""An asyncio event loop on virtual time: when nothing is ready, the clock jumps to the next timer.

An hour of waiting costs no real time, and the order of what happens is the same in every run. For code whose I/O stays
in the process (in-memory log, ASGI and mock transports); a real socket would never become ready in virtual time.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class NothingLeftToHappenError(RuntimeError):
    """Every task waits, no timer is set: in real life this would hang for ever."""


class _Selector(selectors.SelectSelector):
    """Never waits: tells the loop how far to jump instead."""

    def __init__(self) -> None:
        super().__init__()
        self.virtual = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            msg = "expected a timer or a ready task, found every task waiting for another"
            raise NothingLeftToHappenError(msg)
        self.virtual += max(timeout, 1e-6)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only when nothing else can happen."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.virtual


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a new loop of virtual time. Raises NothingLeftToHappenError instead of hanging."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
