"""How much Clarus takes (its API description 1.0.0). Nothing of an address is ever cut: what is too long is held."""

from collections.abc import Mapping
from types import MappingProxyType

ADDRESS_MOST: Mapping[str, int] = MappingProxyType(
    {
        "name": 80, "company": 80, "line1": 80, "line2": 80, "city": 80, "region": 80, "postcode": 10,
        "country_code": 6, "phone": 50, "email": 254,
    }
)  # fmt: skip
"""Characters, by the fields of our address."""

NOTES_MOST = 255
"""Characters of `packing_notes`."""

PRODUCT_CODE_MOST = 50

DESCRIPTION_MOST = 150
"""Characters of a product's `description`."""
