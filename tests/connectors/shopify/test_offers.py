"""What a shop sells under a code, over the sandbox, and what its answer is taken for."""

from typing import Any

import orjson
import pytest

from connectors.shopify.translate_offers import translate_offers
from sandbox.shopify.setup import Variant
from schemas.aggregates import item_id
from schemas.base import LocationId, Sku
from schemas.errors import Unreadable
from schemas.items import Offer
from tests.builders import ACME
from tests.connectors.shopify.test_stock import Desk, at_the_desk

KETTLE = Offer(id="1", sku=Sku("SKU-1"), stocked_at=(LocationId("11"),))


async def offers(desk: Desk, *skus: str) -> list[tuple[Offer, ...] | None]:
    readings = await desk.port.read(ACME, [item_id(Sku(sku)) for sku in skus])
    return [None if one.absent else translate_offers(one.body) for one in readings]


def test_each_code_has_its_own_variants_and_none_where_the_shop_has_none() -> None:
    async def story(desk: Desk) -> None:
        desk.shop.setup.variants[1].barcode = "0501"
        assert await offers(desk, "SKU-1", "SKU-2", "SKU-9") == [
            (KETTLE,),
            (KETTLE.model_copy(update={"id": "2", "sku": "SKU-2", "barcode": "0501"}),),
            None,
        ]

    at_the_desk(story)


def test_variants_that_become_one_code_are_all_shown() -> None:
    async def story(desk: Desk) -> None:
        desk.shop.setup.variants.append(
            Variant(9, "SKU-1", status="DRAFT", published=False, ships=False, components=True)
        )
        (both,) = await offers(desk, "SKU-1")
        assert both is not None
        assert [(one.id, one.sold) for one in both] == [("1", True), ("9", False)]
        other = both[1]
        assert (other.active, other.published, other.ships, other.bundle, other.stocked_at) == (
            False, False, False, True, (),
        )  # fmt: skip

    at_the_desk(story)


@pytest.mark.parametrize("scope", ["read_inventory", "read_products"])
def test_without_the_scope_there_is_no_reading(scope: str) -> None:
    async def story(desk: Desk) -> None:
        desk.shop.setup.scopes.discard(scope)
        assert await desk.port.read(ACME, [item_id(Sku("SKU-1"))]) == []
        assert bool(await desk.port.all_items(ACME)) is (scope != "read_inventory")

    at_the_desk(story)


NODE: dict[str, Any] = {
    "id": "gid://shopify/InventoryItem/1",
    "sku": "SKU-1",
    "requiresShipping": True,
    "variants": {
        "nodes": [
            {
                "id": "gid://shopify/ProductVariant/1",
                "barcode": None,
                "requiresComponents": False,
                "product": {"status": "UNLISTED", "publishedAt": "2026-01-05T09:00:00Z"},
            }
        ]
    },
    "inventoryLevels": {
        "nodes": [
            {"isActive": True, "location": {"id": "gid://shopify/Location/11"}},
            {"isActive": False, "location": {"id": "gid://shopify/Location/12"}},
        ],
        "pageInfo": {"hasNextPage": True},
    },
}


def test_an_answer_in_our_terms() -> None:
    (offer,) = translate_offers(orjson.dumps({"items": [NODE]}))
    assert offer == KETTLE.model_copy(update={"more_places": True})


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", "body"),
        (b"[]", "items"),
        (orjson.dumps({"items": [{**NODE, "sku": 42}]}), "items.0"),
        (orjson.dumps({"items": [NODE, {**NODE, "variants": {"nodes": []}}]}), "items.1"),
    ],
)
def test_what_cannot_be_read_says_where(body: bytes, where: str) -> None:
    with pytest.raises(Unreadable) as refused:
        translate_offers(body)
    assert refused.value.where == where
