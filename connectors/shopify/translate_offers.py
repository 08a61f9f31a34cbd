"""What a shop sells under a code into our terms. Pure: bytes in, Offers out, or Unreadable."""

from collections.abc import Mapping
from typing import Any

from connectors.shopify.gids import number_of
from connectors.shopify.item_nodes import item_nodes
from schemas.base import LocationId, Sku
from schemas.errors import Unreadable
from schemas.items import Offer

SOLD = ("ACTIVE", "UNLISTED")
"""Statuses of a product that can be bought; the others are DRAFT and ARCHIVED (Admin API 2026-10, ProductStatus)."""


def translate_offers(body: bytes) -> tuple[Offer, ...]:
    """The body that `connectors.shopify.offers` makes. Raises Unreadable."""
    return tuple(_offer(node, f"items.{index}") for index, node in enumerate(item_nodes(body)))


def _offer(node: Mapping[str, Any], where: str) -> Offer:
    match node:
        case {
            "sku": str(sku),
            "requiresShipping": bool(ships),
            "variants": {"nodes": [{"id": str(id_), "product": {"status": str(status)} as product, **variant}]},
            "inventoryLevels": {"nodes": [*levels], "pageInfo": {"hasNextPage": bool(more)}},
        }:
            pass
        case _:
            raise Unreadable(where, "an inventory item with sku, variant and levels", repr(sorted(node)))
    places = (LocationId(number_of(one["location"]["id"])) for one in levels if one.get("isActive"))
    return Offer(
        id=number_of(id_),
        sku=Sku(sku),
        barcode=str(variant.get("barcode") or ""),
        active=status in SOLD,
        published=product.get("publishedAt") is not None,
        ships=ships,
        bundle=bool(variant.get("requiresComponents")),
        stocked_at=tuple(sorted(places)),
        more_places=more,
    )
