"""What the roles shopify, clarus and erp have in common."""

from collections.abc import Callable

from connectors.runtime.config_view import ConfigView
from connectors.runtime.port import Port
from connectors.runtime.runtime import ConnectorRuntime
from kernel.log import Log
from lockstep.roles.process import Process

STILL_OF_SESSION = 0.7
"""The rest is for the heartbeat that was the last to be heard."""


async def connected(process: Process, log: Log, port_of: Callable[[ConfigView], Port]) -> None:
    async with ConfigView(log, process.clock) as configs:
        timings = process.settings.runtime
        still = min(timings.stands_still_most, STILL_OF_SESSION * process.settings.session_timeout)
        timings = timings.model_copy(update={"stands_still_most": still})
        runtime = ConnectorRuntime(port_of(configs), log, configs, process.clock, timings, process.metrics)
        await process.with_health(runtime.run, process.health(runtime.ready.is_set, runtime.stuck_for))
