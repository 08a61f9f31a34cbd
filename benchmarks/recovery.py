"""`python -m benchmarks.recovery BOOTSTRAP`: a worker's recovery of its whole changelog, as after an assignment.

Prints records, seconds and CPU seconds of reading the changelog and putting it into the folds, as JSON.
"""

import asyncio
import json
import sys
from time import perf_counter, process_time

import uvloop

from benchmarks.topology import PARTITIONS
from kernel.kafka_log import KafkaLog
from kernel.logs import configure
from schemas.topics import ORDERS_STATE
from streams.agents.orders import orders_fold
from streams.engine.changelog import restore


async def main(bootstrap: str) -> None:
    log = KafkaLog(bootstrap, client_id="lockstep-orders")
    clock, cpu = perf_counter(), process_time()
    found = await restore(log, ORDERS_STATE.name, range(PARTITIONS))
    for number, restored in found.items():
        restored.into(orders_fold(number))
    records = sum(restored.records for restored in found.values())
    print(json.dumps({"records": records, "seconds": perf_counter() - clock, "cpu": process_time() - cpu}))


if __name__ == "__main__":
    configure("bench", 50)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
