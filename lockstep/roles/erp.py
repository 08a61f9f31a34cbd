"""Reads and writes the ERP."""

from kernel.log import Log
from lockstep.ports.erp import erp_port
from lockstep.roles.connector import connected
from lockstep.roles.process import Process


async def play(process: Process, log: Log) -> None:
    await connected(process, log, lambda configs: erp_port(process.brands, process.clock, config_of=configs.of))
