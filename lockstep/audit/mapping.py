"""What the brand's configuration makes of the words of its shop: the only place where the audit asks it."""

from collections.abc import Iterable, Iterator

from connectors.shopify.setup import Bought
from schemas.base import LocationId, Sku
from schemas.config import BrandConfig
from schemas.mapping import ShippingRule
from schemas.orders import ShippingLine
from streams.rules.orders.mapping.products import bundle_of
from streams.rules.orders.mapping.products import collisions as alike
from streams.rules.orders.mapping.products import product_code as cleaned
from streams.rules.orders.mapping.shipping import rules_for


def shipping_rule(config: BrandConfig, order: Bought) -> ShippingRule | None:
    """None for an order without a shipping line too."""
    if order.shipping is None:
        return None
    title, code = order.shipping
    return next(rules_for(ShippingLine(title=title, code=code), config), None)


def said_of(rule: ShippingRule) -> str:
    """A rule as a person recognises it."""
    names = [f"{name} {value!r}" for name, value in (("code", rule.code), ("title", rule.title)) if value]
    return f"{', '.join(names)} ({rule.carrier} {rule.service})"


def product_code(config: BrandConfig, sku: str) -> Sku:
    """The SKU as Clarus and the ERP are told it."""
    return cleaned(Sku(sku), config)


def product_codes(config: BrandConfig, sku: str) -> tuple[Sku, ...]:
    """What the warehouse picks for it: of a bundle its components."""
    bundle = bundle_of(Sku(sku), config)
    return (product_code(config, sku),) if bundle is None else tuple(part.sku for part in bundle.components)


def collisions(config: BrandConfig, skus: Iterable[str]) -> Iterator[str]:
    """Different SKUs that become one product code, in words."""
    return alike({Sku(sku) for sku in skus}, config)


def locations_of(config: BrandConfig, warehouse: str) -> frozenset[LocationId]:
    return frozenset(rule.location for rule in config.warehouses if rule.warehouse == warehouse)
