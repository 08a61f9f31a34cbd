"""`verify` and `rebuild`: the event log folded again, beside the tables or for new ones."""

import functools
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from lockstep.brand_files import ConfigurationError
from lockstep.cli.common import finish, now, out, settings
from lockstep.cli.from_systems import Asked as SystemsAsked
from lockstep.cli.from_systems import rebuild_from_systems
from lockstep.kafka import kafka_log
from lockstep.reading import brands_in, newest_configs
from lockstep.replay.anew import empty
from lockstep.replay.checks import Finding, Weight
from lockstep.replay.compare import Compared
from lockstep.replay.fold import Interrupted
from lockstep.replay.in_place import Say, nobody_works, put_in_place
from lockstep.replay.pool import Connect
from lockstep.replay.put import Moved
from lockstep.replay.rebuild import Rebuilt
from lockstep.replay.rebuild import rebuild as rebuild_table
from lockstep.replay.table import Difference
from lockstep.replay.tables import TABLES, FoldedTable
from lockstep.replay.verify import Plan, Told, Verified
from lockstep.replay.verify import verify as verify_log
from lockstep.replay.wanted import Flying, Was
from lockstep.settings import SettingsError
from schemas.base import Brand

CANNOT = 2
WORK = Path(".cache/replay")
CORES = os.cpu_count() or 1
SHOWN = 20
"""Lines of one kind, at most."""
COLOURS = {Weight.STOPS: "red", Weight.DIFFERS: "red", Weight.NOTE: "yellow"}

Without = Annotated[
    list[str] | None, typer.Option("--without-brand", help="leave this brand out, on both sides; may be repeated")
]
Processes = Annotated[int, typer.Option(min=1, help="processes that fold beside each other")]
Work = Annotated[
    Path,
    typer.Option(help="folder for what is saved when interrupted, and of stock and items kept; holds addresses"),
]


class Which(StrEnum):
    """By the role that keeps it."""

    ORDERS = "orders"
    STOCK = "stock"
    ITEMS = "items"

    @property
    def table(self) -> FoldedTable:
        return next(one for one in TABLES if one.role == self)


def verify(
    table: Annotated[Which, typer.Option(help="the table to compare with its log")] = Which.ORDERS,
    without_brand: Without = None,
    processes: Processes = CORES,
    work: Work = WORK / "verify",
) -> None:
    """Fold a table's event log anew and compare the two; change nothing.

    The flow may go on meanwhile: see docs/operate/rebuild.md for what is compared. Ctrl-C saves; the same command goes
    on from there. Exit code 0: equal; 1: differs; 2: cannot be told, and why.

    The logs of stock and of items are kept for thirty days. So what was folded of them is kept in the work folder, and
    the next run goes on from there; without it the first run on a log that is cut begins at the table as it is.
    """
    plan = replace(planned(work, processes, without_brand), table=table.table)
    known(plan)
    with folding(f"folding {plan.table.events.name}") as told, saved_when_interrupted():
        verified = verify_log(connecting(), plan, told)
    print_verified(verified)
    raise typer.Exit(verified.exit_code)


def rebuild(
    table: Annotated[Which, typer.Option(help="the table to make anew; of stock and items see below")] = Which.ORDERS,
    yes: Annotated[bool, typer.Option("--yes", help="put the rebuilt table in place; without it nothing is")] = False,
    send_unsent: Annotated[
        bool, typer.Option("--send-unsent", help="with --yes: workers send, too, what is listed as never sent")
    ] = False,
    without_brand: Without = None,
    processes: Processes = CORES,
    work: Work = WORK / "rebuild",
    brands: Annotated[list[str] | None, typer.Argument(help="with --from-systems: these; all when left out")] = None,
    from_systems: Annotated[
        bool,
        typer.Option("--from-systems", help="without a log: read every order from the systems; see below"),
    ] = False,
    closed_within: Annotated[
        float, typer.Option(min=0, help="with --from-systems: days; orders that changed or ended since, too")
    ] = 30,
    config: Annotated[
        list[Path] | None, typer.Option(help="with --from-systems: a brand's file, where there is no log at all")
    ] = None,
) -> None:
    """Make the orders' table anew from the event log, and tell what would be commanded; send nothing.

    Writes a topic of its own, orders.state.rebuilt-…, and compares it with orders.state. With --yes, while no
    `lockstep run orders` runs, the table there is kept as orders.state.kept-… and the rebuilt one put in its place; see
    docs/operate/rebuild.md. Ctrl-C saves; the same command goes on from there. Exit code 0: the same as the table in
    place, or put in place; 1: not the same; 2: cannot be rebuilt, and why.

    With --from-systems the log is not read: every order that is open or was lately is read from Shopify, Clarus and the
    ERP and folded in memory, and what would be sent, which cases would open and what nobody owns is told (exit code 1
    when there is any). With --yes, too, hints for all these orders go to the log, and the running roles do the rest.

    The logs of stock and of items are kept for thirty days: with --table their table is not folded but, with --yes and
    while its role does not run, kept as stock.state.kept-…, emptied, and every brand configured once more; then start
    the role and its connectors, whose sweeps read all there is.
    """
    if table is not Which.ORDERS:
        if from_systems or send_unsent or without_brand or brands or config:
            raise typer.BadParameter(f"--table {table} goes with --yes alone: it is made anew for every brand")
        make_anew(table.table, yes=yes)
        return
    if from_systems:
        if send_unsent or without_brand:
            option = "--send-unsent" if send_unsent else "--without-brand"
            raise typer.BadParameter(f"{option} is for a rebuild from the log, found --from-systems beside it")
        chosen = tuple(Brand(brand) for brand in brands or ())
        asked = SystemsAsked(chosen, tuple(config or ()), closed_within, work / "from-systems", yes)
        raise typer.Exit(rebuild_from_systems(asked))
    if brands:
        raise typer.BadParameter(f"brands are for --from-systems, found {', '.join(brands)}; see --without-brand")
    if config:
        named = ", ".join(str(file) for file in config)
        raise typer.BadParameter(
            f"--config is for --from-systems, found {named}; the log has its configurations itself"
        )
    if send_unsent and not yes:
        raise typer.BadParameter("--send-unsent is for --yes: without it nothing is put in place or sent")
    plan = planned(work, processes, without_brand)
    known(plan)
    connect = connecting()
    if yes:
        finish(nobody_works(connect()))
    with folding() as told, saved_when_interrupted():
        made = rebuild_table(connect, plan, told)
    print_rebuilt(made)
    if not yes or made.stopped:
        raise typer.Exit(made.exit_code)
    with putting() as (say, moved):
        placed = finish(put_in_place(connect(), made, plan, send_unsent=send_unsent, say=say, moved=moved))
    out.print(
        f"The former table is kept in {placed.kept_topic}; the rebuilt one is in place. Start `lockstep run orders`."
    )
    unsent = len(made.never_sent)
    if unsent and not send_unsent:
        out.print(f"{unsent} commands listed above were never sent, and no worker will send them.", style="yellow")


def make_anew(table: FoldedTable, *, yes: bool) -> None:
    """A table whose log is cut; without `yes` it is only told what would be done."""
    connectors = " and ".join(f"`lockstep run {system}`" for system in table.swept_by)
    if not yes:
        out.print(
            f"{table.events.name} is not kept for ever, so {table.state.name} is not folded but made anew. With --yes, "
            f"while no `lockstep run {table.role}` runs: the table is kept in a topic of its own and emptied, and "
            f"every brand is configured once more. Then start `lockstep run {table.role}`, and {connectors} anew.",
            markup=False,
        )
        return
    with putting() as (say, moved):
        done = finish(empty(connecting()(), table, f"{now():%Y%m%d-%H%M%S}", say=say, moved=moved))
    out.print(
        f"The former table is kept in {done.kept_topic} ({done.kept_records} records); {table.state.name} is empty, "
        f"and configured again for {', '.join(done.brands) or 'no brand: apply a configuration'}. Start `lockstep run "
        f"{table.role}`, then {connectors} anew, or wait for their next sweep: it reads all there is.",
        markup=False,
    )


def planned(work: Path, processes: int, without: Sequence[str] | None) -> Plan:
    """Raises SettingsError when nothing can be saved in the work folder."""
    try:
        work.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=work):
            pass
    except OSError as cause:
        raise SettingsError(f"--work {work}: expected a folder to write to, found {cause.strerror}") from cause
    return Plan(work, processes, tuple(Brand(brand) for brand in without or ()))


def known(plan: Plan) -> None:
    """Whether what is left out is configured, or was and has keys in the table. Raises ConfigurationError."""
    log = connecting()()
    there: set[Brand] = set(finish(newest_configs(log))) if plan.without else set()
    if not there.issuperset(plan.without):
        there |= finish(brands_in(log, plan.table.state.name))
    for brand in plan.without:
        if brand not in there:
            named = ", ".join(sorted(there)) or "none"
            raise ConfigurationError(f"--without-brand {brand}: expected a brand of the log, found {named}")


def connecting() -> Connect:
    """As a process of the fold reaches the log, too."""
    return functools.partial(kafka_log, settings(), "lockstep-replay")


@contextmanager
def folding(what: str = "folding orders.events") -> Iterator[Told]:
    """A bar of records."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=out, transient=True) as progress:
        bar = progress.add_task(what, total=None, rate="")

        def told(done: Sequence[int], goals: Sequence[int]) -> None:
            speed = progress.tasks[0].speed
            rate = "" if speed is None else f"{speed:,.0f}/s"
            progress.update(bar, completed=sum(done), total=max(sum(goals), sum(done)), rate=rate)

        yield told


@contextmanager
def putting() -> Iterator[tuple[Say, Moved]]:
    """A line that says what is done, with the records written so far. Ctrl-C is told with what it leaves behind."""
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} records"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=out, transient=True) as progress:
            line = progress.add_task("putting the table in place", total=None)
            yield lambda said: progress.update(line, description=said), lambda records: progress.advance(line, records)
    except KeyboardInterrupt:
        out.print(
            "Interrupted while the table was put in place: run the same again, in the same folder, to make it whole. "
            "Workers that start before may say that it is half put in its place, and end."
        )
        raise typer.Exit(CANNOT) from None


@contextmanager
def saved_when_interrupted() -> Iterator[None]:
    try:
        yield
    except Interrupted:
        out.print("Interrupted. What was folded is saved: the same command goes on from there.")
        raise typer.Exit(CANNOT) from None


def print_findings(findings: Sequence[Finding]) -> None:
    for weight in Weight:
        said = [finding for finding in findings if finding.weight is weight]
        for finding in said[:SHOWN]:
            out.print(f"{finding.weight}: {finding}", style=COLOURS[weight], markup=False)
        if len(said) > SHOWN:
            out.print(f"{weight}: {len(said) - SHOWN} more like these.", style=COLOURS[weight])


def print_verified(verified: Verified) -> None:
    print_findings(verified.findings)
    if verified.exit_code == CANNOT:
        out.print("Cannot be compared, for the reasons above. Nothing was changed.")
        return
    table = Table(
        "partition", "folded up to", "committed", "keys", "log says", "table says", "", box=None, header_style="bold"
    )
    for one in verified.partitions:
        table.add_row(*_row(one, verified.asked.committed.get(one.number)))
    out.print(table)
    print_differences(one for partition in verified.partitions for one in partition.differences)
    keys = sum(one.keys for one in verified.partitions)
    if since := max((one.since for one in verified.partitions), default=0):
        out.print(f"Folded on from where an earlier run ended, offset {since} at most.")
    if verified.differing:
        out.print(f"{verified.differing} keys differ, of {keys}. See docs/operate/rebuild.md for what to do.")
    else:
        out.print(f"{keys} keys, equal to the last byte up to what the group has committed.")


def print_rebuilt(made: Rebuilt) -> None:
    print_findings(made.findings)
    if made.stopped:
        out.print("Cannot be rebuilt, for the reasons above. Nothing was put in place.")
        return
    names = ("partition", "folded up to", "keys", "equal", "other state", "only rebuilt", "only in place")
    table = Table(*names, box=None, header_style="bold")
    for part in made.parts:
        one = part.beside
        figures = (part.number, part.until, part.keys, one.equal, one.differing, one.only_rebuilt, one.only_table)
        table.add_row(*(str(figure) for figure in figures))
    out.print(table)
    print_differences(difference for part in made.parts for difference in part.beside.first)
    print_commands("Only the rebuilt table has in flight", made.wanted)
    print_commands("Only the table in place has in flight", made.unwanted)
    waiting = sum(part.beside.waiting for part in made.parts)
    keys = sum(part.keys for part in made.parts)
    out.print(f"{keys} keys rebuilt in {made.run.topic}; workers send {waiting} commands again when they start.")
    if made.same:
        out.print("The same as the table in place.")


def print_differences(found: Iterable[Difference]) -> None:
    for difference in sorted(found, key=lambda one: (one.offset, one.key))[:SHOWN]:
        out.print(str(difference), style="red", markup=False)


def print_commands(what: str, commands: Sequence[Flying]) -> None:
    if not commands:
        return
    out.print(f"{what}: {len(commands)} commands")
    for one in commands[:SHOWN]:
        out.print(f"  {one}", style="red" if one.was is Was.NEVER_SENT else None, markup=False)
    if len(commands) > SHOWN:
        counts = Counter(one.was for one in commands[SHOWN:])
        out.print(f"  and {', '.join(f'{count} more that {was}' for was, count in sorted(counts.items()))}")


def _row(one: Compared, committed: int | None) -> tuple[str, ...]:
    said = "equal" if one.equal else f"[red]{one.differing} differ[/red]"
    reached = "none" if committed is None else str(committed)
    return (str(one.number), str(one.until), reached, str(one.keys), one.log_digest[:12], one.table_digest[:12], said)
