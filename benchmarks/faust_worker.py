"""`python -m benchmarks.faust_worker BOOTSTRAP EVENTS STATE_BYTES SEND_BYTES`: a plain Faust agent beside ours.

As the guide has it: Faust's own consumer, one write to a table in memory with its changelog and one send per event. It
decides nothing: the values written and sent are of the size ours have. Prints seconds and CPU seconds from the first
event on, as JSON.
"""

import asyncio
import json
import logging
import os
import sys
from time import perf_counter, process_time
from typing import Any

import faust
import uvloop

from benchmarks.topology import PARTITIONS
from schemas.base import System
from schemas.topics import COMMANDS, ORDERS_EVENTS


async def main(bootstrap: str, total: int, state_bytes: int, send_bytes: int) -> None:
    app = faust.App(
        "plain",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        autodiscover=False,
        key_serializer="raw",
        value_serializer="raw",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        consumer_auto_offset_reset="earliest",
        producer_linger=0.005,
        producer_max_batch_size=256 * 1024,
        broker_commit_interval=0.5,
        datadir=os.environ["LOCKSTEP_BENCH_FOLDER"],
    )
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    events = app.topic(ORDERS_EVENTS.name, **raw)
    out = app.topic(COMMANDS[System.CLARUS].name, **raw)
    table = app.Table("state", default=bytes, partitions=PARTITIONS, key_type=bytes, value_type=bytes)
    state, command = os.urandom(state_bytes), os.urandom(send_bytes)
    began: list[tuple[float, float]] = []
    done = asyncio.Event()

    @app.agent(events, concurrency=1)  # type: ignore[untyped-decorator]  # faust has no types
    async def fold(stream: Any) -> None:
        seen = 0
        async for event in stream.events():
            if not began:
                began.append((perf_counter(), process_time()))
            table[event.key] = state
            await out.send(key=event.key, value=command)
            seen += 1
            if seen >= total:
                done.set()

    app.finalize()
    await app.start()
    await done.wait()
    await app.producer.flush()
    clock, cpu = began[0]
    print(json.dumps({"seconds": perf_counter() - clock, "cpu": process_time() - cpu}), flush=True)
    os._exit(0)  # what follows, leaving the group in order, is not measured


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], *(int(argument) for argument in sys.argv[2:5])))
