"""Many histories on several processes: those end with the run that asked for them."""

import threading
from multiprocessing import active_children

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
