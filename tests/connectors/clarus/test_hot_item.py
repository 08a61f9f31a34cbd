"""hot_item: 20 000 goods-outs want one product; what is told of it fits in a line."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.stock import StockReader
from kernel.clock import SystemClock
from schemas.base import Sku
from tests.builders import a_brand
from tests.stock_story import ITEM, MUG

OPEN, PAGE, WHOLESALE = 20_000, 100, 3


class Crowded:
    """A catalogue before a tenant in which so many orders wait; `asked` counts its answers."""

    def __init__(self) -> None:
        self.asked = 0

    async def known_products(self, codes: Sequence[Sku]) -> dict[Sku, int]:
        return dict.fromkeys(codes, 7)

    def account(self, _code: str) -> str:
        return "1"

    async def beside(
        self, _account: str, _warehouses: object, asked: Mapping[str, Any], _name: str
    ) -> tuple[Mapping[str, Any], Rights]:
        self.asked += 1
        nodes, goes_on, cursor = [balance()], False, 0
        if "goods_out_lines" in asked:
            cursor = int(asked["goods_out_lines_after"] or 0)
            nodes, goes_on = [a_line(number) for number in range(cursor, cursor + PAGE)], cursor + PAGE < OPEN
        root = "goods_out_lines" if "goods_out_lines" in asked else "stock_balances"
        page = {"pageInfo": {"hasNextPage": goes_on, "endCursor": str(cursor + PAGE)}}
        return {root: {"all": {**page, "edges": [{"node": node} for node in nodes]}}}, Rights("1", complete=True)


def balance() -> dict[str, Any]:
    figures = {"available": "5", "allocated": "100", "picked": "0"}
    return {"id": "1", "warehouse": {"code": "LDS1"}, "product": {"code": MUG}, **figures}


def a_line(number: int) -> dict[str, Any]:
    ours = number >= WHOLESALE
    return {
        "id": str(number), "product": {"code": MUG}, "order_quantity": "1", "dispatch_quantity": "0",
        "goods_out": {
            "reference": f"ACME-{number}-71-1" if ours else f"W-{number}", "warehouse": {"code": "LDS1"},
            "status": {"code": "PENDING"},
        },
    }  # fmt: skip


def test_hot_item() -> None:
    tenant = Crowded()
    reader = StockReader(cast("Catalogue", tenant), SystemClock(), PAGE)
    (reading,) = asyncio.run(reader.read(a_brand(), [ITEM]))
    assert reading.body is not None
    body = orjson.loads(reading.body)

    assert tenant.asked == OPEN // PAGE + 2
    assert (body["ours"], len(body["others"])) == (OPEN - WHOLESALE, WHOLESALE)
    assert len(reading.body) < 2000
