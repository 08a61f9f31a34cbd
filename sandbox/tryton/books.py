"""What stands in Tryton, read over its own REST interface, for whoever judges a run."""

from datetime import datetime
from typing import Any

from sandbox.tryton.rest import TrytonRest, moment

SALE_FIELDS = [
    "number",
    "state",
    "web_id",
    "web_shop.name",
    "lines.note",
    "lines.quantity",
    "lines.product.code",
    "shipments.reference",
    "shipments.state",
    "shipments.create_date",
    "shipments.write_date",
    "shipments.outgoing_moves.origin",
    "shipments.outgoing_moves.quantity",
]

STATES = {"draft": "draft", "quotation": "draft", "confirmed": "draft", "processing": "committed", "done": "done"}
"""Tryton's state of a sale in the words of the books; others stay as they are."""


SUPPLEMENT = "~"
"""`5012~2` is the web id of a second sale that holds lines order 5012 got once its first sale was committed."""


async def read_books(rest: TrytonRest, order: str | None = None) -> dict[str, Any]:
    """All web orders, or the one, and the shipments that bear a key: the same shape as the sandbox ERP's books.

    `committed_at` is when the order's first shipment arose, which Tryton does when it starts processing the order;
    `posted_at` is the last write of a shipment that is done. Tryton keeps neither moment under a name of its own.
    A sale line names its order line in its note; a shipment its key in its reference. Supplements count to their order.
    """
    which: list[Any] = [["web_shop", "!=", None]]
    if order is not None:
        which.append(["OR", ["web_id", "=", order], ["web_id", "like", f"{order}{SUPPLEMENT}%"]])
    sales = await rest.search("sale.sale", which, SALE_FIELDS)
    orders: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for sale in sales:
        orders.setdefault((sale["web_shop"]["name"], _order(sale)), []).append(sale)
    return {
        "sales_orders": [_sales_order(shop, order, parts) for (shop, order), parts in orders.items()],
        "fulfilments": [
            _fulfilment(sale, shipment)
            for sale in sales
            for shipment in sorted(sale["shipments"], key=lambda shipment: int(shipment["id"]))
            if shipment["reference"] and shipment["state"] != "cancelled"
        ],
    }


def _order(sale: dict[str, Any]) -> str:
    return str(sale["web_id"]).partition(SUPPLEMENT)[0]


def _sales_order(shop: str, order: str, sales: list[dict[str, Any]]) -> dict[str, Any]:
    arisen = [moment(shipment["create_date"]) for sale in sales for shipment in sale["shipments"]]
    states = [STATES.get(sale["state"], sale["state"]) for sale in sales]
    return {
        "shop": shop,
        "key": order,
        "number": sales[0]["number"] or "",
        "state": next((state for state in ("draft", "committed") if state in states), states[0]),
        "committed_at": _stamp(min((at for at in arisen if at is not None), default=None)),
        "lines": [
            {"line": line["note"], "sku": line["product"]["code"], "quantity": int(line["quantity"])}
            for sale in sales
            for line in sale["lines"]
            if line["product"]
        ],
    }


def _fulfilment(sale: dict[str, Any], shipment: dict[str, Any]) -> dict[str, Any]:
    lines = {f"sale.line,{line['id']}": line["note"] for line in sale["lines"]}
    posted = shipment["state"] == "done"
    return {
        "shop": sale["web_shop"]["name"],
        "key": shipment["reference"],
        "order": _order(sale),
        "state": "posted" if posted else "open",
        "posted_at": _stamp(moment(shipment["write_date"])) if posted else None,
        "lines": [
            {"line": lines[move["origin"]], "quantity": int(move["quantity"])}
            for move in shipment["outgoing_moves"]
            if move["quantity"] and move["origin"] in lines
        ],
    }


def _stamp(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="microseconds").replace("+00:00", "Z")
