"""Reads and writes Shopify."""

from kernel.log import Log
from lockstep.ports.shopify import shopify_port
from lockstep.roles.connector import connected
from lockstep.roles.process import Process


async def play(process: Process, log: Log) -> None:
    await connected(process, log, lambda configs: shopify_port(process.brands, process.clock, config_of=configs.of))
