"""`simulate`: histories of faults in virtual time, judged from the books."""

import json
import logging
from itertools import count
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kernel.logs import configure
from lockstep.cli.common import out, say_wrong
from lockstep.cli.destinations import file_to_write, folder_to_write
from lockstep.mistakes import mistakes
from lockstep.simulation.history import History, draw
from lockstep.simulation.many import Sum, play_many, played, smallest
from lockstep.simulation.play import Result

ENOUGH = 1000
"""From so many histories on, a kind of fault that never struck fails the run."""
TOLD_EVERY = 100
"""Histories, where no bar can be drawn."""


def simulate(
    histories: Annotated[int, typer.Option(min=1, help="how many histories to play")] = 100,
    seed: Annotated[int, typer.Option(help="the first one's seed; the next ones follow")] = 0,
    events: Annotated[int, typer.Option(min=40, help="about how many events a history has, at least")] = 200,
    report: Annotated[Path | None, typer.Option(callback=file_to_write, help="write the sums there, as JSON")] = None,
    replay: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="play the one history in this file, and tell it")
    ] = None,
    keep: Annotated[
        Path,
        typer.Option(callback=folder_to_write, help="folder for histories that fail, made as small as they go"),
    ] = Path(),
) -> None:
    """Play the whole flow in virtual time, with faults everywhere, and judge it from the outside systems' books.

    The rules, agents and connectors are the real ones; only log, clock and network are played. A seed decides
    everything: who orders, what gets lost, doubled, late or refused, which process is killed, frozen or overtaken and
    at which point, what the shop's staff and the warehouse do. A history that fails is made small and written to a
    file; `lockstep simulate --replay FILE` plays it again, the same to the last byte.

    Exit code 0 only when nothing is violated, and, in a run of 1000 or more, every kind of fault has struck. What is
    reported apart: an effect done twice because a process stood still between its last check and the write, in a system
    that cannot recognise a repeated request. Nothing can fence that.
    """
    if replay is not None:
        raise typer.Exit(_again(replay))
    total = _many(histories, seed, events)
    for failed in sorted(total.failed)[:5]:
        _kept(draw(failed, events), keep / f"failing-{failed}.json")
    never = total.never() if histories >= ENOUGH else ()
    _print(total, never)
    if report is not None:
        report.write_text(json.dumps(_report(total, never), indent=1) + "\n")
    raise typer.Exit(1 if total.failed or never else 0)


def _many(histories: int, seed: int, events: int) -> Sum:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as progress:
        bar = progress.add_task("histories", total=histories)
        number = count(1)

        def told(one: Result) -> None:
            progress.advance(bar)
            done = next(number)
            if not out.is_terminal and done % TOLD_EVERY == 0:
                out.print(f"{done} of {histories} histories")
            for violation in one.violations:
                progress.console.print(f"seed {one.seed}: {violation}", style="red", markup=False)

        return play_many(range(seed, seed + histories), events, told)


def _kept(history: History, file: Path) -> None:
    configure("simulate", logging.CRITICAL)
    out.print(f"making the history of seed {history.seed} small …")
    small = smallest(history, played(history))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(small.model_dump_json(indent=1, exclude_defaults=True) + "\n")
    out.print(f"again: lockstep simulate --replay {file}", markup=False)


def _again(file: Path) -> int:
    try:
        history = History.model_validate_json(file.read_bytes())
    except ValidationError as wrong:
        say_wrong("lockstep simulate", f"{file}: no history: {'; '.join(mistakes(wrong))}")
        return 2
    configure("simulate", logging.CRITICAL)
    out.print(f"{history.orders} orders, {history.rate} a second; faults by chance: {history.faults}", markup=False)
    for mishap in history.mishaps:
        out.print(str(mishap), markup=False)
    result = played(history)
    out.print(f"{result.events} events, {result.seconds:.0f} virtual seconds; struck: {result.struck}", markup=False)
    for doubled in result.doubled_found:
        out.print(f"done twice, and not to be fenced: {doubled}", markup=False)
    for violation in result.violations:
        out.print(violation, style="red", markup=False)
    out.print("violated" if result.violations else "holds")
    return 1 if result.violations else 0


def _print(total: Sum, never: tuple[str, ...]) -> None:
    out.print(
        f"{total.histories} histories, {total.events} events (at least {total.least_events} each), "
        f"{total.faults} faults (at least {total.least_faults} each): {len(total.failed)} with violations"
    )
    if total.doubled_found:
        out.print(f"{len(total.doubled_found)} effects done twice by a process that stood still before the write:")
        for doubled in total.doubled_found:
            out.print(f"  {doubled}", markup=False)
    for what in never:
        out.print(f"never struck, and should have: {what}", style="red", markup=False)


def _report(total: Sum, never: tuple[str, ...]) -> dict[str, object]:
    return {
        "histories": total.histories,
        "events": total.events,
        "least_events": total.least_events,
        "faults": total.faults,
        "least_faults": total.least_faults,
        "doubled_found": total.doubled_found,
        "violations": {str(seed): list(said) for seed, said in sorted(total.failed.items())},
        "struck": dict(sorted(total.struck.items())),
        "never_struck": list(never),
    }
