"""Plays many histories, on all cores, and sums up what struck and what was violated."""

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from kernel.logs import configure
from kernel.virtual_time import run_virtual
from lockstep.simulation.history import draw
from lockstep.simulation.run import Played, play

SOMETIMES = (
    "kill", "pause", "zombie", "join", "log away", "send fails", "ack lost", "clock skew", "poison", "config", "stop",
    "rights lost", "system away", "period closed", "hold", "move", "split", "cancel", "add line", "delete pending",
    "short close", "throttled", "server_error", "answer_lost", "late_execution", "slow", "webhook lost",
    "webhook doubled", "between state and commands", "in the middle of a batch", "between commands and commit",
    "between the last check and the write", "between effect and outcome", "between outcome and commit",
)  # fmt: skip
"""What must have happened at least once in a large run; otherwise the run has shown less than it says."""


@dataclass(slots=True)
class Sum:
    """Of the histories played so far. `failed`: those with violations, by seed."""

    histories: int = 0
    events: int = 0
    faults: int = 0
    doubled_found: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def take(self, played: Played) -> None:
        self.histories += 1
        self.events += played.events
        self.faults += played.faults
        self.doubled_found += played.doubled_found
        self.struck.update(played.struck)
        if played.violations:
            self.failed[played.seed] = played.violations

    def never(self) -> tuple[str, ...]:
        """Of `SOMETIMES`, what never happened."""
        return tuple(what for what in SOMETIMES if not self.struck[what])


def play_seed(seed: int, events: int) -> Played:
    """In this process. An end that nobody foresaw is a violation too."""
    try:
        return run_virtual(play(draw(seed, events)))
    except Exception as cause:  # noqa: BLE001 - whatever ends a history is what it was played for
        return Played(seed=seed, events=0, struck={}, violations=(f"ended by {type(cause).__name__}: {cause}",))


def _quiet() -> None:
    """What the played processes log is nobody's news."""
    configure("simulate", logging.CRITICAL)
    logging.disable(logging.CRITICAL)


def play_many(seeds: Sequence[int], events: int, told: Callable[[Played], None], workers: int | None = None) -> Sum:
    """`told` hears of each as it ends. `workers` processes play at a time; as many as there are cores when None."""
    total = Sum()
    for played in _played(seeds, events, workers or os.cpu_count() or 1):
        total.take(played)
        told(played)
    return total


def _played(seeds: Sequence[int], events: int, workers: int) -> Iterator[Played]:
    with ProcessPoolExecutor(workers, initializer=_quiet) as pool:
        for one in as_completed([pool.submit(play_seed, seed, events) for seed in seeds]):
            yield one.result()
