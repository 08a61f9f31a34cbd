"""`run`: play one or more roles in this process."""

import asyncio
import logging
from typing import Annotated

import typer
import uvloop

from kernel.logs import configure
from lockstep.cli.common import settings
from lockstep.roles import Role
from lockstep.roles.run import run_roles


def run(roles: Annotated[list[Role], typer.Argument(help="one or more roles")]) -> None:
    """Run roles until stopped: intake, shopify, clarus, erp, normalise, orders, stock, items, notices.

    In production each role is its own process, as many as there are partitions to share; a small shop may run them all
    in one. SIGTERM ends in order: partitions are given up, what is finished is committed.
    """
    chosen = settings()
    configure("+".join(roles), logging.getLevelName(chosen.log_level.upper()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_roles(roles, chosen))
