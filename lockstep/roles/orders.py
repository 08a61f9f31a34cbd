"""orders.events → commands, cases."""

from kernel.log import Log
from lockstep.roles import Role
from lockstep.roles.process import Process
from lockstep.roles.worker import Folding, folded
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE
from streams.agents import agents
from streams.agents.orders import orders_fold

ORDERS = Folding(ORDERS_EVENTS, orders_fold, ORDERS_STATE, agents.orders)


async def play(process: Process, log: Log) -> None:
    await folded(process, log, Role.ORDERS, ORDERS)
