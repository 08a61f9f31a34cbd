"""Folders of running brokers, removed at their end; those of killed owners are removed by whoever comes next."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.cache import cache_root, locked

OWNER = "owner.lock"
"""Held as long as the owner lives; the kernel lets go of it however the owner ends."""


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder of our own, gone when the block ends."""
    runs = cache_root() / "kafka" / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    with locked(runs):
        _sweep(runs)
        folder = Path(tempfile.mkdtemp(dir=runs))
        owner = os.open(folder / OWNER, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(owner, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(owner)


def _sweep(runs: Path) -> None:
    for folder in runs.iterdir():
        try:
            owner = os.open(folder / OWNER, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # being removed by its owner at this moment
        try:
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            pass  # its owner lives
        finally:
            os.close(owner)
