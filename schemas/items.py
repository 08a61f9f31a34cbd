"""What is known of one item: as the ERP sells it, and as the warehouse's product.

The ERP is the master of item data; the product in Clarus is a copy. Codes are text to the last zero in both.
"""

from typing import NewType

from schemas.base import Amount, Frozen, Sku

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


def product_reference(erp_id: ErpItemId) -> str:
    """What our own creates leave in a product, so that one cut short is known again."""
    return f"erp-item:{erp_id}"
