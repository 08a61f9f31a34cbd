"""The outside world of a demo or a test: shops, warehouse and ERP with their own books, shoppers, pickers and clerks.

It talks to Lockstep only through HTTP: its applications can be served on sockets or called in process.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import httpx
from starlette.applications import Starlette

from kernel.log import Log
from lockstep.audit.webhooks import TOPICS
from lockstep.demo.judge import Books
from lockstep.demo.scenario import BRANDS, STRAY_LOCATION, DemoBrand
from lockstep.publishing import publish
from sandbox.clarus.app import create_app as clarus_app
from sandbox.clarus.automations import Deliveries
from sandbox.clarus.pickers import Pickers, PickerSettings
from sandbox.clarus.records import Automation
from sandbox.clarus.seed import Tenant, seed
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.clarus.world import ClarusWorld
from sandbox.clock import Clock
from sandbox.erp.app import create_app as erp_app
from sandbox.erp.world import ErpTimings, ErpWorld
from sandbox.faults import Chance, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld
from sandbox.shopify.app import create_app as shopify_app
from sandbox.shopify.setup import Subscription, Variant
from sandbox.shopify.shop import Shop
from sandbox.shopify.shoppers import Clientele, Habits, Shoppers
from sandbox.shopify.webhooks import Webhooks
from schemas.base import Brand
from schemas.config import SweepTimes
from schemas.item_rules import ItemRules
from schemas.stock_rules import StockRules

SECRET = "sandbox-webhook-secret"  # noqa: S105 - of a sandbox
TOKEN = "sandbox-admin-token"  # noqa: S105
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105
PATH_TOKEN = "k7-sandbox-path-token"  # noqa: S105
POINTS_A_SECOND = 1000.0
"""The cost bucket of a Plus shop."""

WHOLE_DAY = Habits(new_line=0.15, on_account=1)
"""Of a day on which people act too: the new shipping lines are mapped, and what is on account is let go."""

GOODS_OUT_EVENTS = ("created", "updated", "processed", "completed", "cancelled")


class ErpBooks(Protocol):
    """The ERP as whoever judges a run sees it."""

    async def books(self) -> dict[str, Any]:
        """`sales_orders` and `fulfilments`, as the sandbox ERP's books."""
        ...

    async def posted(self, shop: str, order: str) -> list[dict[str, Any]]:
        """Fulfilments of one order that stand posted right now."""
        ...


@dataclass
class SandboxErpBooks:
    world: ErpWorld

    async def books(self) -> dict[str, Any]:
        return self.world.books()

    async def posted(self, shop: str, order: str) -> list[dict[str, Any]]:
        brand = shop.partition(".")[0]
        return [
            one
            for one in self.world.books()["fulfilments"]
            if one["order"] == order and one["shop"] == brand and one["state"] == "posted"
        ]


@dataclass
class Outside:
    """Everything outside. `erp_world` is None when a real ERP plays."""

    clock: Clock
    chance: Chance
    shopify: ShopifyWorld
    clarus: ClarusWorld
    clarus_faults: FaultPlan
    erp_world: ErpWorld | None
    erp_faults: FaultPlan
    erp: ErpBooks
    brands: tuple[DemoBrand, ...] = BRANDS
    webhooks: list[Webhooks] = field(default_factory=list)
    deliveries: list[Deliveries] = field(default_factory=list)
    clients: list[httpx.AsyncClient] = field(default_factory=list)
    mapped_at: dict[Brand, dict[str, str]] = field(default_factory=dict)
    """When the brand's configuration learned a new shipping line, by its code."""

    @property
    def shopify_app(self) -> Starlette:
        return shopify_app(self.shopify)

    @property
    def clarus_app(self) -> Starlette:
        return clarus_app(self.clarus, self.clarus_faults)

    @property
    def erp_app(self) -> Starlette:
        assert self.erp_world is not None
        return erp_app(self.erp_world, self.erp_faults)

    def shop(self, brand: str) -> Shop:
        return self.shopify.shops[f"{brand}.example.test"]

    def storekeeper(self, brand: DemoBrand, warehouse: str) -> Storekeeper:
        return Storekeeper(self.clarus, str(brand.brand), brand.account, warehouse)

    def count_bundles(self) -> None:
        """From now on the shops compute what there is of a bundle from its components, as Shopify does."""
        for brand in self.brands:
            for variant in self.shop(brand.brand).setup.variants:
                if variant.sku in brand.bundles:
                    variant.components = True

    def stock_up(self, units: int) -> None:
        """From now on stock is counted: so many units of everything in every warehouse, and offered by the shops."""
        self.count_bundles()
        for brand in self.brands:
            for location, warehouse in brand.warehouses.items():
                for sku, code in zip(brand.skus, brand.items, strict=True):
                    if sku not in brand.bundles:
                        self.storekeeper(brand, warehouse).receive(code, units)
                        self.shop(brand.brand).inventory.stock(sku, location, units)

    def tell(self, intake: str, transport: httpx.AsyncBaseTransport | None = None, *, stock: bool = False) -> None:
        """From now on webhooks and automations go to this address; with `stock` those of levels and balances too."""
        faults = self.shopify.faults.faults
        events = [("goods_out", event) for event in GOODS_OUT_EVENTS]
        if stock:
            events.append(("stock_balance", "updated"))
        for brand in self.brands:
            targets = {"*": f"{intake}/shopify/{brand.brand}/{{topic}}"}
            if stock:
                targets["inventory_levels/*"] = targets["*"]
            shop = self.shop(brand.brand)
            shop.setup.subscriptions = [
                Subscription(number, topic.upper().replace("/", "_"), targets["*"].format(topic=topic))
                for number, topic in enumerate(TOPICS, start=1)
            ]
            self.webhooks.append(Webhooks(shop, targets, faults, self.chance, self.clock, transport))
            for number, (resource, event) in enumerate(events):
                self.clarus.add_automation(
                    Automation(
                        id=1000 + number + 100 * len(self.webhooks),
                        tenant=brand.brand,
                        resource=resource,
                        event=event,
                        webhook_url=_address(f"{intake}/clarus/{brand.brand}/{PATH_TOKEN}", resource),
                    )
                )
        client = httpx.AsyncClient(transport=transport)
        self.clients.append(client)
        self.deliveries.append(Deliveries(self.clarus, client, lambda: faults, self.chance))

    async def books(self) -> Books:
        """All of them as they stand now, for whoever judges."""
        return Books(
            shopify=self.shopify.books(),
            clarus=self.clarus.books.json(),
            erp=await self.erp.books(),
            shops={brand.domain: brand.brand for brand in self.brands},
            prefixes={brand.brand: brand.prefix for brand in self.brands},
            new_lines={
                brand.brand: {code: self.mapped_at.get(brand.brand, {}).get(code) for _, code in brand.new_lines}
                for brand in self.brands
            },
        )

    def shoppers(self, habits: Habits | None = None) -> Shoppers:
        clienteles = tuple(
            Clientele(
                shop=self.shop(brand.brand),
                skus=brand.skus,
                locations=tuple(brand.warehouses),
                shipping=tuple(brand.shipping),
                stray=STRAY_LOCATION,
                new=tuple(brand.new_lines),
            )
            for brand in self.brands
        )
        return Shoppers(clienteles, self.clock, self.chance, habits or Habits())

    def pickers(self, settings: PickerSettings | None = None) -> Pickers:
        return Pickers(self.clarus, self.chance, settings)

    async def aclose(self) -> None:
        for webhooks in self.webhooks:
            await webhooks.aclose()
        for client in self.clients:
            await client.aclose()
        await self.clarus.errands.drop()


def make_outside(
    clock: Clock,
    seed_number: int,
    faults: Faults,
    *,
    erp: ErpBooks | None = None,
    timings: ErpTimings | None = None,
    wrap: Callable[[ErpBooks], ErpBooks] = lambda books: books,
    edit_windows: bool = False,
) -> Outside:
    """Shops, tenants and books of every demo brand. Without `erp` a sandbox ERP plays."""
    chance = Chance(seed_number)
    erp_world = None
    if erp is None:
        keys = {str(brand.brand): erp_key(brand) for brand in BRANDS}
        skus = sorted({sku for brand in BRANDS for sku in brand.items})
        erp_world = ErpWorld(clock, keys, skus, timings or ErpTimings(timedelta(seconds=1), timedelta(seconds=6)))
        erp = SandboxErpBooks(erp_world)
    books = wrap(erp)
    shops = []
    for brand in BRANDS:
        shop = Shop(brand.domain, TOKEN, [SECRET], clock, POINTS_A_SECOND)
        shop.locations = {location: f"{brand.brand} {name}" for location, name in brand.warehouses.items()}
        shop.kits = brand.bundles
        if edit_windows:
            shop.edit_window, shop.express = timedelta(seconds=brand.edit_window), brand.expedited
        shop.locations[STRAY_LOCATION] = f"{brand.brand} pop-up"
        shop.setup.variants = [
            Variant(number, sku, locations=set(brand.warehouses)) for number, sku in enumerate(brand.skus, start=1)
        ]
        shops.append(shop)
    clarus = ClarusWorld(clock)
    for brand in BRANDS:
        seed(clarus, _tenant(brand))
    return Outside(
        clock=clock,
        chance=chance,
        shopify=ShopifyWorld(shops, FaultPlan(faults, chance, "shopify"), clock, books.posted),
        clarus=clarus,
        clarus_faults=FaultPlan(faults, chance, "clarus"),
        erp_world=erp_world,
        erp_faults=FaultPlan(faults, chance, "erp"),
        erp=books,
    )


def _address(intake: str, resource: str) -> str:
    """Goods-outs are what an address without a word behind its token is about."""
    return intake if resource == "goods_out" else f"{intake}/{resource}"


async def configure_brands(
    log: Log,
    release_from: datetime,
    *,
    edit_windows: bool = False,
    stock: StockRules | None = None,
    sweep: SweepTimes | None = None,
    items: Mapping[Brand, ItemRules] | None = None,
) -> None:
    """Publish every demo brand's first configuration. `stock`: how it is kept in step; None: not at all. `sweep`: when
    the systems are compared; None: nightly. `items`: how a brand gets its items from the ERP; a brand that is not in it
    has products of its own doing.
    """
    for brand in BRANDS:
        kept = (items or {}).get(brand.brand, ItemRules())
        first = {"version": 1, "stock": stock or StockRules(), "sweep": sweep or SweepTimes(), "items": kept}
        config = brand.config(release_from, edit_window=edit_windows).model_copy(update=first)
        await publish(log, brand.brand, lambda _, config=config: config)  # type: ignore[misc]  # mypy cannot infer a lambda with a default


def erp_key(brand: DemoBrand) -> str:
    return f"sandbox-erp-key-{brand.brand}"


def _tenant(brand: DemoBrand) -> Tenant:
    carriers: dict[str, tuple[str, ...]] = {}
    for carrier, service in (*brand.shipping.values(), *brand.new_lines.values()):
        carriers[carrier] = (*carriers.get(carrier, ()), service)
    return Tenant(
        subdomain=brand.brand,
        client_id=f"{brand.brand}-api",
        client_secret=CLIENT_SECRET,
        accounts={brand.account: brand.products},
        warehouses=tuple(brand.warehouses.values()),
        carriers=carriers,
    )


async def every(seconds: float, clock: Clock, do: Callable[[], Awaitable[None]]) -> None:
    """Again and again, until cancelled."""
    while True:
        await do()
        await clock.sleep(seconds)


def connection_tables(base: dict[str, str], outside: Outside, erp: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The connections file of the demo. `base` has the addresses of shopify and clarus; `erp` a table per brand."""
    return {
        brand.brand: {
            "shopify": {
                "base_url": f"{base['shopify']}/{brand.domain}",
                "shop_domain": brand.domain,
                "token": TOKEN,
                "webhook_secrets": [SECRET],
                "longest_request": 5.0,
                "poll_lookback": 600.0,
            },
            "clarus": {
                "base_url": base["clarus"],
                "subdomain": brand.brand,
                "client_id": f"{brand.brand}-api",
                "client_secret": CLIENT_SECRET,
                "path_token": PATH_TOKEN,
                "longest_request": 5.0,
                "per_second": 200.0,
                "at_once": 32,
            },
            "erp": erp[brand.brand],
        }
        for brand in outside.brands
    }
