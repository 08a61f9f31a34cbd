"""`item`: what becomes of an item of the ERP in the warehouse."""

from typing import Annotated

import typer
from rich.markup import escape

from lockstep.cli.acting import configured
from lockstep.cli.common import finish, out, the_log
from lockstep.item_words import explained
from lockstep.reading import read_item
from schemas.base import Brand, Sku


def item(
    brand: Annotated[str, typer.Argument(help="the brand, for example acme")],
    code: Annotated[str, typer.Argument(help="the product code in Clarus, or the item's code in the ERP")],
) -> None:
    """Explain an item: the ERP's record, Clarus' product, what is sent or waited for, which orders wait for it.

    Reads the items table's changelog; changes nothing.
    """
    with out.status(f"reading item {escape(code)} of {brand} …"):
        config = configured(brand)
        found = finish(read_item(the_log(), Brand(brand), config.skus.code_of(Sku(code))))
    if found is None:
        said = f"{code}: not in the log of {brand}. Are items switched on, the role running, the code right?"
        out.print(said, markup=False)
        raise typer.Exit(1)
    out.print(f"[bold]{escape(found.code)}[/bold] as of {found.now:%Y-%m-%d %H:%M:%S} UTC")
    for line in explained(found, config):
        out.print(f"  {line}", markup=False)
