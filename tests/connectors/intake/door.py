"""The intake with a brand behind it, over the log in memory and virtual time, and somebody who posts to it."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from connectors.intake.app import create_intake
from connectors.intake.settings import IntakeBrand, IntakeSettings
from kernel.clock import LoopClock
from kernel.log import Producer
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from schemas.base import Brand, System
from schemas.hints import Hint
from schemas.topics import HINTS

NINE = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
ACME = Brand("acme")
OLD, NEW = "hush-demo-secret", "hush-newer-secret"
DOMAIN = "acme.example.test"
TOKEN = "k7-path-token"
BODY = b'{"id":5678901234567,"name":"#1042","test":true}'
SIGNATURE = "2rmGIL/zuUzBvLaPpZHzkvQUZVqMWEGcWcZXTjNUxN0="
"""Of BODY under OLD, made with another implementation."""

LIMITS = IntakeSettings(largest_body=2_000, largest_evidence=600)


def signed(body: bytes, secret: str = OLD) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def a_brand(name: Brand = ACME, *secrets: str) -> IntakeBrand:
    return IntakeBrand(
        brand=name,
        shop_domain=f"{name}.example.test",
        shopify_secrets=tuple(SecretStr(secret) for secret in secrets or (OLD, NEW)),
        clarus_token=SecretStr(TOKEN),
        clarus_subdomain=name,
    )


class Door:
    """Made in a running loop."""

    def __init__(self, producer: Producer | None = None, settings: IntakeSettings = LIMITS) -> None:
        self.clock = LoopClock(NINE)
        self.log = MemoryLog(self.clock, {topic.name: 3 for topic in HINTS.values()})
        self.metrics = Metrics()
        self.producer = producer or self.log.producer()
        self.prefix: str | None = "ACME"
        self.app = create_intake(
            producer=self.producer,
            brands={ACME: a_brand(), Brand("bella"): a_brand(Brand("bella"), "bellas-secret")},
            clock=self.clock,
            metrics=self.metrics,
            prefix_of=lambda _: self.prefix,
            settings=settings,
        )
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://intake.test", timeout=60
        )

    async def __aenter__(self) -> "Door":
        await self.producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        await self.producer.stop()

    async def post(
        self, path: str, body: bytes | AsyncIterable[bytes], headers: dict[str, str | bytes] | None = None
    ) -> httpx.Response:
        return await self._client.post(path, content=body, headers=headers)  # type: ignore[arg-type]  # httpx takes bytes values too

    async def shopify(
        self, topic: str, body: bytes | dict[str, Any], *, secret: str = OLD, brand: str = ACME, **headers: str
    ) -> httpx.Response:
        """A genuine webhook. `x_shopify_event_id=…` becomes that header."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named: dict[str, str | bytes] = {name.replace("_", "-"): text for name, text in headers.items()}
        shop = f"{brand}.example.test"
        sent: dict[str, str | bytes] = {
            "X-Shopify-Hmac-Sha256": signed(raw, secret),
            "X-Shopify-Shop-Domain": shop,
            **named,
        }
        return await self.post(f"/shopify/{brand}/{topic}", raw, sent)

    async def clarus(
        self, body: dict[str, Any], *, token: str = TOKEN, event: str = "", subdomain: str | None = "acme"
    ) -> httpx.Response:
        headers: dict[str, str | bytes] = {} if subdomain is None else {"X-ClarusWMS-Subdomain": subdomain}
        return await self.post(f"/clarus/acme/{token}{event}", json.dumps(body).encode(), headers)

    def hints(self, system: System = System.SHOPIFY) -> list[tuple[str, Hint]]:
        """Key and hint of everything written for a system."""
        return [
            ((record.key or b"").decode(), Hint.model_validate_json(record.value or b""))
            for record in self.log.records(HINTS[system].name)
        ]

    def written(self) -> int:
        return sum(len(self.hints(system)) for system in System)

    def refused(self, reason: str, brand: str = "acme") -> float:
        labels = {"brand": brand, "reason": reason}
        return self.metrics.registry.get_sample_value("lockstep_webhooks_refused_total", labels) or 0.0

    def label_sets(self, metric: str) -> set[tuple[tuple[str, str], ...]]:
        """Every combination of labels a metric has by now."""
        return {
            tuple(sorted(sample.labels.items()))
            for family in self.metrics.registry.collect()
            for sample in family.samples
            if sample.name == metric
        }


def at_the_door(story: Callable[[Door], Awaitable[None]], settings: IntakeSettings = LIMITS) -> None:
    """Tell the story in virtual time."""

    async def told() -> None:
        async with Door(settings=settings) as door:
            await story(door)

    run_virtual(told())
