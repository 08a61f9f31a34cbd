"""How a shop is set up: its catalogue, locations, what our app may do and where its webhooks go.

A fresh shop grants every scope an order-management app needs, and sells nothing.
"""

from dataclasses import dataclass, field

FULL_SCOPES = (
    "read_orders", "write_orders", "read_all_orders", "read_products", "read_locations", "read_inventory",
    "write_inventory", "read_merchant_managed_fulfillment_orders", "write_merchant_managed_fulfillment_orders",
    "read_fulfillments", "write_fulfillments",
)  # fmt: skip


@dataclass
class Variant:
    """`locations` are those it is stocked at; `policy` CONTINUE sells what is not there."""

    id: int
    sku: str | None
    barcode: str | None = None
    policy: str = "DENY"
    tracked: bool = True
    ships: bool = True
    components: bool = False
    status: str = "ACTIVE"
    published: bool = True
    locations: set[int] = field(default_factory=set)


@dataclass
class Subscription:
    """`topic` is of the enum: ORDERS_CREATE."""

    id: int
    topic: str
    uri: str
    api_version: str = "2026-10"
    filter: str | None = None
    fields: tuple[str, ...] = ()


@dataclass
class ShopSetup:
    """`services` names the fulfilment service that owns a location; `inactive` and `offline` are locations."""

    scopes: set[str] = field(default_factory=lambda: set(FULL_SCOPES))
    variants: list[Variant] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    services: dict[int, str] = field(default_factory=dict)
    inactive: set[int] = field(default_factory=set)
    offline: set[int] = field(default_factory=set)
