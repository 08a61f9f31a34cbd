"""What the brand's configuration makes of the words of its shop: the only place where the audit asks it."""

from connectors.shopify.setup import Bought
from schemas.base import LocationId, Sku
from schemas.config import BrandConfig, ShippingRule


def shipping_rule(config: BrandConfig, order: Bought) -> ShippingRule | None:
    """None for an order without a shipping line too."""
    if order.shipping is None:
        return None
    title, code = order.shipping
    return config.shipping_of(code, title)


def said_of(rule: ShippingRule) -> str:
    """A rule as a person recognises it."""
    names = [f"{name} {value!r}" for name, value in (("code", rule.code), ("title", rule.title)) if value]
    return f"{', '.join(names)} ({rule.carrier} {rule.service})"


def product_code(config: BrandConfig, sku: str) -> Sku:
    """The SKU as Clarus and the ERP are told it."""
    return Sku(sku)


def locations_of(config: BrandConfig, warehouse: str) -> frozenset[LocationId]:
    return frozenset(rule.location for rule in config.warehouses if rule.warehouse == warehouse)
