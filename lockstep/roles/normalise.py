"""raw.* → orders.events."""

from kernel.log import Log
from lockstep.ports.translators import translators
from lockstep.roles import Role
from lockstep.roles.process import Process
from lockstep.roles.worker import worked
from schemas.topics import ORDERS_EVENTS
from streams.agents import agents
from streams.agents.normalise import SOURCES, NormaliseFold


async def play(process: Process, log: Log) -> None:
    translate, cluster = translators(process.brands), await log.cluster_id()
    partitions = await log.partitions(ORDERS_EVENTS.name)

    def factory(_: object) -> NormaliseFold:
        return NormaliseFold(translate, cluster, partitions)

    await worked(process, log, Role.NORMALISE, SOURCES, factory, None, agents.normalise)
