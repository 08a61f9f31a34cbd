"""What a key stands for: an order, or one of the other things whose state is folded from a log of its own.

A key is `brand/id`. The id is an order's unless it begins with a kind and a colon; Shopify's order ids are digits. One
partitioner is over all topics, so all that bears on one key, whatever it stands for, is in one partition of each.
"""

from enum import StrEnum

from schemas.base import LocationId, OrderId, Sku

STOCK = "stock:"
"""`stock:LOCATION/CODE`: a product code of Clarus at a location of Shopify. The code may hold anything, slashes too."""
ITEM = "item:"
"""`item:CODE`: what is sold, by its product code in Clarus. The code may hold anything."""
UNCODED = "uncoded-item:"
"""`uncoded-item:ID`: an item of the ERP, by the ERP's own id, of which no product code can be made."""


GAPS = OrderId("item-gaps")
"""Of a brand: what the audit of its items found beyond the cases of single items."""


class Kind(StrEnum):
    """Each has an event log of its own."""

    ORDER = "order"
    """An order, or a connection as a whole."""
    STOCK = "stock"
    ITEM = "item"


def kind_of(id_: OrderId) -> Kind:
    if id_.startswith(STOCK):
        return Kind.STOCK
    return Kind.ITEM if id_.startswith((ITEM, UNCODED)) or id_ == GAPS else Kind.ORDER


def stock_id(code: Sku, location: LocationId) -> OrderId:
    return OrderId(f"{STOCK}{location}/{code}")


def stock_of(id_: OrderId) -> tuple[Sku, LocationId] | None:
    """The code and location of a stock item's id; None for anything else."""
    location, slash, code = id_.removeprefix(STOCK).partition("/")
    if not (id_.startswith(STOCK) and location and slash and code):
        return None
    return Sku(code), LocationId(location)


def item_id(code: Sku) -> OrderId:
    """Raises ValueError for an empty code."""
    if not code:
        msg = "expected a product code, found none"
        raise ValueError(msg)
    return OrderId(f"{ITEM}{code}")


def uncoded_id(erp_id: str) -> OrderId:
    return OrderId(f"{UNCODED}{erp_id}")


def item_of(id_: OrderId) -> Sku | None:
    """The product code of an item's id, '' for one without; None for anything else."""
    if id_.startswith(UNCODED) or id_ == GAPS:
        return Sku("")
    code = id_.removeprefix(ITEM)
    return Sku(code) if id_.startswith(ITEM) and code else None
