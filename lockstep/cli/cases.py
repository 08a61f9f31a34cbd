"""`case`: what a person must look at."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from lockstep import daily_page
from lockstep.case_page import page
from lockstep.case_words import explained, is_overdue
from lockstep.cli.acting import Order, configured, find_key, who_asks
from lockstep.cli.case_actions import answer, assign, close, override, release, release_again, retry
from lockstep.cli.common import finish, now, out, print_table, the_log
from lockstep.cli.preview import held
from lockstep.digest import digest, theirs
from lockstep.reading import newest_cases
from schemas.base import Brand, order_key, split_key
from schemas.cases import Case, CaseCode, Owner

cases = typer.Typer(no_args_is_help=True, help="Cases: what a person must look at, who owns it and what to do first.")
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for other programs")]


@cases.command("list")
def list_(
    brand: Annotated[str, typer.Option(help="only this brand")] = "",
    owner: Annotated[Owner | None, typer.Option(help="only this owner's, and what went up to it")] = None,
    code: Annotated[CaseCode | None, typer.Option(help="only this code", metavar="CODE", show_choices=False)] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="only those past their due time")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="only those I have taken; see LOCKSTEP_OPERATOR")] = False,
    closed: Annotated[bool, typer.Option("--closed", help="closed ones too")] = False,
    as_json: AsJson = False,
) -> None:
    """List open cases, the one due first on top."""
    at, me = now(), who_asks() if mine else ""
    if brand:
        configured(brand)
    found = [
        case
        for case in finish(newest_cases(the_log()))
        if (closed or case.open)
        and brand in ("", case.brand)
        and owner in (None, case.owner, case.escalated_to)
        and code in (None, case.code)
        and (not overdue or is_overdue(case, at))
        and (not mine or case.assignee == me)
    ]
    if as_json:
        typer.echo(_json(found))
    elif not found:
        out.print("No open cases.")
    else:
        print_table(_table(found), exact=3)


def _table(found: list[Case]) -> Table:
    at = now()
    whole = (Column(name, no_wrap=True) for name in ("case", "order", "about", "owner", "due (UTC)", "taken by"))
    code, order, about, *others = whole
    table = Table(code, order, about, "says", *others, box=None)
    for case in found:
        colour = "red" if case.open else "green"
        due = f"{case.due_at:%m-%d %H:%M}" if case.open else "closed"
        if is_overdue(case, at):
            due = f"[bold red]{due}[/bold red]"
        owner = case.owner if case.escalated_to is None else f"{case.owner}, {case.escalated_to}"
        key = order_key(case.brand, case.order)
        said = (key, case.object, case.detail, owner)
        table.add_row(f"[{colour}]{case.code}[/{colour}]", *map(escape, said), due, case.assignee)
    return table


def _json(found: list[Case]) -> str:
    at = now()
    return json.dumps([{**case.model_dump(mode="json"), "overdue": is_overdue(case, at)} for case in found], indent=1)


@cases.command("show")
def show(order: Order, as_json: AsJson = False) -> None:
    """Show an order's cases: what each means, what to do first, what to type and what will close it."""
    key = find_key(order)
    found = [case for case in finish(newest_cases(the_log())) if order_key(case.brand, case.order) == key]
    if not found:
        configured(split_key(key)[0])
    if as_json:
        typer.echo(_json(found))
        return
    if not found:
        out.print(f"{key}: no case.")
    for case in found:
        for line in explained(case, now()):
            out.print(line, markup=False)


@cases.command("digest")
def digest_(
    owner: Annotated[Owner | None, typer.Option(help="only this owner's; everybody's when left out")] = None,
    brand: Annotated[str, typer.Option(help="only this brand's")] = "",
) -> None:
    """Print the daily digest, in Markdown: what waits for whom, the most pressing first, and what to do first."""
    if brand:
        configured(brand)
    found, at = finish(newest_cases(the_log())), now()
    brands = [Brand(brand)] if brand else sorted({case.brand for case in found})
    owners = tuple(Owner) if owner is None else (owner,)
    wanted = [(one, whose) for one in brands for whose in owners if owner is not None or theirs(found, one, whose)]
    said = "\n\n".join(digest(found, one, whose, at) for one, whose in wanted) or "No open cases."
    out.print(said, markup=False, soft_wrap=True)


cases.command()(assign)
cases.command()(answer)
cases.command()(retry)
cases.command()(override)
cases.command()(release)
cases.command()(close)
cases.command("release-again")(release_again)
cases.command()(held)


@cases.command("page")
def page_(path: Annotated[Path, typer.Argument(help="where to write it")] = Path("docs/operate/cases.md")) -> None:
    """Write the page of the documentation that explains every case."""
    path.write_text(page())
    out.print(f"{path} written.")


@cases.command()
def checks(
    path: Annotated[Path, typer.Argument(help="where to write it")] = Path("docs/operate/daily-checks.md"),
) -> None:
    """Write the page of the documentation for the daily checks."""
    path.write_text(daily_page.page())
    out.print(f"{path} written.")
