"""Reads orders from Clarus: every goods-out under an order's references, with lines and packages, verbatim."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.documents import GOODS_OUTS, goods_outs_of, look_at
from connectors.clarus.lists import MOST_PAGES, MOST_PAGES_OF_ALL, Filter, Node, text, whole_lists
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
        headers = await self._goods_outs(config, orders)
        parts = await self._parts(config, [text(node, "id") for one in headers.lists.values() for node in one])
        complete = parts.complete and headers.rights.complete
        return [
            _reading(config.brand, order, mine, parts, started, complete=complete)
            for order, mine in zip(orders, headers.lists.values(), strict=True)
        ]

    async def look(self, config: BrandConfig, **filters: Filter) -> Look:
        """All that matches, by roots of the document `look`: one request while no list is longer than a page."""
        return await look_beside(self._catalogue, config, filters, look_at(1), self._page)

    async def goods_outs(self, config: BrandConfig, filter_: Filter) -> Look:
        """Headers of all that match, however many an account has."""
        return await look_beside(
            self._catalogue, config, {GOODS_OUTS: filter_}, look_at(1), self._page, MOST_PAGES_OF_ALL
        )

    async def _goods_outs(self, config: BrandConfig, orders: Sequence[OrderId]) -> Look:
        """A list for each order, in their order, all of them in one request."""
        prefixes = {
            goods_outs_of(number): order_prefix(config.reference_prefix, order) for number, order in enumerate(orders)
        }
        filters = {root: {"reference": {"like": f"{prefix}%"}} for root, prefix in prefixes.items()}
        lists, rights = await look_beside(self._catalogue, config, filters, look_at(len(orders)), self._page)
        # `like` may ignore case: compare again.
        mine = {
            root: [node for node in lists[root] if text(node, "reference").startswith(prefix)]
            for root, prefix in prefixes.items()
        }
        return Look(mine, rights)

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


async def look_beside(
    catalogue: Catalogue,
    config: BrandConfig,
    filters: Mapping[str, Filter],
    asking: str,
    page_size: int,
    most_pages: int = MOST_PAGES,
) -> Look:
    """All that matches, by roots of the document `asking`, which asks for a page of each root after its `with_`."""
    shown: list[Rights] = []

    async def page(after: Mapping[str, str | None]) -> Mapping[str, Any]:
        asked: dict[str, Any] = {"first": page_size}
        for root, cursor in after.items():
            asked |= {f"with_{root}": True, root: filters[root], f"{root}_after": cursor}
        data, rights = await catalogue.beside(config.account, warehouses_of(config), asked, asking)
        shown.append(rights)
        return data

    lists = await whole_lists(filters, page, most_pages)
    return Look(lists, Rights(shown[-1].account, all(rights.complete for rights in shown)))


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
