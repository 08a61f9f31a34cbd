"""Shopify's Admin GraphQL API, version 2026-10: reads orders whole, tells shoppers what left."""

from connectors.shopify.port import ShopifyPort
from connectors.shopify.settings import ClientCredentials, PageSizes, ShopifyShop
from connectors.shopify.translate import translate_order

__all__ = ["ClientCredentials", "PageSizes", "ShopifyPort", "ShopifyShop", "translate_order"]
