"""A process of the simulation: its tasks, and how it is killed, frozen and woken at a named point.

Production code knows nothing of this. What it waits for, the log, the clock and HTTP, passes through its process'
`gate`: there a frozen process stands still and a killed one goes no further.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from enum import StrEnum
from typing import Any


class Point(StrEnum):
    """Between which two things a process is struck."""

    ANYWHERE = "anywhere"
    FOLDED = "before the state is written"
    STATE_SENT = "between state and commands"
    HALF_SENT = "in the middle of a batch"
    SENT = "between commands and commit"
    BEFORE_READING = "before a snapshot is told"
    BEFORE_EFFECT = "between the last check and the write"
    AFTER_EFFECT = "between effect and outcome"
    OUTCOME_SENT = "between outcome and commit"
    COMMITTED = "after a commit"


WORKER_POINTS = (Point.ANYWHERE, Point.FOLDED, Point.STATE_SENT, Point.HALF_SENT, Point.SENT, Point.COMMITTED)
CONNECTOR_POINTS = (
    Point.ANYWHERE,
    Point.BEFORE_READING,
    Point.BEFORE_EFFECT,
    Point.AFTER_EFFECT,
    Point.OUTCOME_SENT,
    Point.COMMITTED,
)


MOST_DONE = 50
"""Tasks of a process that are over and still held."""


class SimProcess:
    """One instance of one role. `on_death` is told at once, in the middle of whatever happens."""

    def __init__(self, name: str, role: str, skew: float = 0.0) -> None:
        self.name, self.role = name, role
        self.skew = skew
        """Seconds by which its machine's clock is ahead."""
        self.dead = False
        self.gone = asyncio.Event()
        """Dead, or so long silent that its group goes on without it."""
        self.context: Context = copy_context()
        self.context.run(_CURRENT.set, self)
        self.on_death: list[Callable[[], None]] = []
        self.gaps: list[str] = []
        """Writes it was about to send when it stood still."""
        self._tasks: list[asyncio.Task[Any]] = []
        self._most = MOST_DONE
        self._thawed: asyncio.Future[None] | None = None
        self._armed: dict[Point, Callable[[str], None]] = {}

    def run(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """As a task of this process; so is every task it starts."""
        return asyncio.get_running_loop().create_task(work, context=self.context)

    def own(self, task: "asyncio.Task[Any]") -> None:
        """Held until it is done, or a little longer: a callback of each would be a turn of the loop of each."""
        self._tasks.append(task)
        if len(self._tasks) > self._most:
            self._tasks = [one for one in self._tasks if not one.done()]
            self._most = MOST_DONE + 2 * len(self._tasks)

    # --- what strikes it

    def arm(self, point: Point, strike: Callable[[str], None]) -> None:
        """Do this when it next comes to that point; `strike` is told what it was about to do, or had done."""
        self._armed[point] = strike

    @property
    def struck_soon(self) -> bool:
        return bool(self._armed)

    def disarm(self, point: Point) -> bool:
        """False when it has been there already."""
        return self._armed.pop(point, None) is not None

    def die(self) -> None:
        """Nothing of it runs any more, no clean-up either: whatever it holds is left as it is."""
        if self.dead:
            return
        self.dead = True
        self.gone.set()
        for told in self.on_death:
            told()
        self.thaw()
        for task in self._tasks:
            task.cancel()

    def freeze(self) -> None:
        if self._thawed is None and not self.dead:
            self._thawed = asyncio.get_running_loop().create_future()

    def thaw(self) -> None:
        if self._thawed is not None:
            self._thawed.set_result(None)
            self._thawed = None

    @property
    def frozen(self) -> bool:
        return self._thawed is not None

    # --- what it passes

    async def gate(self, point: Point | None = None, what: str = "") -> None:
        """Returns when the process may go on. Raises CancelledError for a dead one."""
        if point is not None and point in self._armed:
            self._armed.pop(point)(what)
        if self._thawed is not None and point is Point.BEFORE_EFFECT:
            self.gaps.append(what)
        while self._thawed is not None:
            await asyncio.shield(self._thawed)
        if self.dead:
            raise asyncio.CancelledError


_CURRENT: ContextVar[SimProcess | None] = ContextVar("process", default=None)

OUTSIDE = Context()
"""Of tasks that belong to no process: the outside world's."""


def own_tasks(
    loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], context: Context | None = None, **named: Any
) -> "asyncio.Task[Any]":
    """A task factory: each task belongs to the process in whose context it is made. Newer Pythons hand its name on."""
    task = asyncio.Task(work, loop=loop, context=context, **named)
    process = _CURRENT.get() if context is None else context.get(_CURRENT)
    if process is not None:
        process.own(task)
    return task
