"""A stock count moves everything at once, and an account may have more than fits in two hundred pages."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, cast

import pytest

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.client import ClarusClient
from connectors.clarus.poll import OpenGoodsOuts
from connectors.clarus.read import ClarusReader
from connectors.clarus.stock_poll import MOST_AT_ONCE, Movements
from connectors.runtime.errors import Incompatible
from kernel.clock import LoopClock
from tests.builders import a_brand
from tests.connectors.clarus.sides import NOON

PAGE, MANY = 100, 20_100
Json = dict[str, Any]


class Tenant:
    """A client and a catalogue before lists of so many records, oldest first; a cursor says how many were shown."""

    def __init__(self, many: int = MANY, page: int = PAGE) -> None:
        self.many, self.page, self.since = many, page, list[str]()
        self.forgotten = False
        """No cursor is taken any more."""

    async def query(self, document: str, variables: Mapping[str, Any]) -> Json:
        root = "transactions" if "transactions" in document else "stock_balances"
        if root == "transactions":
            self.since.append(variables["filter"]["created_at"]["from"])
        return self._page(root, variables["after"])

    async def beside(
        self, _account: str, _warehouses: object, asked: Mapping[str, Any], _document: str
    ) -> tuple[Json, Rights]:
        return self._page("goods_outs", asked["goods_outs_after"]), Rights("1", complete=True)

    async def own_account(self, *_of: object) -> str:
        return "1"

    def _page(self, root: str, after: str | None) -> Json:
        if after is not None and self.forgotten:
            raise Incompatible("POST /graphql: no such cursor")
        at = int(after or 0)
        end = min(at + self.page, self.many)
        info = {"hasNextPage": end < self.many, "endCursor": str(end)}
        return {root: {"all": {"pageInfo": info, "edges": [{"node": record(n)} for n in range(at, end)]}}}


def record(number: int) -> Json:
    """A balance, a movement and the header of a goods-out in one."""
    return {
        "id": str(number),
        "product": {"code": f"P{number}"},
        "warehouse": {"code": "LDS1"},
        "created_at": (NOON + timedelta(seconds=number)).isoformat(),
        "reference": f"ACME-{number}-71-1",
        "goods_out_status": {"code": "PENDING"},
    }


def movements(tenant: Tenant) -> Movements:
    return Movements(cast("ClarusClient", tenant), cast("Catalogue", tenant), LoopClock(NOON), PAGE)


def polled(tenant: Tenant, looks: int) -> list[tuple[str, ...]]:
    """The stock items that each look names."""

    async def story() -> list[tuple[str, ...]]:
        found, cursor = list[tuple[str, ...]](), ""
        for _ in range(looks):
            changes = await movements(tenant).moved(a_brand(), cursor)
            found.append(changes.orders)
            cursor = changes.cursor
        return found

    return asyncio.run(story())


def test_a_stock_count_is_told_of_in_several_looks() -> None:
    tenant = Tenant()
    looks = polled(tenant, 5)
    assert [len(look) for look in looks] == [10_000, 10_000, 10_000, 10_000, 200], "each at two locations"
    assert len({item for look in looks for item in look}) == 2 * MANY
    assert len(set(tenant.since)) == 1, "until the list has ended all pages are of one look"


def test_the_next_look_begins_at_the_newest_movement() -> None:
    tenant = Tenant()
    polled(tenant, 6)
    newest = NOON + timedelta(seconds=MANY - 1)
    assert tenant.since[-1] == (newest - timedelta(seconds=120)).isoformat()


def test_a_look_that_cannot_go_on_behind_its_page_ends_at_the_newest_it_has_seen() -> None:
    tenant = Tenant()

    async def story() -> None:
        first = await movements(tenant).moved(a_brand(), "")
        tenant.forgotten = True
        second = await movements(tenant).moved(a_brand(), first.cursor)
        assert second.orders == ()
        tenant.forgotten, tenant.many = False, 1
        await movements(tenant).moved(a_brand(), second.cursor)

    asyncio.run(story())
    newest = NOON + timedelta(seconds=MOST_AT_ONCE * PAGE - 1)
    assert tenant.since[-1] == (newest - timedelta(seconds=120)).isoformat()


def test_a_movement_of_no_certain_moment_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    node = record(0) | {"created_at": "2026-11-05T12:00:00"}
    monkeypatch.setitem(globals(), "record", lambda _number: node)
    with pytest.raises(Incompatible, match="created_at"):
        polled(Tenant(1), 1)


def test_all_balances_of_a_large_account_are_listed() -> None:
    tenant = Tenant()
    assert len(asyncio.run(movements(tenant).all(a_brand()))) == MANY
    assert len(asyncio.run(movements(tenant).codes(a_brand()))) == MANY


def test_a_list_that_never_ends_is_not_believed() -> None:
    with pytest.raises(Incompatible, match="more than 5000 pages"):
        asyncio.run(movements(Tenant(5_001, page=1)).codes(a_brand()))


def test_all_open_goods_outs_of_a_large_account_are_listed() -> None:
    tenant = Tenant()
    catalogue = cast("Catalogue", tenant)
    poll = OpenGoodsOuts(ClarusReader(catalogue, LoopClock(NOON), PAGE), catalogue)
    assert len(asyncio.run(poll.changes(a_brand(), "")).orders) == MANY
    assert len(asyncio.run(poll.listed(a_brand(), NOON))) == MANY
