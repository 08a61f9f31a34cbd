"""What stands in the sandbox ERP's books, and how it is written as JSON."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class OrderState(StrEnum):
    DRAFT = "draft"
    """Entered, not approved yet; nothing can be shipped against it."""
    COMMITTED = "committed"
    DONE = "done"
    """Everything ordered is posted."""


class FulfilmentState(StrEnum):
    OPEN = "open"
    """Entered, waiting for the posting run."""
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class SalesLine:
    """One line of a sales order. `unit_price` is a decimal as text."""

    line: str
    sku: str
    quantity: int
    unit_price: str


@dataclass(slots=True)
class Fulfilment:
    """Goods that left under one key. `content` never changes; only the posting run moves the state."""

    key: str
    number: str
    content: dict[str, int]
    entered_at: datetime
    state: FulfilmentState = FulfilmentState.OPEN
    posted_at: datetime | None = None


@dataclass(slots=True)
class SalesOrder:
    """`change` is the number of the order's newest change among all changes of the world; it only grows."""

    shop: str
    key: str
    number: str
    currency: str
    entered_at: datetime
    lines: dict[str, SalesLine]
    state: OrderState = OrderState.DRAFT
    committed_at: datetime | None = None
    changed_at: datetime | None = None
    change: int = 0
    fulfilments: dict[str, Fulfilment] = field(default_factory=dict)

    def shipped(self, line: str) -> int:
        """Units of the line in fulfilments, open or posted."""
        return sum(fulfilment.content.get(line, 0) for fulfilment in self.fulfilments.values())

    def wholly_posted(self) -> bool:
        """Whether every unit ordered, and at least one, is posted."""
        posted = [f for f in self.fulfilments.values() if f.state is FulfilmentState.POSTED]
        return bool(posted) and all(
            sum(f.content.get(line.line, 0) for f in posted) >= line.quantity for line in self.lines.values()
        )


def stamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC to the microsecond, ending in Z."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def order_json(order: SalesOrder) -> dict[str, Any]:
    """A sales order with its fulfilments, as the API answers it."""
    return {
        "key": order.key,
        "number": order.number,
        "state": order.state.value,
        "currency": order.currency,
        "change": order.change,
        "changed_at": stamp(order.changed_at),
        "committed_at": stamp(order.committed_at),
        "lines": [
            {"line": line.line, "sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
            for line in order.lines.values()
        ],
        "fulfilments": [fulfilment_json(fulfilment) for fulfilment in order.fulfilments.values()],
    }


def fulfilment_json(fulfilment: Fulfilment) -> dict[str, Any]:
    return {
        "key": fulfilment.key,
        "number": fulfilment.number,
        "state": fulfilment.state.value,
        "posted_at": stamp(fulfilment.posted_at),
        "lines": [{"line": line, "quantity": quantity} for line, quantity in fulfilment.content.items()],
    }


def books_json(orders: list[SalesOrder]) -> dict[str, Any]:
    """The books for whoever judges a run: the same shape as :func:`sandbox.tryton.books.read_books`."""
    return {
        "sales_orders": [
            {
                "shop": order.shop,
                "key": order.key,
                "number": order.number,
                "state": order.state.value,
                "committed_at": stamp(order.committed_at),
                "lines": [
                    {"line": line.line, "sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
                    for line in order.lines.values()
                ],
            }
            for order in orders
        ],
        "fulfilments": [
            {
                "shop": order.shop,
                "key": fulfilment.key,
                "order": order.key,
                "state": fulfilment.state.value,
                "posted_at": stamp(fulfilment.posted_at),
                "lines": [{"line": line, "quantity": quantity} for line, quantity in fulfilment.content.items()],
            }
            for order in orders
            for fulfilment in order.fulfilments.values()
        ],
    }
