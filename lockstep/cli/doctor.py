"""`doctor`: is the installation well?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from kernel.clock import SystemClock
from lockstep.cli.common import finish, out, settings
from lockstep.cli.destinations import file_to_write
from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Code, Severity
from lockstep.doctor.installation import Installation
from lockstep.doctor.judge import findings, well
from lockstep.doctor.look import look
from lockstep.doctor.page import page
from lockstep.kafka import kafka_log

_COLOURS = {Severity.STOPS_REBUILD: "red", Severity.RISKS_LOSS: "red", Severity.ADVICE: "yellow"}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="the findings as JSON, for machines")] = False,
    page_: Annotated[
        Path | None,
        typer.Option(
            "--page", callback=file_to_write, help="write the page of the documentation there, look at nothing"
        ),
    ] = None,
) -> None:
    """Check the running installation: topics, the log, groups, configuration, what waits. Reads only.

    Exit code 0: well, perhaps with advice. 1: something stops a rebuild or risks loss. 2: it cannot look.
    """
    if page_ is not None:
        page_.write_text(page())
        out.print(f"{page_} written.", markup=False)
        return
    chosen = settings()
    log = kafka_log(chosen, "lockstep-doctor")
    with out.status("looking …") as status:
        there = finish(look(log, chosen, SystemClock().now(), lambda what: status.update(f"looking at {what} …")))
    found = findings(there)
    if as_json:
        out.print_json(data=as_data(there, found))
    else:
        _print(there, found)
    if not well(found):
        raise typer.Exit(1)


def as_data(there: Installation, found: Sequence[Finding]) -> dict[str, object]:
    """For machines; the keys are part of the contract."""
    return {
        "well": well(found),
        "at": there.at.isoformat(),
        "cluster": there.cluster,
        "findings": [
            {
                "code": one.code,
                "severity": one.severity,
                "where": one.where,
                "expected": one.expected,
                "found": one.found,
                "do": one.do,
            }
            for one in found
        ],
    }


def _print(there: Installation, found: Sequence[Finding]) -> None:
    states = sum(table.states for table in there.table.values())
    events = sum(span.end - span.begin for where, span in there.spans.items() if where.topic == "orders.events")
    out.print(
        f"Cluster {there.cluster}: {len(there.topics)} topics, {events} events, {states} states, "
        f"{len(there.configs)} brands configured, {there.open_cases} open cases."
    )
    alike: dict[tuple[Code, str, str], list[Finding]] = {}
    for one in found:
        alike.setdefault((one.code, one.expected, one.found), []).append(one)
    for (code, expected, was), findings_alike in alike.items():
        severity = findings_alike[0].severity
        colour, where = _COLOURS[severity], ", ".join(one.where for one in findings_alike)
        out.print(f"[{colour}]{severity}[/{colour}] [bold]{code}[/bold] {where}")
        out.print(f"  expected {expected}; found {was}", markup=False)
    seen: dict[str, str] = {one.code: one.do for one in found}
    if seen:
        out.print("What to do:")
        for name, do in seen.items():
            out.print(f"  {name}: {do}", markup=False)
    bad = sum(one.severity is not Severity.ADVICE for one in found)
    out.print(f"[red]{bad} findings stop a rebuild or risk loss.[/red]" if bad else "[green]Well.[/green]", end="")
    out.print(f" {len(found) - bad} pieces of advice." if len(found) > bad else "")
