"""`python -m benchmarks.world PORTS INTAKE [stock]`: Shopify, Clarus and the ERP at 0 ms, in a process of their own.

They have a process of their own so that what is measured in the others is Lockstep's. Nothing goes wrong here: every
order is complete at once, pickers despatch at once, the ERP commits and posts at once.

    POST /orders?count=…&rate=…   shoppers order, evenly; answers when the last order is placed
    GET  /counts                  placed, in the warehouse, told
    POST /received?count=…&rate=… goods are received in Clarus, one product after the other; answers what and when
    GET  /times?since=…           per order from that number on, in the order they were placed: seconds to each stage
"""

import asyncio
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lockstep.demo.outside import ErpBooks, Outside, make_outside
from lockstep.serving import serve
from sandbox.clarus.pickers import PickerSettings
from sandbox.clock import LoopClock
from sandbox.erp.world import ErpTimings
from sandbox.faults import Faults
from sandbox.shopify.bucket import Bucket
from sandbox.shopify.shoppers import Habits
from schemas.aggregates import stock_id
from schemas.base import LocationId, Sku, order_key
from schemas.references import read_reference

AT_ONCE = (0.0, 0.0)
PICKERS = PickerSettings(
    until_allocated=AT_ONCE, until_picking=AT_ONCE, while_picking=AT_ONCE, until_despatched=AT_ONCE,
    partial=0.0, two_packages=0.0, tracking_late=0.0,
)  # fmt: skip
SHOPPERS = Habits(
    no_address=0.0, no_postcode=0.0, unpaid=0.0, risky=0.0, changes_mind=0.0, gift=0.0, mixed=0.0,
    routing_delay=0.0, planted=(),
)  # fmt: skip
NO_TIME = timedelta(0)
SEED = 11


POINTS_A_SECOND = 1e6
"""Shopify's limits are not what is measured."""


@dataclass
class UnjudgedBooks:
    """The ERP's books, without looking through all of them whenever a fulfilment arrives: nobody judges here."""

    whole: ErpBooks

    async def books(self) -> dict[str, Any]:
        return await self.whole.books()

    async def posted(self, shop: str, order: str) -> list[dict[str, Any]]:
        return []


def make_world() -> Outside:
    timings = ErpTimings(NO_TIME, NO_TIME)
    outside = make_outside(LoopClock(), SEED, Faults(), timings=timings, wrap=UnjudgedBooks)
    for shop in outside.shopify.shops.values():
        shop.bucket = Bucket(POINTS_A_SECOND)
    return outside


class Control:
    """What the bench asks the world for."""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/orders", self._orders, methods=["POST"]),
                Route("/counts", self._counts),
                Route("/received", self._received, methods=["POST"]),
                Route("/times", self._times),
            ]
        )

    async def _orders(self, request: Request) -> Response:
        count, rate = int(request.query_params["count"]), float(request.query_params["rate"])
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._outside.shoppers(SHOPPERS).run(count, rate)
        return JSONResponse({"seconds": loop.time() - began})

    async def _received(self, request: Request) -> Response:
        count, rate = int(request.query_params["count"]), float(request.query_params["rate"])
        places = [
            (brand, location, warehouse, code)
            for brand in self._outside.brands
            for location, warehouse in brand.warehouses.items()
            for sku, code in zip(brand.skus, brand.items, strict=True)
            if sku not in brand.bundles
        ]
        received, loop = [], asyncio.get_running_loop()
        began = loop.time()
        for number in range(count):
            await asyncio.sleep(max(0.0, began + number / rate - loop.time()))
            brand, location, warehouse, code = places[number % len(places)]
            key = order_key(brand.brand, stock_id(Sku(code), LocationId(str(location))))
            received.append({"key": key, "at": datetime.now(UTC).isoformat()})
            self._outside.storekeeper(brand, warehouse).receive(code, 1)
        return JSONResponse(received)

    async def _counts(self, _: Request) -> Response:
        orders = [order for shop in self._outside.shopify.shops.values() for order in shop.orders.values()]
        told = sum(bool(order.fulfillments) for order in orders)
        return JSONResponse({"placed": len(orders), "asked": len(self._outside.clarus.goods_outs), "told": told})

    async def _times(self, request: Request) -> Response:
        return JSONResponse(times(self._outside)[int(request.query_params["since"]) :])


def times(outside: Outside) -> list[dict[str, float | None]]:
    """Seconds from an order's completion to its goods-out and to its fulfilment with tracking; None: not yet."""
    books = outside.shopify.books()
    brands = {brand.domain: str(brand.brand) for brand in outside.brands}
    asked: dict[tuple[str, str], datetime] = {}
    for goods_out in outside.clarus.books.json()["goods_outs"]:
        read = read_reference(goods_out["reference"])
        if read is not None:
            asked[goods_out["tenant"], read[1]] = _at(goods_out["arrived_at"])
    told = {(brands[one["shop"]], one["order"]): _at(one["at"]) for one in books["fulfillments"]}
    complete = {(brands[one["shop"]], one["id"]): _at(one["complete_at"]) for one in books["orders"]}
    return [
        {
            "asked": (asked[key] - since).total_seconds() if key in asked else None,
            "told": (told[key] - since).total_seconds() if key in told else None,
        }
        for key, since in sorted(complete.items(), key=lambda one: one[1])
    ]


def _at(text: Any) -> datetime:
    return datetime.fromisoformat(str(text))


async def main(ports: str, intake: str, stock: str = "") -> None:
    """With `stock` everything is counted, a hundred of each."""
    shopify, clarus, erp, control = (int(port) for port in ports.split(","))
    outside = make_world()
    if stock:
        outside.stock_up(100)
    outside.tell(f"http://127.0.0.1:{intake}", stock=bool(stock))
    served = {shopify: outside.shopify_app, clarus: outside.clarus_app, erp: outside.erp_app}
    async with asyncio.TaskGroup() as tasks:
        for port, app in {**served, control: Control(outside).app()}.items():
            tasks.create_task(serve(app, "127.0.0.1", port))
        tasks.create_task(outside.pickers(PICKERS).run())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
