"""One Kafka process with a place of its own: started, frozen, killed and started again on the same data and ports."""

import os
import signal
import time
from pathlib import Path

from sandbox import tether
from sandbox.kafka.distribution import Distribution, KafkaFailedError
from sandbox.kafka.probe import brokers_known
from sandbox.kafka.storage import Seat

START_SECONDS = 90.0
"""Measured: 1 s on an idle machine of two cores; a busy one gets time."""

LOOK_EVERY_SECONDS = 0.02


class PortTakenError(KafkaFailedError):
    """Somebody listens on one of the ports chosen: choose others."""


class Node:
    """A broker of a cluster. All calls block; from asyncio go through `asyncio.to_thread`.

    Its process ends with ours, however ours ends, even when it is paused at that moment.
    """

    def __init__(self, distribution: Distribution, seat: Seat, folder: Path) -> None:
        """`folder` holds its properties and its formatted storage; nothing runs until :meth:`spawn`."""
        self.seat = seat
        self.output = folder / "output.log"
        self._folder = folder
        self._distribution = distribution
        self._tethered: tether.Tethered | None = None

    @property
    def address(self) -> str:
        """`host:port` for clients."""
        return f"127.0.0.1:{self.seat.port}"

    @property
    def process_id(self) -> int:
        """Of Kafka's own process. Raises KafkaFailedError when it does not run."""
        if self._tethered is None or self._tethered.exit_status is not None:
            raise KafkaFailedError(f"broker {self.seat.node_id} at {self.address} does not run")
        try:
            return self._tethered.program_id
        except ProcessLookupError as gone:
            raise KafkaFailedError(f"broker {self.seat.node_id} at {self.address} is starting or ending") from gone

    def spawn(self) -> None:
        """Start the process; it does not answer yet."""
        command = self._distribution.command("kafka.Kafka", str(self._folder / "server.properties"))
        with self.output.open("ab") as log:
            self._tethered = tether.start(command, environment=os.environ, log=log, folder=self._folder)

    def wait_until_ready(self, expected: frozenset[int], *, seconds: float = START_SECONDS) -> None:
        """Until it answers that all `expected` nodes take part.

        Raises PortTakenError, or KafkaFailedError with the end of its output, when it ends instead or takes longer.
        """
        deadline = time.monotonic() + seconds
        known: frozenset[int] = frozenset()
        while time.monotonic() < deadline:
            if self._tethered is None or self._tethered.exit_status is not None:
                raise self._failure("ended while starting")
            try:
                known = brokers_known(self.seat.port)
            except OSError:
                known = frozenset()
            if known >= expected:
                return
            time.sleep(LOOK_EVERY_SECONDS)
        raise self._failure(f"is not ready after {seconds:.0f} s: it sees {sorted(known)} of {sorted(expected)}")

    def stop(self) -> None:
        """Ask it to end in order and wait."""
        if self._tethered is not None:
            self._tethered.stop()
            self._tethered = None

    def kill(self) -> None:
        """End it like a power cut. Its data and ports stay for :meth:`restart`. No effect when it does not run."""
        if self._tethered is not None:
            self._tethered.kill()
            self._tethered = None

    def pause(self) -> None:
        """Freeze it: connections stay open and nobody answers."""
        os.kill(self.process_id, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.process_id, signal.SIGCONT)

    def restart(self, *, seconds: float = START_SECONDS) -> None:
        """Start it again on the same data and ports, ending it first if it runs; returns when it answers."""
        self.stop()
        self.spawn()
        self.wait_until_ready(frozenset({self.seat.node_id}), seconds=seconds)

    def _failure(self, what: str) -> KafkaFailedError:
        printed = self.output.read_text(encoding="utf-8", errors="replace")[-3000:]
        kind = PortTakenError if "Address already in use" in printed else KafkaFailedError
        return kind(f"Kafka broker {self.seat.node_id} at {self.address} {what}. It printed last:\n{printed}")
