"""Shopify as the connector runtime sees it: one connection per brand's shop behind one port."""

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

import httpx

from connectors.runtime.port import Changes, Execution, Reading
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid, number_of
from connectors.shopify.poll import OrderPoll
from connectors.shopify.read import OrderReader
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.setup import ShopSetup
from connectors.shopify.write import FulfilmentWriter
from kernel.clock import Clock
from schemas.base import Brand, OrderId, System
from schemas.commands import Command, CreateFulfilment, UpdateTracking
from schemas.hints import Hint
from schemas.outcomes import Outcome, OutcomeKind

FULFILMENT_ORDER = "~fulfillment_order/"
"""What the hint of a `fulfillment_orders/*` webhook names: those bodies carry no order id."""


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


class ShopifyPort:
    """Implements `connectors.runtime.port.Port`."""

    def __init__(
        self,
        shops: Iterable[ShopifyShop],
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`transport` carries the requests of all shops; None is the network. `jitter`: see ShopifyClient. Raises
        ValueError for no shop, or for two of one brand.
        """
        shops = tuple(shops)
        self._connections = {shop.brand: _Connection(shop, clock, transport, jitter) for shop in shops}
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

    def budget(self, brand: Brand) -> float:
        """The share of the shop's cost bucket that is left."""
        return self._connections[brand].client.limiter.left

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        return await self._connections[brand].reader.read(orders)

    async def execute(self, command: Command) -> Execution:
        match command:
            case CreateFulfilment() | UpdateTracking():
                return await self._connections[command.brand].writer.execute(command)
            case _:
                outcome = Outcome(
                    command=command.id,
                    object=command.object,
                    generation=command.generation,
                    kind=OutcomeKind.REJECTED,
                    code="wrong_system",
                    text=f"{command.kind} is not for Shopify",
                )
                return Execution(outcome)

    async def resolve(self, hint: Hint) -> OrderId | None:
        """A fulfilment order's order. None for one that Shopify does not know (any more), and for any other thing."""
        if not hint.order.startswith("~"):
            return hint.order
        number = hint.order.removeprefix(FULFILMENT_ORDER)
        if not number.isdigit():
            return None
        client = self._connections[hint.brand].client
        answer = await client.query("OrderOfFulfilmentOrder", {"id": gid("FulfillmentOrder", number)})
        found = answer.data.get("fulfillmentOrder")
        return OrderId(number_of(found["orderId"])) if found else None

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        return await self._connections[brand].poll.changes(cursor)

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return await self._connections[brand].poll.listed(since)

    def setup(self, brand: Brand) -> ShopSetup:
        """How the brand's shop is set up, on the same connection."""
        one = self._connections[brand]
        return ShopSetup(one.shop, one.client)

    async def aclose(self) -> None:
        for one in self._connections.values():
            await one.client.aclose()
