"""Reads stock from Clarus: balances, the goods-outs that still want some of it, and balances again."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.documents import document
from connectors.clarus.lists import Node, text, whole_lists
from connectors.clarus.poll import OPEN
from connectors.clarus.read import warehouses_of
from connectors.clarus.translate_stock import still_wanted
from connectors.runtime.port import Reading
from kernel.clock import Clock
from schemas.aggregates import stock_of
from schemas.base import LocationId, OrderId, Sku
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.references import read_reference

MOST_ITEMS = 50
"""Of one read: a page holds their balances in two warehouses."""


class StockReader:
    """Of one tenant. A product's balance is one row per account and warehouse; one never counted has no row."""

    def __init__(self, catalogue: Catalogue, clock: Clock, page_size: int) -> None:
        self._catalogue, self._clock, self._page = catalogue, clock, page_size

    async def read(self, config: BrandConfig, items: Sequence[OrderId]) -> list[Reading]:
        """One Reading per item. `complete`: Clarus showed our account and all our warehouses in every answer.

        The body is `{"known", "balances", "again", "others", "ours"}`: balances as answered before and after, and what
        lines still want, summed up, for a hot item may have ten thousands of them. `others`, of other channels, is a
        list of one line in Clarus' terms; one whose figures cannot be summed stands beside it as answered.
        """
        started = self._clock.now()
        wanted = {item: of for item in items if (of := stock_of(item)) is not None}
        codes = sorted({code for code, _ in wanted.values()})
        ids = await self._catalogue.known_products(codes)
        if not ids:
            rights = await self._catalogue.rights(config.account, warehouses_of(config))
            return [_reading(config, item, {"known": False}, started, rights.complete) for item in items]
        before, first = await self._lists(config, ids.values(), "stock_balances")
        lines, second = await self._lists(config, ids.values(), "goods_out_lines")
        again, third = await self._lists(config, ids.values(), "stock_balances")
        complete = first.complete and second.complete and third.complete
        return [
            _reading(config, item, _body(config, *of, of[0] in ids, before, lines, again), started, complete)
            for item, of in wanted.items()
        ]

    async def balances(self, config: BrandConfig, products: Iterable[int]) -> tuple[list[Node], Rights]:
        """The account's balances of these products, in whatever warehouse, as answered."""
        return await self._lists(config, products, "stock_balances")

    async def _lists(self, config: BrandConfig, products: Iterable[int], root: str) -> tuple[list[Node], Rights]:
        """The whole list. A goods-out without warehouse may take from any: its lines are asked for by the account."""
        shown: list[Rights] = []
        account = self._catalogue.account(config.account)
        if account is None:
            rights = await self._catalogue.rights(config.account, warehouses_of(config))
            shown.append(rights)
            account = rights.account
        if account is None:
            return [], Rights(None, complete=False)
        filter_: dict[str, Any] = {"account_id": {"eq": account}, "product_id": {"in": [str(id_) for id_ in products]}}
        if root == "goods_out_lines":
            filter_["goods_out_status_code"] = {"in": list(OPEN)}

        async def page(after: Mapping[str, str | None]) -> Mapping[str, Any]:
            asked: dict[str, Any] = {
                "first": self._page,
                "with_balances" if root == "stock_balances" else "with_lines": True,
                root: filter_,
                f"{root}_after": after[root],
            }
            data, rights = await self._beside(config, asked)
            shown.append(rights)
            return data

        found = (await whole_lists([root], page))[root]
        return found, Rights(shown[-1].account, all(rights.complete for rights in shown))

    async def _beside(self, config: BrandConfig, asked: Mapping[str, Any]) -> tuple[Mapping[str, Any], Rights]:
        return await self._catalogue.beside(config.account, warehouses_of(config), asked, document("stock"))


def _body(
    config: BrandConfig,
    code: Sku,
    location: LocationId,
    known: bool,
    before: list[Node],
    lines: list[Node],
    again: list[Node],
) -> dict[str, Any]:
    warehouse = config.warehouse_of(location)
    mine = [line for line in lines if text(line, "product", "code") == code and _may_take(line, warehouse)]
    others, ours, unread = _summed(config, mine)
    return {
        "known": known,
        "balances": _of(before, code, warehouse),
        "again": _of(again, code, warehouse),
        "others": [*([{"order_quantity": others}] if others else []), *unread],
        "ours": ours,
    }


def _summed(config: BrandConfig, lines: Iterable[Node]) -> tuple[int, int, list[Node]]:
    """Units of other channels, units of ours, and the first line whose figures are none: translated, it is refused."""
    others, ours, unread = 0, 0, list[Node]()
    for line in lines:
        try:
            units = still_wanted(line, "line")
        except Unreadable:
            unread.append(line)
            continue
        if _is_ours(config, line):
            ours += units
        else:
            others += units
    return others, ours, unread[:1]


def _of(balances: list[Node], code: Sku, warehouse: str | None) -> list[Node]:
    here = [one for one in balances if text(one, "warehouse", "code") == warehouse]
    return sorted((one for one in here if text(one, "product", "code") == code), key=lambda one: text(one, "id"))


def _may_take(line: Node, warehouse: str | None) -> bool:
    """A goods-out without a warehouse takes by Clarus' own sequence, perhaps from this one."""
    of = (line.get("goods_out") or {}).get("warehouse")
    return of is None or of.get("code") == warehouse


def _is_ours(config: BrandConfig, line: Node) -> bool:
    read = read_reference(str((line.get("goods_out") or {}).get("reference") or ""))
    return read is not None and read[0] == config.reference_prefix


def _reading(config: BrandConfig, item: OrderId, body: dict[str, Any], started: datetime, complete: bool) -> Reading:
    return Reading(config.brand, item, orjson.dumps(body), started, complete=complete)
