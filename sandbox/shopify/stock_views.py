"""What is sold, and its stock, as GraphQL sees it: variants, inventory items, levels. Ids of levels are opaque.

A search for `sku:` or `barcode:` compares exactly; terms are joined by OR. Without read_inventory no stock is shown,
without read_products no variants.
"""

import re
from collections.abc import Sequence
from typing import Any

from graphql import GraphQLError

from sandbox.projection import Lazily
from sandbox.shopify.levels import NAMES, Level
from sandbox.shopify.setup import Variant
from sandbox.shopify.shop import Shop
from sandbox.shopify.views import View, connection, gid, number_of, stamp

DENIED = "ACCESS_DENIED"
_FROM_ID = re.compile(r"\bid:>=(\d+)")
_TERM = re.compile(r"\b(sku|barcode):(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\S+))")


def must(shop: Shop, scope: str, field: str) -> None:
    """Raises the error of a field whose scope is missing."""
    if scope not in shop.setup.scopes:
        extensions: dict[str, Any] = {"code": DENIED, "requiredAccess": f"`{scope}` access scope."}
        raise GraphQLError(f"Access denied for {field} field.", extensions=extensions)


def found_by(query: str | None, variants: Sequence[Variant]) -> list[Variant]:
    """By id: those from `id:>=` on, and those that one of the terms names if there are terms."""
    begin = _FROM_ID.search(query or "")
    least = int(begin[1]) if begin else 0
    terms = {(one[0], re.sub(r"\\(.)", r"\1", one[1] or one[2] or one[3])) for one in _TERM.findall(query or "")}
    return sorted(
        (
            one
            for one in variants
            if one.id >= least and (not terms or ("sku", one.sku) in terms or ("barcode", one.barcode) in terms)
        ),
        key=lambda one: one.id,
    )


def stock_roots(shop: Shop) -> View:
    def variants(
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
        sortKey: str = "ID",  # noqa: N803 - arguments of the schema
    ) -> View:
        must(shop, "read_products", "productVariants")
        return connection(found_by(query, shop.setup.variants), lambda one: variant_view(shop, one))(first, after)

    def items(first: int | None = None, after: str | None = None, query: str | None = None) -> View:
        must(shop, "read_inventory", "inventoryItems")
        return connection(found_by(query, shop.setup.variants), lambda one: item_view(shop, one))(first, after)

    def node(**given: str) -> View | None:
        return stock_node(shop, given["id"])

    return {"productVariants": variants, "inventoryItems": items, "inventoryItem": node, "inventoryLevel": node}


def stock_node(shop: Shop, id_: str) -> View | None:
    """An item or a level by its gid; None when there is none."""
    kind, number = id_.split("/")[-2], number_of(id_)
    match kind:
        case "InventoryItem":
            must(shop, "read_inventory", "inventoryItem")
            found = shop.inventory.item(number)
            return None if found is None else item_view(shop, found)
        case "InventoryLevel":
            must(shop, "read_inventory", "inventoryLevel")
            level = next((one for one in shop.inventory.levels.values() if one.number == number), None)
            return None if level is None else level_view(shop, level)
        case "ProductVariant":
            variant = shop.inventory.item(number)
            return None if variant is None else variant_view(shop, variant)
        case _:
            return None


def location_view(shop: Shop, number: int) -> View:
    service = shop.setup.services.get(number)
    return {
        "__typename": "Location",
        "id": gid("Location", number),
        "name": shop.locations.get(number, ""),
        "isActive": number not in shop.setup.inactive,
        "fulfillsOnlineOrders": number not in shop.setup.offline,
        "isFulfillmentService": service is not None,
        "fulfillmentService": {
            "id": gid("FulfillmentService", number),
            "serviceName": service or "Manual",
            "type": "THIRD_PARTY" if service else "MANUAL",
        },
    }


def variant_view(shop: Shop, one: Variant) -> View:
    return {
        "__typename": "ProductVariant",
        "id": gid("ProductVariant", one.id),
        "sku": one.sku,
        "barcode": one.barcode,
        "inventoryPolicy": one.policy,
        "requiresComponents": one.components,
        "product": {
            "id": gid("Product", one.id),
            "status": one.status,
            "publishedAt": "2026-01-05T09:00:00Z" if one.published else None,
        },
        "inventoryItem": lambda: item_view(shop, one),
    }


def item_view(shop: Shop, one: Variant) -> View:
    def levels(first: int | None = None, after: str | None = None, includeInactive: bool = False) -> View:  # noqa: N803
        must(shop, "read_inventory", "inventoryLevels")
        shown = [level for level in shop.inventory.levels_of(one.id) if level.active or includeInactive]
        return connection(shown, lambda level: level_view(shop, level))(first, after)

    def variants(first: int | None = None, after: str | None = None) -> View:
        must(shop, "read_products", "variants")
        return connection([one], lambda own: variant_view(shop, own))(first, after)

    def level(locationId: str, includeInactive: bool = False) -> View | None:  # noqa: N803
        must(shop, "read_inventory", "inventoryLevel")
        found = shop.inventory.level(one.id, number_of(locationId))
        return None if found is None or not (found.active or includeInactive) else level_view(shop, found)

    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", one.id),
        "legacyResourceId": str(one.id),
        "sku": one.sku,
        "tracked": one.tracked,
        "requiresShipping": one.ships,
        "duplicateSkuCount": Lazily(
            lambda: sum(other.sku == one.sku for other in shop.setup.variants) - 1 if one.sku else 0
        ),
        "variants": variants,
        "inventoryLevels": levels,
        "inventoryLevel": level,
    }


def level_view(shop: Shop, level: Level) -> View:
    variant = shop.inventory.item(level.item)

    def quantities(names: Sequence[str]) -> list[View]:
        return [
            {
                "__typename": "InventoryQuantity",
                "id": f"{gid('InventoryQuantity', level.number)}?inventory_item_id={level.item}&name={name}",
                "name": name,
                "quantity": level.quantity(name),
                "updatedAt": stamp(level.stamps.get(name)),
            }
            for name in names
            if name in NAMES
        ]

    return {
        "__typename": "InventoryLevel",
        "id": level_id(level),
        "isActive": level.active,
        "updatedAt": stamp(level.updated_at),
        "item": lambda: None if variant is None else item_view(shop, variant),
        "location": location_view(shop, level.location),
        "quantities": quantities,
    }


def level_id(level: Level) -> str:
    return f"{gid('InventoryLevel', level.number)}?inventory_item_id={level.item}"
