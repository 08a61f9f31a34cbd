"""Runs a program that must not outlive whoever started it, however that one ends: killed, crashed or gone in peace.

The tether's standard input is a pipe whose other end only the owner holds. When the owner is gone the kernel closes it,
the tether reads its end and ends the program. No polling, no signal to a process id that may have been given away.

`python tether.py FOLDER PROGRAM ARGUMENT…` is the tether itself, standard library only; :func:`start` is for owners.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

GRACE_SECONDS = 10.0
"""How long a program may take to end by itself once it is asked to."""


class Tethered:
    """A program on its tether, in a process group of its own."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def process_id(self) -> int:
        """Of the tether; the program is its only child."""
        return self._process.pid

    @property
    def program_id(self) -> int:
        """Of the program itself. Raises ProcessLookupError when it does not run, or not yet.

        The tether waits for its only child, so this id cannot have passed to another process.
        """
        import psutil  # type: ignore[import-untyped]  # noqa: PLC0415 - ships no types; the tether itself runs without it

        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self._process.pid).children():
                return int(child.pid)
        raise ProcessLookupError("expected a running program at the tether's end, found none")

    def kill(self) -> None:
        """End the program like a power cut, and wait. No effect when it does not run."""
        with suppress(ProcessLookupError):
            os.kill(self.program_id, signal.SIGKILL)
        self.stop()

    def pause(self) -> None:
        """Freeze the program; the tether still ends it when its owner goes. Raises ProcessLookupError."""
        os.kill(self.program_id, signal.SIGSTOP)

    def resume(self) -> None:
        """Raises ProcessLookupError when it does not run any more."""
        os.kill(self.program_id, signal.SIGCONT)

    @property
    def exit_status(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Ask it to end, wait, and end its whole group by force if it does not. Safe to call twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(GRACE_SECONDS + 2)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def start(
    program: Sequence[str],
    *,
    environment: Mapping[str, str],
    log: IO[bytes],
    folder: Path,
    delete: Path | None = None,
) -> Tethered:
    """Start `program` in `folder`, its output to `log`. Raises OSError when even the tether cannot be started.

    `delete` is a folder that goes when the owner has stopped the program or is gone; not when it ended by itself.
    """
    return Tethered(
        subprocess.Popen(  # noqa: S603 - the program is named by our own code
            [sys.executable, "-I", "-S", __file__, str(delete or ""), *program],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            start_new_session=True,
        )
    )


def _run(delete: str, program: Sequence[str]) -> int:
    child = subprocess.Popen(program, stdin=subprocess.DEVNULL)  # noqa: S603 - as above
    let_go = threading.Event()

    def end_with_the_owner() -> None:
        while os.read(0, 1):  # the bare descriptor: a buffered reader held at exit is a fatal error of Python
            pass
        let_go.set()
        child.terminate()
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    threading.Thread(target=end_with_the_owner, daemon=True).start()
    status = child.wait()
    if let_go.is_set() and delete:
        shutil.rmtree(delete, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1], sys.argv[2:]))
