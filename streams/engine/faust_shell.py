"""The Faust side of a worker: its life, its agent, and the hand-over of batches to it.

Faust supervises the agent; it neither consumes nor produces nor keeps tables here. Batches reach the agent through a
channel in memory, one message per batch rather than four tasks per record. Why Faust's own consumer, acks and tables
are left out stands in docs/adr/0004-engine-isolation.md.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import faust
import structlog
from faust.app.base import BootStrategy

from kernel.log import Record
from streams.engine.worker import Worker

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Batch:
    """Records handed to the agent, and where it says how it went."""

    records: Sequence[Record]
    done: "asyncio.Future[None]"


Finish = Callable[[Sequence[Record]], Awaitable[None]]
Agent = Callable[[AsyncIterator[Batch], Finish], Awaitable[None]]
"""The body of an agent: for each batch, `finish` it."""


class _WithoutKafka(BootStrategy):  # type: ignore[misc]  # faust has no types
    """Consumer, producer, tables and web server of Faust stay off."""

    enable_kafka = False
    enable_web = False


class _App(faust.App):  # type: ignore[misc]
    BootStrategy = _WithoutKafka

    def _create_directories(self) -> None:
        """None: nothing of ours is kept on a worker's disk."""


def faust_app(role: str) -> Any:
    """A Faust app of one role. Autodiscovery, its leader topic and its web server are off."""
    return _App(
        f"lockstep-{role}",
        broker="kafka://not-used",
        store="memory://",
        autodiscover=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        stream_wait_empty=False,
    )


async def run_in_faust(role: str, worker: Worker, agent: Agent) -> None:
    """Run the worker with its agent in a Faust app, until cancelled. Raises what ended the worker or the agent."""
    app = faust_app(role)
    batches = app.channel(maxsize=1)
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def body(stream: Any) -> None:
        try:
            await agent(_each(stream), worker.finish)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001 - Faust would ack, restart the agent and go on: the process must end
            if not failed.done():
                failed.set_exception(error)

    app.agent(batches, name=f"lockstep.{role}", concurrency=1)(body)

    async def deliver(records: Sequence[Record]) -> None:
        batch = Batch(records, asyncio.get_running_loop().create_future())
        await batches.put(value=batch)
        await asyncio.wait([batch.done, failed], return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            failed.result()

    app.finalize()
    await app.start()
    app.flow_control.resume()
    try:
        await worker.run(deliver)
    finally:
        await app.stop()
        app.consumer._thread.thread_loop.close()  # Faust makes it with the app, for a thread that is never started
        _log.info("worker.ended", role=role)


async def _each(stream: Any) -> AsyncIterator[Batch]:
    """The batches of the stream; each counts as done when the agent comes back for the next."""
    async for batch in stream:
        yield batch
        if not batch.done.done():
            batch.done.set_result(None)
