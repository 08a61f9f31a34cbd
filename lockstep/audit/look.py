"""Looks at a brand's three systems: every list whole, patiently, at a gentle pace. Changes nothing anywhere.

What cannot be read is noted, and the rest is read all the same.
"""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import httpx

from connectors.clarus.setup import ClarusSetup
from connectors.erp.setup import ErpSetup
from connectors.runtime.errors import Permanent, Transient
from connectors.shopify.setup import ShopSetup, Variant
from kernel.clock import Clock
from lockstep.audit.seen import ClarusSeen, ErpSeen, Seen, ShopSeen, Unseen
from lockstep.audit.skus import codes_of
from lockstep.patience import CannotReadError, patiently
from lockstep.ports.clarus import clarus_port
from lockstep.ports.erp import erp_port
from lockstep.ports.shopify import shopify_port
from lockstep.settings import Connections
from schemas.base import System
from schemas.config import BrandConfig

T = TypeVar("T")
Progress = Callable[[str], None]

CLARUS_SHARE = 0.5
"""Of the pace that is set for Clarus: the connectors go at theirs meanwhile."""


@dataclass(frozen=True, slots=True)
class Systems:
    """One brand's, ready to be asked."""

    shop: ShopSetup
    clarus: ClarusSetup
    erp: ErpSetup


@asynccontextmanager
async def opened(
    config: BrandConfig,
    connections: Connections,
    clock: Clock,
    transports: Mapping[System, httpx.AsyncBaseTransport] | None = None,
) -> AsyncIterator[Systems]:
    """`transports` is for tests; the network when left out."""
    brand, wired = config.brand, transports or {}
    gentle = connections.clarus.model_copy(
        update={"per_second": connections.clarus.per_second * CLARUS_SHARE, "at_once": 1}
    )
    one = {brand: connections.model_copy(update={"clarus": gentle})}
    shopify = shopify_port(one, clock, wired.get(System.SHOPIFY))
    clarus = clarus_port(one, {brand: config}.get, clock, wired.get(System.CLARUS))
    erp = erp_port(one, clock, wired.get(System.ERP))
    try:
        yield Systems(shopify.setup(brand), clarus.setup(brand), erp.setup(brand))
    finally:
        for port in (shopify, clarus, erp):
            await port.aclose()


@dataclass(slots=True)
class _Look:
    """Asks one system for one thing after the other and notes what it does not get."""

    system: str
    clock: Clock
    progress: Progress
    unseen: list[Unseen]
    away: str = ""
    """Why it does not answer at all: then it is not asked for the rest."""
    doing: str = ""

    async def at(self, what: str, ask: Callable[[], Awaitable[T]], *, needed: bool = True) -> T | None:
        """None when it could not be read."""
        self.doing = f"{self.system}: {what}"
        self.progress(self.doing)
        if self.away:
            self.note(what, self.away, needed=needed)
            return None
        try:
            return await patiently(ask, self.doing, self.clock)
        except CannotReadError as error:
            why = str(error).removeprefix(self.doing).lstrip(",: ")
            if isinstance(error.__cause__, Transient):
                self.away = why
        except Permanent as refused:
            why = f"{type(refused).__name__}: {refused}"
        self.note(what, why, needed=needed)
        return None

    def counted(self, read: int) -> None:
        """So many of a long list."""
        self.progress(f"{self.doing}: {read}")

    def note(self, what: str, why: str, *, needed: bool) -> None:
        self.unseen.append(Unseen(f"{self.system}: {what}", why, needed))


async def look(
    systems: Systems,
    config: BrandConfig,
    clock: Clock,
    days: int,
    intake: str = "",
    progress: Progress = lambda _: None,
) -> Seen:
    """Everything the audit judges. Raises nothing for a system that does not answer: that is in `unseen`."""
    unseen: list[Unseen] = []
    at = clock.now()
    shop = await _shop(_Look("Shopify", clock, progress, unseen), systems.shop, at - timedelta(days=days))
    codes = list(codes_of(config, shop.variants or ()))
    clarus = await _clarus(_Look("Clarus", clock, progress, unseen), systems.clarus, config, codes)
    erp = await _erp(_Look("ERP", clock, progress, unseen), systems.erp)
    return Seen(config, at, days, shop, clarus, erp, tuple(unseen), intake)


async def _shop(eyes: _Look, shop: ShopSetup, since: datetime) -> ShopSeen:
    shop.told = eyes.counted
    scopes = await eyes.at("access scopes", shop.scopes)
    places = await eyes.at("locations", shop.places)
    subscriptions = await eyes.at("webhook subscriptions", shop.subscriptions)
    orders = await eyes.at("recent orders", functools.partial(shop.orders, since))
    return ShopSeen(
        api_version=shop.api_version,
        scopes=scopes,
        places=places,
        subscriptions=subscriptions,
        orders=orders,
        variants=await _variants(eyes, shop, scopes),
        other_versions=shop.other_versions,
    )


async def _variants(eyes: _Look, shop: ShopSetup, scopes: frozenset[str] | None) -> tuple[Variant, ...] | None:
    """Where they are stocked too, if we may see it."""
    with_levels = scopes is None or not scopes.isdisjoint({"read_inventory", "write_inventory"})
    if not with_levels:
        eyes.note("where items are stocked", "the scope read_inventory is missing", needed=False)
    return await eyes.at("products", functools.partial(shop.variants, with_levels=with_levels))


async def _clarus(eyes: _Look, clarus: ClarusSetup, config: BrandConfig, codes: Sequence[str]) -> ClarusSeen:
    accounts = await eyes.at("accounts", clarus.accounts)
    seen = ClarusSeen(
        accounts=accounts,
        warehouses=await eyes.at("warehouses", clarus.warehouses),
        carriers=await eyes.at("carriers", clarus.carriers),
        services=await eyes.at("carrier services", clarus.services),
        automations=await eyes.at("automations", clarus.automations, needed=False),
        integrations=await eyes.at("its own integrations", clarus.own_integrations, needed=False),
    )
    account = (accounts or {}).get(config.account)
    if account is None:  # if the list was seen, that is a finding of its own
        for what in ("products", "stock balances"):
            eyes.note(what, eyes.away or f"the account {config.account!r} is not shown to us", needed=False)
        return seen
    products = await eyes.at("products", functools.partial(clarus.products, account))
    known = {one.code for one in products or ()}
    missing = [] if products is None else sorted(code for code in codes if code not in known)
    elsewhere = await eyes.at("products of other accounts", functools.partial(clarus.coded, missing), needed=False)
    return replace(
        seen,
        products=products,
        elsewhere=elsewhere or frozenset(),
        stopped=await eyes.at("stopped products", functools.partial(clarus.stopped, account), needed=False),
        balances=await eyes.at("stock balances", functools.partial(clarus.balances, account), needed=False),
    )


async def _erp(eyes: _Look, erp: ErpSetup) -> ErpSeen:
    return ErpSeen(
        lacking=_tuple(await eyes.at("rights, and what sales refer to", erp.lacking)),
        automations=_tuple(await eyes.at("what it does by itself", erp.automations)),
        items=_tuple(await eyes.at("items", erp.items)),
    )


def _tuple(found: Sequence[T] | None) -> tuple[T, ...] | None:
    return None if found is None else tuple(found)
