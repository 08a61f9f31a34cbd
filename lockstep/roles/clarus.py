"""Reads and writes Clarus."""

from kernel.log import Log
from lockstep.ports.clarus import clarus_port
from lockstep.roles.connector import connected
from lockstep.roles.process import Process


async def play(process: Process, log: Log) -> None:
    await connected(process, log, lambda configs: clarus_port(process.brands, configs.of, process.clock))
