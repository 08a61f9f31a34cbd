"""stock.events → readings asked for, stock figures, cases."""

from kernel.log import Log
from lockstep.roles import Role
from lockstep.roles.process import Process
from lockstep.roles.worker import Folding, folded
from schemas.topics import STOCK_EVENTS, STOCK_STATE
from streams.agents import agents
from streams.agents.stock import stock_fold

STOCK = Folding(STOCK_EVENTS, stock_fold, STOCK_STATE, agents.stock)


async def play(process: Process, log: Log) -> None:
    await folded(process, log, Role.STOCK, STOCK)
