"""Reads orders whole: many a call, every page of every nested list, and never half before and half after a change."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from connectors.runtime.errors import Incompatible, Rejected, Unauthorised, Unavailable
from connectors.runtime.port import Reading
from connectors.shopify.answers import Answer
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid
from connectors.shopify.settings import ShopifyShop
from kernel.clock import Clock
from schemas.base import OrderId

Node = dict[str, Any]


class _TornError(Exception):
    """The order changed while its pages were read."""


class OrderReader:
    """Reads orders of one shop. The body of a Reading is one order node as answered, its connections joined to
    `{"nodes": […]}` without page information.
    """

    def __init__(self, shop: ShopifyShop, client: ShopifyClient, clock: Clock) -> None:
        self._shop, self._client, self._clock = shop, client, clock
        pages = shop.pages
        self._first_pages = {
            "lines": pages.lines,
            "shippingLines": pages.shipping_lines,
            "fulfilmentOrders": pages.fulfilment_orders,
            "fulfilmentOrderLines": pages.fulfilment_order_lines,
            "fulfilmentLines": pages.fulfilment_lines,
        }

    async def read(self, orders: Sequence[OrderId]) -> list[Reading]:
        """One Reading per order, in their order. An id Shopify cannot have is absent without being asked for.

        `complete` is false where our scopes hide part of an order. Raises ConnectorError.
        """
        started = self._clock.now()
        asked = [order for order in orders if order.isdigit()]
        nodes: dict[OrderId, Node | None] = {}
        answer = Answer({})
        if asked:
            nodes, answer = await self._ask(asked)
        whole = await _all(self._whole(order, nodes.get(order)) for order in orders)
        return [
            self._reading(order, node, started, answer, asked.index(order) if order in asked else -1)
            for order, node in zip(orders, whole, strict=True)
        ]

    async def read_one(self, order: OrderId) -> Reading:
        (reading,) = await self.read([order])
        return reading

    async def _ask(self, orders: Sequence[OrderId]) -> tuple[dict[OrderId, Node | None], Answer]:
        """The first pages of these orders, by one query, or by more where one costs too much."""
        variables = {"ids": [gid("Order", order) for order in orders], **self._first_pages}
        try:
            answer = await self._client.query("ReadOrders", variables, kind=f"ReadOrders of {len(orders)}")
        except Rejected as refused:
            if refused.code != "MAX_COST_EXCEEDED" or len(orders) == 1:
                raise
            return await self._ask_halves(orders)
        nodes = answer.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(orders):
            raise Incompatible(f"ReadOrders: expected {len(orders)} nodes, found {nodes!r:.60}")
        for index, node in enumerate(nodes):
            if node is None and any(error.path[:2] in ((), ("nodes", str(index))) for error in answer.denied):
                # Hidden is not absent.
                raise Unauthorised(f"ReadOrders: {answer.denied[0].text}")
        return dict(zip(orders, nodes, strict=True)), answer

    async def _ask_halves(self, orders: Sequence[OrderId]) -> tuple[dict[OrderId, Node | None], Answer]:
        half = len(orders) // 2
        first, answer = await self._ask(orders[:half])
        second, later = await self._ask(orders[half:])
        # Paths of the halves do not match the batch: what is denied in one order counts for all of them.
        denied = tuple(replace(error, path=()) for one in (answer, later) for error in one.denied)
        return {**first, **second}, Answer({}, denied, (), later.api_version)

    async def _whole(self, order: OrderId, node: Node | None) -> Node | None:
        """The order with every page. Read again when it changed between them, a few times."""
        for _ in range(self._shop.torn_reads):
            if node is None:
                return None
            try:
                if await self._follow(node):
                    await self._check(node)
            except _TornError:
                node = (await self._ask([order]))[0][order]
            except (KeyError, TypeError, AttributeError) as error:
                raise Incompatible(f"order {order}: expected the fields asked for, found {error!r}") from error
            else:
                return node
        raise Unavailable(f"order {order} changed while it was read, {self._shop.torn_reads} times in a row")

    async def _follow(self, order: Node) -> bool:
        """Complete every connection in place. True when a second page of anything was needed."""
        lines = {"fulfilmentOrderLines": self._shop.pages.fulfilment_order_lines}
        more = await self._rest(order, "lineItems", "MoreOrderLines")
        more |= await self._rest(order, "shippingLines", "MoreShippingLines")
        more |= await self._rest(order, "fulfillmentOrders", "MoreFulfilmentOrders", lines)
        for fulfilment_order in order["fulfillmentOrders"]["nodes"]:
            more |= await self._rest(fulfilment_order, "lineItems", "MoreFulfilmentOrderLines")
        for fulfilment in order["fulfillments"]:
            more |= await self._rest(fulfilment, "fulfillmentLineItems", "MoreFulfilmentLines")
        return more

    async def _rest(self, owner: Node, name: str, operation: str, variables: Mapping[str, Any] | None = None) -> bool:
        page, nodes, more = owner[name], list(owner[name]["nodes"]), False
        while page.get("pageInfo", {}).get("hasNextPage"):
            more = True
            after = page["pageInfo"]["endCursor"]
            asked = {"id": owner["id"], "first": self._page_size(name), "after": after, **(variables or {})}
            page = (await self._node(operation, asked))[name]
            nodes.extend(page["nodes"])
        owner[name] = {"nodes": nodes}
        return more

    def _page_size(self, name: str) -> int:
        """Fulfilment orders bring a page of lines each, and so cost as many times more."""
        return self._shop.pages.fulfilment_orders if name == "fulfillmentOrders" else self._shop.pages.rest

    async def _check(self, order: Node) -> None:
        """Raises _TornError when the order or one of its parts is not of the moment at which it was read.

        Routing, holds and splits change fulfilment orders and need not move the order's own `updatedAt`.
        """
        parts: dict[str, str] = {}
        after: str | None = None
        while True:
            page = await self._node("OrderStamps", {"id": order["id"], "first": self._shop.pages.rest, "after": after})
            if page["updatedAt"] != order["updatedAt"]:
                raise _TornError
            fulfilments = {one["id"]: one["updatedAt"] for one in page["fulfillments"]}
            parts |= {one["id"]: one["updatedAt"] for one in page["fulfillmentOrders"]["nodes"]}
            info = page["fulfillmentOrders"]["pageInfo"]
            if not info["hasNextPage"]:
                break
            after = info["endCursor"]
        if parts != {one["id"]: one["updatedAt"] for one in order["fulfillmentOrders"]["nodes"]}:
            raise _TornError
        if fulfilments != {one["id"]: one["updatedAt"] for one in order["fulfillments"]}:
            raise _TornError

    async def _node(self, operation: str, variables: Mapping[str, Any]) -> Node:
        answer = await self._client.query(operation, variables)
        if answer.denied:
            raise Unauthorised(f"{operation}: {answer.denied[0].text}")
        node: Node | None = answer.data.get("node")
        if node is None:
            raise _TornError  # gone since its first page
        return node

    def _reading(self, order: OrderId, node: Node | None, started: datetime, answer: Answer, index: int) -> Reading:
        hidden = any(error.path[:2] in ((), ("nodes", str(index))) for error in answer.denied)
        return Reading(
            brand=self._shop.brand,
            order=order,
            body=b"" if node is None else orjson.dumps(node),
            read_started_at=started,
            absent=node is None,
            complete=not hidden,
            api_version=answer.api_version,
        )


async def _all(reads: Iterable[Coroutine[Any, Any, Node | None]]) -> list[Node | None]:
    """All of them together. When one fails the others are still awaited: nothing goes on behind the caller's back."""
    ended = await asyncio.gather(*reads, return_exceptions=True)
    whole: list[Node | None] = []
    for one in ended:
        if isinstance(one, BaseException):
            raise one
        whole.append(one)
    return whole
