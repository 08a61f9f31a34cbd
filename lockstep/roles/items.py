"""items.events → products of Clarus, cases."""

from kernel.log import Log
from lockstep.roles import Role
from lockstep.roles.process import Process
from lockstep.roles.worker import Folding, folded
from schemas.topics import ITEMS_EVENTS, ITEMS_STATE
from streams.agents import agents
from streams.agents.items import items_fold

ITEMS = Folding(ITEMS_EVENTS, items_fold, ITEMS_STATE, agents.items)


async def play(process: Process, log: Log) -> None:
    await folded(process, log, Role.ITEMS, ITEMS)
