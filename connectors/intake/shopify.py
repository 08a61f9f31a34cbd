"""Shopify's webhooks: whether one is genuine, and which order it is about. Pure.

Facts from Shopify's webhook guide: the HMAC covers the raw body only, so topic, shop and ids in headers are claims;
bodies have the REST shape, those of `fulfillment_orders/*` are thin and name no order.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.base import OrderId
from schemas.errors import Unreadable

ABOUT_ORDERS = frozenset(
    {
        "orders", "order_transactions", "refunds", "returns", "fulfillments", "fulfillment_events",
        "fulfillment_orders", "fulfillment_holds", "inventory_levels",
    }
)  # fmt: skip
"""What stands before the slash of a topic that bears on an order or on stock; others are answered and left alone."""

_FULFILMENT_ORDER_FIELDS = (
    "fulfillment_order", "moved_fulfillment_order", "submitted_fulfillment_order", "original_fulfillment_order",
)  # fmt: skip
"""Where the thin bodies name one; all that a body names belong to the same order."""


def genuine(secrets: Iterable[str], body: bytes, signature: str | None) -> bool:
    """Whether one of the secrets made this signature (base64 of HMAC-SHA256) over these very bytes.

    Compared in constant time, and against every secret. Anything that is no such text is just not genuine.
    """
    given = (signature or "").encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()), given)
        for secret in secrets
    ]
    return any(matches)


def resource_of(topic: str) -> str:
    return topic.partition("/")[0]


def bears_on_an_order(topic: str, body: Mapping[str, Any]) -> bool:
    """Not every return says of which order it is: the body of `returns/update` does not, and none is published of
    `returns/process` (Admin API 2026-10).
    """
    resource = resource_of(topic)
    if resource == "returns":
        return "order_id" in body or "order" in body
    return resource in ABOUT_ORDERS


def order_of(topic: str, body: Mapping[str, Any]) -> OrderId:
    """The order a body is about; `~fulfillment_order/ID` or `~level/ITEM/LOCATION` when it names only that. Raises
    Unreadable.
    """
    resource = resource_of(topic)
    if resource in ("fulfillment_orders", "fulfillment_holds"):
        return _fulfilment_order(body)
    if resource == "inventory_levels":
        return _level(body)
    if resource == "orders":
        edit = body.get("order_edit")
        found = edit.get("order_id") if isinstance(edit, Mapping) else body.get("id")
    else:
        order = body.get("order")
        found = body.get("order_id") or (order.get("id") if isinstance(order, Mapping) else None)
    if not isinstance(found, int) or isinstance(found, bool) or found <= 0:
        raise Unreadable(f"body of {resource}", "the number of an order", type(found).__name__)
    return OrderId(str(found))


def _level(body: Mapping[str, Any]) -> OrderId:
    item, location = body.get("inventory_item_id"), body.get("location_id")
    if not (isinstance(item, int) and isinstance(location, int)) or item <= 0 or location <= 0:
        raise Unreadable("body of inventory_levels", "the numbers of an item and a location", type(item).__name__)
    return OrderId(f"~level/{item}/{location}")


def _fulfilment_order(body: Mapping[str, Any]) -> OrderId:
    for field in _FULFILMENT_ORDER_FIELDS:
        named = body.get(field)
        if isinstance(named, Mapping):
            number = str(named.get("id", "")).rpartition("/")[2].partition("?")[0]
            if number.isascii() and number.isdigit():
                return OrderId(f"~fulfillment_order/{number}")
    raise Unreadable("body", f"the id of one of {', '.join(_FULFILMENT_ORDER_FIELDS)}", "none")
