"""Reads items from Clarus: the product of a code and the accounts it is assigned to, verbatim."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.documents import document
from connectors.clarus.lists import Filter, Node, text
from connectors.clarus.read import Look, look_beside
from connectors.clarus.stock import StockReader
from connectors.runtime.port import Reading
from kernel.clock import Clock
from schemas.aggregates import item_of
from schemas.base import OrderId
from schemas.config import BrandConfig


class Shown(NamedTuple):
    """Products and the assignments of them that we may see. `rights`: complete when they were in every answer.
    `balances`: of the account, None when they were not asked for.
    """

    products: list[Node]
    assigned: list[Node]
    rights: Rights
    balances: list[Node] | None = None


class ProductReader:
    """Of one tenant. Codes are unique in a tenant, and compared exactly, to the last zero."""

    def __init__(self, catalogue: Catalogue, stock: StockReader, clock: Clock, page_size: int) -> None:
        self._catalogue, self._stock, self._clock, self._page = catalogue, stock, clock, page_size

    async def read(self, config: BrandConfig, items: Sequence[OrderId]) -> list[Reading]:
        """One Reading per item that has a code; the others are not in Clarus. Where items are audited, with balances.

        `complete`: as for orders.
        """
        started = self._clock.now()
        codes = {item: code for item in items if (code := item_of(item))}
        shown = await self.coded(config, sorted(set(codes.values())))
        if config.items.audited and shown.products:
            ids = [int(text(node, "id")) for node in shown.products]
            balances, rights = await self._stock.balances(config, ids)
            both = Rights(rights.account, shown.rights.complete and rights.complete)
            shown = shown._replace(balances=balances, rights=both)
        return [
            _reading(config, item, codes[item], shown, started)
            if item in codes
            else Reading(config.brand, item, b"", started, absent=True)
            for item in items
        ]

    async def coded(self, config: BrandConfig, codes: Sequence[str]) -> Shown:
        """Products of these very codes: Clarus may match more loosely than a zero or a capital."""
        found = await self._products(config, {"code": {"in": list(codes)}})
        return found._replace(products=[node for node in found.products if text(node, "code") in codes])

    async def with_barcode(self, config: BrandConfig, barcode: str) -> list[Node]:
        """Products of the brand's account that have this barcode; other accounts may sell the same goods."""
        found = await self._products(config, {"barcode": {"eq": barcode}})
        ours = {text(one, "product", "id") for one in found.assigned if text(one, "account", "code") == config.account}
        mine = (node for node in found.products if text(node, "id") in ours)
        return [node for node in mine if node.get("barcode") == barcode]

    async def _products(self, config: BrandConfig, filter_: Filter) -> Shown:
        first = await self._lists(config, products=filter_)
        products = first.lists["products"]
        ids = [text(node, "id") for node in products]
        if not ids:
            return Shown([], [], first.rights)
        second = await self._lists(config, account_products={"product_id": {"in": ids}})
        rights = Rights(second.rights.account, first.rights.complete and second.rights.complete)
        return Shown(products, second.lists["account_products"], rights)

    async def _lists(self, config: BrandConfig, **filters: Filter) -> Look:
        return await look_beside(self._catalogue, config, filters, document("items"), self._page)


def _reading(config: BrandConfig, item: OrderId, code: str, shown: Shown, started: datetime) -> Reading:
    """Sorted by id, so that equal content is equal bytes."""
    products = [node for node in shown.products if text(node, "code") == code]
    ids = {text(node, "id") for node in products}
    assigned = [node for node in shown.assigned if text(node, "product", "id") in ids]
    body: dict[str, Any] = {"account": config.account, "products": _by_id(products), "assigned": _by_id(assigned)}
    if shown.balances is not None:
        body["balances"] = _by_id([node for node in shown.balances if text(node, "product", "code") == code])
    complete = shown.rights.complete
    if not products:
        return Reading(config.brand, item, b"", started, absent=True, complete=complete)
    return Reading(config.brand, item, orjson.dumps(body), started, complete=complete)


def _by_id(found: list[Node]) -> list[Node]:
    return sorted(found, key=lambda node: (len(text(node, "id")), text(node, "id")))
