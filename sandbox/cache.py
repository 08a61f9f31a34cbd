"""Where the sandbox keeps what is dear to make: broker jars, a Java runtime, virtual environments, prepared databases.

Everything below :func:`cache_root` can be deleted at any time; it is made again on demand.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """The cache folder: ``$LOCKSTEP_CACHE``, or ``~/.cache/lockstep``. Made if it does not exist."""
    named = os.environ.get("LOCKSTEP_CACHE")
    root = Path(named).expanduser() if named else Path.home() / ".cache" / "lockstep"
    root.mkdir(parents=True, exist_ok=True)
    return root.resolve()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the preparation of `path` alone, among all processes and threads of this machine; wait if another has it.

    The lock is a file beside `path` (``<name>.lock``) and ends with the process that holds it, however it ends.
    Whoever waited must look again whether the work is still to do. It is not re-entrant: a second ``locked`` of the
    same path inside the first waits for ever.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(path.name + ".lock")
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
