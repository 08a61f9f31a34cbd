"""Ports of the outside systems, made from the brands' connections."""

import random
from collections.abc import Callable, Mapping

import httpx

from connectors.clarus.port import ClarusPort, ConfigOf
from connectors.clarus.settings import ClarusTenant
from connectors.clarus.translate import translate_goods_outs
from connectors.clarus.translate_items import translate_product
from connectors.clarus.translate_stock import translate_balance
from connectors.erp.interface import ErpAdapter
from connectors.erp.port import ErpPort
from connectors.erp.sandbox import SandboxErp
from connectors.erp.sandbox import translate as translate_sandbox
from connectors.erp.sandbox import translate_items as translate_sandbox_items
from connectors.erp.tryton import Shop, TrytonErp
from connectors.erp.tryton import translate as translate_tryton
from connectors.erp.tryton import translate_items as translate_tryton_items
from connectors.shopify.port import ShopifyPort
from connectors.shopify.settings import ClientCredentials, ShopifyShop
from connectors.shopify.translate import translate_order
from connectors.shopify.translate_offers import translate_offers
from connectors.shopify.translate_stock import translate_level
from kernel.clock import Clock
from lockstep.settings import Connections, SandboxErpConnection, SettingsError, ShopifyConnection, TrytonConnection
from schemas.base import Brand
from streams.agents.normalise import Translators

Transport = httpx.AsyncBaseTransport | None
"""None is the network; tests and simulations hand in their own."""


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


def clarus_port(
    brands: Mapping[Brand, Connections], config_of: ConfigOf, clock: Clock, transport: Transport = None
) -> ClarusPort:
    tenants = [
        ClarusTenant(
            brand=brand,
            base_url=one.clarus.base_url,
            subdomain=one.clarus.subdomain,
            client_id=one.clarus.client_id,
            client_secret=one.clarus.client_secret,
            longest_request=one.clarus.longest_request,
            per_second=one.clarus.per_second,
            at_once=one.clarus.at_once,
        )
        for brand, one in brands.items()
    ]
    transports = {} if transport is None else dict.fromkeys(brands, transport)
    return ClarusPort(tenants, config_of, clock, transports)


def erp_port(
    brands: Mapping[Brand, Connections],
    clock: Clock,
    transport: Transport = None,
    config_of: ConfigOf = lambda _: None,
) -> ErpPort:
    """One adapter per way into an ERP, shared by the brands that have it in common. `config_of` is needed for their
    items.
    """
    adapters: dict[Brand, ErpAdapter] = {}
    tryton: dict[tuple[str, str, bool], dict[Brand, Shop]] = {}
    sandbox: dict[str, dict[Brand, str]] = {}
    for brand, connections in brands.items():
        one = connections.erp
        key = one.key.get_secret_value()
        match one:
            case TrytonConnection():
                shop = Shop(one.web_shop, one.customer)
                tryton.setdefault((one.base_url, key, one.posts_itself), {})[brand] = shop
            case SandboxErpConnection():
                sandbox.setdefault(one.base_url, {})[brand] = key
    for (base_url, key, posts_itself), shops in tryton.items():
        erp = TrytonErp(base_url, key, shops, clock, posts_itself=posts_itself, transport=transport)
        adapters |= dict.fromkeys(shops, erp)
    for base_url, keys in sandbox.items():
        adapters |= dict.fromkeys(keys, SandboxErp(base_url, keys, clock, transport))
    return ErpPort(adapters, clock, config_of)


def translators(brands: Mapping[Brand, Connections]) -> Translators:
    """The ERP's translator follows from the connections; one kind of ERP for all brands of a cluster."""
    kinds = {one.erp.kind for one in brands.values()}
    if len(kinds) != 1:
        raise SettingsError(
            f"erp.kind: expected one kind of ERP for all brands, found {', '.join(sorted(kinds)) or 'none'}"
        )
    tryton = kinds == {"tryton"}
    return Translators(
        shopify=translate_order,
        clarus=translate_goods_outs,
        erp=translate_tryton if tryton else translate_sandbox,
        level=translate_level,
        balance=translate_balance,
        items=translate_tryton_items if tryton else translate_sandbox_items,
        product=translate_product,
        offers=translate_offers,
    )
