"""`python -m tests.engine.worker_process BOOTSTRAP PREFIX NAME POINT TRIGGER`: the orders worker, until SIGTERM.

The real Worker, Faust shell and fold, in a corner of the test's broker, with a crash point where the log is. Ends with
0 when asked to, with 3 when the engine ended it.
"""

import asyncio
import signal
import sys

from kernel.clock import SystemClock
from kernel.log import LogError
from kernel.logs import configure
from kernel.metrics import Metrics
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE
from streams.agents import agents
from streams.agents.orders import orders_fold
from streams.engine.faust_shell import run_in_faust
from streams.engine.settings import EngineSettings
from streams.engine.worker import Ended, Worker
from tests.engine.corner import Corner
from tests.engine.crash_points import CrashingLog, CrashPoint, say

ENDED_BY_ENGINE = 3
SETTINGS = EngineSettings(commit_every=0.2, tick_every=0.1, measure_every=1.0)


async def until_told(work: asyncio.Task[None]) -> None:
    """SIGTERM ends the work in order."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, work.cancel)
    try:
        await work
    except asyncio.CancelledError:
        say("ended in order")


async def main(bootstrap: str, prefix: str, name: str, point: str, trigger: str) -> int:
    log = CrashingLog(Corner(bootstrap, prefix, name), CrashPoint(point), trigger)
    worker = Worker(
        "orders", log, [ORDERS_EVENTS.name], orders_fold, ORDERS_STATE.name, SystemClock(), Metrics(), SETTINGS
    )
    try:
        await until_told(asyncio.create_task(run_in_faust("orders", worker, agents.orders)))
    except (Ended, LogError) as ended:
        say(f"ended by the engine: {ended}")
        return ENDED_BY_ENGINE
    return 0


if __name__ == "__main__":
    configure(sys.argv[3])
    sys.exit(asyncio.run(main(*sys.argv[1:])))
