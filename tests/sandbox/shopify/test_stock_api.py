"""Levels and items as a connector reads them, figures as it sets them: what is refused, and what is done once."""

from typing import Any

import pytest
from graphql import parse, validate

from sandbox.faults import Fault
from tests.connectors.shopify.admin_schema import admin_schema
from tests.sandbox.shopify.stocked import (
    CARD,
    ITEMS,
    LAMP,
    LEEDS,
    LEVELS,
    RUG,
    SET,
    SET_STOCK,
    SET_WITHOUT_KEY,
    YORK,
    Stocked,
    an_element,
    an_input,
    gid,
    in_the_shop,
)

STALE = "CHANGE_FROM_QUANTITY_STALE"


@pytest.mark.parametrize("document", [LEVELS, ITEMS, SET_STOCK])
def test_the_documents_are_valid_in_shopifys_own_schema(document: str) -> None:

    assert validate(admin_schema(), parse(document)) == []


def test_many_levels_at_one_location() -> None:
    async def story(s: Stocked) -> None:
        s.bought(("0042-LAMP", 2))
        lamp, _, nobody, card = await s.levels(LAMP, RUG, 99, CARD)
        assert nobody is None
        assert lamp is not None
        assert (lamp["sku"], lamp["tracked"]) == ("0042-LAMP", True)
        assert [(one["name"], one["quantity"]) for one in lamp["inventoryLevel"]["quantities"]] == [
            ("available", 3), ("on_hand", 5), ("committed", 2), ("reserved", 0), ("damaged", 0), ("safety_stock", 0),
            ("quality_control", 0), ("incoming", 0),
        ]  # fmt: skip
        assert lamp["inventoryLevel"]["updatedAt"] == "2026-11-05T12:00:00Z"
        assert card is not None
        assert (card["tracked"], card["inventoryLevel"]["quantities"][0]["quantity"]) == (False, 0)
        (elsewhere,) = await s.levels(RUG, location=YORK)
        assert elsewhere is not None
        assert elsewhere["inventoryLevel"] is None

    in_the_shop(story)


def test_an_inactive_level_is_shown_on_request_only() -> None:
    async def story(s: Stocked) -> None:
        s.shop.inventory.levels[RUG, LEEDS].active = False
        (rug,) = await s.levels(RUG)
        assert rug is not None
        assert rug["inventoryLevel"] is None
        asked = "query($id: ID!, $at: ID!) { inventoryItem(id: $id) { %s { id isActive } } }"
        shown = await s.ask(
            asked % "inventoryLevel(locationId: $at, includeInactive: true)",
            id=gid("InventoryItem", RUG),
            at=gid("Location", LEEDS),
        )
        level = shown["data"]["inventoryItem"]["inventoryLevel"]
        assert level["isActive"] is False
        by_id = await s.ask(
            "query($id: ID!) { inventoryLevel(id: $id) { item { sku } location { name } } }", id=level["id"]
        )
        assert by_id["data"]["inventoryLevel"] == {"item": {"sku": "0007-RUG"}, "location": {"name": "Leeds"}}

    in_the_shop(story)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("sku:'0042-LAMP' OR sku:'0007-RUG'", ["0042-LAMP", "0007-RUG"]),
        ('sku:"0042-LAMP"', ["0042-LAMP"]),
        ("sku:CARD", ["CARD"]),
        ("sku:'0042-lamp'", []),
        ("sku:'42-LAMP'", []),
        ("barcode:'5012345678900'", ["0042-LAMP"]),
        (None, ["0042-LAMP", "0007-RUG", "SET", "CARD"]),
    ],
)
def test_items_by_sku(query: str | None, found: list[str]) -> None:
    async def story(s: Stocked) -> None:
        answer = await s.ask(ITEMS, first=10, query=query)
        assert [one["sku"] for one in answer["data"]["inventoryItems"]["nodes"]] == found

    in_the_shop(story)


def test_two_items_with_one_sku_both_come_and_say_so() -> None:
    async def story(s: Stocked) -> None:
        s.shop.setup.variants[1].sku = "0042-LAMP"
        answer = await s.ask(ITEMS, first=10, query="sku:'0042-LAMP'")
        nodes = answer["data"]["inventoryItems"]["nodes"]
        assert [(one["id"], one["duplicateSkuCount"]) for one in nodes] == [
            (gid("InventoryItem", LAMP), 1),
            (gid("InventoryItem", RUG), 1),
        ]

    in_the_shop(story)


def test_on_hand_set_by_compare() -> None:
    async def story(s: Stocked) -> None:
        s.bought(("0042-LAMP", 2))
        payload = await s.set("k1", an_element(40, 5), an_element(3, 3, RUG), referenceDocumentUri="gid://x/Y/1")
        assert payload["userErrors"] == []
        group = payload["inventoryAdjustmentGroup"]
        assert (group["reason"], group["referenceDocumentUri"]) == ("correction", "gid://x/Y/1")
        assert [(one["name"], one["delta"], one["item"]["sku"]) for one in group["changes"]] == [
            ("on_hand", 35, "0042-LAMP"),
            ("available", 35, "0042-LAMP"),
        ]
        assert s.figures() == (38, 2, 40)
        assert s.written() == [("app", "applied", [(5, 40, 5), (3, 3, 3)])]

    in_the_shop(story)


def test_available_set_moves_on_hand_by_as_much() -> None:
    async def story(s: Stocked) -> None:
        s.bought(("0042-LAMP", 2))
        await s.set("k1", an_element(10, 3), name="available")
        assert s.figures() == (10, 2, 12)

    in_the_shop(story)


def test_nothing_to_change_is_success_without_a_group() -> None:
    async def story(s: Stocked) -> None:
        assert await s.set("k1", an_element(5, 5)) == {"inventoryAdjustmentGroup": None, "userErrors": []}

    in_the_shop(story)


def test_one_stale_element_refuses_the_whole_call() -> None:
    async def story(s: Stocked) -> None:
        payload = await s.set("k1", an_element(40, 5), an_element(9, 2, RUG))
        assert payload["inventoryAdjustmentGroup"] is None
        assert [(one["code"], one["field"]) for one in payload["userErrors"]] == [
            (STALE, ["input", "quantities", "1", "changeFromQuantity"])
        ]
        assert (s.figures(), s.figures(RUG)) == ((5, 0, 5), (3, 0, 3))
        assert s.written() == [("app", STALE, [(5, 40, 5), (3, 9, 2)])]

    in_the_shop(story)


def test_null_overwrites_whatever_is_there_and_an_unstocked_item_gets_stocked() -> None:
    async def story(s: Stocked) -> None:
        await s.set("k1", an_element(1, None), an_element(4, 0, RUG, YORK))
        assert (s.figures(), s.figures(RUG, YORK)) == ((1, 0, 1), (4, 0, 4))

    in_the_shop(story)


ELEMENT = ("input", "quantities", "0")
REFUSED: list[tuple[dict[str, Any], str, tuple[str, ...]]] = [
    (an_input(an_element(1, 5, item=99)), "INVALID_INVENTORY_ITEM", (*ELEMENT, "inventoryItemId")),
    (an_input(an_element(1, 0, item=SET)), "NON_MUTABLE_INVENTORY_ITEM", (*ELEMENT, "inventoryItemId")),
    (an_input(an_element(1, 0, location=99)), "INVALID_LOCATION", (*ELEMENT, "locationId")),
    (an_input(an_element(-1, 5)), "INVALID_QUANTITY_NEGATIVE", (*ELEMENT, "quantity")),
    (an_input(an_element(1_000_000_001, 5)), "INVALID_QUANTITY_TOO_HIGH", (*ELEMENT, "quantity")),
    (an_input(an_element(1, 5), an_element(2, 5)), "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", ELEMENT),
    (an_input(an_element(1, 5), name="committed"), "INVALID_NAME", ("input", "name")),
    (an_input(an_element(1, 5), reason="because"), "INVALID_REASON", ("input", "reason")),
    (
        an_input(an_element(1, 5), referenceDocumentUri="stock 1"),
        "INVALID_REFERENCE_DOCUMENT",
        ("input", "referenceDocumentUri"),
    ),
]


@pytest.mark.parametrize(("given", "code", "field"), REFUSED, ids=[one[1] for one in REFUSED])
def test_refused_with_the_field_it_is_about(given: dict[str, Any], code: str, field: tuple[str, ...]) -> None:
    async def story(s: Stocked) -> None:
        answer = await s.ask(SET_STOCK, key="k1", input=given)
        errors = answer["data"]["inventorySetQuantities"]["userErrors"]
        assert (errors[0]["code"], tuple(errors[0]["field"])) == (code, field)
        assert s.figures() == (5, 0, 5)

    in_the_shop(story)


def without_compare() -> dict[str, Any]:
    element = an_element(1, 5)
    del element["changeFromQuantity"]
    return an_input(element)


@pytest.mark.parametrize(
    ("document", "given", "code"),
    [
        (SET_WITHOUT_KEY, an_input(an_element(1, 5)), "BAD_REQUEST"),
        (SET_STOCK, without_compare(), "INVALID_FIELD_ARGUMENTS"),
        (SET_STOCK, an_input(*[an_element(1, 5)] * 251), "MAX_INPUT_SIZE_EXCEEDED"),
    ],
)
def test_refused_at_the_top(document: str, given: dict[str, Any], code: str) -> None:
    async def story(s: Stocked) -> None:
        answer = await s.ask(document, input=given, key="k1")
        assert answer["data"] == {"inventorySetQuantities": None}
        assert [one["extensions"]["code"] for one in answer["errors"]] == [code]
        assert (s.figures(), s.written()) == ((5, 0, 5), [])

    in_the_shop(story)


def test_a_key_works_once_and_for_one_call() -> None:
    async def story(s: Stocked) -> None:
        first = await s.set("k1", an_element(8, 5))
        s.shop.inventory.set_by_hand("0042-LAMP", LEEDS, on_hand=5)
        assert await s.set("k1", an_element(8, 5)) == first
        assert s.figures() == (5, 0, 5)
        (error,) = (await s.set("k1", an_element(9, 5)))["userErrors"]
        assert (error["code"], error["field"]) == ("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", None)
        assert (await s.set("k2", an_element(8, 5)))["userErrors"] == []
        assert [one[:2] for one in s.written()] == [
            ("app", "applied"), ("staff", "applied"), ("app", "replayed"),
            ("app", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH"), ("app", "applied"),
        ]  # fmt: skip

    in_the_shop(story)


def test_a_refused_call_is_refused_again_though_it_would_fit_by_now() -> None:
    async def story(s: Stocked) -> None:
        refused = await s.set("k1", an_element(8, 4))
        s.shop.inventory.set_by_hand("0042-LAMP", LEEDS, on_hand=4)
        assert await s.set("k1", an_element(8, 4)) == refused

    in_the_shop(story)


def test_a_key_is_forgotten_after_a_day() -> None:
    async def story(s: Stocked) -> None:
        await s.set("k1", an_element(8, 5))
        await s.clock.sleep(24 * 3600 + 1)
        (error,) = (await s.set("k1", an_element(8, 5)))["userErrors"]
        assert error["code"] == STALE

    in_the_shop(story)


def test_an_answer_lost_is_found_again_by_its_key() -> None:
    async def story(s: Stocked) -> None:
        s.plan.force("inventorySetQuantities", Fault.ANSWER_LOST)
        lost = await s.ask(SET_STOCK, key="k1", input=an_input(an_element(8, 5)))
        assert lost == {"errors": "Gateway Timeout"}
        assert (await s.set("k1", an_element(8, 5)))["userErrors"] == []
        assert [one[1] for one in s.written()] == ["applied", "replayed"]

    in_the_shop(story)


def test_a_call_that_is_still_being_executed_turns_its_repetition_away() -> None:
    async def story(s: Stocked) -> None:
        s.plan.force("inventorySetQuantities", Fault.LATE_EXECUTION, seconds=3.0)
        await s.ask(SET_STOCK, key="k1", input=an_input(an_element(8, 5)))
        (error,) = (await s.set("k1", an_element(8, 5)))["userErrors"]
        assert error["code"] == "IDEMPOTENCY_CONCURRENT_REQUEST"
        await s.clock.sleep(4)
        assert s.figures() == (8, 0, 8)
        assert (await s.set("k1", an_element(8, 5)))["userErrors"] == []
        assert [one[1] for one in s.written()] == ["IDEMPOTENCY_CONCURRENT_REQUEST", "applied", "replayed"]

    in_the_shop(story)


def test_without_the_scope_nothing_is_shown_or_done() -> None:
    async def story(s: Stocked) -> None:
        s.shop.setup.scopes -= {"read_inventory", "write_inventory"}
        read = await s.ask(LEVELS, ids=[gid("InventoryItem", LAMP)], location=gid("Location", LEEDS))
        written = await s.ask(SET_STOCK, key="k1", input=an_input(an_element(8, 5)))
        assert [one["errors"][0]["extensions"]["code"] for one in (read, written)] == ["ACCESS_DENIED"] * 2
        assert s.figures() == (5, 0, 5)

    in_the_shop(story)


def test_costs() -> None:
    async def story(s: Stocked) -> None:
        written = await s.ask(SET_STOCK, key="k1", input=an_input(an_element(8, 5)))
        cost = written["extensions"]["cost"]
        assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (16, 13)
        ids = [gid("InventoryItem", number) for number in range(1, 251)]
        thin = """query($ids: [ID!]!, $at: ID!) { nodes(ids: $ids) { ... on InventoryItem { id
          inventoryLevel(locationId: $at) { quantities(names: ["available", "on_hand"]) { name quantity } } } } }"""
        many = await s.ask(thin, ids=ids, at=gid("Location", LEEDS))
        assert many["extensions"]["cost"]["requestedQueryCost"] == 251
        assert len(many["data"]["nodes"]) == 250

    in_the_shop(story)


def test_the_books_are_served() -> None:
    async def story(s: Stocked) -> None:
        s.bought(("0042-LAMP", 2))
        await s.set("k1", an_element(8, 5))
        told = (await s.http.get("/_sandbox/stock")).json()
        assert [(one["sku"], one["location"], one["units"]) for one in told["sales"]] == [("0042-LAMP", "11", 2)]
        (write,) = told["writes"]
        assert (write["by"], write["key"], write["result"], write["name"]) == ("app", "k1", "applied", "on_hand")
        assert write["items"] == [{"item": "1", "location": "11", "sku": "0042-LAMP", "from": 5, "to": 8, "compare": 5}]
        lamp = next(one for one in told["levels"] if (one["item"], one["location"]) == ("1", "11"))
        assert (lamp["available"], lamp["committed"], lamp["on_hand"]) == (6, 2, 8)

    in_the_shop(story)
