"""Webhooks as Shopify sends them: signed, at least once, in no order, with duplicates, delays and losses by setting."""

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from typing import Any

import httpx

from sandbox.clock import Clock
from sandbox.faults import Chance, Faults
from sandbox.shopify.levels import Level
from sandbox.shopify.records import Order
from sandbox.shopify.shop import Shop
from sandbox.shopify.stock_views import level_id

LEVELS = "inventory_levels/update"
RETRIES = 8
"""After the first try, with growing gaps; Shopify spreads them over four hours."""


class Webhooks:
    """Of one shop. `targets` maps a topic, or `*`, to the address it is posted to."""

    def __init__(
        self,
        shop: Shop,
        targets: dict[str, str],
        faults: Faults,
        chance: Chance,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        retry_after: float = 1.0,
    ) -> None:
        """`retry_after`: seconds before the first retry, doubling; small, so that a test need not wait hours."""
        self._shop, self._targets, self._faults = shop, targets, faults
        self._chance, self._clock, self._retry_after = chance, clock, retry_after
        self._http = httpx.AsyncClient(transport=transport, timeout=5.0)
        self._sending: set[asyncio.Task[None]] = set()
        shop.tell, shop.inventory.tell = self.tell, self.tell_level

    async def aclose(self) -> None:
        for task in list(self._sending):
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)
        await self._http.aclose()

    def tell(self, topic: str, order: Order) -> None:
        """Send, lose, double and delay as chance has it. The body is of this moment, whenever it arrives."""
        url = self._targets.get(topic) or self._targets.get("*")
        if url is None:
            return
        name = f"webhook/{self._shop.domain}"
        if self._chance.happens(f"{name}/lost", self._faults.webhook_lost):
            self._shop.books.webhook(order, "lost")
            return
        self._shop.books.webhook(order, "sent")
        body = json.dumps(_body(topic, order)).encode()
        copies = 1
        if self._chance.happens(f"{name}/doubled", self._faults.webhook_doubled):
            self._shop.books.webhook(order, "doubled")
            copies = 2
        self._start(url, topic, body, name, copies)

    def tell_level(self, level: Level) -> None:
        """To whoever asked for this topic by name; `*` is about orders. Chance has streams of their own for it."""
        url = self._targets.get(LEVELS) or self._targets.get("inventory_levels/*")
        if url is None:
            return
        body = {
            "inventory_item_id": level.item, "location_id": level.location, "available": level.available,
            "updated_at": level.updated_at.isoformat(), "admin_graphql_api_id": level_id(level),
        }  # fmt: skip
        name, books = f"webhook/{self._shop.domain}/levels", self._shop.inventory.books
        if self._chance.happens(f"{name}/lost", self._faults.webhook_lost):
            books.webhooks["lost"] += 1
            return
        books.webhooks["sent"] += 1
        copies = 2 if self._chance.happens(f"{name}/doubled", self._faults.webhook_doubled) else 1
        books.webhooks["doubled"] += copies - 1
        self._start(url, LEVELS, json.dumps(body).encode(), name, copies)

    def _start(self, url: str, topic: str, body: bytes, name: str, copies: int) -> None:
        webhook_id = str(uuid.UUID(int=self._chance.of(f"{name}/id").getrandbits(128), version=4))
        for _ in range(copies):
            delay = self._chance.of(f"{name}/delay").random() * self._faults.webhook_delay
            task = asyncio.get_running_loop().create_task(
                self._send(url.replace("{topic}", topic), topic, body, webhook_id, delay)
            )
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, url: str, topic: str, body: bytes, webhook_id: str, delay: float) -> None:
        await self._clock.sleep(delay)
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": self._shop.domain,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Webhook-Id": webhook_id,
            "X-Shopify-Triggered-At": self._clock.now().isoformat(),
            "X-Shopify-Hmac-Sha256": signature(self._shop.secrets[0], body),
        }
        wait = self._retry_after
        for _ in range(1 + RETRIES):
            try:
                response = await self._http.post(url, content=body, headers=headers)
                if response.status_code < 300:
                    return
            except httpx.TransportError:
                pass  # as good as refused: tried again
            await self._clock.sleep(wait)
            wait *= 2


def signature(secret: str, body: bytes) -> str:
    """Base64 of the HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


def _body(topic: str, order: Order) -> dict[str, Any]:
    """REST-shaped, as webhooks still are; thin for fulfilment orders."""
    gid = f"gid://shopify/Order/{order.id}"
    if topic.startswith("fulfillment_orders/"):
        last = order.fulfillment_orders[-1]
        one = {"id": f"gid://shopify/FulfillmentOrder/{last.id}", "status": last.status.lower()}
        return {"fulfillment_order": one, "order_id": order.id}
    if topic == "orders/edited":
        return {"order_edit": {"id": order.id + 1, "order_id": order.id}}
    if topic.startswith("fulfillments/"):
        return {"id": order.fulfillments[-1].id, "order_id": order.id, "status": "success"}
    return {
        "id": order.id,
        "admin_graphql_api_id": gid,
        "name": order.name,
        "created_at": order.created_at.isoformat(),
        "updated_at": order.updated_at.isoformat(),
        "cancelled_at": order.cancelled_at.isoformat() if order.cancelled_at else None,
        "financial_status": order.financial_status.lower(),
        "fulfillment_status": None,
        "currency": order.currency,
        "total_price": order.total,
        "line_items": [
            {"id": line.id, "sku": line.sku, "quantity": line.quantity, "price": line.price} for line in order.lines
        ],
        "shipping_lines": [{"title": order.shipping_title, "code": order.shipping_code}],
        "shipping_address": None if order.address is None else {"country_code": order.address.country_code},
    }
