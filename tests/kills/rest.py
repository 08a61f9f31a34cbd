"""How a run comes to rest: the roles end in the order of the flow, each when it has finished all there is."""

from collections.abc import Callable, Sequence

from kernel.kafka_log import KafkaLog
from kernel.log import LogError
from lockstep.demo.processes import Processes
from lockstep.roles import Role
from schemas.base import System
from schemas.topics import COMMANDS, HINTS, ORDERS_EVENTS
from streams.agents.normalise import SOURCES
from tests.kills.blows import until
from tests.kills.verdict import ORDERS_GROUP

FINISHED_WITHIN = 180.0
"""Seconds for a role to finish what was in the log when it was asked."""


async def come_to_rest(log: KafkaLog, processes: Processes, check: Callable[[], None]) -> None:
    """What was in the log at the call is finished by all; what came out of it later may wait in hints.

    `check` raises when there is nothing to wait for any more. Raises NotUpError when a role does not finish.
    """
    for system in System:
        await _finished(log, f"lockstep.{system}", [HINTS[system].name, COMMANDS[system].name], check)
    await processes.stop(Role.INTAKE, *(Role(system) for system in System))
    await _finished(log, "lockstep.normalise", SOURCES, check)
    await processes.stop(Role.NORMALISE)
    await _finished(log, ORDERS_GROUP, [ORDERS_EVENTS.name], check)
    await processes.stop(Role.ORDERS)


async def _finished(log: KafkaLog, group: str, topics: Sequence[str], check: Callable[[], None]) -> None:
    ends = {where: span.end for where, span in (await log.spans(topics)).items() if span.end > span.begin}

    async def so() -> bool:
        check()
        try:
            committed = (await log.describe_groups([group]))[group].committed
        except LogError:
            return False
        return all(committed.get(where, 0) >= end for where, end in ends.items())

    await until(so, lambda: f"{group} has not finished {', '.join(topics)}", FINISHED_WITHIN)
