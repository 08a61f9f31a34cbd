"""Reads stock from Clarus: balances, the goods-outs that still want some of it, and balances again."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.documents import document
from connectors.clarus.lists import Node, each_page, text
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
        wants = _Wants(config)
        before, first = await self.balances(config, ids.values())
        second = await self._lists(config, ids.values(), "goods_out_lines", wants.add)
        again, third = await self.balances(config, ids.values())
        complete = first.complete and second.complete and third.complete
        return [
            _reading(config, item, _body(config, *of, of[0] in ids, before, wants, again), started, complete)
            for item, of in wanted.items()
        ]

    async def balances(self, config: BrandConfig, products: Iterable[int]) -> tuple[list[Node], Rights]:
        """The account's balances of these products, in whatever warehouse, as answered."""
        found: list[Node] = []
        rights = await self._lists(config, products, "stock_balances", found.extend)
        return found, rights

    async def _lists(
        self, config: BrandConfig, products: Iterable[int], root: str, take: Callable[[Iterable[Node]], None]
    ) -> Rights:
        """Hands over the whole list, page by page. A goods-out without warehouse may take from any: its lines are asked
        for by the account.
        """
        shown: list[Rights] = []
        account = self._catalogue.account(config.account)
        if account is None:
            rights = await self._catalogue.rights(config.account, warehouses_of(config))
            shown.append(rights)
            account = rights.account
        if account is None:
            return Rights(None, complete=False)
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

        async for nodes in each_page(root, page):
            take(nodes)
        return Rights(shown[-1].account, all(rights.complete for rights in shown))

    async def _beside(self, config: BrandConfig, asked: Mapping[str, Any]) -> tuple[Mapping[str, Any], Rights]:
        return await self._catalogue.beside(config.account, warehouses_of(config), asked, document("stock"))


@dataclass(slots=True)
class _Want:
    """Units of other channels, units of ours, and a line whose figures are none: translated, it is refused."""

    others: int = 0
    ours: int = 0
    unread: Node | None = None


class _Wants:
    """What lines still want, by product and warehouse, None for one without: a goods-out without a warehouse takes by
    Clarus' own sequence, perhaps from this one.
    """

    def __init__(self, config: BrandConfig) -> None:
        self._config = config
        self._of: dict[tuple[str, str | None], _Want] = {}

    def add(self, lines: Iterable[Node]) -> None:
        for line in lines:
            warehouse = ((line.get("goods_out") or {}).get("warehouse") or {}).get("code")
            want = self._of.setdefault((text(line, "product", "code"), warehouse), _Want())
            try:
                units = still_wanted(line, "line")
            except Unreadable:
                want.unread = want.unread or line
                continue
            if _is_ours(self._config, line):
                want.ours += units
            else:
                want.others += units

    def of(self, code: Sku, warehouse: str | None) -> dict[str, Any]:
        """`others` and `ours` of a reading's body."""
        wants = [want for at in dict.fromkeys((warehouse, None)) if (want := self._of.get((code, at))) is not None]
        others = sum(want.others for want in wants)
        unread = [want.unread for want in wants if want.unread is not None]
        summed = [{"order_quantity": others}] if others else []
        return {"others": [*summed, *unread], "ours": sum(want.ours for want in wants)}


def _body(
    config: BrandConfig,
    code: Sku,
    location: LocationId,
    known: bool,
    before: list[Node],
    wants: _Wants,
    again: list[Node],
) -> dict[str, Any]:
    warehouse = config.warehouse_of(location)
    balances = {"balances": _of(before, code, warehouse), "again": _of(again, code, warehouse)}
    return {"known": known, **balances, **wants.of(code, warehouse)}


def _of(balances: list[Node], code: Sku, warehouse: str | None) -> list[Node]:
    here = [one for one in balances if text(one, "warehouse", "code") == warehouse]
    return sorted((one for one in here if text(one, "product", "code") == code), key=lambda one: text(one, "id"))


def _is_ours(config: BrandConfig, line: Node) -> bool:
    read = read_reference(str((line.get("goods_out") or {}).get("reference") or ""))
    return read is not None and read[0] == config.reference_prefix


def _reading(config: BrandConfig, item: OrderId, body: dict[str, Any], started: datetime, complete: bool) -> Reading:
    return Reading(config.brand, item, orjson.dumps(body), started, complete=complete)
