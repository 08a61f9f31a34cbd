"""Shopify as the connector runtime sees it: one connection per brand's shop behind one port."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import httpx

from connectors.runtime.errors import Incompatible
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Changes, ConfigOf, Execution, Found, Reading
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid, number_of
from connectors.shopify.items import Items
from connectors.shopify.offers import OfferReader
from connectors.shopify.poll import OrderPoll
from connectors.shopify.read import OrderReader
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.setup import ShopSetup
from connectors.shopify.stock_bulk import BulkLevels
from connectors.shopify.stock_read import MOST_ITEMS, LevelReader
from connectors.shopify.stock_write import StockWriter
from connectors.shopify.write import FulfilmentWriter
from kernel.clock import Clock
from schemas.aggregates import Kind, kind_of, stock_id
from schemas.base import Brand, LocationId, OrderId, System
from schemas.commands import Command, CreateFulfilment, SetOnHand, UpdateTracking
from schemas.config import BrandConfig
from schemas.hints import Hint
from schemas.outcomes import OutcomeKind
from schemas.stock import InventoryItemId

FULFILMENT_ORDER = "~fulfillment_order/"
"""What the hint of a `fulfillment_orders/*` webhook names: those bodies carry no order id."""
LEVEL = "~level/"
"""What the hint of an `inventory_levels/*` webhook names: inventory item and location."""


class _Connection:
    """One shop: a pool of HTTP connections and a cost bucket that all its calls share."""

    def __init__(
        self, shop: ShopifyShop, clock: Clock, transport: httpx.AsyncBaseTransport | None, jitter: Callable[[], float]
    ) -> None:
        self.shop = shop
        self.client = ShopifyClient(shop, clock, transport, jitter)
        self.reader = OrderReader(shop, self.client, clock)
        self.writer = FulfilmentWriter(shop, self.client, self.reader, clock)
        self.poll = OrderPoll(shop, self.client, clock)
        self.items = Items(self.client, clock, shop.items_known_for)
        self.levels = LevelReader(self.client, self.items, clock)
        self.bulk = BulkLevels(shop, self.client, self.items, clock)
        self.offers = OfferReader(self.client, self.items, clock, shop.pages.setup_levels)
        self.stock = StockWriter(shop, self.client, self.levels, clock)


class ShopifyPort:
    """Implements `connectors.runtime.port.Port`."""

    def __init__(
        self,
        shops: Iterable[ShopifyShop],
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
        config_of: ConfigOf = lambda _: None,
    ) -> None:
        """`config_of` is asked where stock is concerned: locations, SKU rules. `transport` carries the requests of all
        shops; None is the network. `jitter`: see ShopifyClient. Raises ValueError for no shop, or for two of one brand.
        """
        shops = tuple(shops)
        self._connections = {shop.brand: _Connection(shop, clock, transport, jitter) for shop in shops}
        self._config_of = config_of
        if not shops or len(self._connections) < len(shops):
            raise ValueError(f"expected one shop per brand, found {[shop.brand for shop in shops]}")

    @property
    def system(self) -> System:
        return System.SHOPIFY

    @property
    def brands(self) -> frozenset[Brand]:
        return frozenset(self._connections)

    @property
    def longest_request(self) -> float:
        return max(one.shop.longest_request for one in self._connections.values())

    @property
    def read_batch(self) -> int:
        return min(one.shop.batch for one in self._connections.values())

    @property
    def stock_batch(self) -> int:
        return MOST_ITEMS

    def budget(self, brand: Brand) -> float:
        """The share of the shop's cost bucket that is left."""
        return self._connections[brand].client.limiter.left

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        """Whatever has a key, each kind by its own reader."""
        one = self._connections[brand]
        of = {kind: [id_ for id_ in orders if kind_of(id_) is kind] for kind in Kind}
        readings = list(await one.reader.read(of[Kind.ORDER])) if of[Kind.ORDER] else []
        if of[Kind.STOCK]:
            one.bulk.forget(of[Kind.STOCK])
            readings.extend(await one.levels.read(self._config(brand), of[Kind.STOCK]))
        if of[Kind.ITEM]:
            readings.extend(await one.offers.read(self._config(brand), of[Kind.ITEM]))
        return readings

    async def execute(self, command: Command) -> Execution:
        match command:
            case CreateFulfilment() | UpdateTracking():
                return await self._connections[command.brand].writer.execute(command)
            case SetOnHand():
                one = self._connections[command.brand]
                one.bulk.forget([command.order])
                return await one.stock.execute(command, self._config(command.brand))
            case _:
                text = f"{command.kind} is not for Shopify"
                return Execution(ended(command, OutcomeKind.REJECTED, code="wrong_system", text=text))

    async def resolve(self, hint: Hint) -> Sequence[OrderId]:
        """A fulfilment order's order, a level's stock item. Nothing for what Shopify does not know (any more)."""
        if not hint.order.startswith("~"):
            return (hint.order,)
        if hint.order.startswith(LEVEL):
            return await self._level(hint)
        number = hint.order.removeprefix(FULFILMENT_ORDER)
        if not number.isdigit():
            return ()
        client = self._connections[hint.brand].client
        answer = await client.query("OrderOfFulfilmentOrder", {"id": gid("FulfillmentOrder", number)})
        found = answer.data.get("fulfillmentOrder")
        return (OrderId(number_of(found["orderId"])),) if found else ()

    async def _level(self, hint: Hint) -> Sequence[OrderId]:
        item, _, location = hint.order.removeprefix(LEVEL).partition("/")
        config = self._config_of(hint.brand)
        if config is None or config.stock.mode == "off" or not (item.isdigit() and location.isdigit()):
            return ()
        if config.warehouse_of(LocationId(location)) is None:
            return ()
        code = await self._connections[hint.brand].items.code_of(InventoryItemId(item), config.skus)
        return () if code is None else (stock_id(code, LocationId(location)),)

    def _config(self, brand: Brand) -> BrandConfig:
        config = self._config_of(brand)
        if config is None:
            raise Incompatible(f"brand {brand} is not configured: its locations and SKU rules are unknown")
        return config

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        return await self._connections[brand].poll.changes(cursor)

    async def moved(self, brand: Brand, cursor: str) -> Changes:
        """Nothing: Shopify's levels cannot be searched by when they changed. Its webhooks tell, and the sweep."""
        return Changes((), cursor)

    async def stocked(self, brand: Brand) -> Sequence[OrderId]:
        config = self._config_of(brand)
        if config is None or config.stock.mode == "off":
            return ()
        return await self._connections[brand].bulk.stock_ids(config)

    def read_at_once(self, brand: Brand, order: OrderId, since: datetime) -> Reading | None:
        config = self._config_of(brand)
        return None if config is None else self._connections[brand].bulk.take(config, order, since)

    async def all_items(self, brand: Brand) -> Sequence[OrderId]:
        config = self._config_of(brand)
        return () if config is None or not config.items.audited else await self._connections[brand].offers.keys(config)

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return await self._connections[brand].poll.listed(since)

    async def swept(self, brand: Brand, since: datetime) -> Found:
        return Found(tuple(await self.listed(brand, since)))

    def setup(self, brand: Brand) -> ShopSetup:
        """How the brand's shop is set up, on the same connection."""
        one = self._connections[brand]
        return ShopSetup(one.shop, one.client)

    async def aclose(self) -> None:
        for one in self._connections.values():
            await one.stock.aclose()
            await one.client.aclose()
