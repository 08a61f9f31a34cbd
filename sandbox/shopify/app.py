"""The sandbox Shopify over HTTP, several shops below one address, each with its faults.

POST /{shop domain}/admin/api/{version}/graphql.json     with X-Shopify-Access-Token
GET  /_sandbox/books                                      every shop's books
GET  /_sandbox/stock                                      its sales, refused sales and writes of figures
GET  /_sandbox/bulk/{shop domain}/{number}.jsonl          what a bulk query found
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.answers import JsonAnswer
from sandbox.clock import Clock
from sandbox.faults import Fault, FaultPlan
from sandbox.shopify.api import VERSION, AdminApi, Posted
from sandbox.shopify.levels import NAMES
from sandbox.shopify.shop import Shop

MUTATIONS = ("fulfillmentCreate", "fulfillmentTrackingInfoUpdate", "inventorySetQuantities", "bulkOperationRunQuery")
"""Faults are drawn for each of these by name, for all reading as `query`."""


class ShopifyWorld:
    """The shops by domain. `faults` meet every request of every shop."""

    def __init__(self, shops: list[Shop], faults: FaultPlan, clock: Clock, posted: Posted | None = None) -> None:
        self.shops = {shop.domain: shop for shop in shops}
        self.faults, self.clock = faults, clock
        self.apis = {shop.domain: AdminApi(shop, posted) for shop in shops}
        self.late: set[asyncio.Task[Any]] = set()
        self.judged: Callable[[], dict[str, Any]] | None = None
        """What the joint books of stock say, where somebody keeps them."""

    def books(self) -> dict[str, Any]:
        """All shops' books in one."""
        dumps = [shop.books.dump() for shop in self.shops.values()]
        return {
            "orders": [order for dump in dumps for order in dump["orders"]],
            "fulfillments": [one for dump in dumps for one in dump["fulfillments"]],
        }

    def stock_books(self) -> dict[str, Any]:
        """All shops' `sales`, `sold_out` and `writes`, their `levels` of now, and what the joint books judge."""
        dumps = [shop.inventory.books.dump() for shop in self.shops.values()]
        told = {name: [one for dump in dumps for one in dump[name]] for name in ("sales", "sold_out", "writes")}
        levels = [
            {
                "shop": shop.domain, "item": str(level.item), "location": str(level.location),
                **{name: level.quantity(name) for name in NAMES},
            }
            for shop in self.shops.values()
            for level in shop.inventory.levels.values()
            if level.counted
        ]  # fmt: skip
        judged = {} if self.judged is None else {"judged": self.judged()}
        return {**told, "levels": levels, **judged}

    async def settled(self) -> None:
        """Everything that was to be executed late has been."""
        await asyncio.gather(*self.late)


def create_app(world: ShopifyWorld) -> Starlette:
    """The ASGI application; usable through an in-process transport."""

    async def graphql(request: Request) -> Response:
        shop = world.shops.get(request.path_params["shop"])
        if shop is None:
            return JsonAnswer({"errors": "Not Found"}, status_code=404)
        if request.headers.get("x-shopify-access-token") != shop.token:
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return JsonAnswer({"errors": message}, status_code=401)
        body = await request.json()
        api = world.apis[shop.domain]
        api.bulk.base = str(request.base_url)
        return await _answer(world, api, body)

    async def bulk(request: Request) -> Response:
        api = world.apis.get(request.path_params["shop"])
        found = None if api is None else api.bulk.file(request.path_params["number"])
        return Response("Not Found", 404) if found is None else Response(found, media_type="application/jsonl")

    async def books(_: Request) -> Response:
        return JsonAnswer(world.books())

    async def stock(_: Request) -> Response:
        return JsonAnswer(world.stock_books())

    return Starlette(
        routes=[
            Route("/{shop}/admin/api/{version}/graphql.json", graphql, methods=["POST"]),
            Route("/_sandbox/books", books, methods=["GET"]),
            Route("/_sandbox/stock", stock, methods=["GET"]),
            Route("/_sandbox/bulk/{shop}/{number:int}.jsonl", bulk, methods=["GET"]),
        ]
    )


async def _answer(world: ShopifyWorld, api: AdminApi, body: dict[str, Any]) -> Response:
    """Meet the fault of this request, if any."""
    query, variables = str(body.get("query", "")), dict(body.get("variables") or {})
    operation = body.get("operationName")
    name = next((one for one in MUTATIONS if one in query), "query")
    drawn = world.faults.draw(name, writing=name in MUTATIONS)
    match drawn.fault:
        case Fault.THROTTLED:
            return _ok(api.throttled())
        case Fault.SERVER_ERROR:
            return JsonAnswer({"errors": "Bad Gateway"}, status_code=502)
        case Fault.ANSWER_LOST:
            await api.answer(query, variables, operation)
            return JsonAnswer({"errors": "Gateway Timeout"}, status_code=504)
        case Fault.LATE_EXECUTION:
            _later(world, api, query, variables, operation, drawn.seconds)
            return JsonAnswer({"errors": "Gateway Timeout"}, status_code=504)
        case Fault.SLOW:
            await world.clock.sleep(drawn.seconds)
        case Fault.NONE:
            pass
    return _ok(await api.answer(query, variables, operation))


def _later(
    world: ShopifyWorld, api: AdminApi, query: str, variables: dict[str, Any], operation: str | None, seconds: float
) -> None:
    begun = api.on_its_way(query, variables)

    async def execute() -> None:
        await world.clock.sleep(seconds)
        begun()
        await api.answer(query, variables, operation)

    task = asyncio.get_running_loop().create_task(execute())
    world.late.add(task)
    task.add_done_callback(world.late.discard)


def _ok(answer: dict[str, Any]) -> Response:
    return JsonAnswer(answer, headers={"X-Shopify-API-Version": VERSION})
