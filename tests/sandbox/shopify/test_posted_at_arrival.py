"""The shop's books note for each fulfilment what the ERP showed as posted for *its* order when it arrived."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.shopify.port import ShopifyPort
from kernel.clock import LoopClock
from kernel.virtual_time import run_virtual
from sandbox.faults import Chance, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld, create_app
from sandbox.shopify.shop import Shop
from tests.connectors.shopify.commands import tell, units
from tests.connectors.shopify.sandbox_shop import LEEDS, CountingTransport, SandboxShop
from tests.connectors.shopify.shops import a_shop


def test_two_orders_told_at_once_are_each_noted_with_their_own_postings() -> None:
    async def story() -> None:
        clock = LoopClock(datetime(2026, 11, 5, 12, tzinfo=UTC))

        async def posted(_shop: str, order: str) -> list[dict[str, Any]]:
            """An ERP that takes longer to say so for earlier orders."""
            await clock.sleep(3.0 / int(order[-1]) if order[-1] != "0" else 3.0)
            return [{"order": order}]

        shop = Shop("acme.example", "shpat_1", ["s"], clock, 1000.0)
        shop.locations = {LEEDS: "Leeds"}
        world = ShopifyWorld([shop], FaultPlan(Faults(), Chance(1), "shopify"), clock, posted)
        network = CountingTransport(httpx.ASGITransport(create_app(world)))
        settings = a_shop(base_url="http://sandbox.example/acme.example", token=SecretStr("shpat_1"))
        port = ShopifyPort([settings], clock, network)
        acme = SandboxShop(port, settings, shop, world, network, clock)
        orders = [await acme.read(acme.placed(("MUG-BLUE", 1))) for _ in range(4)]

        await asyncio.gather(*(port.execute(tell(order, units(order, 1))) for order in orders))

        noted = {one["order"]: one["posted_at_arrival"] for one in world.books()["fulfillments"]}
        assert noted == {order.id: [{"order": order.id}] for order in orders}
        await port.aclose()

    run_virtual(story())
