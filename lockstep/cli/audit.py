"""`audit`: what would stall an order of a brand, before one does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from kernel.clock import SystemClock
from kernel.log import Log
from lockstep.audit.as_html import html
from lockstep.audit.as_markdown import markdown
from lockstep.audit.codes import Code, Severity
from lockstep.audit.judge import Verdict
from lockstep.audit.look import Progress, look, opened
from lockstep.audit.own_log import overruled
from lockstep.audit.page import page
from lockstep.audit.report import Report, as_data, more_of, report_of
from lockstep.brand_files import ConfigurationError, read_brand
from lockstep.cli.common import Paper, finish, out, settings, the_log
from lockstep.cli.destinations import file_to_write
from lockstep.reading import newest_configs
from lockstep.settings import Connections, SettingsError, read_connections
from schemas.base import Brand
from schemas.config import BrandConfig

_COLOURS = {Severity.STALLS: "red", Severity.HARMS: "yellow", Severity.ADVICE: "cyan"}


def audit(
    brand: Annotated[str, typer.Argument(help="the brand, as in the connections file")] = "",
    config: Annotated[
        Path | None, typer.Option("--config", help="this file instead of the configuration in the log")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="look at the orders of so many days")] = 60,
    intake: Annotated[str, typer.Option(help="public address of the intake, to which webhooks should go")] = "",
    accept: Annotated[
        list[Code] | None, typer.Option(help="a gap that is meant to be; it does not count", metavar="FINDING")
    ] = None,
    html_: Annotated[
        Path | None, typer.Option("--html", callback=file_to_write, help="write the audit there as a page to hand over")
    ] = None,
    markdown_: Annotated[
        Path | None, typer.Option("--markdown", callback=file_to_write, help="write it there as Markdown")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the findings as JSON, for machines")] = False,
    page_: Annotated[
        Path | None,
        typer.Option(
            "--page", callback=file_to_write, help="write the page of the documentation there, look at nothing"
        ),
    ] = None,
) -> None:
    """Check a brand before its orders flow: what its three systems have, beside its configuration. Reads only.

    Exit code 0: no gaps, perhaps with advice. 1: something stalls orders or goes wrong. 2: it cannot look.
    """
    if page_ is not None:
        page_.write_text(page())
        out.print(f"{page_} written.", markup=False)
        return
    if not brand:
        raise typer.BadParameter("expected a brand of the connections file, found none", param_hint="BRAND")
    connections, chosen = _connections(Brand(brand)), _config(Brand(brand), config)
    with _progress() as progress:
        log = the_log() if config is None else None
        report = finish(_audited(chosen, connections, days, intake, frozenset(accept or ()), progress, log))
    for path, written in ((html_, html), (markdown_, markdown)):
        if path is not None:
            path.write_text(written(report), encoding="utf-8")
    if as_json:
        out.print_json(data=as_data(report))
    else:
        print_report(report)
        for path in (html_, markdown_):
            if path is not None:
                out.print(f"{path} written.", markup=False)
    if report.verdict is not Verdict.CLEAN:
        raise typer.Exit(report.verdict)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A line that changes; without a terminal, a line on standard error for each list."""
    if out.is_terminal:
        with out.status("looking …") as status:
            yield lambda what: status.update(f"{what} …")
        return
    errors = Paper(stderr=True, highlight=False)
    yield lambda what: errors.print(f"{what} …", markup=False) if what.count(":") == 1 else None


def _connections(brand: Brand) -> Connections:
    there = read_connections(settings())
    if brand not in there:
        raise SettingsError(f"{brand}: expected a brand of the connections file, found {', '.join(there)}")
    return there[brand]


def _config(brand: Brand, file: Path | None) -> BrandConfig:
    if file is not None:
        config = read_brand(file)
        if config.brand != brand:
            raise ConfigurationError(f"{file}: brand: expected {brand}, found {config.brand}")
        return config
    found = finish(newest_configs(the_log())).get(brand)
    if found is None:
        raise ConfigurationError(
            f"{brand}: expected a configuration in the log, found none: `lockstep config apply` its file, or name it: "
            "--config"
        )
    return found


async def _audited(
    config: BrandConfig,
    connections: Connections,
    days: int,
    intake: str,
    accepted: frozenset[Code],
    progress: Progress,
    log: Log | None,
) -> Report:
    """Without a log nothing is known of figures that others wrote."""
    clock = SystemClock()
    async with opened(config, connections, clock) as systems:
        seen = await look(systems, config, clock, days, intake, progress)
    if log is not None:
        seen = replace(seen, overruled=await overruled(log, config, seen.at - timedelta(days=days)))
    return report_of(seen, accepted)


def print_report(report: Report) -> None:
    """For a terminal: every finding with its examples and what to do, the verdict last."""
    looked = ", ".join(f"{count} {name}" for name, count in report.sizes)
    out.print(f"{report.brand}, configuration version {report.version}: {looked or 'nothing seen'}.")
    for one in report.findings:
        colour, accepted = _COLOURS[one.severity], " (accepted)" if one.code in report.accepted else ""
        out.print(f"[{colour}]{one.severity}[/{colour}] [bold]{one.code}[/bold]: {one.count}{accepted}")
        out.print(f"  {one.entry.expected}", markup=False)
        for example in one.examples:
            out.print(f"    {example}", markup=False)
        if more_of(one):
            out.print(f"    and {more_of(one)} more")
        out.print(f"  {one.entry.do}", markup=False)
    for unseen in report.unseen:
        out.print(f"not looked at: {unseen.what}: {unseen.why}", style="yellow", markup=False)
    colour = "green" if report.verdict is Verdict.CLEAN else "red"
    out.print(f"[{colour}]{report.said}[/{colour}] {report.counted}.")
