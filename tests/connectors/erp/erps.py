"""The ERPs under test: each behind its adapter, with the hands of the people who work in it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.erp.interface import ErpAdapter
from connectors.erp.port import ErpPort
from connectors.erp.sandbox import SandboxErp
from connectors.erp.sandbox import translate as translate_sandbox
from connectors.erp.sandbox import translate_items as translate_sandbox_items
from connectors.erp.tryton import Shop, TrytonErp
from connectors.erp.tryton import translate as translate_tryton
from connectors.erp.tryton import translate_items as translate_tryton_items
from connectors.erp.tryton.client import TrytonClient
from sandbox.erp import ErpTimings, ErpWorld, create_app
from sandbox.tryton import TrytonServer
from sandbox.tryton.books import read_books
from sandbox.tryton.clerk import Clerk
from sandbox.tryton.rest import TrytonRest
from schemas.base import Brand, OrderId
from schemas.commands import UpsertErpOrder
from schemas.config import BrandConfig
from schemas.erp import ErpOrder
from schemas.items import ErpItem
from tests.builders import a_brand
from tests.connectors.erp.clerks import ItemClerk, SandboxClerk, TrytonClerk
from tests.connectors.erp.wishes import ACME, BLACK_LAMP, LAMP, RUG
from tests.sandbox.step_clock import StepClock


class LossyTransport(httpx.AsyncBaseTransport):
    """Passes requests on; loses answers, or whole requests, where it is told to."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.writes: list[str] = []
        """`METHOD path` of every write that was executed."""
        self._lose_answers = 0
        self._refuse_after: int | None = None

    def lose_next_answer(self) -> None:
        """The next write is executed, its answer never comes."""
        self._lose_answers = 1

    def go_away_after(self, writes: int) -> None:
        """After so many more writes no request gets through, until `come_back`."""
        self._refuse_after = writes

    def come_back(self) -> None:
        self._refuse_after = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._refuse_after == 0:
            raise httpx.ConnectError("refused", request=request)
        answer = await self._inner.handle_async_request(request)
        if request.method == "GET":
            return answer
        self.writes.append(f"{request.method} {request.url.path}")
        if self._refuse_after is not None:
            self._refuse_after -= 1
        if self._lose_answers:
            self._lose_answers -= 1
            await answer.aread()
            raise httpx.ReadTimeout("lost", request=request)
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


@dataclass
class ErpUnderTest:
    """One ERP behind its adapter and port, with the hands of the people who work in it."""

    adapter: ErpAdapter
    port: ErpPort
    network: LossyTransport
    translate: Callable[[bytes], ErpOrder]
    approve: Callable[[], Awaitable[None]]
    """Sales orders entered are committed."""
    post_all: Callable[[], Awaitable[None]]
    """Everything entered is posted."""
    books: Callable[[], Awaitable[dict[str, Any]]]
    clerk: ItemClerk
    translate_items: Callable[[bytes], tuple[ErpItem, ...]]
    clock: StepClock
    """Of the adapter."""

    async def order(self, order: OrderId) -> ErpOrder:
        """As the ERP shows it now."""
        (reading,) = await self.adapter.read(ACME, [order])
        assert not reading.absent, f"order {order} is not in the ERP"
        return self.translate(reading.body)

    async def committed(self, wish: UpsertErpOrder) -> ErpOrder:
        """Carry out a wish for an order and let it be committed."""
        await self.adapter.upsert_order(wish)
        await self.approve()
        return await self.order(wish.order)

    async def in_books(self, order: OrderId) -> dict[str, Any]:
        """The order and its fulfilments as the ERP's own books show them, keys and times left out."""
        books = await self.books()
        (sale,) = (one for one in books["sales_orders"] if one["key"] == order)
        parts = [one for one in books["fulfilments"] if one["order"] == order]
        return {
            "lines": {one["line"]: one["quantity"] for one in sale["lines"] if one["quantity"]},
            "posted": {
                one["key"]: {line["line"]: line["quantity"] for line in one["lines"]}
                for one in parts
                if one["state"] == "posted"
            },
            "open": [one["key"] for one in parts if one["state"] == "open"],
        }


def config_of(_brand: Brand) -> BrandConfig:
    """Items are kept in step; a mark that stands in some codes is taken out."""
    return a_brand(items={"mode": "create", "stock_unit": "EACH"}, skus={"remove": "#"})


@asynccontextmanager
async def sandbox_under_test() -> AsyncIterator[ErpUnderTest]:
    clock = StepClock()
    world = ErpWorld(clock, {"acme": "acme-key", "borealis": "borealis-key"}, [LAMP, BLACK_LAMP, RUG], ErpTimings())
    network = LossyTransport(httpx.ASGITransport(create_app(world)))
    adapter = SandboxErp("http://erp.example/", {ACME: "acme-key"}, clock, network)

    async def wait() -> None:
        clock.advance(60)

    async def books() -> dict[str, Any]:
        return world.books()

    port = ErpPort({ACME: adapter}, clock, config_of)
    clerk = SandboxClerk(world)
    yield ErpUnderTest(
        adapter, port, network, translate_sandbox, wait, wait, books, clerk, translate_sandbox_items, clock
    )
    await port.aclose()


@asynccontextmanager
async def tryton_under_test(server: TrytonServer) -> AsyncIterator[ErpUnderTest]:
    clock = StepClock()
    clock.advance((datetime.now(UTC) - clock.now()).total_seconds())  # the server's is the machine's
    network = LossyTransport(httpx.AsyncHTTPTransport())
    shops = {ACME: Shop(web_shop="acme", customer="WEB-acme")}
    adapter = TrytonErp(server.base_url, server.key, shops, clock, posts_itself=False, transport=network)
    async with TrytonRest(server.base_url, server.key) as rest:
        clerk = Clerk(rest, clock, delay=timedelta())

        async def nothing() -> None:
            """Tryton commits by itself."""

        async def post_all() -> None:
            await clerk.look()

        async def books() -> dict[str, Any]:
            return await read_books(rest)

        port = ErpPort({ACME: adapter}, clock, config_of)
        people = TrytonClient(server.base_url, server.key, 1, 30.0, 4, clock)
        keeper = TrytonClerk(people)
        yield ErpUnderTest(
            adapter, port, network, translate_tryton, nothing, post_all, books, keeper, translate_tryton_items, clock
        )
        await people.aclose()
        await port.aclose()
