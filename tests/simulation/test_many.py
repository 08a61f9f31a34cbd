"""Many histories on several processes: those end with the run that asked for them."""

import signal
import subprocess
import sys
import threading
from multiprocessing import active_children

import pytest

from lockstep.simulation.many import first_failure, play_many
from lockstep.simulation.play import Result


def test_a_run_leaves_no_process_and_no_thread_behind() -> None:
    """One that still ended while the interpreter did would write to a pipe that is closed."""
    before, told = set(threading.enumerate()), list[Result]()

    total = play_many([3], 40, told.append, workers=1)

    assert [one.seed for one in told] == [3]
    assert (total.histories, total.failed) == (1, {})
    assert set(threading.enumerate()) == before
    assert active_children() == []


def test_nor_does_one_that_found_what_it_looked_for() -> None:
    before = set(threading.enumerate())

    played, found = first_failure([3], 40)

    assert (played, found) == (1, None)
    assert set(threading.enumerate()) == before


ENDLESS = """
from lockstep.simulation.many import play_many
play_many(range(100_000), 40, lambda _: print("played", flush=True), workers=1)
"""


@pytest.mark.timeout(60)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nor_does_one_that_is_ended_from_outside(how: signal.Signals) -> None:
    """Its processes waited for work for ever."""
    run = subprocess.Popen(
        [sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert run.stdout is not None
    with run.stdout as told:
        assert told.readline() == "played\n"
        run.send_signal(how)
        run.wait()
        assert set(told.read().split()) <= {"played"}, "it ends: nobody holds the other end any more"
