"""The Clarus under test, from two sides: the sandbox, set to a scene, and the answers recorded for that scene.

Both run on virtual time from the same moment, and in both the same records bear the same ids, so that one story is true
of both.
"""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
from pydantic import SecretStr

from connectors.clarus.port import ClarusPort
from connectors.clarus.settings import ClarusTenant
from connectors.clarus.translate import translate_goods_outs
from connectors.runtime.port import Reading
from kernel.clock import LoopClock
from schemas.base import OrderId
from schemas.goods_outs import GoodsOut
from tests.builders import a_brand
from tests.connectors.clarus.commands import ACME, ORDER
from tests.connectors.clarus.scenes import SCENES, Floor, Moves

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
RECORDED = Path(__file__).parent / "recorded"
Json = dict[str, Any]


class Network(httpx.AsyncBaseTransport):
    """Remembers what was asked for, and lets something happen before a request arrives."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.asked: list[Json] = []
        self.before: Callable[[str], None] = lambda _name: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        asked = read_request(request.method, request.url.path, await request.aread())
        self.asked.append(asked)
        self.before(name_of(asked))
        return await self._inner.handle_async_request(request)

    def names(self) -> list[str]:
        """Of every request but those for tokens; see `name_of`."""
        return [name for asked in self.asked if (name := name_of(asked)) != "POST /oauth/token"]

    def writes(self) -> list[str]:
        return [name for name in self.names() if "/api/" in name]

    def written(self) -> Json:
        """The body of the only write."""
        (asked,) = [asked for asked in self.asked if asked["path"].startswith("/api/")]
        body: Json = asked["body"]
        return body


class Recording:
    """Gives the recorded answer to each request: the first unused one that was recorded for just this request."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.left: list[Json] = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))["exchanges"]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        asked = read_request(request.method, request.url.path, await request.aread())
        for at, exchange in enumerate(self.left):
            if exchange["request"] == asked:
                return _response(self.left.pop(at)["response"])
        raise AssertionError(f"{self._name}: nothing is recorded for {json.dumps(asked)}")


@dataclass
class Clarus:
    """One of the two sides, with the connector in front of it."""

    port: ClarusPort
    clock: LoopClock
    network: Network
    moves: Moves = field(default_factory=dict)

    def move(self, name: str) -> None:
        """What happens in the warehouse meanwhile; the recorded side has it in its next answers."""
        self.moves.get(name, lambda: None)()

    def seconds(self) -> float:
        return (self.clock.now() - NOON).total_seconds()

    async def reading(self, order: OrderId = ORDER) -> Reading:
        (reading,) = await self.port.read(ACME, [order])
        return reading

    async def goods_outs(self, order: OrderId = ORDER) -> tuple[GoodsOut, ...]:
        return translate_goods_outs((await self.reading(order)).body)


def a_tenant(**changes: Any) -> ClarusTenant:
    plain: Json = {
        "brand": ACME,
        "base_url": "https://clarus.example.test",
        "subdomain": "acme",
        "client_id": "connector",
        "client_secret": SecretStr("open sesame"),
        "longest_request": 30.0,
    }
    return ClarusTenant.model_validate({**plain, **changes})


@asynccontextmanager
async def a_port(transport: httpx.AsyncBaseTransport, **settings: Any) -> AsyncIterator[Clarus]:
    clock, network = LoopClock(NOON), Network(transport)
    port = ClarusPort([a_tenant(**settings)], lambda _brand: a_brand(), clock, {ACME: network})
    try:
        yield Clarus(port, clock, network)
    finally:
        await port.aclose()


@asynccontextmanager
async def sandbox_side(scene: str, **settings: Any) -> AsyncIterator[Clarus]:
    floor = Floor(NOON)
    async with a_port(to_sandbox(floor), **settings) as clarus:
        clarus.moves = SCENES[scene](floor) or {}
        yield clarus
        await floor.world.errands.finished()


def to_sandbox(floor: Floor) -> httpx.AsyncBaseTransport:
    return httpx.ASGITransport(floor.app)


@asynccontextmanager
async def recorded_side(scene: str, **settings: Any) -> AsyncIterator[Clarus]:
    recording = Recording(scene)
    async with a_port(httpx.MockTransport(recording.answer), **settings) as clarus:
        yield clarus
    assert recording.left == [], f"{scene}: recorded, and not asked for"


def read_request(method: str, path: str, content: bytes) -> Json:
    """What of a request counts: for GraphQL the operation and its variables, not the document's text."""
    asked: Json = {"method": method, "path": path}
    if path == "/oauth/token":
        return asked | {"form": dict(parse_qsl(content.decode()))}
    body: Any = json.loads(content) if content else None
    if path == "/graphql":
        return asked | {
            "operation": body["query"].partition("query ")[2].partition("(")[0],
            "variables": body["variables"],
        }
    return asked | {"body": body}


def name_of(asked: Json) -> str:
    """`METHOD path`, or the operation and which of its lists are asked for: `Look goods_out_lines shipments`."""
    if "operation" not in asked:
        return f"{asked['method']} {asked['path']}"
    lists = [name.removeprefix("with_") for name, wanted in asked["variables"].items() if wanted is True]
    return " ".join([asked["operation"], *lists])


def _response(recorded: Json) -> httpx.Response:
    if "json" in recorded:
        return httpx.Response(recorded["status"], headers=recorded.get("headers"), json=recorded["json"])
    return httpx.Response(recorded["status"], headers=recorded.get("headers"), text=recorded.get("text", ""))
