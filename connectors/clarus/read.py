"""Reads orders from Clarus: every goods-out under an order's references, with lines and packages, verbatim."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from connectors.clarus.catalogue import Catalogue, Rights
from connectors.clarus.documents import GOODS_OUTS, goods_outs_of, look_at
from connectors.clarus.lists import MOST_PAGES, MOST_PAGES_OF_ALL, Filter, Node, text, whole_lists
from connectors.runtime.errors import Unavailable
from connectors.runtime.port import Reading
from kernel.clock import Clock
from schemas.base import Brand, OrderId
from schemas.config import BrandConfig
from schemas.references import order_prefix

LOOKS_MOST = 4
"""At one order of several pages, until two in a row show the same records."""


class Look(NamedTuple):
    """Whole lists by their root, and the rights beside each page of them, in their order."""

    lists: Mapping[str, list[Node]]
    shown: Sequence[Rights]

    @property
    def rights(self) -> Rights:
        """Complete when they were in every answer."""
        return Rights(self.shown[-1].account, all(rights.complete for rights in self.shown))


class _Parts(NamedTuple):
    """What belongs to some goods-outs. `bare`: those without lines, `gone`: those of them that were deleted while we
    read.
    """

    lines: list[Node]
    shipments: list[Node]
    packages: list[Node]
    bare: frozenset[str]
    gone: frozenset[str]
    looks: Sequence[Look]


class _Shown(NamedTuple):
    """What one look at some orders showed. `paged`: in more than one page of some list. `ids`: of every record."""

    readings: list[Reading]
    ids: frozenset[tuple[str, str]]
    paged: bool


class ClarusReader:
    """Of one tenant."""

    def __init__(self, catalogue: Catalogue, clock: Clock, page_size: int) -> None:
        self._catalogue, self._clock, self._page = catalogue, clock, page_size

    async def read(self, config: BrandConfig, orders: Sequence[OrderId]) -> list[Reading]:
        """One Reading per order. `complete`: Clarus showed our account and all our warehouses in every answer.

        Rights that were lost in between, or came back, make none of the lists believable; without all rights a
        goods-out without lines is not shown, for it may have some. What Clarus' cursors are is not documented: were
        they places in a list, a record deleted between two pages would take another's place along. Orders of more than
        a page are read in halves, and one alone until two looks show the same records; raises Unavailable when they
        do not.
        """
        shown = await self._shown(config, orders)
        if not shown.paged:
            return shown.readings
        if len(orders) > 1:
            half = len(orders) // 2
            return [*await self.read(config, orders[:half]), *await self.read(config, orders[half:])]
        for _ in range(LOOKS_MOST - 1):
            before, shown = shown, await self._shown(config, orders)
            if not shown.paged or before.ids == shown.ids:
                return shown.readings
        raise Unavailable(f"order {orders[0]}: its goods-outs changed each time that all pages of them were read")

    async def _shown(self, config: BrandConfig, orders: Sequence[OrderId]) -> _Shown:
        started = self._clock.now()
        headers = await self._goods_outs(config, orders)
        if len(headers.shown) > 1 and len(orders) > 1:
            return _Shown([], frozenset(), paged=True)
        ids = [text(node, "id") for one in headers.lists.values() for node in one]
        parts = await self._parts(config, ids)
        looks = [headers, *parts.looks]
        rights = {rights for look in looks for rights in look.shown}
        complete = all(one.complete for one in rights)
        # Where the rights changed in between, anything may be a part; where they were never whole, lines may be hidden.
        hidden = parts.bare if len(rights) == 1 else frozenset(ids)
        left_out = parts.gone if complete else hidden
        readings = [
            _reading(config.brand, order, mine, parts, left_out, started, complete=complete)
            for order, mine in zip(orders, headers.lists.values(), strict=True)
        ]
        records = {"goods_outs": ids} | {
            name: [text(node, "id") for node in nodes]
            for name, nodes in (("lines", parts.lines), ("shipments", parts.shipments), ("packages", parts.packages))
        }
        return _Shown(
            readings,
            frozenset((name, id_) for name, of in records.items() for id_ in of),
            paged=any(len(look.shown) > 1 for look in looks),
        )

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
        look = await look_beside(self._catalogue, config, filters, look_at(len(orders)), self._page)
        # `like` may ignore case: compare again.
        mine = {
            root: [node for node in look.lists[root] if text(node, "reference").startswith(prefix)]
            for root, prefix in prefixes.items()
        }
        return Look(mine, look.shown)

    async def _parts(self, config: BrandConfig, ids: Sequence[str]) -> _Parts:
        """Goods-outs without lines are looked for again: seen first and then deleted, their units must not seem to be
        uncovered.
        """
        if not ids:
            return _Parts([], [], [], frozenset(), frozenset(), [])
        of_these = {"goods_out_id": {"in": list(ids)}}
        looks = [await self.look(config, goods_out_lines=of_these, shipments=of_these)]
        lines, shipments = looks[0].lists["goods_out_lines"], looks[0].lists["shipments"]
        bare = frozenset(ids) - {text(line, "goods_out", "id") for line in lines}
        more: dict[str, Filter] = {}
        if shipments:
            more["packages"] = {"shipment_id": {"in": [text(node, "id") for node in shipments]}}
        if bare:
            more["goods_outs"] = {"id": {"in": sorted(bare)}}
        if more:
            looks.append(await self.look(config, **more))
        still = {text(node, "id") for node in looks[-1].lists.get("goods_outs", [])}
        return _Parts(lines, shipments, looks[-1].lists.get("packages", []), bare, bare - still, looks)


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
    return Look(lists, shown)


def warehouses_of(config: BrandConfig) -> list[str]:
    return sorted({rule.warehouse for rule in config.warehouses})


def _reading(
    brand: Brand,
    order: OrderId,
    goods_outs: list[Node],
    parts: _Parts,
    left_out: frozenset[str],
    started: datetime,
    *,
    complete: bool,
) -> Reading:
    """The nodes of one order, sorted by id so that equal content is equal bytes."""
    there = [node for node in goods_outs if text(node, "id") not in left_out]
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
