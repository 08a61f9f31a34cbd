"""All levels in one bulk query: started, polled, read line by line; what is refused."""

import json
from typing import Any

import pytest
from graphql import parse, validate

from sandbox.shopify.bulk import SECONDS
from tests.connectors.shopify.admin_schema import admin_schema
from tests.sandbox.shopify.stocked import Stocked, in_the_shop

ALL_LEVELS = """{ inventoryItems { edges { node { id sku tracked
  inventoryLevels { edges { node { id isActive location { id }
    quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } } } } } }"""
RUN = """mutation RunBulk($query: String!, $grouped: Boolean!) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {
    bulkOperation { id status } userErrors { code field message } } }"""
POLL = """query PollBulk($id: ID!) { bulkOperation(id: $id) {
  id status errorCode objectCount rootObjectCount fileSize url partialDataUrl } }"""


async def started(s: Stocked, query: str = ALL_LEVELS, *, grouped: bool = False) -> dict[str, Any]:
    answer = await s.ask(RUN, query=query, grouped=grouped)
    payload: dict[str, Any] = answer["data"]["bulkOperationRunQuery"]
    return payload


async def polled(s: Stocked, id_: str) -> dict[str, Any]:
    found: dict[str, Any] = (await s.ask(POLL, id=id_))["data"]["bulkOperation"]
    return found


async def read(s: Stocked, *, grouped: bool = False) -> list[dict[str, Any]]:
    made = (await started(s, grouped=grouped))["bulkOperation"]
    await s.clock.sleep(SECONDS)
    file = await s.http.get((await polled(s, made["id"]))["url"])
    return [json.loads(line) for line in file.text.splitlines()]


@pytest.mark.parametrize("document", [RUN, POLL, ALL_LEVELS])
def test_the_documents_are_valid_in_shopifys_own_schema(document: str) -> None:
    assert validate(admin_schema(), parse(document)) == []


def test_it_is_created_runs_and_completes() -> None:
    async def story(s: Stocked) -> None:
        made = await started(s)
        assert (made["userErrors"], made["bulkOperation"]["status"]) == ([], "CREATED")
        id_ = made["bulkOperation"]["id"]
        await s.clock.sleep(SECONDS / 2)
        running = await polled(s, id_)
        assert (running["status"], running["url"]) == ("RUNNING", None)
        await s.clock.sleep(SECONDS / 2)
        ended = await polled(s, id_)
        assert (ended["status"], ended["errorCode"], ended["objectCount"], ended["rootObjectCount"]) == (
            "COMPLETED", None, "8", "4",
        )  # fmt: skip
        assert int(ended["fileSize"]) > 0
        assert await polled(s, "gid://shopify/BulkOperation/1") is None

    in_the_shop(story)


def test_levels_are_lines_below_their_items_as_they_were_when_it_was_asked() -> None:
    async def story(s: Stocked) -> None:
        s.bought(("0042-LAMP", 2))
        made = (await started(s))["bulkOperation"]
        s.bought(("0042-LAMP", 3))
        await s.clock.sleep(SECONDS)
        file = await s.http.get((await polled(s, made["id"]))["url"])
        lines = [json.loads(line) for line in file.text.splitlines()]
        assert [one["sku"] for one in lines[:4]] == ["0042-LAMP", "0007-RUG", "SET", "CARD"]
        lamp = next(one for one in lines[4:] if one["location"]["id"] == "gid://shopify/Location/11")
        assert lamp["__parentId"] == "gid://shopify/InventoryItem/1"
        assert [(one["name"], one["quantity"]) for one in lamp["quantities"]] == [
            ("available", 3), ("on_hand", 5), ("committed", 2),
        ]  # fmt: skip

    in_the_shop(story)


def test_grouped_children_follow_their_parent() -> None:
    async def story(s: Stocked) -> None:
        lines = await read(s, grouped=True)
        assert ["__parentId" in one for one in lines] == [False, True, True, False, True, False, False, True]

    in_the_shop(story)


def test_nothing_found_is_success_without_a_file() -> None:
    async def story(s: Stocked) -> None:
        query = ALL_LEVELS.replace("inventoryItems {", "inventoryItems(query: \"sku:'NONE'\") {", 1)
        made = (await started(s, query))["bulkOperation"]
        await s.clock.sleep(SECONDS)
        ended = await polled(s, made["id"])
        assert (ended["status"], ended["objectCount"], ended["url"]) == ("COMPLETED", "0", None)

    in_the_shop(story)


def test_without_the_scope_it_fails() -> None:
    async def story(s: Stocked) -> None:
        s.shop.setup.scopes -= {"read_inventory"}
        made = (await started(s))["bulkOperation"]
        await s.clock.sleep(SECONDS)
        ended = await polled(s, made["id"])
        assert (ended["status"], ended["errorCode"], ended["url"]) == ("FAILED", "ACCESS_DENIED", None)

    in_the_shop(story)


@pytest.mark.parametrize(
    "query",
    [
        "{ inventoryItems {",
        "{ nosuch { edges { node { id } } } }",
        '{ inventoryItem(id: "gid://shopify/InventoryItem/1") { id } }',
        '{ nodes(ids: ["gid://shopify/InventoryItem/1"]) { id } }',
        'mutation { bulkOperationRunQuery(query: "{}") { userErrors { message } } }',
        """{ inventoryItems { edges { node { id variants { edges { node { id inventoryItem { id
          inventoryLevels { edges { node { id } } } } } } } } } } }""",
        "{ %s }" % " ".join(f"a{n}: inventoryItems {{ edges {{ node {{ id }} }} }}" for n in range(6)),  # noqa: UP031 - an f-string would double every brace
    ],
)
def test_queries_of_another_shape_are_refused(query: str) -> None:
    async def story(s: Stocked) -> None:
        made = await started(s, query)
        assert made["bulkOperation"] is None
        assert [(one["code"], one["field"]) for one in made["userErrors"]] == [("INVALID", ["query"])]

    in_the_shop(story)


def test_five_may_run_at_once() -> None:
    async def story(s: Stocked) -> None:
        for _ in range(5):
            assert (await started(s))["userErrors"] == []
        assert [one["code"] for one in (await started(s))["userErrors"]] == ["OPERATION_IN_PROGRESS"]
        await s.clock.sleep(SECONDS)
        assert (await started(s))["userErrors"] == []

    in_the_shop(story)
