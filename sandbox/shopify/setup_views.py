"""How a shop is set up as GraphQL sees it: roots of the schema. A root whose scope is missing is denied."""

import re
from typing import Any

from graphql import GraphQLError

from sandbox.shopify.setup import Subscription, Variant
from sandbox.shopify.shop import Shop
from sandbox.shopify.views import View, connection, gid

_FROM_ID = re.compile(r"\bid:>=(\d+)")
DENIED = "ACCESS_DENIED"


def setup_roots(shop: Shop) -> View:
    def locations(
        first: int | None = None,
        after: str | None = None,
        includeInactive: bool = False,  # noqa: N803 - arguments of the schema
        includeLegacy: bool = False,  # noqa: N803
    ) -> View:
        _must(shop, "read_locations", "locations")
        shown = [
            one
            for one in sorted(shop.locations)
            if (includeInactive or one not in shop.setup.inactive) and (includeLegacy or one not in shop.setup.services)
        ]
        return connection(shown, lambda one: location_view(shop, one))(first, after)

    def variants(
        first: int | None = None,
        after: str | None = None,
        query: str | None = None,
        sortKey: str = "ID",  # noqa: N803
    ) -> View:
        _must(shop, "read_products", "productVariants")
        begin = _FROM_ID.search(query or "")
        least = int(begin[1]) if begin else 0
        found = sorted((one for one in shop.setup.variants if one.id >= least), key=lambda one: one.id)
        return connection(found, lambda one: _variant_view(shop, one))(first, after)

    return {
        "locations": locations,
        "productVariants": variants,
        "webhookSubscriptions": connection(shop.setup.subscriptions, _subscription_view),
        "currentAppInstallation": lambda: {
            "id": gid("AppInstallation", 1),
            "accessScopes": [{"handle": scope} for scope in sorted(shop.setup.scopes)],
        },
    }


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


def _variant_view(shop: Shop, one: Variant) -> View:
    def levels(first: int | None = None, after: str | None = None) -> View:
        _must(shop, "read_inventory", "inventoryLevels")
        page = connection(sorted(one.locations), lambda at: {"isActive": True, "location": location_view(shop, at)})
        return page(first, after)

    return {
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
        "inventoryItem": {
            "id": gid("InventoryItem", one.id),
            "tracked": one.tracked,
            "requiresShipping": one.ships,
            "inventoryLevels": levels,
        },
    }


def _subscription_view(one: Subscription) -> View:
    return {
        "id": gid("WebhookSubscription", one.id),
        "topic": one.topic,
        "uri": one.uri,
        "filter": one.filter,
        "includeFields": list(one.fields),
        "apiVersion": {"handle": one.api_version, "displayName": one.api_version, "supported": True},
    }


def _must(shop: Shop, scope: str, field: str) -> None:
    if scope not in shop.setup.scopes:
        extensions: dict[str, Any] = {"code": DENIED, "requiredAccess": f"`{scope}` access scope."}
        raise GraphQLError(f"Access denied for {field} field.", extensions=extensions)
