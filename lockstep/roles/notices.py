"""Cases → webhooks of people's tools, daily digests."""

from kernel.log import Log
from lockstep.notices.role import Notices
from lockstep.roles.process import Process
from lockstep.serving import Health


async def play(process: Process, log: Log) -> None:
    targets = {brand: one.notices for brand, one in process.brands.items()}
    notices = Notices(targets, log, process.clock, process.metrics)
    await process.with_health(notices.run, Health(ready=lambda: notices.ready))
