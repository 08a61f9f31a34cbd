"""A real Tryton, prepared and started: what a brand's finance department would find in it."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from sandbox.tryton import TrytonServer, prepare
from sandbox.tryton.rest import TrytonRest
from tests.sandbox.tryton.company import COMPANY

pytestmark = [pytest.mark.tryton, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server() -> Iterator[TrytonServer]:
    with TrytonServer(COMPANY) as running:
        yield running


def test_what_is_prepared_is_not_prepared_again(server: TrytonServer) -> None:
    said: list[str] = []
    prepared = prepare(COMPANY, said.append)
    assert said == []
    assert prepared.key == server.key


def test_skus_are_whole_and_in_stock(server: TrytonServer) -> None:
    async def story() -> None:
        async with TrytonRest(server.base_url, server.key) as rest:
            products = await rest.search("product.product", [], ["code"])
            assert {product["code"] for product in products} == {"0042-A", "0042-B", "0007"}
            lines = await rest.search("stock.inventory.line", [], ["quantity", "inventory.state"])
            assert {line["inventory"]["state"] for line in lines} == {"done"}
            assert len(lines) == 3
            assert min(line["quantity"] for line in lines) >= 100_000

    asyncio.run(story())


def test_every_brand_has_its_shop_and_its_customer(server: TrytonServer) -> None:
    async def story() -> None:
        async with TrytonRest(server.base_url, server.key) as rest:
            shops = await rest.search("web.shop", [], ["name"])
            assert {shop["name"] for shop in shops} == {"acme", "borealis"}
            parties = await rest.search("party.party", [["code", "like", "WEB-%"]], ["code", "addresses"])
            assert {party["code"] for party in parties} == {"WEB-acme", "WEB-borealis"}
            assert all(party["addresses"] for party in parties)

    asyncio.run(story())


def test_without_the_key_nothing_is_answered(server: TrytonServer) -> None:
    answer = httpx.get(f"{server.base_url}model/web.shop", headers={"Authorization": "Bearer nobody"})
    assert answer.status_code == 401


def test_a_second_server_has_books_of_its_own(server: TrytonServer) -> None:
    with TrytonServer(COMPANY) as other:
        assert other.base_url != server.base_url
        headers = {"Authorization": f"Bearer {server.key}"}
        changed = httpx.put(f"{other.base_url}model/web.shop/1", json={"name": "renamed"}, headers=headers)
        assert changed.status_code == 200
        assert httpx.get(f"{server.base_url}model/web.shop/1?f=name", headers=headers).json()["name"] != "renamed"
