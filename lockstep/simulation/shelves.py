"""How much stock a history begins with, how it is kept in step, and how many come for it."""

from pydantic import Field

from schemas.base import Frozen
from schemas.stock_rules import Column, StockRules

HOT = {"acme": ("MUG-BLUE", "0042-A"), "brio": ("TRACK-0100", "#0077")}
"""What is wanted most, of each shop's; the first of brio's is a component of a bundle as well."""


class Shelves(Frozen):
    """`units` lie of each thing in each warehouse, `hot` of what is wanted most. `off_by`: so many more, or fewer,
    Shopify offers of the latter when the history begins. `buyers` come for it within `window` seconds.
    """

    units: int = Field(default=8, ge=0)
    hot: int = Field(default=3, ge=0)
    off_by: int = 0
    buyers: int = 0
    window: float = 15.0
    gross_of: tuple[Column, ...] = ()
    """What Clarus' `available` is shown gross of."""
    brands: tuple[str, ...] = ("acme", "brio")
    """Whose stock is counted."""
    buffer: int = 0
    quiet_for: int = 2
    max_wait: int = 10

    def rules(self) -> StockRules:
        taken_out: tuple[Column, ...] = ("allocated", "picked")
        return StockRules(
            mode="write",
            taken_out=tuple(column for column in taken_out if column not in self.gross_of),
            buffer=self.buffer,
            quiet_for=self.quiet_for,
            max_wait=self.max_wait,
            ask_again=20,
        )
