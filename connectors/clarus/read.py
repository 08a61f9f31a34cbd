"""Reads orders from Clarus: every goods-out under an order's references, with lines and packages, verbatim."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.lists import Filter, Node, text, whole_lists
from connectors.runtime.port import Reading
from kernel.clock import Clock
from schemas.base import Brand, OrderId
from schemas.config import BrandConfig
from schemas.references import order_prefix


class Look(NamedTuple):
    """Whole lists by their root, and the rights beside them: complete when they were in every answer."""

    lists: Mapping[str, list[Node]]
    rights: Rights


class _Parts(NamedTuple):
    """What belongs to some goods-outs. `gone`: those that were deleted while we read."""

    lines: list[Node]
    shipments: list[Node]
    packages: list[Node]
    gone: frozenset[str]
    complete: bool


class ClarusReader:
    """Of one tenant."""

    def __init__(self, catalogue: Catalogue, clock: Clock, page_size: int) -> None:
        self._catalogue, self._clock, self._page = catalogue, clock, page_size

    async def read(self, config: BrandConfig, orders: Sequence[OrderId]) -> list[Reading]:
        """One Reading per order. `complete`: Clarus showed our account and all our warehouses in every answer.

        Rights that were lost in between, or came back, make none of the lists believable.
        """
        started = self._clock.now()
        headers = await asyncio.gather(*(self._goods_outs(config, order) for order in orders))
        parts = await self._parts(config, [text(node, "id") for one in headers for node in one.lists["goods_outs"]])
        complete = parts.complete and all(one.rights.complete for one in headers)
        return [
            _reading(config.brand, order, one.lists["goods_outs"], parts, started, complete=complete)
            for order, one in zip(orders, headers, strict=True)
        ]

    async def look(self, config: BrandConfig, **filters: Filter) -> Look:
        """All that matches, by roots of the document `look`: one request while no list is longer than a page."""
        shown: list[Rights] = []

        async def page(after: Mapping[str, str | None]) -> Mapping[str, Any]:
            asked: dict[str, Any] = {"first": self._page}
            for root, cursor in after.items():
                asked |= {f"with_{root}": True, root: filters[root], f"{root}_after": cursor}
            data, rights = await self._catalogue.beside(config.account, warehouses_of(config), asked)
            shown.append(rights)
            return data

        lists = await whole_lists(filters, page)
        return Look(lists, Rights(shown[-1].account, all(rights.complete for rights in shown)))

    async def _goods_outs(self, config: BrandConfig, order: OrderId) -> Look:
        prefix = order_prefix(config.reference_prefix, order)
        lists, rights = await self.look(config, goods_outs={"reference": {"like": f"{prefix}%"}})
        # `like` may ignore case: compare again.
        mine = [node for node in lists["goods_outs"] if text(node, "reference").startswith(prefix)]
        return Look({"goods_outs": mine}, rights)

    async def _parts(self, config: BrandConfig, ids: Sequence[str]) -> _Parts:
        """Goods-outs without lines are looked for again: seen first and then deleted, their units must not seem to be
        uncovered.
        """
        if not ids:
            return _Parts([], [], [], frozenset(), complete=True)
        of_these = {"goods_out_id": {"in": list(ids)}}
        first = await self.look(config, goods_out_lines=of_these, shipments=of_these)
        lines, shipments = first.lists["goods_out_lines"], first.lists["shipments"]
        bare = sorted(set(ids) - {text(line, "goods_out", "id") for line in lines})
        more: dict[str, Filter] = {}
        if shipments:
            more["packages"] = {"shipment_id": {"in": [text(node, "id") for node in shipments]}}
        if bare:
            more["goods_outs"] = {"id": {"in": bare}}
        second = await self.look(config, **more) if more else Look({}, first.rights)
        still = {text(node, "id") for node in second.lists.get("goods_outs", [])}
        return _Parts(
            lines,
            shipments,
            second.lists.get("packages", []),
            frozenset(bare) - still,
            first.rights.complete and second.rights.complete,
        )


def warehouses_of(config: BrandConfig) -> list[str]:
    return sorted({rule.warehouse for rule in config.warehouses})


def _reading(
    brand: Brand, order: OrderId, goods_outs: list[Node], parts: _Parts, started: datetime, *, complete: bool
) -> Reading:
    """The nodes of one order, sorted by id so that equal content is equal bytes."""
    there = [node for node in goods_outs if text(node, "id") not in parts.gone]
    mine = {text(node, "id") for node in there}
    my_lines = [node for node in parts.lines if text(node, "goods_out", "id") in mine]
    my_shipments = [node for node in parts.shipments if text(node, "goods_out", "id") in mine]
    shipment_ids = {text(node, "id") for node in my_shipments}
    my_packages = [node for node in parts.packages if text(node, "shipment", "id") in shipment_ids]
    body = {
        "goods_outs": _by_id(there),
        "lines": _by_id(my_lines),
        "shipments": _by_id(my_shipments),
        "packages": _by_id(my_packages),
    }
    return Reading(brand, order, orjson.dumps(body), started, complete=complete)


def _by_id(found: list[Node]) -> list[Node]:
    unique = {text(node, "id"): node for node in found}
    return [unique[id_] for id_ in sorted(unique, key=lambda id_: (len(id_), id_))]
