"""One broker for several processes that begin and end when they like: the workers of a parallel test run."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sandbox.cache import locked
from sandbox.kafka.cluster import EXTERNAL_BOOTSTRAP, Broker
from sandbox.kafka.distribution import Progress, silent
from sandbox.kafka.probe import brokers_known


@contextmanager
def shared_broker(folder: Path, progress: Progress = silent) -> Iterator[str]:
    """The bootstrap address of the broker of all processes that name `folder`, or of the external one.

    The first to come starts it and, at its own end, waits until the others have ended too. If it is killed its broker
    goes with it, and the next to come starts another.
    """
    external = os.environ.get(EXTERNAL_BOOTSTRAP)
    if external:
        yield external
        return
    folder.mkdir(parents=True, exist_ok=True)
    address = folder / "address"
    using = os.open(folder / "using", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with ExitStack() as ours:
        ours.callback(os.close, using)
        with locked(address):
            fcntl.flock(using, fcntl.LOCK_SH)
            if not _answers(address):
                broker = ours.enter_context(Broker(progress=progress))
                ours.callback(fcntl.flock, using, fcntl.LOCK_EX)
                address.write_text(broker.bootstrap, encoding="utf-8")
        yield address.read_text(encoding="utf-8")


def _answers(address: Path) -> bool:
    try:
        port = int(address.read_text(encoding="utf-8").rpartition(":")[2])
        return bool(brokers_known(port))
    except OSError:
        return False
