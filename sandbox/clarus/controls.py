"""The sandbox's own controls over HTTP, for demos and tests of several processes: faults, rights, floor, books."""

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.answers import JsonAnswer
from sandbox.clarus import render
from sandbox.clarus.books import units
from sandbox.clarus.gateway import Gateway
from sandbox.clarus.refusals import Refused
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.clarus.world import ClarusWorld
from sandbox.faults import Fault, Faults, Preset

Endpoint = Callable[[Request], Awaitable[Response]]


class _Control(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FaultsWanted(_Control):
    """Either a mixture from now on (`preset` or `faults`), or one operation's next `times` requests."""

    preset: Preset | None = None
    faults: Faults | None = None
    operation: str | None = None
    fault: Fault = Fault.NONE
    times: int = 1
    seconds: float = 3.0


class RightsWanted(_Control):
    seen: bool


class Hand(_Control):
    """`lines`: units per line id; only despatching reads these two."""

    lines: dict[int, int] | None = None
    tracking: list[str] | None = None


class StockWanted(_Control):
    """What the storekeeper of an account and a warehouse does; `to` is another account, `reference` wholesale's."""

    tenant: str
    account: str
    warehouse: str
    sku: str
    units: int
    held: bool = False
    to: str = ""
    reference: str = ""


def control_routes(world: ClarusWorld, gateway: Gateway) -> list[Route]:
    async def books(_: Request) -> Response:
        return JsonAnswer(world.books.json())

    async def stock(_: Request) -> Response:
        return JsonAnswer(
            {
                "balances": [render.balance_whole(one) | {"held": units(one.held)} for one in world.stock],
                "transactions": [render.transaction_whole(one) for one in world.stock.transactions],
            }
        )

    async def keep_stock(request: Request) -> Response:
        wanted = StockWanted.model_validate_json(await request.body())
        keeper = Storekeeper(world, wanted.tenant, wanted.account, wanted.warehouse)
        verbs: dict[str, Callable[[], Any]] = {
            "receive": lambda: keeper.receive(wanted.sku, wanted.units, held=wanted.held),
            "hold": lambda: keeper.hold(wanted.sku, wanted.units),
            "release": lambda: keeper.release(wanted.sku, wanted.units),
            "adjust": lambda: keeper.adjust(wanted.sku, wanted.units),
            "transfer": lambda: keeper.transfer(wanted.sku, wanted.units, wanted.to),
            "wholesale": lambda: keeper.wholesale(wanted.reference, {wanted.sku: wanted.units}),
        }
        verb = verbs.get(request.path_params["verb"])
        if verb is None:
            return JsonAnswer({"error": f"expected one of {sorted(verbs)}"}, 404)
        try:
            verb()
        except ValueError as why:
            return JsonAnswer({"error": str(why)}, 422)
        return Response(status_code=204)

    async def show_faults(_: Request) -> Response:
        return JsonAnswer(gateway.plan.faults.model_dump())

    async def set_faults(request: Request) -> Response:
        wanted = FaultsWanted.model_validate_json(await request.body())
        if wanted.operation is not None:
            gateway.plan.force(wanted.operation, wanted.fault, times=wanted.times, seconds=wanted.seconds)
        elif wanted.faults is not None:
            gateway.plan.faults = wanted.faults
        elif wanted.preset is not None:
            gateway.plan.faults = Faults.preset(wanted.preset)
        return Response(status_code=204)

    async def set_rights(request: Request) -> Response:
        wanted = RightsWanted.model_validate_json(await request.body())
        if wanted.seen:
            world.restore_rights()
        else:
            world.lose_rights()
        return Response(status_code=204)

    async def floor(request: Request) -> Response:
        hand = Hand.model_validate_json(await request.body() or b"{}")
        number: int = request.path_params["id"]
        verbs: dict[str, Callable[[], Any]] = {
            "allocate": lambda: world.allocate(number),
            "start_picking": lambda: world.start_picking(number),
            "pick": lambda: world.pick(number),
            "despatch": lambda: world.despatch(number, hand.lines, hand.tracking),
            "undespatch": lambda: world.undespatch(number),
            "close_short": lambda: world.close_short(number),
            "cancel": lambda: world.cancel_by_hand(number),
            "delete": lambda: world.delete_by_hand(number),
            "put_back": lambda: world.put_back(number),
        }
        verb = verbs.get(request.path_params["verb"])
        if verb is None:
            return JsonAnswer({"error": f"expected one of {sorted(verbs)}"}, 404)
        verb()
        left = world.goods_outs.get(number)
        return JsonAnswer(render.goods_out_whole(left)) if left else Response(status_code=204)

    return [
        Route("/_sandbox/books", books, methods=["GET"]),
        Route("/_sandbox/faults", show_faults, methods=["GET"]),
        Route("/_sandbox/faults", _checked(set_faults), methods=["POST"]),
        Route("/_sandbox/stock", stock, methods=["GET"]),
        Route("/_sandbox/stock/{verb}", _checked(keep_stock), methods=["POST"]),
        Route("/_sandbox/rights", _checked(set_rights), methods=["POST"]),
        Route("/_sandbox/goods_outs/{id:int}/{verb}", _checked(floor), methods=["POST"]),
    ]


def _checked(endpoint: Endpoint) -> Endpoint:
    async def checked(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ValidationError as error:
            return JsonAnswer({"error": error.errors(include_url=False, include_context=False)}, 422)
        except Refused as why:
            return JsonAnswer(why.json(), why.status)

    return checked
