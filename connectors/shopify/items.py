"""Which inventory items of a shop become which product code. Read whole, and kept for a while."""

from collections.abc import Mapping, Sequence

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

    async def of(self, codes: Sequence[Sku], rules: SkuRules) -> Mapping[Sku, Sequence[InventoryItemId]]:
        """The items of each code, none for one the shop does not have. Raises ConnectorError.

        The whole list is read again when it is old, or when it lacks a code and was not read just now.
        """
        age = None if self._read_at is None else self._clock.monotonic() - self._read_at
        if age is None or age > self._known_for or (age > self._known_for / 20 and not self._has(codes, rules)):
            await self._read()
        self._sort(rules)
        return {code: self._by_code.get(code, []) for code in codes}

    async def code_of(self, item: InventoryItemId, rules: SkuRules) -> Sku | None:
        """Asked of Shopify when it is new to us; None for one without SKU, or that is gone."""
        if item not in self._skus:
            answer = await self._client.query("StockItem", {"id": gid("InventoryItem", item)}, Purpose.POLL)
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
        await self._read()
        return self.known(rules)

    def known(self, rules: SkuRules) -> Sequence[Sku]:
        """The codes as last read whole."""
        self._sort(rules)
        return sorted(self._by_code)

    def learn(self, skus: Mapping[InventoryItemId, Sku]) -> None:
        """Every item of the shop, as somebody else has read it just now."""
        self._skus, self._rules, self._read_at = dict(skus), None, self._clock.monotonic()

    def _has(self, codes: Sequence[Sku], rules: SkuRules) -> bool:
        self._sort(rules)
        return all(code in self._by_code for code in codes)

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
