"""The sandbox ERP's sales order in our terms. Pure."""

from datetime import datetime
from typing import Any

import orjson

from connectors.erp.coverage import goods_out_of
from schemas.base import ErpOrderId, LineId, Sku, Units
from schemas.erp import ErpFulfilment, ErpLine, ErpOrder, ErpOrderState, FulfilmentState
from schemas.errors import Unreadable
from schemas.items import ErpItem, ErpItemId, Measures


def translate(body: bytes) -> ErpOrder:
    """The body of `GET /api/sales_orders/{key}`.

    Fulfilments whose key is not one of ours, and lines wanted no more, are left out. Raises Unreadable.
    """
    try:
        order = orjson.loads(body)
        return ErpOrder(
            id=ErpOrderId(order["key"]),
            number=order["number"],
            state=_state(order["state"]),
            lines=tuple(
                ErpLine(line=LineId(line["line"]), sku=Sku(line["sku"]), quantity=line["quantity"])
                for line in order["lines"]
                if line["quantity"]
            ),
            fulfilments=tuple(_fulfilments(order["fulfilments"])),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("sandbox ERP", "a sales order", f"{type(error).__name__}: {error}") from error


def _fulfilments(entries: list[dict[str, Any]]) -> list[ErpFulfilment]:
    found = []
    for entry in entries:
        goods_out = goods_out_of(entry["key"])
        if goods_out is None:
            continue
        found.append(
            ErpFulfilment(
                key=entry["key"],
                goods_out=goods_out,
                state=FulfilmentState(entry["state"]),
                posted_at=datetime.fromisoformat(entry["posted_at"]) if entry["posted_at"] else None,
                lines=tuple(Units(line=LineId(line["line"]), quantity=line["quantity"]) for line in entry["lines"]),
            )
        )
    return found


def _state(text: str) -> ErpOrderState:
    return ErpOrderState(text) if text in {"draft", "committed", "done"} else ErpOrderState.OTHER


def translate_items(body: bytes) -> tuple[ErpItem, ...]:
    """`{"items": [...]}` as `GET /api/items` shows them. Raises Unreadable."""
    try:
        return tuple(_item(one) for one in orjson.loads(body)["items"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable("sandbox ERP", "items", f"{type(error).__name__}: {error}") from error


def _item(entry: dict[str, Any]) -> ErpItem:
    return ErpItem(
        id=ErpItemId(str(entry["id"])),
        code=Sku(entry["sku"]),
        description=entry["description"],
        barcode=entry["barcode"],
        active=entry["active"],
        measures=Measures(weight=entry["weight"], length=entry["length"], width=entry["width"], height=entry["height"]),
    )
