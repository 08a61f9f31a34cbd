"""What the audit judges: how the three systems are set up, as far as it could be seen, beside the configuration.

None is what was not seen: nothing is concluded from it, and `unseen` says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from connectors.clarus.setup import Balance, Product, Service
from connectors.erp.setup import Item
from connectors.shopify.setup import Bought, Place, Subscription, Variant
from schemas.base import LocationId, Sku
from schemas.config import BrandConfig


@dataclass(frozen=True, slots=True)
class Unseen:
    """`needed`: without it the audit cannot say that there is no gap that stalls orders."""

    what: str
    why: str
    needed: bool


@dataclass(frozen=True, slots=True)
class ShopSeen:
    api_version: str
    """The pinned one."""
    other_versions: frozenset[str] = frozenset()
    scopes: frozenset[str] | None = None
    places: tuple[Place, ...] | None = None
    variants: tuple[Variant, ...] | None = None
    orders: tuple[Bought, ...] | None = None
    subscriptions: tuple[Subscription, ...] | None = None


@dataclass(frozen=True, slots=True)
class ClarusSeen:
    """`products`, `stopped` and `balances` are those of the brand's account."""

    accounts: Mapping[str, str] | None = None
    warehouses: frozenset[str] | None = None
    carriers: Mapping[str, bool] | None = None
    services: tuple[Service, ...] | None = None
    products: tuple[Product, ...] | None = None
    elsewhere: frozenset[str] = frozenset()
    """SKUs of the shop that are products of other accounts only."""
    stopped: frozenset[str] | None = None
    balances: tuple[Balance, ...] | None = None
    automations: frozenset[str] | None = None
    integrations: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ErpSeen:
    items: tuple[Item, ...] | None = None
    lacking: tuple[str, ...] | None = None
    automations: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Overruled:
    """A figure that rose in Shopify and not in the warehouse, and was put right at that moment or is to be."""

    code: Sku
    location: LocationId
    at: datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """`intake` is the public address of our intake, '' when it was not given. `overruled` is what our own stock worker
    met of others' figures in these days.
    """

    config: BrandConfig
    at: datetime
    days: int
    shop: ShopSeen
    clarus: ClarusSeen
    erp: ErpSeen
    unseen: tuple[Unseen, ...] = ()
    intake: str = ""
    overruled: tuple[Overruled, ...] | None = None
