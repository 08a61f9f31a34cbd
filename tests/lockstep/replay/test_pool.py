"""Work in processes beside each other: results in order, what one raises, a process that is killed, Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.operated import OperatedLog
from lockstep.replay.errors import FoldProcessLostError
from lockstep.replay.fold import Interrupted, Watch
from lockstep.replay.pool import in_processes
from tests.builders import NOON


def connect() -> MemoryLog:
    return MemoryLog(LoopClock(NOON), {})


async def doubled(log: OperatedLog, job: int, watch: Watch) -> int:
    assert await log.cluster_id() == "memory"
    watch.done(job)
    return 2 * job


async def broken(_log: OperatedLog, job: int, watch: Watch) -> int:
    if job == 1:
        raise ValueError("the second one cannot")
    stopped(watch)
    raise Interrupted


async def killed(_log: OperatedLog, job: int, _watch: Watch) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return job


async def waiting(_log: OperatedLog, job: str, watch: Watch) -> str:
    watch.done(1)
    stopped(watch)
    save(Path(job))
    raise Interrupted


async def there(_log: OperatedLog, job: str, watch: Watch) -> None:
    heard_of(Path(job), watch)


def heard_of(pipe: Path, watch: Watch) -> None:
    """Whoever reads from the pipe hears that we are there, and then when we are not any more."""
    with pipe.open("w") as open_end:
        open_end.write("there\n")
        open_end.flush()
        stopped(watch)


def stopped(watch: Watch) -> None:
    """Wait until it is asked to stop; nothing else runs in its process."""
    while not watch.stopping():
        time.sleep(0.01)


def save(path: Path) -> None:
    path.write_text("saved")


def test_results_come_in_the_order_of_the_jobs_with_what_they_took() -> None:
    heard: list[list[int]] = []
    ended = in_processes(doubled, connect, [3, 1, 2], 2, lambda done: heard.append(list(done)))
    assert [one.result for one in ended] == [6, 2, 4]
    assert heard[-1] == [3, 1, 2]
    assert all(one.process != os.getpid() and one.peak_bytes > 0 and one.cpu_seconds >= 0 for one in ended)


def test_what_a_job_raises_comes_out_and_the_others_are_asked_to_end() -> None:
    with pytest.raises(ValueError, match="the second one cannot"):
        in_processes(broken, connect, [0, 1, 2, 3], 2)


def test_a_process_that_is_killed_is_told_with_what_to_do() -> None:
    with pytest.raises(FoldProcessLostError, match="the same command goes on from there"):
        in_processes(killed, connect, [1], 1)


def test_ctrl_c_is_answered_by_the_parent_when_all_that_had_begun_have_saved(tmp_path: Path) -> None:
    jobs = [str(tmp_path / name) for name in "abcdef"]
    pressed: list[int] = []

    def ctrl_c(done: list[int]) -> None:
        if sum(done) == 2 and not pressed:
            pressed.append(1)
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted):
        in_processes(waiting, connect, jobs, 2, lambda done: ctrl_c(list(done)))
    assert signal.getsignal(signal.SIGINT) is before
    saved = [path.name for path in sorted(tmp_path.iterdir())]
    assert {"a", "b"} <= set(saved)
    assert "f" not in saved, "what nobody had begun is not begun"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_command_it_works_for(how: signal.Signals, tmp_path: Path) -> None:
    """It holds the states of a partition, addresses among them."""
    os.mkfifo(tmp_path / "pipe")
    said = f"{there.__module__} import connect, there; from {in_processes.__module__} import in_processes"
    work = f"from {said}; in_processes(there, connect, [{str(tmp_path / 'pipe')!r}], 1)"
    command = subprocess.Popen([sys.executable, "-c", work], stderr=subprocess.DEVNULL)
    with (tmp_path / "pipe").open() as pipe:
        assert pipe.readline() == "there\n"
        command.send_signal(how)
        command.wait()
        assert pipe.read() == ""
