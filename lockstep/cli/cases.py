"""`case`: what a person must look at."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from lockstep.case_page import page
from lockstep.cli.common import act, finish, out, read_key, the_log
from lockstep.reading import newest_cases
from schemas.base import order_key
from schemas.cases import CATALOGUE, Case

cases = typer.Typer(no_args_is_help=True, help="Cases: what a person must look at, who owns it and what to do first.")
Order = Annotated[str, typer.Argument(help="brand/order id, for example acme/6120034455667")]


@cases.command("list")
def list_(
    brand: Annotated[str, typer.Option(help="only this brand")] = "",
    owner: Annotated[
        str, typer.Option(help="only this owner: operations, customer service, finance, engineering")
    ] = "",
    closed: Annotated[bool, typer.Option("--closed", help="closed ones too")] = False,
) -> None:
    """List open cases, the one due first on top."""
    found = [
        case
        for case in finish(newest_cases(the_log()))
        if (closed or case.open) and brand in ("", case.brand) and owner in ("", case.owner)
    ]
    if not found:
        out.print("No open cases.")
        return
    table = Table("case", "order", "about", "says", "owner", "due (UTC)", box=None)
    for case in found:
        colour = "red" if case.open else "green"
        key = order_key(case.brand, case.order)
        due = f"{case.due_at:%m-%d %H:%M}" if case.open else "closed"
        table.add_row(f"[{colour}]{case.code}[/{colour}]", key, case.object, case.detail, case.owner, due)
    out.print(table)


@cases.command("show")
def show(order: Order) -> None:
    """Show an order's cases: what each means, what to do first and what will close it."""
    key = read_key(order)
    found = [case for case in finish(newest_cases(the_log())) if order_key(case.brand, case.order) == key]
    if not found:
        out.print(f"{key}: no case.")
    for case in found:
        _print(case)


def _print(case: Case) -> None:
    entry = CATALOGUE[case.code]
    state = "open" if case.open else f"closed {case.closed_at:%Y-%m-%d %H:%M} UTC"
    out.print(f"[bold]{case.code}[/bold] {case.object}, {state}: {case.detail}")
    out.print(f"  {entry.meaning}")
    out.print(f"  First: {entry.first_action}")
    out.print(f"  Closes when: {entry.closes_when}")
    out.print(f"  Owner {case.owner}, {case.severity}, due {case.due_at:%Y-%m-%d %H:%M} UTC")


@cases.command()
def retry(order: Order, why: Annotated[str, typer.Option(help="kept with the action")] = "") -> None:
    """Send again now what was refused or delayed for this order."""
    key = read_key(order)
    finish(act(key, "retry", why=why))
    out.print(f"{key}: what was refused is tried again now.")


@cases.command()
def close(order: Order, code: str, why: Annotated[str, typer.Option(help="kept with the action")]) -> None:
    """Close a case that only a person can close; it opens again when its facts change."""
    key = read_key(order)
    finish(act(key, "close", target=code, why=why))
    out.print(f"{key}: case {code} is closed.")


@cases.command("release-again")
def release_again(
    order: Order,
    goods_out: Annotated[str, typer.Argument(help="reference of the goods-out whose units shall go again")],
    why: Annotated[str, typer.Option(help="kept with the action")],
) -> None:
    """Release the units of a missing or short-closed goods-out again. The warehouse gets a new goods-out."""
    key = read_key(order)
    finish(act(key, "release_again", target=goods_out, why=why))
    out.print(f"{key}: what {goods_out} still covers may be released again.")


@cases.command("page")
def page_(path: Annotated[Path, typer.Argument(help="where to write it")] = Path("docs/operate/cases.md")) -> None:
    """Write the page of the documentation that explains every case."""
    path.write_text(page())
    out.print(f"{path} written.")
