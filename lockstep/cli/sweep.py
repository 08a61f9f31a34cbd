"""`sweep`: the three systems side by side, now; and what the newest sweep found."""

from typing import Annotated

import typer
from rich.table import Column, Table

from lockstep.cli.acting import Why, configured, who_asks
from lockstep.cli.common import finish, now, out, the_log
from lockstep.sweeps import IN_WORDS, Result, ask, result
from schemas.base import Brand
from schemas.sweep import AGREES


def sweep(
    brand: Annotated[str, typer.Argument(help="the brand, for example acme")],
    show: Annotated[bool, typer.Option("--show", help="ask for nothing; tell what the newest sweep found")] = False,
    why: Why = "",
) -> None:
    """Read every open and lately closed order from all three systems and compare them; or tell what was found.

    Changes nothing outside. The nightly sweep does the same at its hour. With --show it reads the orders' table once.
    """
    configured(brand)
    if not show:
        finish(ask(the_log(), Brand(brand), who_asks(), why, now()))
        out.print(f"{brand} is swept: the running connectors list and read it, behind what orders need.")
        out.print(f"Next: lockstep sweep {brand} --show")
        return
    with out.status(f"reading the orders of {brand} …"):
        found = finish(result(the_log(), Brand(brand)))
    _print(found)


def _print(found: Result) -> None:
    for system, one in found.systems.items():
        ended = "none yet" if one.ended is None else f"{one.newest:%Y-%m-%d %H:%M} UTC, {one.orders} orders named"
        running = "" if one.wanted is None else f"; that of {one.wanted:%Y-%m-%d %H:%M} UTC is under way"
        out.print(f"{system}: newest sweep {ended}{running}", markup=False)
    if found.newest is None:
        out.print("No order has been compared yet.")
        return
    still = f", {found.awaited} still awaited" if found.awaited else ""
    out.print(f"[bold]{found.compared}[/bold] orders compared in the sweep of {found.newest:%Y-%m-%d %H:%M} UTC{still}")
    table = Table("orders", "cause", "that is", Column("for example", no_wrap=True), box=None)
    for cause, count in sorted(found.causes.items(), key=lambda one: (one[0] != AGREES, -one[1], one[0])):
        table.add_row(str(count), cause, IN_WORDS[cause], "\n".join(found.examples.get(cause, ())))
    out.print(table)
    for case in found.strays:
        out.print(f"  case {case.code}: {case.object}, {case.detail}", markup=False)
    more = sum(one.more for one in found.systems.values())
    if more:
        out.print(f"  and {more} more that belong to no order")
