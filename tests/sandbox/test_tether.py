"""A program on a tether ends with its owner, however the owner ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import tether

ENDLESS = "import os, sys, time; print(os.getpid(), flush=True); time.sleep(600)"

OWNER = """
import os, sys, time
from pathlib import Path
import pytest

from sandbox import tether
log, delete = Path(sys.argv[1]), Path(sys.argv[3])
program = [sys.executable, "-c", sys.argv[2]]
tether.start(program, environment=os.environ, log=log.open("wb"), folder=log.parent, delete=delete)
time.sleep(600)
"""


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether it comes true in that time; other processes do their work meanwhile."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        os.sched_yield()
    return False


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def written_number(log: Path) -> int:
    """The process id the program prints first."""
    assert within(20, lambda: log.exists() and log.read_text().endswith("\n")), f"nothing was written to {log}"
    return int(log.read_text())


def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    log, scratch = tmp_path / "log", tmp_path / "scratch"
    scratch.mkdir()
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(log), ENDLESS, str(scratch)])
    program = written_number(log)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert within(10, lambda: is_gone(program))
    assert within(10, lambda: not scratch.exists())


def test_it_ends_when_it_is_stopped_and_twice_is_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        program = tether.start([sys.executable, "-c", ENDLESS], environment=os.environ, log=output, folder=tmp_path)
    number = written_number(log)
    assert program.exit_status is None
    program.stop()
    program.stop()
    assert program.exit_status is not None
    assert is_gone(number)


def test_a_program_that_ends_by_itself_hands_on_its_status(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as output:
        ends = [sys.executable, "-c", "raise SystemExit(7)"]
        program = tether.start(ends, environment=os.environ, log=output, folder=tmp_path)
    assert within(20, lambda: program.exit_status == 7)
    program.stop()


def state_of(process: int) -> str:
    """As the kernel names it: T is stopped."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def test_it_is_frozen_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as output:
        program = tether.start([sys.executable, "-c", ENDLESS], environment=os.environ, log=output, folder=tmp_path)
    number = written_number(log)
    program.pause()
    assert within(10, lambda: state_of(number) == "T")
    program.resume()
    assert within(10, lambda: state_of(number) != "T")
    program.stop()
    with pytest.raises(ProcessLookupError):
        program.pause()


def test_it_ends_when_its_owner_is_killed_while_it_is_frozen(tmp_path: Path) -> None:
    log = tmp_path / "log"
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(log), ENDLESS, ""])
    program = written_number(log)
    os.kill(program, signal.SIGSTOP)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert within(tether.GRACE_SECONDS + 10, lambda: is_gone(program))
