"""`config preview` and `case held`: what the orders' table says of held orders, as it is and as it would be."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from kernel.log import Log
from lockstep.awaited import HOLD
from lockstep.brand_files import read_brand
from lockstep.case_words import moment
from lockstep.cli.acting import configured
from lockstep.cli.common import finish, now, out, print_table, the_log
from lockstep.preview import Foreseen, Foresight
from lockstep.publishing import following
from lockstep.reading import newest_configs
from lockstep.replay.table import read_table
from schemas.base import Brand, order_key
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.events import CONFIG_ID
from schemas.topics import ORDERS_STATE
from streams.engine.prefix import unpack
from streams.rules.orders.findings import Waiting
from streams.rules.orders.plan import asked
from streams.rules.orders.state import OrderState


async def states(log: Log) -> AsyncIterator[OrderState]:
    """Every order of the table, one at a time."""
    for number in range(await log.partitions(ORDERS_STATE.name)):
        table = await read_table(log, number)
        for key, value in sorted(table.newest.items()):
            if not key.endswith(f"/{CONFIG_ID}".encode()):
                yield OrderState.model_validate_json(unpack(value)[1])


def preview(
    file: Annotated[Path, typer.Argument(help="TOML file of one brand")],
    show: Annotated[int, typer.Option("--list", min=0, help="orders to name of each kind; 0: all")] = 20,
) -> None:
    """Tell what a changed file would do to the orders there are: released, held, sent otherwise, left alone. Changes
    nothing.

    Reads the orders' table. What is in the warehouse already stays as it was released.
    """
    config = read_brand(file)
    log = the_log()

    async def foreseen() -> Foresight:
        before = (await newest_configs(log)).get(config.brand)
        found = Foresight(before, following(config, before), at)
        async for state in states(log):
            found.look_at(state)
        return found

    at = now()
    with out.status("reading the orders' table …"):
        found = finish(foreseen())
    known = "not configured yet" if found.before is None else f"version {found.before.version}"
    out.print(f"{file} beside brand {config.brand}, {known}: {found.looked_at} orders looked at.")
    _tell("would be released", found.released, show)
    _tell("would be held", found.held, show)
    _tell("would be sent or held otherwise", found.otherwise, show)
    _tell("would be left alone", found.alone, show)
    for said in found.collide:
        out.print(f"  [red]two SKUs, one product[/red]: {escape(said)}")
    if found.stay:
        out.print("stay held: " + ", ".join(f"{code} {count}" for code, count in sorted(found.stay.items())))
    if found.nothing:
        out.print("Nothing would change for them.")
    if found.after.mode == "observe":
        out.print("The file's mode is observe: nothing would be written.")
    if found.after.paused:
        out.print(f"The brand is paused for {', '.join(found.after.paused)}, and would stay so.")


def _tell(what: str, orders: list[Foreseen], most: int) -> None:
    if orders:
        out.print(f"[bold]{len(orders)} {what}[/bold]")
    for one in orders[: most or None]:
        out.print(f"  {one}", markup=False)
    if most and len(orders) > most:
        out.print(f"  and {len(orders) - most} more; --list 0 names all")


def held(
    brand: Annotated[str, typer.Option(help="only this brand")] = "",
    code: Annotated[CaseCode | None, typer.Option(help="only this reason", metavar="CODE", show_choices=False)] = None,
) -> None:
    """List every order that is held, with all its reasons, the longest held on top. Reads the orders' table."""
    if brand:
        configured(brand)
    log = the_log()

    async def found() -> list[tuple[OrderState, list[Waiting]]]:
        configs = await newest_configs(log)
        return [
            (state, holds)
            async for state in states(log)
            if brand in ("", state.brand) and (holds := _holds(state, configs.get(state.brand)))
        ]

    with out.status("reading the orders' table …"):
        listed = [one for one in finish(found()) if code is None or any(hold.code is code for hold in one[1])]
    if not listed:
        out.print("No order is held.")
        return
    table = Table(Column("order", no_wrap=True), Column("held since", no_wrap=True), "by", box=None)
    for since, state, holds in sorted(((_since(*one), *one) for one in listed), key=lambda row: row[0]):
        reasons = "; ".join(f"{hold.code}, {hold.detail}" for hold in holds)
        table.add_row(order_key(Brand(state.brand), state.order), since, escape(reasons))
    print_table(table, exact=2)


def _holds(state: OrderState, config: BrandConfig | None) -> list[Waiting]:
    if config is None or not any(one.name.startswith(f"{HOLD}:") for one in state.since):
        return []
    waits = (one for one in asked(state, config) if isinstance(one, Waiting))
    return [one for one in waits if one.name.startswith(f"{HOLD}:")]


def _since(state: OrderState, holds: list[Waiting]) -> str:
    return moment(min(state.since_of(hold.name) or state.now for hold in holds))
