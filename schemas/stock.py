"""What is known of one stock item: a product code at a location, as Shopify offers it and as Clarus holds it.

All figures are whole units. Shopify: on_hand = available + committed + unavailable (Admin API, InventoryLevel).
"""

from typing import NewType

from schemas.base import Frozen, Sku, Utc

InventoryItemId = NewType("InventoryItemId", str)
"""Shopify's numeric inventory item id as text."""


class ShopItem(Frozen):
    """An inventory item whose SKU is the product code, at the location."""

    id: InventoryItemId
    sku: Sku
    tracked: bool
    """Shopify counts it at all."""
    stocked: bool
    """It is stocked at the location; without, all figures are 0."""
    kit: bool = False
    """Shopify computes its figures from its components: nobody may write them."""
    available: int = 0
    committed: int = 0
    """Of orders taken and not fulfilled."""
    on_hand: int = 0
    unavailable: int = 0
    """Reserved, damaged, safety stock and quality control together."""
    updated_at: Utc | None = None


class Level(Frozen):
    """All inventory items of the shop whose SKU becomes this code. One is as it should be."""

    items: tuple[ShopItem, ...]


class WarehouseBalance(Frozen):
    """One row of Clarus' balances. What is on hold is in none of the columns (assumed; see docs/stock.md)."""

    warehouse: str
    available: int
    allocated: int
    picked: int


class Balance(Frozen):
    """A reading of Clarus for one code over the warehouses that serve the location: balances, open goods-outs, balances
    again. What other channels still want is theirs, whether it is allocated or not.
    """

    known: bool
    """Clarus has such a product."""
    warehouses: tuple[WarehouseBalance, ...] = ()
    others: int = 0
    """Units that goods-outs not ours still want."""
    ours: int = 0
    """Units that our goods-outs still want; for explanation only."""
    steady: bool = True
    """The balances were the same before and after the goods-outs were read; otherwise nothing may be decided by it."""
