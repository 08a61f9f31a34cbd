"""The port over the sandbox Shopify, in virtual time, with the hands of the shop's staff."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.shopify.port import ShopifyPort
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.translate import translate_order
from kernel.clock import LoopClock
from kernel.virtual_time import run_virtual
from sandbox.faults import Chance, Fault, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld, create_app
from sandbox.shopify.records import Address
from sandbox.shopify.records import Order as Placed
from sandbox.shopify.shop import Shop
from schemas.base import OrderId
from schemas.orders import Order
from tests.connectors.shopify.shops import ACME, a_shop

LEEDS, MANCHESTER = 11, 12
IDA = Address("Ida Marlow", "4 Kiln Row", "Leeds", "LS1 1AA", "GB", phone="+441130000000")


class CountingTransport(httpx.AsyncBaseTransport):
    """Remembers which operations were asked for, and lets something happen before one."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.operations: list[str] = []
        self.before: Callable[[str], None] = lambda _operation: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = (await request.aread()).decode()
        operation = body.partition('"operationName":"')[2].partition('"')[0]
        self.operations.append(operation)
        self.before(operation)
        return await self._inner.handle_async_request(request)


@dataclass
class SandboxShop:
    """One shop `acme` with two locations."""

    port: ShopifyPort
    settings: ShopifyShop
    shop: Shop
    world: ShopifyWorld
    network: CountingTransport
    clock: LoopClock

    def placed(self, *lines: tuple[str | None, int], at: tuple[int, ...] = (LEEDS,)) -> Placed:
        order = self.shop.place_order(lines, address=IDA)
        self.shop.route(order, at)
        return order

    async def read(self, order: Placed) -> Order:
        (reading,) = await self.port.read(ACME, [OrderId(str(order.id))])
        return translate_order(reading.body)

    def next_write(self, fault: Fault, *, times: int = 1, seconds: float = 3.0) -> None:
        self.world.faults.force("fulfillmentCreate", fault, times=times, seconds=seconds)

    def told(self) -> list[dict[str, Any]]:
        """What the shop's own books hold: tracking, units, mails of every fulfilment."""
        return [
            {
                "tracking": one["tracking"],
                "units": [unit["quantity"] for unit in one["lines"]],
                "mails": one["mails"],
            }
            for one in self.world.books()["fulfillments"]
        ]


def run_story(story: Callable[[SandboxShop], Awaitable[None]], points_a_second: float = 100.0, **changes: Any) -> None:
    """Tell a story with a fresh shop on a loop of virtual time; `changes` are settings of the connection."""

    async def whole() -> None:
        clock = LoopClock(datetime(2026, 11, 5, 12, tzinfo=UTC))
        shop = Shop("acme.example", "shpat_1", ["s"], clock, points_a_second)
        shop.locations = {LEEDS: "Leeds", MANCHESTER: "Manchester"}
        world = ShopifyWorld([shop], FaultPlan(Faults(), Chance(1), "shopify"), clock)
        network = CountingTransport(httpx.ASGITransport(create_app(world)))
        settings = a_shop(base_url="http://sandbox.example/acme.example", token=SecretStr("shpat_1"), **changes)
        port = ShopifyPort([settings], clock, network)
        try:
            await story(SandboxShop(port, settings, shop, world, network, clock))
            await world.settled()
        finally:
            await port.aclose()

    run_virtual(whole())
