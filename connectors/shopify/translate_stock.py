"""Shopify's inventory levels into our terms. Pure: bytes in, a Level out, or Unreadable."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.shopify.gids import number_of
from connectors.shopify.item_nodes import item_nodes
from schemas.base import Sku
from schemas.errors import Unreadable
from schemas.stock import InventoryItemId, Level, ShopItem

_UNAVAILABLE = ("reserved", "damaged", "safety_stock", "quality_control")


def translate_level(body: bytes) -> Level:
    """The body that `connectors.shopify.stock_read` makes. Raises Unreadable."""
    return Level(items=tuple(_item(node, f"items.{index}") for index, node in enumerate(item_nodes(body))))


def _item(node: Mapping[str, Any], where: str) -> ShopItem:
    id_, sku = number_of(node.get("id")), node.get("sku")
    if not id_ or not isinstance(sku, str):
        raise Unreadable(where, "an item with id and sku", repr(sorted(node)))
    variants = (node.get("variants") or {}).get("nodes") or ()
    level = node.get("inventoryLevel")
    kit = any(variant.get("requiresComponents") for variant in variants)
    item = ShopItem(id=InventoryItemId(id_), sku=Sku(sku), tracked=bool(node.get("tracked")), stocked=False, kit=kit)
    if not level or not level.get("isActive", True):
        return item
    figures = {one.get("name"): one for one in level.get("quantities") or ()}
    on_hand = figures.get("on_hand") or {}
    return item.model_copy(
        update={
            "stocked": True,
            "available": _figure(figures, "available", where),
            "committed": _figure(figures, "committed", where),
            "on_hand": _figure(figures, "on_hand", where),
            "unavailable": sum(_figure(figures, name, where) for name in _UNAVAILABLE),
            "updated_at": _moment(on_hand.get("updatedAt"), where),
        }
    )


def _figure(figures: Mapping[str, Mapping[str, Any]], name: str, where: str) -> int:
    found = (figures.get(name) or {}).get("quantity")
    if isinstance(found, bool) or not isinstance(found, int):
        raise Unreadable(f"{where}.quantities.{name}", "a whole number", repr(found))
    return found


def _moment(found: object, where: str) -> datetime | None:
    if found is None:
        return None
    try:
        return datetime.fromisoformat(str(found)).astimezone(UTC)
    except ValueError as wrong:
        raise Unreadable(f"{where}.updatedAt", "a moment", repr(found)) from wrong
