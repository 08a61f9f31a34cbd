"""Reads what a shop sells under a product code: its variants, whether they can be bought, where they are stocked."""

from collections.abc import Sequence
from typing import Any

import orjson
import structlog

from connectors.runtime.errors import Incompatible, Unauthorised
from connectors.runtime.port import Reading
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid, number_of
from connectors.shopify.items import Items
from connectors.shopify.limiter import Purpose
from kernel.clock import Clock
from schemas.aggregates import item_id, item_of
from schemas.base import OrderId
from schemas.config import BrandConfig
from schemas.stock import InventoryItemId

_log = structlog.get_logger(__name__)

MOST_ITEMS = 25
"""Of one request: each is reserved with all its levels, and one query may cost 1,000 points (Admin API 2026-10)."""


class OfferReader:
    """Of one shop. The body of a Reading is `{"items": […]}`: inventory items as answered, with variant and levels."""

    def __init__(self, client: ShopifyClient, items: Items, clock: Clock, levels: int) -> None:
        """`levels`: locations that are looked at of one item."""
        self._client, self._items, self._clock, self._levels = client, items, clock, levels

    async def keys(self, config: BrandConfig) -> list[OrderId]:
        """Of everything the shop has, read anew; nothing when the scopes do not show it. Raises ConnectorError."""
        try:
            return [item_id(code) for code in await self._items.codes(config.skus) if code]
        except Unauthorised as denied:
            _not_shown(config, denied)
            return []

    async def read(self, config: BrandConfig, keys: Sequence[OrderId]) -> list[Reading]:
        """One Reading per key, of all that becomes its code; `absent`: the shop has nothing of the kind.

        None at all when the scopes do not show it: that is no answer. Raises ConnectorError.
        """
        started = self._clock.now()
        codes = {key: code for key in keys if (code := item_of(key))}
        nodes: dict[InventoryItemId, dict[str, Any]] = {}
        try:
            found = await self._items.of(sorted(set(codes.values())), config.skus)
            wanted = sorted({item for items in found.values() for item in items})
            for start in range(0, len(wanted), MOST_ITEMS):
                for node in await self._nodes(wanted[start : start + MOST_ITEMS]):
                    nodes[InventoryItemId(number_of(node["id"]))] = node
        except Unauthorised as denied:
            _not_shown(config, denied)
            return []
        mine = {key: [nodes[one] for one in found[code] if one in nodes] for key, code in codes.items()}
        return [
            Reading(config.brand, key, orjson.dumps({"items": mine[key]}), started)
            if mine.get(key)
            else Reading(config.brand, key, b"", started, absent=True)
            for key in keys
        ]

    async def _nodes(self, items: Sequence[InventoryItemId]) -> list[dict[str, Any]]:
        variables = {"ids": [gid("InventoryItem", item) for item in items], "levels": self._levels}
        answer = await self._client.query("ItemOffers", variables, Purpose.LISTS, f"ItemOffers {len(items) // 5}")
        if answer.denied:
            raise Unauthorised(f"ItemOffers: {answer.denied[0].text}")
        nodes = answer.data.get("nodes")
        if not isinstance(nodes, list):
            raise Incompatible(f"ItemOffers: expected nodes, found {type(nodes).__name__}")
        return [node for node in nodes if node and node.get("id")]


def _not_shown(config: BrandConfig, denied: Unauthorised) -> None:
    """Orders need neither `read_inventory` nor `read_products` and go on; a refused token shows in their calls too."""
    _log.warning("shopify.items_not_shown", brand=config.brand, error=str(denied))
