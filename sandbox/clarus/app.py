"""The sandbox Clarus over HTTP.

    POST   /oauth/token                                        client credentials, as a form
    POST   /graphql                                            all reading
    POST   /api/goods_outs                    PATCH, DELETE /api/goods_outs/{id}
    POST   /api/goods_outs/{id}/cancel
    POST   /api/goods_out_processes/process_picks_async        {"ids": […]}
    POST   /api/goods_out_processes/short_order_lines          {"ids": […]}
    POST   /api/products                      PATCH /api/products/{id}
    POST   /api/products/{id}/account_products
    POST   /api/automations                   DELETE /api/automations/{id}

    GET    /_sandbox/books                                     what was ordered and what left; no token needed
    GET    /_sandbox/stock                                     balances and transactions as they are
    POST   /_sandbox/stock/{verb}                              a storekeeper: receive, hold, release, adjust, …
    GET    /_sandbox/faults                                    the faults that chance draws from
    POST   /_sandbox/faults                                    {"preset"} | {"faults"} | {"operation", "fault", …}
    POST   /_sandbox/rights                                    {"seen": true | false}
    POST   /_sandbox/goods_outs/{id}/{verb}                    a hand on the floor: allocate, pick, despatch, …

Operations that faults are drawn for and forced on: token, graphql, create_goods_out, amend_goods_out, delete_goods_out,
cancel_goods_out, process_picks, short_order_lines, create_product, amend_product, assign_product,
create_automation, delete_automation.
"""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.answers import JsonAnswer
from sandbox.clarus.access import ApiUser, Unauthorised
from sandbox.clarus.controls import control_routes
from sandbox.clarus.gateway import Gateway, GatewaySettings
from sandbox.clarus.reads import Reads
from sandbox.clarus.refusals import Refused, Symbol, refused
from sandbox.clarus.world import ClarusWorld
from sandbox.clarus.writes import Writes
from sandbox.faults import FaultPlan

Write = Callable[[Writes, ApiUser, int, Any], dict[str, Any] | None]
"""What a call does for a user, with the id in its path (0 without one) and its body; None answers 204."""

WRITES: tuple[tuple[str, str, str, Write], ...] = (
    ("POST", "/goods_outs", "create_goods_out", lambda w, user, _, body: w.create_goods_out(user, body)),
    ("PATCH", "/goods_outs/{id:int}", "amend_goods_out", lambda w, user, id_, body: w.amend_goods_out(user, id_, body)),
    ("DELETE", "/goods_outs/{id:int}", "delete_goods_out", lambda w, user, id_, _: w.delete_goods_out(user, id_)),
    ("POST", "/goods_outs/{id:int}/cancel", "cancel_goods_out", lambda w, user, id_, _: w.cancel_goods_out(user, id_)),
    (
        "POST",
        "/goods_out_processes/process_picks_async",
        "process_picks",
        lambda w, user, _, body: w.process_picks(user, body),
    ),
    (
        "POST",
        "/goods_out_processes/short_order_lines",
        "short_order_lines",
        lambda w, user, _, body: w.short_order_lines(user, body),
    ),
    ("POST", "/products", "create_product", lambda w, user, _, body: w.create_product(user, body)),
    ("PATCH", "/products/{id:int}", "amend_product", lambda w, user, id_, body: w.amend_product(user, id_, body)),
    (
        "POST",
        "/products/{id:int}/account_products",
        "assign_product",
        lambda w, user, id_, body: w.assign_product(user, id_, body),
    ),
    ("POST", "/automations", "create_automation", lambda w, user, _, body: w.create_automation(user, body)),
    ("DELETE", "/automations/{id:int}", "delete_automation", lambda w, user, id_, _: w.delete_automation(user, id_)),
)
"""Method, path below /api, operation, and what it does."""

Answer = Callable[[ApiUser, Any], dict[str, Any] | None]


def create_app(
    world: ClarusWorld, faults: FaultPlan | None = None, settings: GatewaySettings | None = None
) -> Starlette:
    """The ASGI application over `world`, which may be shared with pickers and with the test that plays the floor."""
    gateway = Gateway(world.clock, world.errands, faults, settings)
    door = _Door(world, gateway)
    return Starlette(
        routes=[
            Route("/oauth/token", door.token, methods=["POST"]),
            door.graphql(Reads(world)),
            *(door.write(Writes(world), *call) for call in WRITES),
            *control_routes(world, gateway),
        ]
    )


class _Door:
    """Around every call: who calls, what the gateway lets happen, how a refusal is written."""

    def __init__(self, world: ClarusWorld, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def graphql(self, reads: Reads) -> Route:
        def read(user: ApiUser, body: Any) -> dict[str, Any]:
            if not isinstance(body, dict) or not isinstance(body.get("query"), str):
                raise refused(Symbol.MISSING, "expected a query", status=400, field="query")
            return reads.answer(body["query"], body.get("variables") or {}, user)

        async def endpoint(request: Request) -> Response:
            return await self._pass(request, "graphql", read, writing=False)

        return Route("/graphql", endpoint, methods=["POST"])

    def write(self, writes: Writes, method: str, path: str, operation: str, write: Write) -> Route:
        async def endpoint(request: Request) -> Response:
            number: int = request.path_params.get("id", 0)
            return await self._pass(
                request, operation, lambda user, body: write(writes, user, number, body), writing=True
            )

        return Route(f"/api{path}", endpoint, methods=[method])

    async def _pass(self, request: Request, operation: str, answer: Answer, *, writing: bool) -> Response:
        raw = await request.body()  # now: what is executed late can no longer read it from the connection

        async def act() -> Response:
            return self._act(request, raw, answer)

        tenant = request.headers.get("x-clarus-subdomain", "")
        return await self._gateway.pass_on(operation, tenant, act, writing=writing)

    def _act(self, request: Request, raw: bytes, answer: Answer) -> Response:
        try:
            user = self._world.access.user(
                request.headers.get("authorization", ""), request.headers.get("x-clarus-subdomain", "")
            )
            given = answer(user, json.loads(raw) if raw else None)
        except Unauthorised as why:
            return JsonAnswer({"error": str(why)}, 401)
        except Refused as why:
            return JsonAnswer(why.json(), why.status)
        except json.JSONDecodeError:
            return JsonAnswer(refused(Symbol.INVALID, "expected JSON", status=400).json(), 400)
        return Response(status_code=204) if given is None else JsonAnswer(given)

    async def token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}

        async def act() -> Response:
            if form.get("grant_type") != "client_credentials":
                return JsonAnswer({"error": "unsupported_grant_type"}, 400)
            try:
                token = self._world.access.issue(form.get("client_id", ""), form.get("client_secret", ""))
            except Unauthorised as why:
                return JsonAnswer({"error": str(why)}, 401)
            seconds = self._world.access.token_seconds
            return JsonAnswer({"access_token": token, "token_type": "Bearer", "expires_in": round(seconds)})

        return await self._gateway.pass_on("token", form.get("client_id", ""), act, writing=False)
