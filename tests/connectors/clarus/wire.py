"""The sandbox at the end of a wire: somebody can step in between two requests, or answer in its place."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from kernel.virtual_time import run_virtual
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import NOON, Clarus, a_port


class Wire(httpx.AsyncBaseTransport):
    """To the sandbox; answers in its place what `instead` gives for a request."""

    def __init__(self, floor: Floor) -> None:
        self._inner = httpx.ASGITransport(floor.app)
        self.instead: Callable[[httpx.Request], httpx.Response | Exception | None] = lambda _request: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        match self.instead(request):
            case None:
                return await self._inner.handle_async_request(request)
            case httpx.Response() as answer:
                return answer
            case error:
                raise error


def on_the_floor(story: Callable[[Clarus, Floor, Wire], Awaitable[None]], **settings: Any) -> None:
    async def whole() -> None:
        floor = Floor(NOON)
        wire = Wire(floor)
        async with a_port(wire, **settings) as clarus:
            await story(clarus, floor, wire)
            await floor.world.errands.finished()

    run_virtual(whole())


def before(clarus: Clarus, name: str, happens: Callable[[], object], *, time: int = 1) -> None:
    """Let it happen before the request of this name arrives the so-manieth time from now."""
    left = [time]

    def count(asked: str) -> None:
        if asked == name:
            left[0] -= 1
            if left[0] == 0:
                happens()

    clarus.network.before = count


def references(floor: Floor) -> list[str]:
    return [story["reference"] for story in floor.world.books.json()["goods_outs"]]
