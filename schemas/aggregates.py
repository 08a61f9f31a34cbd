"""What a key stands for: an order, or one of the other things whose state is folded from a log of its own.

A key is `brand/id`. The id is an order's unless it begins with a kind and a colon; Shopify's order ids are digits. One
partitioner is over all topics, so all that bears on one key, whatever it stands for, is in one partition of each.
"""

from schemas.base import LocationId, OrderId, Sku

STOCK = "stock:"
"""`stock:LOCATION/CODE`: a product code of Clarus at a location of Shopify. The code may hold anything, slashes too."""


def stock_id(code: Sku, location: LocationId) -> OrderId:
    return OrderId(f"{STOCK}{location}/{code}")


def stock_of(id_: OrderId) -> tuple[Sku, LocationId] | None:
    """The code and location of a stock item's id; None for anything else."""
    location, slash, code = id_.removeprefix(STOCK).partition("/")
    if not (id_.startswith(STOCK) and location and slash and code):
        return None
    return Sku(code), LocationId(location)
