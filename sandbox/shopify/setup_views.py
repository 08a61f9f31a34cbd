"""How a shop is set up as GraphQL sees it: roots of the schema. A root whose scope is missing is denied."""

from sandbox.shopify.setup import Subscription
from sandbox.shopify.shop import Shop
from sandbox.shopify.stock_views import location_view, must, stock_roots
from sandbox.shopify.views import View, connection, gid


def setup_roots(shop: Shop) -> View:
    def locations(
        first: int | None = None,
        after: str | None = None,
        includeInactive: bool = False,  # noqa: N803 - arguments of the schema
        includeLegacy: bool = False,  # noqa: N803
    ) -> View:
        must(shop, "read_locations", "locations")
        shown = [
            one
            for one in sorted(shop.locations)
            if (includeInactive or one not in shop.setup.inactive) and (includeLegacy or one not in shop.setup.services)
        ]
        return connection(shown, lambda one: location_view(shop, one))(first, after)

    return {
        "locations": locations,
        **stock_roots(shop),
        "webhookSubscriptions": connection(shop.setup.subscriptions, _subscription_view),
        "currentAppInstallation": lambda: {
            "id": gid("AppInstallation", 1),
            "accessScopes": [{"handle": scope} for scope in sorted(shop.setup.scopes)],
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
