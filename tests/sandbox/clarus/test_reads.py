"""Lists: pages, filters, and queries that cannot be answered."""

from typing import Any

import pytest

from tests.sandbox.clarus.warehouse import GOODS_OUTS, LINES, Warehouse, in_the_warehouse


async def pages(clarus: Warehouse, first: int | None, **filters: Any) -> list[list[str]]:
    """The references of every page."""
    found: list[list[str]] = []
    after, more = None, True
    while more:
        variables = {"filter": filters, "first": first, "after": after}
        answer = await clarus.call("POST", "/graphql", {"query": GOODS_OUTS, "variables": variables})
        listed = answer.json()["data"]["goods_outs"]["all"]
        found.append([edge["node"]["reference"] for edge in listed["edges"]])
        more, after = listed["pageInfo"]["hasNextPage"], listed["pageInfo"]["endCursor"]
    return found


@pytest.mark.parametrize(("first", "sizes"), [(2, [2, 2, 1]), (5, [5]), (4, [4, 1]), (None, [5])])
def test_pages_hold_every_record_once(first: int | None, sizes: list[int]) -> None:
    async def story(clarus: Warehouse) -> None:
        references = [f"ACME-{number}-1-1" for number in range(5)]
        for reference in references:
            await clarus.create(clarus.a_goods_out(reference))
        found = await pages(clarus, first)
        assert [len(page) for page in found] == sizes
        assert [reference for page in found for reference in page] == references

    in_the_warehouse(story)


def test_a_page_holds_a_hundred_at_most() -> None:
    async def story(clarus: Warehouse) -> None:
        for number in range(101):
            await clarus.create(clarus.a_goods_out(f"ACME-{number}-1-1"))
        assert [len(page) for page in await pages(clarus, 500)] == [100, 1]

    in_the_warehouse(story)


def test_a_record_made_between_two_pages_moves_no_other() -> None:
    async def story(clarus: Warehouse) -> None:
        for number in range(3):
            await clarus.create(clarus.a_goods_out(f"ACME-{number}-1-1"))
        query = {"query": GOODS_OUTS, "variables": {"first": 2}}
        first = (await clarus.call("POST", "/graphql", query)).json()["data"]["goods_outs"]["all"]
        await clarus.create(clarus.a_goods_out("ACME-3-1-1"))
        query = {"query": GOODS_OUTS, "variables": {"first": 2, "after": first["pageInfo"]["endCursor"]}}
        second = (await clarus.call("POST", "/graphql", query)).json()["data"]["goods_outs"]["all"]
        assert [edge["node"]["reference"] for edge in second["edges"]] == ["ACME-2-1-1", "ACME-3-1-1"]

    in_the_warehouse(story)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"reference": {"like": "ACME-1-%"}}, ["ACME-1-7-1", "ACME-1-8-1"]),
        ({"reference": {"like": "acme-1-%"}}, []),
        ({"reference": {"ilike": "acme-1-%"}}, ["ACME-1-7-1", "ACME-1-8-1"]),
        ({"reference": {"like": "ACME-1_-%"}}, ["ACME-12-9-1"]),
        ({"reference": {"in": ["ACME-12-9-1", "none"]}}, ["ACME-12-9-1"]),
        ({"goods_out_status_code": {"in": ["ALLOCATED", "PICK"]}}, ["ACME-12-9-1"]),
        ({"goods_out_status_code": {"eq": "PENDING"}, "reference": {"like": "ACME-1-8%"}}, ["ACME-1-8-1"]),
        ({"id": {"gt": "90001"}}, ["ACME-1-8-1", "ACME-12-9-1"]),
        ({"account_id": {"eq": "32"}}, []),
        ({"expected_date_of_dispatch": {"from": "2026-05-06T00:00:00Z"}}, []),
    ],
)
def test_filters_must_all_hold(filters: dict[str, Any], found: list[str]) -> None:
    async def story(clarus: Warehouse) -> None:
        for reference in ("ACME-1-7-1", "ACME-1-8-1", "ACME-12-9-1"):
            number = await clarus.create(clarus.a_goods_out(reference))
        clarus.world.allocate(number)
        assert await pages(clarus, None, **filters) == [found]

    in_the_warehouse(story)


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query { goods_outs { all { edges { node { updated_at } } } } }", {}),
        ("query {", {}),
        (GOODS_OUTS, {"filter": {"updated_at": {"from": "2026-05-04T00:00:00Z"}}}),
        (GOODS_OUTS, {"after": "not a cursor"}),
        (LINES, {"filter": {"goods_out_id": {"eq": "x"}}}),
    ],
)
def test_a_wrong_query_is_answered_with_errors_and_200(query: str, variables: dict[str, Any]) -> None:
    async def story(clarus: Warehouse) -> None:
        answer = await clarus.call("POST", "/graphql", {"query": query, "variables": variables})
        assert answer.status_code == 200
        assert answer.json()["errors"][0]["message"]

    in_the_warehouse(story)
