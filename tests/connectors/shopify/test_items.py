"""When the list of a shop's inventory items is read, and what is not shown to us."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from connectors.runtime.errors import Unauthorised
from connectors.shopify.items import Items
from connectors.shopify.stock_read import LevelReader
from schemas.aggregates import stock_id
from schemas.base import Sku
from schemas.mapping import SkuRules
from schemas.stock import InventoryItemId
from tests.connectors.shopify.shops import RecordedShop, a_client
from tests.stock_story import LEEDS, MUG, stock_brand

KNOWN_FOR = 3600.0
SPARE, NEW = Sku("SPARE-PART"), Sku("NEW-1")
RULES = SkuRules()


class ShopOfMany(RecordedShop):
    """Others come to their turn before it answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return await super().handle_async_request(request)


def listing(*items: tuple[int, str]) -> httpx.Response:
    nodes = [{"id": f"gid://shopify/InventoryItem/{number}", "sku": sku} for number, sku in items]
    page = {"nodes": nodes, "pageInfo": {"hasNextPage": False, "endCursor": None}}
    return httpx.Response(200, json={"data": {"inventoryItems": page}})


def denied(data: dict[str, Any], *path: str | int) -> httpx.Response:
    error = {"message": "Access denied", "path": list(path), "extensions": {"code": "ACCESS_DENIED"}}
    return httpx.Response(200, json={"data": data, "errors": [error]})


def a_shop_that_lists(*items: tuple[int, str]) -> RecordedShop:
    return RecordedShop().will_answer("StockItems", listing(*items))


def items_of(shop: RecordedShop) -> Items:
    return Items(a_client(shop), shop.clock, KNOWN_FOR)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_a_code_the_shop_does_not_sell_has_it_listed_once_as_long_as_the_list_is_known() -> None:
    shop = a_shop_that_lists((801, MUG))
    items = items_of(shop)

    async def story() -> None:
        for _ in range(59):
            assert await items.of([SPARE, MUG], RULES) == {SPARE: [], MUG: ["801"]}
            shop.clock.advance(60)
        assert shop.operations() == ["StockItems"]
        shop.clock.advance(120)
        await items.of([SPARE], RULES)
        assert shop.operations() == ["StockItems"] * 2, "the list itself is old"

    run(story())


def test_a_code_that_was_not_missed_yet_has_it_listed_again_but_not_just_after_a_list() -> None:
    shop = a_shop_that_lists((801, MUG)).will_answer("StockItems", listing((801, MUG), (802, NEW)))
    items = items_of(shop)

    async def story() -> None:
        await items.of([SPARE], RULES)
        shop.clock.advance(KNOWN_FOR / 20)
        assert await items.of([NEW], RULES) == {NEW: []}
        shop.clock.advance(1)
        assert await items.of([NEW], RULES) == {NEW: ["802"]}
        assert shop.operations() == ["StockItems"] * 2

    run(story())


def test_a_code_that_was_missed_is_found_when_a_level_of_it_is_told() -> None:
    shop = a_shop_that_lists((801, MUG))
    found = {"inventoryItem": {"id": "gid://shopify/InventoryItem/802", "sku": NEW}}
    shop.will_answer("StockItem", httpx.Response(200, json={"data": found}))
    items = items_of(shop)

    async def story() -> None:
        assert await items.of([NEW], RULES) == {NEW: []}
        shop.clock.advance(600)
        assert await items.code_of(InventoryItemId("802"), RULES) == NEW
        assert await items.of([NEW], RULES) == {NEW: ["802"]}
        assert shop.operations() == ["StockItems", "StockItem"]

    run(story())


def test_a_code_that_was_missed_is_found_when_the_sweep_lists_the_shop() -> None:
    shop = a_shop_that_lists((801, MUG))
    shop.will_answer("StockItems", listing((801, MUG), (802, NEW)))
    items = items_of(shop)

    async def story() -> None:
        assert await items.of([NEW], RULES) == {NEW: []}
        assert await items.codes(RULES) == [MUG, NEW]
        assert await items.of([NEW], RULES) == {NEW: ["802"]}
        assert shop.operations() == ["StockItems"] * 2

    run(story())


def test_what_was_missed_by_other_rules_is_looked_for_again() -> None:
    shop = a_shop_that_lists((801, MUG))
    items = items_of(shop)

    async def story() -> None:
        await items.of([SPARE], RULES)
        shop.clock.advance(600)
        await items.of([SPARE], SkuRules(trim=True))
        assert shop.operations() == ["StockItems"] * 2

    run(story())


def test_readers_that_come_together_share_one_list() -> None:
    shop = ShopOfMany().will_answer("StockItems", listing((801, MUG)))
    items = items_of(shop)

    async def story() -> None:
        found = await asyncio.gather(*(items.of([code], RULES) for code in (MUG, SPARE, NEW)))
        assert found == [{MUG: ["801"]}, {SPARE: []}, {NEW: []}]
        assert shop.operations() == ["StockItems"]

    run(story())


def test_a_list_that_fails_is_read_by_the_next_who_waits() -> None:
    shop = ShopOfMany().will_answer("StockItems", httpx.Response(401)).will_answer("StockItems", listing((801, MUG)))
    items = items_of(shop)

    async def story() -> None:
        first, second = await asyncio.gather(*(items.of([MUG], RULES) for _ in range(2)), return_exceptions=True)
        assert isinstance(first, Unauthorised)
        assert second == {MUG: ["801"]}

    run(story())


# --- rights


@pytest.mark.parametrize(
    "answer",
    [
        denied({"nodes": [None]}, "nodes", 0),
        denied(
            {"nodes": [{"id": "gid://shopify/InventoryItem/801", "sku": MUG, "inventoryLevel": None}]},
            *("nodes", 0, "inventoryLevel"),
        ),
    ],
    ids=["item", "level"],
)
def test_a_level_that_is_hidden_from_us_is_not_taken_for_none(answer: httpx.Response) -> None:
    shop = a_shop_that_lists((801, MUG)).will_answer("StockLevels", answer)
    reader = LevelReader(a_client(shop), items_of(shop), shop.clock)
    with pytest.raises(Unauthorised, match="StockLevels: Access denied"):
        asyncio.run(reader.read(stock_brand(), [stock_id(MUG, LEEDS)]))


def test_levels_are_read_where_the_variants_alone_are_hidden() -> None:
    node = {"id": "gid://shopify/InventoryItem/801", "sku": MUG, "tracked": True, "variants": None}
    shop = a_shop_that_lists((801, MUG))
    shop.will_answer("StockLevels", denied({"nodes": [node]}, "nodes", 0, "variants"))
    reader = LevelReader(a_client(shop), items_of(shop), shop.clock)
    (reading,) = asyncio.run(reader.read(stock_brand(), [stock_id(MUG, LEEDS)]))
    assert MUG.encode() in reading.body


def test_an_item_that_is_hidden_from_us_is_not_taken_for_gone() -> None:
    shop = RecordedShop().will_answer("StockItem", denied({"inventoryItem": None}, "inventoryItem"))
    with pytest.raises(Unauthorised, match="StockItem: Access denied"):
        asyncio.run(items_of(shop).code_of(InventoryItemId("801"), RULES))
