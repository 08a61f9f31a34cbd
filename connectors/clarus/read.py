"""Reads orders from Clarus: every goods-out under an order's references, with lines and packages, verbatim."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient
from connectors.clarus.lists import Node, text, whole_list
from connectors.runtime.port import Reading
from kernel.clock import Clock
from schemas.base import Brand, OrderId
from schemas.config import BrandConfig
from schemas.references import order_prefix


class ClarusReader:
    """Of one tenant."""

    def __init__(self, client: ClarusClient, catalogue: Catalogue, clock: Clock, page_size: int) -> None:
        self._client, self._catalogue, self._clock, self._page = client, catalogue, clock, page_size

    async def read(self, config: BrandConfig, orders: Sequence[OrderId]) -> list[Reading]:
        """One Reading per order. `complete`: afterwards, too, Clarus showed our account and all our warehouses.

        Rights are asked for last: if they were lost in between, the lists are not believed.
        """
        started = self._clock.now()
        per_order = await asyncio.gather(*(self._goods_outs(config, order) for order in orders))
        ids = [text(goods_out, "id") for goods_outs in per_order for goods_out in goods_outs]
        lines, shipments, packages = await self._parts(ids)
        gone = await self._gone(ids, lines)
        rights = await self._catalogue.rights(config.account, warehouses_of(config))
        return [
            _reading(
                config.brand,
                order,
                [node for node in goods_outs if text(node, "id") not in gone],
                lines,
                shipments,
                packages,
                started,
                complete=rights.complete,
            )
            for order, goods_outs in zip(orders, per_order, strict=True)
        ]

    async def _gone(self, ids: Sequence[str], lines: Sequence[Node]) -> frozenset[str]:
        """Goods-outs deleted while we read: seen first, their lines no more. Units must not seem to be uncovered."""
        bare = sorted(set(ids) - {text(line, "goods_out", "id") for line in lines})
        if not bare:
            return frozenset()
        still = await self._whole("goods_outs", "goods_outs", "id", bare)
        return frozenset(bare) - {text(node, "id") for node in still}

    async def _goods_outs(self, config: BrandConfig, order: OrderId) -> list[Node]:
        prefix = order_prefix(config.reference_prefix, order)
        listed = await whole_list(
            self._client, "goods_outs", "goods_outs", {"reference": {"like": f"{prefix}%"}}, self._page
        )
        # `like` may ignore case: compare again.
        return [node for node in listed if text(node, "reference").startswith(prefix)]

    async def _parts(self, ids: Sequence[str]) -> tuple[list[Node], list[Node], list[Node]]:
        if not ids:
            return [], [], []
        lines = await self._whole("lines", "goods_out_lines", "goods_out_id", ids)
        shipments = await self._whole("shipments", "shipments", "goods_out_id", ids)
        shipment_ids = [text(node, "id") for node in shipments]
        packages = await self._whole("packages", "packages", "shipment_id", shipment_ids) if shipment_ids else []
        return lines, shipments, packages

    async def _whole(self, name: str, root: str, field: str, ids: Sequence[str]) -> list[Node]:
        return await whole_list(self._client, name, root, {field: {"in": list(ids)}}, self._page)

    async def headers(self, filter_: Mapping[str, Any]) -> list[Node]:
        """The goods-outs that match, ours or not, without their parts."""
        return await whole_list(self._client, "goods_outs", "goods_outs", filter_, self._page)


def warehouses_of(config: BrandConfig) -> list[str]:
    return sorted({rule.warehouse for rule in config.warehouses})


def _reading(
    brand: Brand,
    order: OrderId,
    goods_outs: list[Node],
    lines: list[Node],
    shipments: list[Node],
    packages: list[Node],
    started: datetime,
    *,
    complete: bool,
) -> Reading:
    """The nodes of one order, sorted by id so that equal content is equal bytes."""
    mine = {text(node, "id") for node in goods_outs}
    my_lines = [node for node in lines if text(node, "goods_out", "id") in mine]
    my_shipments = [node for node in shipments if text(node, "goods_out", "id") in mine]
    shipment_ids = {text(node, "id") for node in my_shipments}
    my_packages = [node for node in packages if text(node, "shipment", "id") in shipment_ids]
    body = {
        "goods_outs": _by_id(goods_outs),
        "lines": _by_id(my_lines),
        "shipments": _by_id(my_shipments),
        "packages": _by_id(my_packages),
    }
    return Reading(brand, order, orjson.dumps(body), started, complete=complete)


def _by_id(found: list[Node]) -> list[Node]:
    unique = {text(node, "id"): node for node in found}
    return [unique[id_] for id_ in sorted(unique, key=lambda id_: (len(id_), id_))]
