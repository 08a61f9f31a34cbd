"""Windows: times in which Shopify offered more than Clarus could ship by no fault of whoever keeps them in step.

One opens when the shop gives units back by itself, when staff raise a figure, when something falls in Clarus, or where
the figures differed from the start. It ends when they agree again, or with the first write that could know: one that
followed a reading of what had opened it by as long as a decision takes to arrive. What is still sold beyond because of
it after such a write, and before they agree, is told apart: that write was wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sandbox.stock.ledger import Spot

Cause = Literal[
    "at_start", "restock", "moved", "hand_edit", "adjusted", "held", "transferred", "wholesale", "warehouse"
]
EndedBy = Literal["agreed", "write"]


@dataclass(slots=True)
class Window:
    """`units`: how much more was offered because of it; so many units sold beyond are its doing and no more."""

    spot: Spot
    cause: Cause
    opened_at: datetime
    units: int
    order: int = 0
    """Whose units were given back, where it was an order's."""
    sold: int = 0
    first_write_at: datetime | None = None
    """The first applied write to the item after it, whether it could know or not."""
    ended_at: datetime | None = None
    ended_by: EndedBy | None = None
    agreed_at: datetime | None = None

    def end(self, at: datetime, by: EndedBy) -> None:
        self.ended_at, self.ended_by = at, by

    def dump(self) -> dict[str, Any]:
        return {
            "shop": self.spot.shop, "sku": self.spot.sku, "location": str(self.spot.location), "cause": self.cause,
            "order": str(self.order) if self.order else None, "units": self.units, "sold": self.sold,
            "opened_at": self.opened_at.isoformat(), "first_write_at": _stamp(self.first_write_at),
            "ended_at": _stamp(self.ended_at), "ended_by": self.ended_by, "agreed_at": _stamp(self.agreed_at),
        }  # fmt: skip


class Windows:
    """Of all spots, oldest first."""

    def __init__(self) -> None:
        self.all: list[Window] = []
        self._open: dict[Spot, list[Window]] = {}
        """Those since whose opening the figures have not agreed, ended or not."""

    def open(self, window: Window) -> None:
        self.all.append(window)
        self._open.setdefault(window.spot, []).append(window)

    def opened(self, spot: Spot) -> list[Window]:
        return [one for one in self._open.get(spot, ()) if one.ended_at is None]

    def agreed(self, spot: Spot, at: datetime) -> None:
        for window in self._open.pop(spot, []):
            window.agreed_at = at
            if window.ended_at is None:
                window.end(at, "agreed")

    def excuse(self, spot: Spot, units: int) -> Iterator[tuple[Window, int]]:
        """How many of these units sold beyond are the doing of which window: first of those that have not ended."""
        for window in sorted(self._open.get(spot, ()), key=lambda one: one.ended_at is not None):
            taken = min(units, window.units - window.sold)
            if taken > 0:
                window.sold += taken
                units -= taken
                yield window, taken


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
