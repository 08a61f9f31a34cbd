"""Shopify, for all brands."""

import random
from collections.abc import Callable, Mapping

from connectors.runtime.port import ConfigOf
from connectors.shopify.port import ShopifyPort
from connectors.shopify.settings import ClientCredentials, ShopifyShop
from kernel.clock import Clock
from lockstep.ports import Transport
from lockstep.settings import Connections, SettingsError, ShopifyConnection
from schemas.base import Brand


def shopify_port(
    brands: Mapping[Brand, Connections],
    clock: Clock,
    transport: Transport = None,
    jitter: Callable[[], float] = random.random,
    config_of: ConfigOf = lambda _: None,
) -> ShopifyPort:
    """`config_of` is needed where stock is kept in step."""
    shops = [_shop(brand, one.shopify) for brand, one in brands.items()]
    return ShopifyPort(shops, clock, transport, jitter, config_of)


def _shop(brand: Brand, one: ShopifyConnection) -> ShopifyShop:
    credentials = None
    if one.token is None:
        if not one.client_id or one.client_secret is None:
            raise SettingsError(f"{brand}.shopify: expected token, or client_id and client_secret, found neither")
        credentials = ClientCredentials(client_id=one.client_id, client_secret=one.client_secret)
    return ShopifyShop(
        brand=brand,
        base_url=one.base_url,
        api_version=one.api_version,
        token=one.token,
        credentials=credentials,
        longest_request=one.longest_request,
        first_poll=one.poll_lookback,
        stock_bulk_from=one.stock_bulk_from,
    )
