"""Shops to test against that need no server: answers recorded in files, given in the order asked for."""

import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from connectors.shopify.client import ShopifyClient
from connectors.shopify.settings import ShopifyShop
from schemas.base import Brand

ACME = Brand("acme")
RECORDED = Path(__file__).parent / "recorded"


class StepClock:
    """Stands still but for sleeps, which pass at once and are remembered."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 5, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._now.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


def a_shop(**changes: Any) -> ShopifyShop:
    plain: dict[str, Any] = {"brand": ACME, "base_url": "https://acme.example", "token": SecretStr("shpat_1")}
    return ShopifyShop.model_validate({**plain, **changes})


def recorded(name: str) -> dict[str, Any]:
    """The file's answer, as JSON."""
    whole: dict[str, Any] = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    return whole


def order_node(name: str, index: int = 0) -> dict[str, Any]:
    """An order of a recorded ReadOrders, its connections joined as the reader joins them."""
    joined: dict[str, Any] = _joined(recorded(name)["answer"]["data"]["nodes"][index])
    return joined


def order_body(name: str, index: int = 0) -> bytes:
    return orjson.dumps(order_node(name, index))


def _joined(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _joined(inner) for key, inner in value.items() if key != "pageInfo"}
    return [_joined(inner) for inner in value] if isinstance(value, list) else value


class RecordedShop(httpx.AsyncBaseTransport):
    """Answers every operation with what was queued for it, first come first served; the last answer stays."""

    def __init__(self, clock: StepClock | None = None, *names: str) -> None:
        self.clock = clock or StepClock()
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """Operation and variables of every request that arrived."""
        self.tokens: list[str] = []
        self._answers: dict[str, list[httpx.Response | Exception]] = defaultdict(list)
        for name in names:
            self.will(name)

    def will(self, name: str) -> "RecordedShop":
        """The next answer to the recording's operation."""
        recording = recorded(name)
        answer = httpx.Response(recording["status"], headers=recording["headers"], json=recording["answer"])
        return self.will_answer(recording["operation"], answer)

    def will_answer(self, operation: str, answer: httpx.Response | Exception) -> "RecordedShop":
        self._answers[operation].append(answer)
        return self

    def will_show(self, *nodes: dict[str, Any] | None) -> "RecordedShop":
        """The next ReadOrders answers these orders."""
        return self.will_answer("ReadOrders", httpx.Response(200, json={"data": {"nodes": list(nodes)}}))

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = orjson.loads(await request.aread())
        operation = body["operationName"]
        self.asked.append((operation, body["variables"]))
        self.tokens.append(request.headers["X-Shopify-Access-Token"])
        queue = self._answers[operation]
        assert queue, f"nothing was recorded for {operation}"
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def a_client(transport: RecordedShop, shop: ShopifyShop | None = None) -> ShopifyClient:
    return ShopifyClient(shop or a_shop(), transport.clock, transport, jitter=lambda: 0.0)
