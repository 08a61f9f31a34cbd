"""What is known of one item: as the ERP sells it, and as the warehouse's product.

The ERP is the master of item data; the product in Clarus is a copy, and Shopify sells it. Codes are text everywhere,
to the last zero.
"""

from typing import NewType

from schemas.base import Amount, Frozen, LocationId, Sku

ErpItemId = NewType("ErpItemId", str)
"""The ERP's own id of an item as text; never a code."""
ProductId = NewType("ProductId", str)
"""Clarus' integer id of a product as text."""


class Measures(Frozen):
    """Of one unit; None where the ERP says nothing. Clarus' API has no field for them (its description 1.0.0)."""

    weight: Amount | None = None
    """Kilograms."""
    length: Amount | None = None
    """Metres, as width and height."""
    width: Amount | None = None
    height: Amount | None = None


class ErpItem(Frozen):
    """An item whose code becomes this product code."""

    id: ErpItemId
    code: Sku
    description: str = ""
    barcode: str = ""
    """The first, where the ERP keeps several; '' where it keeps none."""
    more_barcodes: tuple[str, ...] = ()
    """The others."""
    active: bool = True
    """It may be sold."""
    measures: Measures = Measures()


class Product(Frozen):
    """A product of Clarus. `ours`: it is assigned to the brand's account; `shared`: to others that we see too."""

    id: ProductId
    code: Sku
    description: str = ""
    barcode: str = ""
    stopped: bool = False
    """`stop` or `obsolete` is set: nothing of it is received or sent any more."""
    ours: bool = False
    shared: bool = False
    reference: str = ""
    """`external_system_reference1`; see `product_reference`."""
    stock_read: bool = False
    """The account's balances were read with it."""
    stocked_in: tuple[str, ...] = ()
    """Codes of warehouses in which the account has units free to be sold."""


class Offer(Frozen):
    """A variant of the shop whose SKU becomes this product code."""

    id: str
    """Shopify's numeric variant id as text."""
    sku: Sku
    barcode: str = ""
    active: bool = True
    """Its product is neither a draft nor archived."""
    published: bool = True
    """In the online store."""
    ships: bool = True
    bundle: bool = False
    """Shopify takes it apart: orders bear its components."""
    stocked_at: tuple[LocationId, ...] = ()
    more_places: bool = False
    """It is stocked at more locations than were looked at."""

    @property
    def sold(self) -> bool:
        """Orders for it reach a warehouse under its own SKU."""
        return self.active and self.ships and not self.bundle


GTIN = 14
"""Digits of the longest trade item number; shorter ones are the same number with zeros before it."""


def trade_number(barcode: str) -> str:
    """UPC, EAN and GTIN of one item are one number, with more or fewer zeros before it."""
    digits = barcode.strip()
    return digits.zfill(GTIN) if digits.isascii() and digits.isdecimal() else digits


def product_reference(erp_id: ErpItemId) -> str:
    """What our own creates leave in a product, so that one cut short is known again."""
    return f"erp-item:{erp_id}"
