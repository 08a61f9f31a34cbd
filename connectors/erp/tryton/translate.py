"""Tryton's sales and shipments of one order in our terms. Pure.

What Tryton has no field for stands where a person can see it: a sale line's note is Shopify's line id, a shipment's
reference is the key of the part of a goods-out it carries.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from connectors.erp.coverage import goods_out_of
from connectors.erp.tryton.client import as_moment
from schemas.base import ErpOrderId, LineId, Sku, Units
from schemas.erp import ErpFulfilment, ErpLine, ErpOrder, ErpOrderState, FulfilmentState
from schemas.errors import Unreadable
from schemas.items import ErpItem, ErpItemId

SALE_STATES = {
    "draft": ErpOrderState.DRAFT,
    "quotation": ErpOrderState.DRAFT,
    "confirmed": ErpOrderState.DRAFT,
    "processing": ErpOrderState.COMMITTED,
    "done": ErpOrderState.DONE,
    "cancelled": ErpOrderState.CANCELLED,
}
"""Only a sale in processing has shipments to post against (measured, series 8.0)."""

NOT_PICKED = frozenset({"draft", "waiting", "assigned"})
"""Until a shipment is picked its inventory moves say what will leave; then the outgoing ones follow them (measured)."""


def translate(body: bytes) -> ErpOrder:
    """`{"sales": [...]}`: the sales of one order, the first one first, in the fields of `read.SALE_FIELDS`.

    Lines of quantity 0 are wanted no more and left out, and so are shipments whose reference is not one of our keys.
    Posted means *done*: stock is relieved and the invoice made; *shipped* alone is open. Raises Unreadable.
    """
    try:
        return of_sales(orjson.loads(body)["sales"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise Unreadable("Tryton", "the sales of a web order", f"{type(error).__name__}: {error}") from error


def of_sales(sales: list[dict[str, Any]]) -> ErpOrder:
    """As `translate`, from records already decoded; raises what they lead to when they are not of that shape."""
    first = sales[0]
    return ErpOrder(
        id=ErpOrderId(str(first["id"])),
        number=first["number"] or "",
        state=_state([sale["state"] for sale in sales]),
        lines=tuple(
            ErpLine(line=LineId(line["note"]), sku=Sku(line["product"]["code"]), quantity=int(line["quantity"]))
            for sale in sales
            for line in sale["lines"]
            if line["note"] and line["quantity"]
        ),
        fulfilments=tuple(fulfilment for sale in sales for fulfilment in _fulfilments(sale)),
    )


def units_in(sale: dict[str, Any], shipment: dict[str, Any]) -> tuple[Units, ...]:
    """Units per order line this shipment carries or will carry."""
    line_of = {f"sale.line,{line['id']}": LineId(line["note"]) for line in sale["lines"] if line["note"]}
    outgoing = shipment["outgoing_moves"]
    moves = [(move["origin"], move["quantity"]) for move in outgoing]
    if shipment["state"] in NOT_PICKED and shipment["inventory_moves"]:
        origin_of = {f"stock.move,{move['id']}": move["origin"] for move in outgoing}
        moves = [(origin_of.get(move["origin"]), move["quantity"]) for move in shipment["inventory_moves"]]
    return tuple(
        Units(line=line_of[origin], quantity=int(quantity))
        for origin, quantity in moves
        if origin in line_of and quantity
    )


def is_unclaimed(shipment: dict[str, Any]) -> bool:
    """Whether it waits, whole, for a goods-out: nobody's reference is on it and nobody has begun to pick it."""
    return shipment["state"] in {"draft", "waiting"} and not shipment["reference"]


def _fulfilments(sale: dict[str, Any]) -> Iterator[ErpFulfilment]:
    for shipment in sorted(sale["shipments"], key=lambda shipment: int(shipment["id"])):
        goods_out = goods_out_of(shipment["reference"])
        if goods_out is None:
            continue
        state = _fulfilment_state(shipment["state"])
        yield ErpFulfilment(
            key=shipment["reference"],
            goods_out=goods_out,
            state=state,
            posted_at=as_moment(shipment["write_date"]) if state is FulfilmentState.POSTED else None,
            lines=units_in(sale, shipment),
        )


def _fulfilment_state(state: str) -> FulfilmentState:
    return {"done": FulfilmentState.POSTED, "cancelled": FulfilmentState.CANCELLED}.get(state, FulfilmentState.OPEN)


def _state(states: list[str]) -> ErpOrderState:
    """Of an order in several sales: a draft until all are committed, done when all are."""
    known = [SALE_STATES.get(state, ErpOrderState.OTHER) for state in states]
    for state in (ErpOrderState.OTHER, ErpOrderState.DRAFT, ErpOrderState.COMMITTED, ErpOrderState.DONE):
        if state in known:
            return state
    return ErpOrderState.CANCELLED


BARCODE = "ean"
"""The type of a product's identifiers that a scanner reads (read in the package trytond-product 8.0)."""


def translate_items(body: bytes) -> tuple[ErpItem, ...]:
    """`{"items": [...]}`: products in the fields of `items.ITEM_FIELDS`. Raises Unreadable.

    Without the module for measurements Tryton keeps neither weight nor size.
    """
    try:
        return tuple(_item(product) for product in orjson.loads(body)["items"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("Tryton", "products", f"{type(error).__name__}: {error}") from error


def _item(product: dict[str, Any]) -> ErpItem:
    barcodes = [one["code"] for one in product["identifiers"] if one["type"] == BARCODE]
    return ErpItem(
        id=ErpItemId(str(product["id"])),
        code=Sku(product["code"] or ""),
        description=product["template"]["name"],
        barcode=next(iter(barcodes), ""),
        more_barcodes=tuple(barcodes[1:]),
        active=product["active"],
    )
