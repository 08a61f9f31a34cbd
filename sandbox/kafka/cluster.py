"""Brokers for a laptop or a test: one, or several as a cluster, or the one that runs already."""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from sandbox.kafka.distribution import KafkaFailedError, Progress, prepare, silent
from sandbox.kafka.node import Node, PortTakenError
from sandbox.kafka.ports import free_ports
from sandbox.kafka.runs import run_folder
from sandbox.kafka.storage import Seat, format_storage, new_cluster_id, write_properties

EXTERNAL_BOOTSTRAP = "LOCKSTEP_KAFKA_BOOTSTRAP"
"""Environment variable: `host:port` of brokers that run already; then none is started."""

TRIES = 5


class Cluster:
    """`size` brokers that are controllers too, on free ports and an empty log; a context manager, plain or async.

    `settings` go into each broker's `server.properties`; `progress` gets a line per step that takes over three seconds.
    Internal topics have up to three copies, so with three brokers any one may be killed.
    """

    def __init__(
        self, size: int = 3, *, settings: Mapping[str, str] | None = None, progress: Progress = silent
    ) -> None:
        self._size = size
        self._settings = dict(settings or {})
        self._progress = progress
        self._nodes: tuple[Node, ...] = ()
        self._held = ExitStack()

    @property
    def nodes(self) -> tuple[Node, ...]:
        """In the order of their ids, which begin with 1. Raises KafkaFailedError when not started."""
        if not self._nodes:
            raise KafkaFailedError("these brokers are not started: use `with` or call start()")
        return self._nodes

    @property
    def bootstrap(self) -> str:
        """The addresses a client begins with."""
        return ",".join(node.address for node in self.nodes)

    def start(self) -> None:
        """Blocks until every broker answers that all of them take part. Raises KafkaFailedError."""
        distribution = prepare(self._progress)
        for attempt in range(1, TRIES + 1):
            ports = free_ports(2 * self._size)
            seats = [Seat(number + 1, *ports[2 * number : 2 * number + 2]) for number in range(self._size)]
            everybody = frozenset(seat.node_id for seat in seats)
            cluster_id = new_cluster_id()
            try:
                run = self._held.enter_context(run_folder())
                nodes = []
                for seat in seats:
                    folder = run / str(seat.node_id)
                    folder.mkdir()
                    write_properties(folder, seat, seats, self._settings)
                    format_storage(folder, seat, cluster_id, distribution.storage_seed)
                    node = Node(distribution, seat, folder)
                    self._held.callback(node.kill)
                    node.spawn()
                    nodes.append(node)
                for node in nodes:
                    node.wait_until_ready(everybody)
            except PortTakenError:
                self.close()
                if attempt == TRIES:
                    raise
            except BaseException:
                self.close()
                raise
            else:
                self._nodes = tuple(nodes)
                return

    def close(self) -> None:
        """End the brokers at once and remove their data. Safe to call twice."""
        self._nodes = ()
        self._held.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)


class Broker(Cluster):
    """A cluster of one, with the verbs of its only node."""

    def __init__(self, *, settings: Mapping[str, str] | None = None, progress: Progress = silent) -> None:
        super().__init__(1, settings=settings, progress=progress)

    @property
    def node(self) -> Node:
        (node,) = self.nodes
        return node

    def stop(self) -> None:
        """End it in order; its data and ports stay for :meth:`restart`."""
        self.node.stop()

    def kill(self) -> None:
        """End it like a power cut; its data and ports stay for :meth:`restart`."""
        self.node.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open and nobody answers."""
        self.node.pause()

    def resume(self) -> None:
        self.node.resume()

    def restart(self) -> None:
        """Start it again on the same data and ports; returns when it answers."""
        self.node.restart()


@contextmanager
def broker_or_external(progress: Progress = silent) -> Iterator[str]:
    """The bootstrap address named in `LOCKSTEP_KAFKA_BOOTSTRAP`, else that of a broker started for this block."""
    named = os.environ.get(EXTERNAL_BOOTSTRAP)
    if named:
        yield named
        return
    with Broker(progress=progress) as broker:
        yield broker.bootstrap
