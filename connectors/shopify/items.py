"""Which inventory items of a shop become which product code. Read whole, and kept for a while."""

import asyncio
from collections.abc import Mapping, Sequence

from connectors.runtime.errors import Unauthorised
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import gid, number_of
from connectors.shopify.limiter import Purpose
from kernel.clock import Clock
from schemas.base import Sku
from schemas.mapping import SkuRules
from schemas.stock import InventoryItemId

PAGE = 250


class Items:
    """Of one shop. A SKU is compared exactly, to the last zero; several items may share one, or become one code."""

    def __init__(self, client: ShopifyClient, clock: Clock, known_for: float) -> None:
        self._client, self._clock, self._known_for = client, clock, known_for
        self._skus: dict[InventoryItemId, Sku] = {}
        self._read_at: float | None = None
        self._by_code: dict[Sku, list[InventoryItemId]] = {}
        self._rules: SkuRules | None = None
        self._missed: dict[Sku, float] = {}
        """Codes a list that was read for them did not have, and when."""
        self._missed_by: SkuRules | None = None
        self._reading = asyncio.Lock()

    async def of(self, codes: Sequence[Sku], rules: SkuRules) -> Mapping[Sku, Sequence[InventoryItemId]]:
        """The items of each code, none for one the shop does not have. Raises ConnectorError.

        The whole list is read again when it is old, or when it lacks a code and was not read just now: once for a code
        that it then still lacks, which `code_of` or a later list may find. Who asks meanwhile waits for the same list.
        """
        if self._is_due(codes, rules):
            async with self._reading:
                if self._is_due(codes, rules):
                    await self._read()
                    self._sort(rules)
                    read_at = self._clock.monotonic()
                    self._missed |= {code: read_at for code in codes if code not in self._by_code}
        self._sort(rules)
        return {code: self._by_code.get(code, []) for code in codes}

    async def code_of(self, item: InventoryItemId, rules: SkuRules) -> Sku | None:
        """Asked of Shopify when it is new to us; None for one without SKU, or that is gone. Raises ConnectorError."""
        if item not in self._skus:
            answer = await self._client.query("StockItem", {"id": gid("InventoryItem", item)}, Purpose.POLL)
            if answer.denied:
                raise Unauthorised(f"StockItem: {answer.denied[0].text}")
            found = answer.data.get("inventoryItem") or {}
            if not found.get("sku"):
                return None
            self._skus[item] = Sku(found["sku"])
            self._rules = None
        return rules.code_of(self._skus[item])

    @property
    def count(self) -> int:
        """As last read whole; 0 before."""
        return len(self._skus)

    async def codes(self, rules: SkuRules) -> Sequence[Sku]:
        """Of every item of the shop, read anew."""
        async with self._reading:
            await self._read()
        return self.known(rules)

    def known(self, rules: SkuRules) -> Sequence[Sku]:
        """The codes as last read whole."""
        self._sort(rules)
        return sorted(self._by_code)

    def learn(self, skus: Mapping[InventoryItemId, Sku]) -> None:
        """Every item of the shop, as somebody else has read it just now."""
        self._skus, self._rules, self._read_at = dict(skus), None, self._clock.monotonic()

    def _is_due(self, codes: Sequence[Sku], rules: SkuRules) -> bool:
        if self._missed_by is not rules:
            self._missed, self._missed_by = {}, rules
        now = self._clock.monotonic()
        if self._read_at is None or now - self._read_at > self._known_for:
            return True
        if now - self._read_at <= self._known_for / 20:
            return False
        self._sort(rules)
        self._missed = {code: at for code, at in self._missed.items() if now - at <= self._known_for}
        return any(code not in self._by_code and code not in self._missed for code in codes)

    def _sort(self, rules: SkuRules) -> None:
        if self._rules is rules:
            return
        self._by_code = {}
        for item, sku in self._skus.items():
            self._by_code.setdefault(rules.code_of(sku), []).append(item)
        self._rules = rules

    async def _read(self) -> None:
        found: dict[InventoryItemId, Sku] = {}
        after: str | None = None
        while True:
            variables = {"first": PAGE, "after": after}
            answer = await self._client.query("StockItems", variables, Purpose.POLL, f"StockItems {after is None}")
            listed = answer.data["inventoryItems"]
            found.update(
                (InventoryItemId(number_of(node["id"])), Sku(node["sku"])) for node in listed["nodes"] if node["sku"]
            )
            after = listed["pageInfo"]["endCursor"]
            if not listed["pageInfo"]["hasNextPage"]:
                break
        self.learn(found)
