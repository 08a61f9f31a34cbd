"""The item master of Tryton: salable products of the kind *goods*, those that are no longer active too."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.erp.interface import ItemChanges, ItemRecord
from connectors.erp.tryton.client import Record, TrytonClient, as_moment, moment
from connectors.erp.tryton.read import OVERLAP
from schemas.base import Sku
from schemas.items import ErpItemId

PRODUCT = "product.product"
AT_ONCE = 100

MASTER: list[Any] = [["template.type", "=", "goods"], ["template.salable", "=", True], ["active", "in", [True, False]]]
"""Who asks for `active` is also shown what is not; not so in a list within the domain, an OR say (measured, 8.0)."""

ITEM_FIELDS = ("code", "active", "template.name", "identifiers.type", "identifiers.code")
STAMPS = tuple(f"{of}{stamp}" for of in ("", "template.", "identifiers.") for stamp in ("create_date", "write_date"))
"""Of the records whose change is one of the item."""


async def item_codes(client: TrytonClient) -> Mapping[ErpItemId, Sku]:
    """Of every item; '' where it has none."""
    return {_id(record): _code(record) async for record in client.every(PRODUCT, MASTER, ("code",))}


async def items(client: TrytonClient, ids: Sequence[ErpItemId]) -> Mapping[ErpItemId, ItemRecord]:
    found: dict[ErpItemId, ItemRecord] = {}
    for start in range(0, len(ids), AT_ONCE):
        domain = [["id", "in", [int(id_) for id_ in ids[start : start + AT_ONCE]]], *MASTER]
        for record in await client.search(PRODUCT, domain, ITEM_FIELDS):
            found[_id(record)] = ItemRecord(_code(record), record)
    return found


async def items_changed(client: TrytonClient, cursor: str) -> ItemChanges:
    """By the newest stamp of Tryton's own; our clock plays no part. For the overlap see `read.changes_since`."""
    if not cursor:
        newest = [at async for record in client.every(PRODUCT, MASTER, STAMPS) for at in _stamps(record)]
        return ItemChanges({}, max(newest, default=datetime.fromtimestamp(0, UTC)).isoformat())
    since = datetime.fromisoformat(cursor)
    domains = ([[stamp, ">=", moment(since - OVERLAP)], *MASTER] for stamp in STAMPS)
    several = await asyncio.gather(*(client.search(PRODUCT, domain, ["code", *STAMPS]) for domain in domains))
    written = [record for found in several for record in found]
    newest = [since, *(at for record in written for at in _stamps(record))]
    return ItemChanges({_id(record): _code(record) for record in written}, max(newest).isoformat())


def _stamps(record: Record) -> Iterator[datetime]:
    for one in (record, record["template"], *record["identifiers"]):
        yield from (as_moment(one[stamp]) for stamp in ("create_date", "write_date") if one.get(stamp))


def _id(record: Record) -> ErpItemId:
    return ErpItemId(str(record["id"]))


def _code(record: Record) -> Sku:
    return Sku(record["code"] or "")
