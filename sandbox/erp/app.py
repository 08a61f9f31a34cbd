"""The sandbox ERP's REST interface.

    PUT  /api/sales_orders/{key}                               upsert; the key is the caller's
    GET  /api/sales_orders/{key}                               with its fulfilments
    GET  /api/sales_orders?keys=a,b                            those of them that exist, whole
    GET  /api/sales_orders?after=N&changed_since=T&limit=M     {key, change}, in the order of change numbers
    POST /api/sales_orders/{key}/fulfilments/{fulfilment_key}  goods left
    GET  /api/items?offset=N&limit=M                           the item master, by SKU, and its size
    GET  /api/items?ids=1,2                                    those of these items that exist
    GET  /api/items?after=N&limit=M                            items in the order of change numbers
    GET  /api/setup                                            rights of a key, what it does by itself
    GET  /_sandbox/books                                       everything, for whoever judges a run; no key needed

A bearer key opens one shop's orders and no other's. Refusals carry `{"error": {"code", "field", "message"}}`.
"""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.answers import JsonAnswer
from sandbox.erp.checks import Refused, moment
from sandbox.erp.items import ItemMaster
from sandbox.erp.mishaps import Mishaps
from sandbox.erp.records import order_json
from sandbox.erp.world import ErpWorld
from sandbox.faults import FaultPlan

PAGE = 500
"""Changes a page holds at most."""

Answer = Callable[[ErpWorld, str, Request], Awaitable[Response]]
"""What a route does for the shop whose key the request bears."""


def create_app(world: ErpWorld, faults: FaultPlan | None = None) -> Starlette:
    """The ASGI application over `world`, which may be shared with the test or demo that plays the ERP's people.

    `faults` are drawn per operation: list_orders, get_order, put_order, post_fulfilment, list_items, get_setup. The
    books never suffer any.
    """
    mishaps = Mishaps(faults, world.clock)

    def route(path: str, method: str, answer: Answer) -> Route:
        return Route(path, _for_its_shop(world, mishaps, answer), methods=[method])

    async def books(_: Request) -> Response:
        return JsonAnswer(world.books())

    return Starlette(
        routes=[
            route("/api/sales_orders", "GET", list_orders),
            route("/api/sales_orders/{key}", "GET", get_order),
            route("/api/sales_orders/{key}", "PUT", put_order),
            route("/api/sales_orders/{key}/fulfilments/{fulfilment_key}", "POST", post_fulfilment),
            route("/api/items", "GET", list_items),
            route("/api/setup", "GET", get_setup),
            Route("/_sandbox/books", books, methods=["GET"]),
        ]
    )


def _for_its_shop(world: ErpWorld, mishaps: Mishaps, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        shop = world.shop_of(key) if scheme.lower() == "bearer" else None
        if shop is None:
            return _error(Refused(401, "unauthorised", "expected a bearer key of a shop"))
        await request.body()  # now: what is executed late can no longer read it from the connection

        async def act() -> Response:
            try:
                return await answer(world, shop, request)
            except Refused as refused:
                return _error(refused)

        return await mishaps.befall(answer.__name__, act, writing=request.method != "GET")

    return endpoint


async def get_order(world: ErpWorld, shop: str, request: Request) -> Response:
    return JsonAnswer(order_json(world.order(shop, request.path_params["key"])))


async def list_orders(world: ErpWorld, shop: str, request: Request) -> Response:
    asked = request.query_params
    if "keys" in asked:
        orders = world.orders(shop, [key for key in asked["keys"].split(",") if key])
        return JsonAnswer({"orders": [order_json(order) for order in orders]})
    since = moment(asked["changed_since"]) if "changed_since" in asked else None
    after, limit = _number(asked.get("after", "0"), "after"), _number(asked.get("limit", str(PAGE)), "limit")
    changed = world.changes(shop, after, since, min(limit, PAGE))
    return JsonAnswer({"orders": [{"key": order.key, "change": order.change} for order in changed]})


async def put_order(world: ErpWorld, shop: str, request: Request) -> Response:
    order, created = world.upsert_order(shop, request.path_params["key"], await _body(request))
    return JsonAnswer(order_json(order), status_code=201 if created else 200)


async def post_fulfilment(world: ErpWorld, shop: str, request: Request) -> Response:
    key, fulfilment_key = request.path_params["key"], request.path_params["fulfilment_key"]
    order, entered = world.enter_fulfilment(shop, key, fulfilment_key, await _body(request))
    return JsonAnswer(order_json(order), status_code=201 if entered else 200)


async def list_items(world: ErpWorld, _: str, request: Request) -> Response:
    asked = request.query_params
    offset, limit = _number(asked.get("offset", "0"), "offset"), _number(asked.get("limit", str(PAGE)), "limit")
    items = world.items or ItemMaster()
    if "ids" in asked:
        return JsonAnswer(items.of([_number(id_, "ids") for id_ in asked["ids"].split(",") if id_]))
    if "after" in asked:
        return JsonAnswer(items.changes(_number(asked["after"], "after"), min(limit, PAGE)))
    return JsonAnswer(items.page(offset, min(limit, PAGE)))


async def get_setup(world: ErpWorld, _: str, __: Request) -> Response:
    return JsonAnswer(world.setup.json())


async def _body(request: Request) -> object:
    try:
        return await request.json()
    except ValueError:
        raise Refused(400, "invalid", "expected JSON") from None


def _number(text: str, field: str) -> int:
    if not text.isdecimal():
        raise Refused(422, "invalid", "expected a whole number", field)
    return int(text)


def _error(refused: Refused) -> Response:
    error = {"code": refused.code, "field": refused.field, "message": refused.message}
    return JsonAnswer({"error": error}, status_code=refused.status)
