"""Roles of one process: loaded, run beside each other until told to stop, ended together."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module

import structlog

from kernel.log import Log
from lockstep.kafka import kafka_log
from lockstep.roles import Role
from lockstep.roles.process import Process
from lockstep.settings import Settings, SettingsError, read_connections

_log = structlog.get_logger(__name__)

Play = Callable[[Process, Log], Awaitable[None]]


async def run_roles(roles: Sequence[Role], settings: Settings) -> None:
    """Run these roles in this process until SIGTERM or SIGINT. Raises what ended one of them; all end together."""
    brands = read_connections(settings)
    if not brands:
        raise SettingsError(f"{settings.connections}: expected a table per brand, found none")
    played = [(role, player(role)) for role in roles]
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    quiet = settings.model_copy(update={"health_port": 0})  # the port can be had once
    running = [
        asyncio.create_task(_run(play, role, Process(quiet if number else settings, brands)), name=role)
        for number, (role, play) in enumerate(played)
    ]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    _log.info("process.ending", asked=stop.is_set())
    stopping.cancel()
    for task in running:
        task.cancel()
    results = await asyncio.gather(*running, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


def player(role: Role) -> Play:
    """The role's `play`, its module loaded now."""
    play: Play = import_module(f"lockstep.roles.{role}").play
    return play


async def _run(play: Play, role: Role, process: Process) -> None:
    await play(process, kafka_log(process.settings, f"lockstep-{role}"))
