"""`simulate`: histories of faults in virtual time, judged from the books."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from lockstep.cli.common import out
from lockstep.simulation.history import draw
from lockstep.simulation.many import Sum, play_many
from lockstep.simulation.run import Played

ENOUGH = 300
"""From so many histories on, a kind of fault that never struck fails the run."""


def simulate(
    histories: Annotated[int, typer.Option(min=1, help="how many histories to play")] = 100,
    seed: Annotated[int, typer.Option(help="the first one's seed; the next ones follow")] = 0,
    events: Annotated[int, typer.Option(min=40, help="about how many order events a history has")] = 200,
    report: Annotated[Path | None, typer.Option(help="write the sums there, as JSON")] = None,
) -> None:
    """Play the whole flow in virtual time, with faults everywhere, and judge it from the outside systems' books.

    The rules, agents and connectors are the real ones; log, clock and network are played. A seed decides everything:
    who orders, what gets lost, doubled, late or refused, who is killed, frozen or overtaken, and when. Exit code 0 only
    when no history violates what Lockstep promises. To look at one again: --seed SEED --histories 1.
    """
    if histories == 1:
        for mishap in draw(seed, events).mishaps:
            out.print(str(mishap), markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out) as progress:
        bar = progress.add_task("histories", total=histories)

        def told(played: Played) -> None:
            progress.advance(bar)
            for violation in played.violations:
                progress.console.print(f"seed {played.seed}: {violation}", style="red", markup=False)

        total = play_many(range(seed, seed + histories), events, told)
    never = total.never() if histories >= ENOUGH else ()
    _print(total, never)
    if report is not None:
        report.write_text(json.dumps(_report(total), indent=1) + "\n")
    raise typer.Exit(1 if total.failed or never else 0)


def _print(total: Sum, never: tuple[str, ...]) -> None:
    out.print(
        f"{total.histories} histories, {total.events} order events, {total.faults} faults: "
        f"{len(total.failed)} with violations, {total.doubled_found} doubles found by looking "
        "(a connector that stood still between its last look and its write cannot be fenced)."
    )
    for what in never:
        out.print(f"never happened, and should have: {what}", style="red")
    for seed in sorted(total.failed):
        out.print(f"again: lockstep simulate --seed {seed} --histories 1", markup=False)


def _report(total: Sum) -> dict[str, object]:
    return {
        "histories": total.histories,
        "events": total.events,
        "faults": total.faults,
        "doubled_found": total.doubled_found,
        "violations": {str(seed): list(said) for seed, said in sorted(total.failed.items())},
        "struck": dict(sorted(total.struck.items())),
    }
