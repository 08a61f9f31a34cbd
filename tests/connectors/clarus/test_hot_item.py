"""hot_item: 20 000 goods-outs want one product; what is told of it fits in a line, whoever's goods-outs they are."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
import pytest

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.stock import StockReader
from connectors.clarus.translate_stock import translate_balance
from connectors.runtime.port import Reading
from kernel.clock import SystemClock
from schemas.base import Sku
from schemas.errors import Unreadable
from schemas.stock import Balance
from tests.builders import a_brand
from tests.stock_story import ITEM, MUG

OPEN, PAGE, WHOLESALE = 20_000, 100, 3


class Crowded:
    """A catalogue before a tenant in which so many orders wait, `wholesale` of them of another channel; `asked` counts
    its answers. `odd`: what a line of this number says instead.
    """

    def __init__(self, wholesale: int = WHOLESALE, odd: Mapping[int, Mapping[str, Any]] | None = None) -> None:
        self.asked, self._wholesale, self._odd = 0, wholesale, odd or {}

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
            nodes, goes_on = [self.line(number) for number in range(cursor, cursor + PAGE)], cursor + PAGE < OPEN
        root = "goods_out_lines" if "goods_out_lines" in asked else "stock_balances"
        page = {"pageInfo": {"hasNextPage": goes_on, "endCursor": str(cursor + PAGE)}}
        return {root: {"all": {**page, "edges": [{"node": node} for node in nodes]}}}, Rights("1", complete=True)

    def line(self, number: int) -> dict[str, Any]:
        reference = f"W-{number}" if number < self._wholesale else f"ACME-{number}-71-1"
        plain = {
            "id": str(number), "product": {"code": MUG}, "order_quantity": "1", "dispatch_quantity": "0",
            "goods_out": {"reference": reference, "warehouse": {"code": "LDS1"}, "status": {"code": "PENDING"}},
        }  # fmt: skip
        return {**plain, **self._odd.get(number, {})}

    def read(self) -> Reading:
        (reading,) = asyncio.run(StockReader(cast("Catalogue", self), SystemClock(), PAGE).read(a_brand(), [ITEM]))
        return reading

    def balance(self) -> Balance:
        return translate_balance(self.read().body)


def balance() -> dict[str, Any]:
    figures = {"available": "5", "allocated": "100", "picked": "0"}
    return {"id": "1", "warehouse": {"code": "LDS1"}, "product": {"code": MUG}, **figures}


def test_hot_item() -> None:
    tenant = Crowded()
    reading = tenant.read()
    shown = translate_balance(reading.body)

    assert tenant.asked == OPEN // PAGE + 2
    assert (shown.ours, shown.others) == (OPEN - WHOLESALE, WHOLESALE)
    assert len(reading.body) < 2000


def test_other_channels_goods_outs_are_summed_as_ours_are() -> None:
    reading = Crowded(wholesale=OPEN - 1).read()
    shown = translate_balance(reading.body)

    assert (shown.ours, shown.others) == (1, OPEN - 1)
    assert len(reading.body) < 2000


def test_figures_may_come_as_text() -> None:
    shown = Crowded(
        odd={
            0: {"order_quantity": "4.0", "dispatch_quantity": "1.0"},
            OPEN - 1: {"order_quantity": "7.0", "allocated_quantity": "2.0", "short_status": "short"},
        }
    ).balance()
    assert (shown.ours, shown.others) == (OPEN - WHOLESALE + 1, WHOLESALE + 2)


@pytest.mark.parametrize("number", [0, OPEN - 1], ids=["of another channel", "ours"])
@pytest.mark.parametrize("figure", ["many", 1.5, True, {"units": 1}])
def test_a_line_whose_figures_are_no_units_is_told_as_answered_and_refused_with_its_place(
    number: int, figure: object
) -> None:
    tenant = Crowded(odd={number: {"order_quantity": figure}})
    with pytest.raises(Unreadable) as refused:
        tenant.balance()
    assert refused.value.where == "others.1.order_quantity"


def test_one_line_without_figures_stands_for_all_of_them() -> None:
    reading = Crowded(wholesale=OPEN, odd={number: {"order_quantity": "0.25"} for number in range(OPEN)}).read()
    assert orjson.loads(reading.body)["others"][0]["id"] == "0"
    assert len(reading.body) < 2000


def test_bodies_with_every_line_of_another_channel_are_read_too() -> None:
    """The raw topic may hold such."""
    tenant = Crowded()
    body = orjson.loads(tenant.read().body) | {"others": [tenant.line(0), tenant.line(1) | {"order_quantity": 4.0}]}
    assert translate_balance(orjson.dumps({**body, "ours": 2})).others == 1 + 4
