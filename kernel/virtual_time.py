"""An asyncio event loop on virtual time: when nothing is ready, the clock jumps to the next timer.

An hour of waiting costs no real time, and what happens, happens in the same order in every run. For code whose I/O
stays in the process (in-memory log, ASGI and mock transports); a real socket would have no time to become ready.
Blocking calls handed to a thread run in place, for a thread would bring its own time.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

RESOLUTION = 1e-6
"""Seconds; timers nearer than this are due. Asyncio's own nanosecond is lost in rounding after half a year, and a timer
due exactly now would then hold the clock for ever."""

LOOK_OUTSIDE_EVERY = 100
"""Turns of the loop: what comes from outside the process is a signal at most, and may wait for some of them."""


class NothingLeftToHappenError(RuntimeError):
    """Every task waits and no timer is set: in real life this would hang for ever. The text names the tasks."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: where another selector would, it moves the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._turns = 0
        self.say_who_waits: Callable[[], str] = str

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns += 1
        ready = super().select(0) if timeout is None or self._turns % LOOK_OUTSIDE_EVERY == 0 else []
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if timeout is None:
            who = self.say_who_waits()
            raise NothingLeftToHappenError(
                f"expected a timer or a task that can go on, found every task waiting for another:{who}"
            )
        self.now += timeout
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`time()` starts at 0 and moves only when nothing else can happen."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = RESOLUTION
        self._jumping.say_who_waits = self._who_waits

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> "asyncio.Future[T]":  # type: ignore[override]  # typeshed gives the loop an awaitable, asyncio a future
        """Call it now, in this thread: a thread's duration is real time and would make runs differ."""
        outcome: asyncio.Future[T] = self.create_future()
        try:
            outcome.set_result(func(*args))
        except Exception as cause:  # noqa: BLE001 - it belongs to whoever awaits the call
            outcome.set_exception(cause)
        return outcome

    def _who_waits(self) -> str:
        said = []
        for task in asyncio.all_tasks(self):
            frames = task.get_stack(limit=1)
            where = f"{frames[0].f_code.co_filename}:{frames[0].f_lineno}" if frames else "an unknown place"
            said.append(f"\n  {task.get_name()} waits in {where}")
        return "".join(sorted(said))


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end on a new loop of virtual time. Raises NothingLeftToHappenError instead of hanging."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
