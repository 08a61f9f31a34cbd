"""Plays many histories, on all cores, and sums up what struck and what does not hold."""

import gc
import logging
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import get_args

from kernel.logs import configure
from lockstep.children import end_with_parent
from lockstep.simulation.history import History, Kind, draw
from lockstep.simulation.mishaps import MAPPED
from lockstep.simulation.play import LET_GO, Result, play
from lockstep.simulation.process import Point
from lockstep.simulation.shrink import shrink
from sandbox.faults import Fault
from sandbox.stock import windows
from streams.rules.stock.causes import Cause

SOMETIMES = (
    *(str(kind) for kind in Kind),
    *(str(point) for point in Point if point is not Point.ANYWHERE),
    *(str(fault) for fault in Fault if fault is not Fault.NONE),
    MAPPED, LET_GO,
    "zombie", "webhook lost", "webhook doubled", "ended by Ended", "ended by LogUnavailable", "ended by Fenced",
    *(f"window: {cause}" for cause in get_args(windows.Cause)),
    *(f"stock written: {cause}" for cause in Cause if cause is not Cause.UNKNOWN),
    "compare lost",
)  # fmt: skip
"""What must have struck at least once in a large run; otherwise the run has shown less than it says."""


SWEEP_EVERY = 16
"""Histories of a process between two sweeps for rubbish: each looks at all that lives, and a history leaves 10 MB."""

_since_swept = 0


@dataclass(slots=True)
class Sum:
    """Of the histories played so far. `failed`: those in which something does not hold, by seed."""

    histories: int = 0
    events: int = 0
    least_events: int | None = None
    least_faults: int | None = None
    faults: int = 0
    doubled_found: list[str] = field(default_factory=list)
    struck: Counter[str] = field(default_factory=Counter)
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def take(self, played: Result) -> None:
        self.histories += 1
        self.events += played.events
        self.faults += played.faults
        self.least_events = min(played.events, self.least_events or played.events)
        self.least_faults = min(played.faults, self.least_faults if self.least_faults is not None else played.faults)
        self.doubled_found += [f"seed {played.seed}: {one}" for one in played.doubled_found]
        self.struck.update(played.struck)
        if played.violations:
            self.failed[played.seed] = played.violations

    def never(self) -> tuple[str, ...]:
        """Of `SOMETIMES`, what never struck."""
        return tuple(what for what in SOMETIMES if not self.struck[what])


def played(history: History) -> Result:
    """In this process. An end that nobody foresaw is a violation too."""
    try:
        return play(history)
    except Exception as cause:  # noqa: BLE001 - whatever ends a history is what it was played for
        name = type(cause).__name__
        return Result(seed=history.seed, events=0, seconds=0, violations=(f"ended by {name}: {cause}",), rules=(name,))


def smallest(history: History, first: Result) -> History:
    """That still fails in one of the ways of `first`."""
    ways = set(first.rules)
    return shrink(history, lambda smaller: bool(ways & set(played(smaller).rules)))


def first_failure(seeds: Iterable[int], events: int) -> tuple[int, Result | None]:
    """The first history found in which something does not hold, and how many were played; None when all hold."""
    count = 0
    for one in _played(seeds, events, os.cpu_count() or 1):
        count += 1
        if one.violations:
            return count, one
    return count, None


def play_many(seeds: Iterable[int], events: int, told: Callable[[Result], None], workers: int | None = None) -> Sum:
    """`told` hears of each as it ends. `workers` processes play at a time; as many as there are cores when None."""
    total = Sum()
    for one in _played(seeds, events, workers or os.cpu_count() or 1):
        total.take(one)
        told(one)
    return total


def _played(seeds: Iterable[int], events: int, workers: int) -> Iterator[Result]:
    waiting = iter(seeds)
    with ProcessPoolExecutor(workers, initializer=quiet) as pool:
        out: set[Future[Result]] = {pool.submit(_drawn, seed, events) for seed in islice(waiting, workers * 3)}
        try:
            while out:
                done, out = wait(out, return_when=FIRST_COMPLETED)
                out |= {pool.submit(_drawn, seed, events) for seed in islice(waiting, len(done))}
                for one in done:
                    yield one.result()
        finally:
            # Waited for: a pool that is still ending while the interpreter does writes to a pipe that is closed.
            pool.shutdown(cancel_futures=True)


def _drawn(seed: int, events: int) -> Result:
    global _since_swept  # noqa: PLW0603 - a process' own
    result = played(draw(seed, events))
    _since_swept += 1
    if _since_swept >= SWEEP_EVERY:
        gc.collect()
        _since_swept = 0
    return result


def quiet() -> None:
    """What the played processes log is nobody's news; and rubbish is swept between histories, not in them. Ctrl-C is
    for the process that asked: this one ends with its history.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    configure("simulate", logging.CRITICAL)
    logging.disable(logging.CRITICAL)
    gc.disable()
    gc.freeze()
