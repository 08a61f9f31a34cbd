"""Clarus' cursors may be places in a list: what is deleted between two pages takes another record's place along."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.read import LOOKS_MOST, ClarusReader
from connectors.clarus.translate import translate_goods_outs
from connectors.runtime.errors import Unavailable
from kernel.clock import SystemClock
from schemas.base import OrderId
from tests.builders import a_brand

PAGE = 100
Json = dict[str, Any]


class Tenant:
    """A goods-out of so many lines for each of some orders; its cursors are places. `meanwhile` happens before each
    page of lines that is not the first.
    """

    def __init__(self, orders: int, lines: int) -> None:
        self.orders = [OrderId(str(5001 + number)) for number in range(orders)]
        self.lines = [a_line(order, number) for order in self.orders for number in range(lines)]
        self.meanwhile: Callable[[], object] = lambda: None

    def delete(self, order: str) -> None:
        self.orders = [one for one in self.orders if one != order]
        self.lines = [line for line in self.lines if line["goods_out"]["id"] != order]

    async def beside(
        self, _account: str, _warehouses: object, asked: Mapping[str, Any], _document: str
    ) -> tuple[Json, Rights]:
        data = {}
        for root in (name.removeprefix("with_") for name in asked if name.startswith("with_")):
            at = int(asked[f"{root}_after"] or 0)
            if root == "goods_out_lines" and at:
                self.meanwhile()
            found = self._of(root, asked[root])
            info = {"hasNextPage": at + PAGE < len(found), "endCursor": str(at + PAGE)}
            data[root] = {"all": {"pageInfo": info, "edges": [{"node": node} for node in found[at : at + PAGE]]}}
        return data, Rights("1", complete=True)

    def _of(self, root: str, filter_: Mapping[str, Any]) -> list[Json]:
        match filter_:
            case {"goods_out_id": {"in": ids}} if root == "goods_out_lines":
                return [line for line in self.lines if line["goods_out"]["id"] in ids]
            case {"reference": {"like": like}}:
                return [a_header(order) for order in self.orders if like == f"ACME-{order}-%"]
            case {"id": {"in": ids}}:
                return [a_header(order) for order in self.orders if order in ids]
            case _:
                return []

    def read(self) -> dict[OrderId, set[str]]:
        """Ids of the lines shown, for each of the orders that there were at the beginning."""
        reader = ClarusReader(cast("Catalogue", self), SystemClock(), PAGE)
        readings = asyncio.run(reader.read(a_brand(), list(self.orders)))
        assert all(reading.complete for reading in readings)
        shown = {reading.order: translate_goods_outs(reading.body) for reading in readings}
        return {order: {line.id for one in of for line in one.lines} for order, of in shown.items()}

    def there(self, order: str) -> set[str]:
        return {line["id"] for line in self.lines if line["goods_out"]["id"] == order}


def a_header(order: str) -> Json:
    return {"id": order, "reference": f"ACME-{order}-71-1", "goods_out_status": {"code": "PENDING"}}


def a_line(order: str, number: int) -> Json:
    return {
        "id": f"{order}{number:03}",
        "goods_out": {"id": order},
        "product": {"code": f"P{number}"},
        "order_quantity": 1,
        "allocated_quantity": 0,
        "pick_quantity": 0,
        "dispatch_quantity": 0,
        "external_system_reference1": f"gid://shopify/LineItem/{900 + number}",
    }


def test_lines_of_several_orders_are_all_shown_though_one_is_deleted_between_their_pages() -> None:
    tenant = Tenant(orders=20, lines=8)
    tenant.meanwhile = lambda: tenant.delete("5001")
    shown = tenant.read()
    assert len(shown) == 20
    assert shown == {order: tenant.there(order) for order in shown}


def test_lines_of_one_order_are_all_shown_though_one_is_deleted_between_their_pages() -> None:
    tenant = Tenant(orders=1, lines=150)
    tenant.meanwhile = lambda: tenant.lines.pop(0) if len(tenant.lines) == 150 else None
    assert tenant.read() == {OrderId("5001"): tenant.there("5001")}


def test_one_order_that_changes_at_every_look_is_not_believed() -> None:
    tenant = Tenant(orders=1, lines=150)
    tenant.meanwhile = lambda: tenant.lines.pop(0)
    with pytest.raises(Unavailable, match="5001"):
        tenant.read()
    assert len(tenant.lines) == 150 - LOOKS_MOST


def test_quantities_that_move_while_an_order_is_read_do_not_keep_it_from_being_read() -> None:
    tenant = Tenant(orders=1, lines=150)
    tenant.meanwhile = lambda: tenant.lines[0].update(allocated_quantity=1)
    assert tenant.read() == {OrderId("5001"): tenant.there("5001")}
