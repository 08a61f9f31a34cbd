"""The ERP: one adapter per way into it."""

from collections.abc import Mapping

from connectors.erp.interface import ErpAdapter
from connectors.erp.port import ErpPort
from connectors.erp.sandbox import SandboxErp
from connectors.erp.tryton import Shop, TrytonErp
from connectors.runtime.port import ConfigOf
from kernel.clock import Clock
from lockstep.ports import Transport
from lockstep.settings import Connections, SandboxErpConnection, TrytonConnection
from schemas.base import Brand


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
