"""The shop's books of its stock: every sale, every refused one, every write of a figure and how it ended."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

By = Literal["app", "staff"]


@dataclass(frozen=True, slots=True)
class Wrote:
    """One element of a write: `was` is the quantity before it, `compare` what the writer believed (None: did not)."""

    item: int
    location: int
    sku: str | None
    was: int
    to: int
    compare: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """`result`: applied, replayed, or the code of the first refusal; only an applied one moved anything."""

    at: datetime
    by: By
    name: str
    items: tuple[Wrote, ...]
    result: str
    key: str | None = None
    reason: str = ""
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """Units of one item that one order took at one location. `line` is the order's line they are of."""

    at: datetime
    order: int
    line: int
    item: int
    location: int
    sku: str | None
    units: int
    policy: str
    """CONTINUE sells what is not there, and says so."""
    edited: bool = False
    """Staff added it to an order."""


@dataclass(frozen=True, slots=True)
class SoldOut:
    """A purchase that was refused whole: nothing was taken."""

    at: datetime
    sku: str
    units: int


class InventoryBooks:
    """Append only."""

    def __init__(self, shop: str) -> None:
        self._shop = shop
        self.writes: list[Write] = []
        self.sales: list[Sale] = []
        self.sold_out: list[SoldOut] = []
        self.webhooks = {"sent": 0, "lost": 0, "doubled": 0}

    def dump(self) -> dict[str, Any]:
        return {
            "writes": [self._write(one) for one in self.writes],
            "sales": [
                {
                    "shop": self._shop, "at": one.at.isoformat(), "order": str(one.order), "line": str(one.line),
                    "item": str(one.item), "location": str(one.location), "sku": one.sku, "units": one.units,
                    "policy": one.policy, "edited": one.edited,
                }
                for one in self.sales
            ],
            "sold_out": [
                {"shop": self._shop, "at": one.at.isoformat(), "sku": one.sku, "units": one.units}
                for one in self.sold_out
            ],
        }  # fmt: skip

    def _write(self, one: Write) -> dict[str, Any]:
        return {
            "shop": self._shop, "at": one.at.isoformat(), "by": one.by, "name": one.name, "key": one.key,
            "reason": one.reason, "reference": one.reference, "result": one.result, "items": _items(one.items),
        }  # fmt: skip


def _items(items: Iterable[Wrote]) -> list[dict[str, Any]]:
    return [
        {
            "item": str(one.item), "location": str(one.location), "sku": one.sku, "from": one.was, "to": one.to,
            "compare": one.compare,
        }
        for one in items
    ]  # fmt: skip
