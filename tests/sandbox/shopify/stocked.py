"""A shop with counted stock, what a connector would ask it, and its staff."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx

from kernel.virtual_time import run_virtual
from sandbox.clock import LoopClock
from sandbox.faults import Chance, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld, create_app
from sandbox.shopify.records import Address, Order
from sandbox.shopify.setup import Variant
from sandbox.shopify.shop import Shop
from sandbox.shopify.webhooks import Webhooks

LEEDS, YORK = 11, 12
LAMP, RUG, SET, CARD = 1, 2, 3, 4
IDA = Address("Ida Marlow", "4 Kiln Row", "Leeds", "LS1 1AA", "GB")

LEVELS = """query StockLevels($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) { ... on InventoryItem {
    id sku tracked variants(first: 2) { nodes { id sku inventoryPolicy requiresComponents product { status } } }
    inventoryLevel(locationId: $location) { id isActive updatedAt
      quantities(names: ["available", "on_hand", "committed", "reserved", "damaged", "safety_stock", "quality_control",
        "incoming"]) { name quantity updatedAt } } } } }"""
ITEMS = """query StockItems($first: Int!, $after: String, $query: String) {
  inventoryItems(first: $first, after: $after, query: $query) {
    nodes { id sku tracked duplicateSkuCount
      variants(first: 2) { nodes { id sku inventoryPolicy requiresComponents product { status } } } }
    pageInfo { hasNextPage endCursor } } }"""
SET_STOCK = """mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt reason referenceDocumentUri
      changes { name delta quantityAfterChange item { id sku } location { id } } }
    userErrors { code field message } } }"""
SET_WITHOUT_KEY = SET_STOCK.replace(" @idempotent(key: $key)", "").replace(", $key: String!", "")


class Stocked:
    """Leeds has 5 lamps and 3 rugs, York 2 lamps; of the set nobody knows a number. Two rugs and a lamp make a set."""

    def __init__(self, faults: Faults) -> None:
        self.clock = LoopClock(datetime(2026, 11, 5, 12, tzinfo=UTC))
        self.shop = Shop("acme.example", "shpat_1", ["s"], self.clock, 1000.0)
        self.shop.locations = {LEEDS: "Leeds", YORK: "York"}
        self.shop.setup.variants = [
            Variant(LAMP, "0042-LAMP", barcode="5012345678900", locations={LEEDS, YORK}),
            Variant(RUG, "0007-RUG", locations={LEEDS}),
            Variant(SET, "SET", components=True),
            Variant(CARD, "CARD", tracked=False, locations={LEEDS}),
        ]
        self.shop.kits = {"SET": {"0042-LAMP": 1, "0007-RUG": 2}}
        self.shop.inventory.stock("0042-LAMP", LEEDS, 5)
        self.shop.inventory.stock("0042-LAMP", YORK, 2)
        self.shop.inventory.stock("0007-RUG", LEEDS, 3)
        self.plan = FaultPlan(faults, Chance(1), "shopify")
        self.world = ShopifyWorld([self.shop], self.plan, self.clock)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.world)), base_url="http://shopify.example.test"
        )
        self.heard: list[tuple[str, dict[str, Any]]] = []
        """Webhooks as they arrived: topic and body."""

    def listen(self, faults: Faults | None = None) -> Webhooks:
        def hear(request: httpx.Request) -> httpx.Response:
            self.heard.append((request.headers["x-shopify-topic"], httpx.Response(200, content=request.content).json()))
            return httpx.Response(200)

        targets = {"inventory_levels/update": "http://intake.example.test/{topic}"}
        return Webhooks(self.shop, targets, faults or Faults(), Chance(1), self.clock, httpx.MockTransport(hear))

    def bought(self, *lines: tuple[str | None, int]) -> Order:
        return self.shop.place_order(lines, address=IDA)

    def routed(self, *lines: tuple[str | None, int]) -> Order:
        order = self.bought(*lines)
        self.shop.route(order)
        return order

    def fulfilled(self, order: Order) -> None:
        for one in list(order.fulfillment_orders):
            if "CREATE_FULFILLMENT" in one.actions:
                self.shop.fulfil(order, {one.id: {}}, {"number": "P1"}, notify=False)

    def figures(self, item: int = LAMP, location: int = LEEDS) -> tuple[int, int, int]:
        """Available, committed, on hand."""
        level = self.shop.inventory.levels[item, location]
        aside = sum(level.kept[name] for name in ("reserved", "damaged", "safety_stock", "quality_control"))
        assert level.kept["on_hand"] == level.available + level.kept["committed"] + aside
        return level.available, level.kept["committed"], level.kept["on_hand"]

    async def ask(self, document: str, /, **variables: Any) -> dict[str, Any]:
        answer = await self.http.post(
            "/acme.example/admin/api/2026-10/graphql.json",
            json={"query": document, "variables": variables},
            headers={"X-Shopify-Access-Token": "shpat_1"},
        )
        body: dict[str, Any] = answer.json()
        return body

    async def levels(self, *items: int, location: int = LEEDS) -> list[dict[str, Any] | None]:
        ids = [gid("InventoryItem", one) for one in items]
        answer = await self.ask(LEVELS, ids=ids, location=gid("Location", location))
        assert "errors" not in answer, answer
        nodes: list[dict[str, Any] | None] = answer["data"]["nodes"]
        return nodes

    async def set(self, key: str, *elements: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The payload."""
        answer = await self.ask(SET_STOCK, key=key, input=an_input(*elements, **more))
        assert "errors" not in answer, answer
        payload: dict[str, Any] = answer["data"]["inventorySetQuantities"]
        return payload

    def written(self) -> list[tuple[str, str, list[tuple[int, int, int | None]]]]:
        """Of every write: who, how it ended, and (from, to, compare) of its items."""
        return [
            (one.by, one.result, [(item.was, item.to, item.compare) for item in one.items])
            for one in self.shop.inventory.books.writes
        ]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def an_element(quantity: int, was: int | None, item: int = LAMP, location: int = LEEDS) -> dict[str, Any]:
    return {
        "inventoryItemId": gid("InventoryItem", item), "locationId": gid("Location", location), "quantity": quantity,
        "changeFromQuantity": was,
    }  # fmt: skip


def an_input(*elements: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "on_hand", "reason": "correction", "quantities": list(elements), **more}


def in_the_shop(story: Callable[[Stocked], Awaitable[None]], faults: Faults | None = None) -> None:
    """Play the story on virtual time."""

    async def play() -> None:
        shop = Stocked(faults or Faults())
        async with shop.http:
            await story(shop)
            await shop.world.settled()

    run_virtual(play())
