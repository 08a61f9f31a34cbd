"""Work on partitions in processes beside each other: one process a core, progress told, ended in order by Ctrl-C.

A partition is a unit of work; its process has a log of its own. What a unit finds comes back as its result.
"""

import asyncio
import gc
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from time import process_time
from typing import Any, Generic, TypeVar

from kernel.logs import configure
from kernel.operated import OperatedLog
from lockstep.children import end_with_parent
from lockstep.replay.errors import FoldProcessLostError
from lockstep.replay.fold import Interrupted, Watch

LOOK_EVERY = 0.2
COLLECT = (50_000, 20, 100)
"""How seldom a process looks for cycles: a fold makes few, and looking as often as Python does took a fifth of it."""
J = TypeVar("J")
R = TypeVar("R")
Connect = Callable[[], OperatedLog]
"""Makes a log in the process that calls it; picklable."""
Work = Callable[[OperatedLog, J, Watch], Awaitable[R]]
"""A function of a module, so that a process can find it."""


@dataclass(frozen=True, slots=True)
class Ended(Generic[R]):
    """A unit's result, its CPU seconds, and the most memory its process has held so far."""

    result: R
    process: int
    peak_bytes: int
    cpu_seconds: float


class Quiet:
    """Watches nothing and never stops: for folds in this very process."""

    def done(self, records: int) -> None:
        """Nobody asks."""

    def stopping(self) -> bool:
        return False


class _Shared:
    """What a process of the pool and its parent both see."""

    def __init__(self, done: Any, stop: Any) -> None:
        self.records, self.stop = done, stop


_shared: list[_Shared] = []


class _Slot:
    def __init__(self, shared: _Shared, place: int) -> None:
        self._shared, self._place = shared, place

    def done(self, records: int) -> None:
        self._shared.records[self._place] = records

    def stopping(self) -> bool:
        return bool(self._shared.stop.is_set())


def _begin(done: Any, stop: Any) -> None:
    end_with_parent()
    configure("replay", 40)
    gc.freeze()
    gc.set_threshold(*COLLECT)
    _shared.append(_Shared(done, stop))


def _run(work: Work[J, R], connect: Connect, job: J, place: int) -> Ended[R]:
    async def main() -> R:
        return await work(connect(), job, _Slot(_shared[-1], place))

    began = process_time()
    result = asyncio.run(main())
    return Ended(result, os.getpid(), peak_bytes(), process_time() - began)


def peak_bytes() -> int:
    """The most memory this process has held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def in_processes(
    work: Work[J, R],
    connect: Connect,
    jobs: Sequence[J],
    processes: int,
    told: Callable[[Sequence[int]], None] = lambda _: None,
) -> list[Ended[R]]:
    """Every job's result, in their order. `told` gets the records done per job, a few times a second.

    Raises Interrupted when Ctrl-C came and every process has saved what it had, FoldProcessLostError, or what a job
    raised; then the others have ended in order.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["__main__", work.__module__])  # loaded once for all processes, not once for each
    done, stop = context.Array("q", max(1, len(jobs)), lock=False), context.Event()
    with (
        _ctrl_c(stop.set) as (asked, deaf),
        ProcessPoolExecutor(min(processes, len(jobs)) or 1, context, _begin, (done, stop)) as pool,
    ):
        with deaf():
            futures = [pool.submit(_run, work, connect, job, place) for place, job in enumerate(jobs)]
        try:
            while not _over(futures):
                told(list(done))
                if asked:
                    _give_up_waiting(futures)
        except BaseException:
            stop.set()
            raise
        told(list(done))
        if any(_cause(future) for future in futures if future.done()):
            stop.set()
            _give_up_waiting(futures)
            wait(futures)
    return list(_results(futures, interrupted=bool(asked)))


def _over(futures: Sequence["Future[Any]"]) -> bool:
    ended, running = wait(futures, timeout=LOOK_EVERY, return_when=FIRST_EXCEPTION)
    return not running or any(_cause(future) for future in ended)


def _give_up_waiting(futures: Sequence["Future[Any]"]) -> None:
    """What no process has begun is not begun any more."""
    for future in futures:
        future.cancel()


def _cause(future: "Future[Any]") -> BaseException | None:
    return Interrupted() if future.cancelled() else future.exception()


def _results(futures: Sequence["Future[Ended[R]]"], *, interrupted: bool) -> Iterator[Ended[R]]:
    causes = [cause for future in futures if (cause := _cause(future)) is not None]
    for cause in causes:
        if not isinstance(cause, Interrupted | BrokenProcessPool):
            raise cause
    if interrupted and causes:
        raise Interrupted
    for cause in causes:
        raise FoldProcessLostError(
            "expected the processes of the fold to come to an end, found one gone: was it killed, for instance for "
            "want of memory? What was saved is kept: the same command goes on from there (--processes 1 needs less)"
        ) from cause
    yield from (future.result() for future in futures)


@contextmanager
def _ctrl_c(ask: Callable[[], None]) -> Iterator[tuple[list[int], Callable[[], AbstractContextManager[None]]]]:
    """The first Ctrl-C asks, and is noted; a second one ends at once.

    Within `deaf` it is ignored, also by processes that begin there, from their first moment to their last.
    """
    asked: list[int] = []

    @contextmanager
    def deaf() -> Iterator[None]:
        hearing = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, hearing)

    def handle(number: int, _: object) -> None:
        asked.append(number)
        ask()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield asked, deaf
    finally:
        signal.signal(signal.SIGINT, before)
