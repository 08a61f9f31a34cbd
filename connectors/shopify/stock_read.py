"""Reads stock from Shopify: what it offers of an item at a location, and why, many items a request."""

from collections.abc import Sequence
from typing import Any

import orjson

from connectors.runtime.errors import Incompatible, Unauthorised
from connectors.runtime.port import Reading
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid, number_of
from connectors.shopify.items import Items
from connectors.shopify.limiter import Purpose
from kernel.clock import Clock
from schemas.aggregates import stock_of
from schemas.base import LocationId, OrderId
from schemas.config import BrandConfig
from schemas.stock import InventoryItemId

MOST_ITEMS = 60
"""Of one request: about as many as 1,000 points allow."""


class LevelReader:
    """Of one shop. The body of a Reading is `{"items": […]}`: item nodes as answered, with the level there."""

    def __init__(self, client: ShopifyClient, items: Items, clock: Clock) -> None:
        self._client, self._items, self._clock = client, items, clock

    async def read(self, config: BrandConfig, ids: Sequence[OrderId]) -> list[Reading]:
        """One Reading per stock item. Raises ConnectorError, Unauthorised also when our rights hide an item or level.

        Without `read_products` the variants alone are hidden, and no item is taken for a bundle.
        """
        started = self._clock.now()
        wanted = {id_: of for id_ in ids if (of := stock_of(id_)) is not None}
        items = await self._items.of(sorted({code for code, _ in wanted.values()}), config.skus)
        nodes: dict[tuple[LocationId, InventoryItemId], dict[str, Any]] = {}
        for location in sorted({location for _, location in wanted.values()}):
            here = sorted({item for code, at in wanted.values() if at == location for item in items[code]})
            for start in range(0, len(here), MOST_ITEMS):
                for item, node in (await self._levels(here[start : start + MOST_ITEMS], location)).items():
                    nodes[location, item] = node
        return [
            Reading(
                config.brand,
                id_,
                orjson.dumps({"items": [nodes[location, item] for item in items[code] if (location, item) in nodes]}),
                started,
            )
            for id_, (code, location) in wanted.items()
        ]

    async def _levels(
        self, items: Sequence[InventoryItemId], location: LocationId
    ) -> dict[InventoryItemId, dict[str, Any]]:
        variables = {"ids": [gid("InventoryItem", item) for item in items], "location": gid("Location", location)}
        answer = await self._client.query("StockLevels", variables, Purpose.POLL, f"StockLevels {len(items) // 10}")
        if hidden := [error for error in answer.denied if "variants" not in error.path]:
            raise Unauthorised(f"StockLevels: {hidden[0].text}")
        nodes = answer.data.get("nodes")
        if not isinstance(nodes, list):
            raise Incompatible(f"StockLevels: expected nodes, found {type(nodes).__name__}")
        return {InventoryItemId(number_of(node["id"])): node for node in nodes if node and node.get("id")}
