"""The shop's own books: what was ordered, what is owed, what the shopper was told. Reports are made from them alone."""

from datetime import datetime
from typing import Any

from sandbox.shopify.records import Fulfillment, Line, Order


class Books:
    """Append and update only; nothing is ever taken out. Of an order `lines` are what the warehouse is to send,
    `fetched` what the shopper collects.
    """

    def __init__(self, shop: str) -> None:
        self._shop = shop
        self._orders: dict[int, dict[str, Any]] = {}
        self._fulfillments: dict[int, dict[str, Any]] = {}

    def placed(self, order: Order, at: datetime) -> None:
        self._orders[order.id] = {
            "shop": self._shop, "id": str(order.id), "name": order.name, "placed_at": at.isoformat(),
            "planted": order.planted, "note": order.note, "attributes": dict(order.attributes),
            "webhooks": {"sent": 0, "lost": 0, "doubled": 0},
        }  # fmt: skip
        self.changed(order)

    def changed(self, order: Order) -> None:
        """What is owed follows the order: only a complete one that nobody planted or cancelled is."""
        self._orders[order.id] |= {
            "fixed_at": (order.fixed_at or order.created_at).isoformat(),
            "complete_at": order.complete_at.isoformat() if order.complete_at else None,
            "cancelled": order.cancelled_at is not None,
            "owed": order.complete_at is not None and order.cancelled_at is None and not order.planted,
            "lines": [_line(line) for line in order.lines if line.requires_shipping and not line.pick_up],
            "fetched": [_line(line) for line in order.lines if line.pick_up],
            "shipping": order.shipping_code,
            "chosen_before": [{"until": until.isoformat(), "code": code} for until, code in order.chosen_before],
        }

    def webhook(self, order: Order, what: str) -> None:
        """`what` is sent, lost or doubled."""
        self._orders[order.id]["webhooks"][what] += 1

    def fulfilled(self, order: Order, made: Fulfillment, at: datetime) -> None:
        self._fulfillments[made.id] = {
            "shop": self._shop, "id": str(made.id), "order": str(order.id), "at": at.isoformat(),
            "lines": [{"line": str(line.id), "quantity": quantity} for line, quantity in made.units],
            "posted_at_arrival": None,
        }  # fmt: skip
        self.tracked(order, made)

    def tracked(self, _order: Order, made: Fulfillment) -> None:
        entry = self._fulfillments.get(made.id)
        if entry is not None:
            entry |= {
                "tracking": list(made.numbers), "cancelled": made.status == "CANCELLED", "mails": made.notified,
            }  # fmt: skip

    def posted_at_arrival(self, fulfillment: int, posted: list[dict[str, Any]]) -> None:
        """What the ERP's book showed as posted for the order when this fulfilment arrived."""
        self._fulfillments[fulfillment]["posted_at_arrival"] = posted

    def dump(self) -> dict[str, Any]:
        return {"orders": list(self._orders.values()), "fulfillments": list(self._fulfillments.values())}


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": str(line.id), "sku": line.sku, "quantity": line.current_quantity, "price": line.price, "kit": line.kit,
    }  # fmt: skip
