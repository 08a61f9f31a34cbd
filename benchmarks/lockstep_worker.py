"""`python -m benchmarks.lockstep_worker BOOTSTRAP EVENTS`: one orders worker as in production folds a recorded log.

The real Worker, Faust shell and fold. Ends when the events are folded and all they cause is acknowledged and committed;
prints its seconds and CPU seconds from the first event on, as JSON.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from time import perf_counter, process_time

import uvloop

from kernel.clock import SystemClock
from kernel.kafka_log import KafkaLog
from kernel.logs import configure
from kernel.metrics import Metrics
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE
from streams.agents.orders import orders_fold
from streams.engine.faust_shell import Batch, Finish, run_in_faust
from streams.engine.worker import Worker


async def main(bootstrap: str, total: int) -> None:
    log = KafkaLog(bootstrap, client_id="lockstep-orders")
    worker = Worker("orders", log, [ORDERS_EVENTS.name], orders_fold, ORDERS_STATE.name, SystemClock(), Metrics())
    began: list[tuple[float, float]] = []
    folded = asyncio.Event()

    async def agent(batches: AsyncIterator[Batch], finish: Finish) -> None:
        seen = 0
        async for batch in batches:
            if not began:
                began.append((perf_counter(), process_time()))
            await finish(batch.records)
            seen += len(batch.records)
            if seen >= total:
                folded.set()

    running = asyncio.create_task(run_in_faust("orders", worker, agent))
    ended = asyncio.create_task(folded.wait())
    await asyncio.wait([running, ended], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    running.cancel()  # gives up its partitions: waits for what is under way, commits
    with suppress(asyncio.CancelledError):
        await running
    (clock, cpu) = began[0]
    print(json.dumps({"seconds": perf_counter() - clock, "cpu": process_time() - cpu}))


if __name__ == "__main__":
    configure("bench", 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], int(sys.argv[2])))
