"""`stock`: why Shopify has the figure it has of an item."""

from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.acting import configured
from lockstep.cli.common import finish, out, the_log
from lockstep.reading import read_all_stock, read_stock
from lockstep.stock_words import differing, explained
from schemas.base import Brand, LocationId, Sku


def stock(
    brand: Annotated[str, typer.Argument(help="the brand, for example acme")],
    sku: Annotated[
        str, typer.Argument(help="the product code in Clarus, or the SKU in the shop; without: all that differ now")
    ] = "",
    location: Annotated[str, typer.Option(help="a Shopify location's number; without, all that are mapped")] = "",
) -> None:
    """Explain a stock figure: both readings, what is taken off, what was written when and why, what happens next.
    Without a SKU: every item whose figure differs now, since when and why, before it is put right.

    Reads the stock table's changelog; changes nothing.
    """
    with out.status(f"reading the stock of {brand} …"):
        config = configured(brand)
        if not sku:
            for line in differing(finish(read_all_stock(the_log(), Brand(brand))), config):
                out.print(line, markup=False, highlight=False)
            return
        code = config.skus.code_of(Sku(sku))
        places = [LocationId(location)] if location else [rule.location for rule in config.warehouses]
        found = finish(read_stock(the_log(), Brand(brand), code, places))
    if not found:
        out.print(
            f"{code}: not in the log of {brand} at {', '.join(places)}. Is stock switched on, and the code right?",
            markup=False,
        )
        raise typer.Exit(1)
    for state in found:
        out.print(f"[bold]{escape(state.code)}[/bold] at {state.location} as of {state.now:%Y-%m-%d %H:%M:%S} UTC")
        for line in explained(state, config):
            out.print(f"  {line}", markup=False)
