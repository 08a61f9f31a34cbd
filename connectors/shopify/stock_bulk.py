"""Reads all levels of a shop in one bulk query, for a sweep of a large catalogue.

Shopify carries a bulk query out by itself and puts the answer into a file, a line per object, children with
`__parentId` (Admin API 2026-10, bulk operations). It costs next to nothing of the bucket and takes seconds to minutes.
A file of an operation that did not complete is not looked at: an item of which lines are missing is not told apart from
one that is not stocked.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog

from connectors.runtime.errors import ConnectorError, Incompatible, Unavailable
from connectors.runtime.port import Reading
from connectors.shopify.client import ShopifyClient
from connectors.shopify.documents import document
from connectors.shopify.gids import number_of
from connectors.shopify.items import Items
from connectors.shopify.limiter import Purpose
from connectors.shopify.settings import ShopifyShop
from kernel.clock import Clock
from schemas.aggregates import stock_id
from schemas.base import LocationId, OrderId, Sku
from schemas.config import BrandConfig
from schemas.stock import InventoryItemId

_log = structlog.get_logger(__name__)

RUNNING = frozenset({"CREATED", "RUNNING", "CANCELING"})
Node = dict[str, Any]


class BulkLevels:
    """Of one shop. What was read is handed out once per stock item, and only while nothing newer is known of it."""

    def __init__(self, shop: ShopifyShop, client: ShopifyClient, items: Items, clock: Clock) -> None:
        self._shop, self._client, self._items, self._clock = shop, client, items, clock
        self._found: dict[OrderId, Sequence[Node]] = {}
        self._started = clock.now()
        self._newer: set[OrderId] = set()
        """Read or written since the last bulk query began."""

    async def stock_ids(self, config: BrandConfig) -> Sequence[OrderId]:
        """Every code of the shop at every mapped location. Where they are many, one query shows all there is. It names
        them as well, once it is known that they are many; otherwise they are listed page by page.
        """
        self._found, self._newer = {}, set()
        asked = self._many(config, self._items.count)
        shown = await self._look() if asked else None
        codes = await self._items.codes(config.skus) if shown is None else self._items.known(config.skus)
        if not asked and self._many(config, len(codes)):
            shown = await self._look()
        wanted = {stock_id(code, rule.location): (code, rule.location) for code in codes for rule in config.warehouses}
        if shown is not None:
            items = await self._items.of(codes, config.skus)
            for id_, (code, location) in wanted.items():
                nodes = [node for item in items[code] if (node := shown.at(item, location)) is not None]
                if len(nodes) == len(items[code]) and id_ not in self._newer:
                    self._found[id_] = nodes
        return tuple(wanted)

    def _many(self, config: BrandConfig, codes: int) -> bool:
        return codes * len(config.warehouses) >= self._shop.stock_bulk_from

    async def _look(self) -> "Shown | None":
        """All there is; None where Shopify does not carry it out."""
        self._started = self._clock.now()
        try:
            shown = Shown(await self._whole())
        except ConnectorError as error:
            _log.warning("shopify.no_bulk", brand=self._shop.brand, error=str(error))
            return None
        self._items.learn(shown.skus)
        return shown

    def take(self, config: BrandConfig, id_: OrderId, since: datetime) -> Reading | None:
        """What was read of it at that moment or later; None: it must be read."""
        nodes = self._found.pop(id_, None)
        if nodes is None or self._started < since or self._clock.now() > self._started + self._old:
            return None
        return Reading(config.brand, id_, orjson.dumps({"items": nodes}), self._started)

    def forget(self, ids: Iterable[OrderId]) -> None:
        """Something newer is known of these, or will be."""
        for id_ in ids:
            self._newer.add(id_)
            self._found.pop(id_, None)

    @property
    def _old(self) -> timedelta:
        return timedelta(seconds=self._shop.bulk_within)

    async def _whole(self) -> list[Node]:
        """Every line of a bulk query. Raises ConnectorError, also for one that did not complete."""
        reserved = await self._client.reserve("StartBulk", Purpose.LISTS)
        answer = await self._client.mutate("StartBulk", {"query": document("AllLevels")}, reserved)
        payload = answer.data.get("bulkOperationRunQuery") or {}
        made = payload.get("bulkOperation")
        if not made:
            raise Unavailable(f"StartBulk: {payload.get('userErrors') or 'no operation'}")
        until = self._clock.monotonic() + self._shop.bulk_within
        while True:
            state = (await self._client.query("BulkState", {"id": made["id"]}, Purpose.LISTS)).data["bulkOperation"]
            if state is None or state["status"] not in RUNNING:
                break
            if self._clock.monotonic() > until:
                raise Unavailable(f"BulkState: not done within {self._shop.bulk_within:g} s")
            await self._clock.sleep(self._shop.bulk_look_every)
        if state is None or state["status"] != "COMPLETED":
            raise Unavailable(f"BulkState: expected COMPLETED, found {state}")
        lines = await self._client.lines(state["url"]) if state["url"] else []
        if len(lines) != int(state["objectCount"]):
            raise Incompatible(f"AllLevels: expected {state['objectCount']} lines, found {len(lines)}")
        return lines


class Shown:
    """The lines of a whole answer. Parents and children may come in any order."""

    def __init__(self, lines: Iterable[Node]) -> None:
        self._items: dict[InventoryItemId, Node] = {}
        self._levels: dict[tuple[InventoryItemId, LocationId], Node] = {}
        self._kits: set[InventoryItemId] = set()
        for line in lines:
            parent = line.get("__parentId")
            item = InventoryItemId(number_of(line["id"] if parent is None else parent))
            if parent is None:
                self._items[item] = line
            elif "location" in line:
                self._levels[item, LocationId(number_of(line["location"]["id"]))] = line
            elif line.get("requiresComponents"):
                self._kits.add(item)

    @property
    def skus(self) -> dict[InventoryItemId, Sku]:
        """Of the items that have one."""
        return {item: Sku(line["sku"]) for item, line in self._items.items() if line["sku"]}

    def at(self, item: InventoryItemId, location: LocationId) -> Node | None:
        """As `StockLevels` answers it; None for an item that was not there."""
        found = self._items.get(item)
        if found is None:
            return None
        level = self._levels.get((item, location))
        return {
            **{name: found[name] for name in ("id", "sku", "tracked")},
            "variants": {"nodes": [{"requiresComponents": item in self._kits}]},
            "inventoryLevel": None if level is None else {name: level[name] for name in ("isActive", "quantities")},
        }
