"""`python -m tests.engine.connector_process BOOTSTRAP PREFIX NAME POINT TRIGGER WAREHOUSE LONGEST`: until SIGTERM.

The real connector runtime in a corner of the test's broker, in front of the test's warehouse; LONGEST seconds is how
long that may still carry out what nobody waits for.
"""

import asyncio
import sys

from connectors.runtime.config_view import ConfigView
from connectors.runtime.runtime import ConnectorRuntime
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import SystemClock
from kernel.logs import configure
from kernel.metrics import Metrics
from tests.engine.corner import Corner
from tests.engine.crash_points import CrashingLog, CrashPoint
from tests.engine.warehouse import WarehousePort
from tests.engine.worker_process import until_told

SETTINGS = RuntimeSettings(commit_every=0.2, poll_every=3600.0)


async def main(bootstrap: str, prefix: str, name: str, point: str, trigger: str, warehouse: str, longest: str) -> None:
    log, clock = CrashingLog(Corner(bootstrap, prefix, name), CrashPoint(point), trigger), SystemClock()
    async with ConfigView(log, clock) as configs:
        port = WarehousePort(int(warehouse), float(longest))
        runtime = ConnectorRuntime(port, log, configs, clock, SETTINGS, Metrics())
        await until_told(asyncio.create_task(runtime.run()))


if __name__ == "__main__":
    configure(sys.argv[3])
    asyncio.run(main(*sys.argv[1:]))
