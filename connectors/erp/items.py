"""Which items of an ERP become which product code of the brand. The list is read whole, and kept for a while."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from connectors.erp.interface import ErpAdapter, ItemRecord
from connectors.runtime.port import Changes, Reading
from kernel.clock import Clock
from schemas.aggregates import item_id, uncoded_id
from schemas.base import Brand, OrderId, Sku
from schemas.config import BrandConfig
from schemas.items import ErpItemId


class ErpItems:
    """Of one brand. Several items may become one code: all of them are read, and the fold decides."""

    def __init__(self, brand: Brand, adapter: ErpAdapter, clock: Clock, known_for: float = 3600.0) -> None:
        """`known_for`: the list is read anew after so many seconds, and a twentieth of it after it lacked a code."""
        self._brand, self._adapter, self._clock, self._known_for = brand, adapter, clock, known_for
        self._codes: dict[ErpItemId, Sku] = {}
        self._read_at: float | None = None

    async def read(self, config: BrandConfig, keys: Sequence[OrderId]) -> list[Reading]:
        """One Reading per key: all items that have it now, verbatim as `{"items": [...]}`, in the order of their ids.

        `absent`: the ERP has none.
        """
        known = await self._known(config, keys)
        started = self._clock.now()
        wanted = sorted({id_ for key in keys for id_ in known.get(key, ())})
        found = await self._adapter.items(self._brand, wanted) if wanted else {}
        self._codes.update((id_, record.code) for id_, record in found.items())
        now: dict[OrderId, list[ItemRecord]] = {}
        for id_ in sorted(found, key=lambda id_: (len(id_), id_)):
            now.setdefault(key_of(config, id_, found[id_].code), []).append(found[id_])
        return [_reading(self._brand, key, now.get(key, ()), started) for key in keys]

    async def all(self, config: BrandConfig) -> Sequence[OrderId]:
        """Every key there is, read anew."""
        await self._read()
        return sorted(self._by_key(config))

    async def changed(self, config: BrandConfig, cursor: str) -> Changes:
        """Keys of items written since the cursor, with overlap; '' is from now on: what was before, the sweep finds.

        An item that has got another code is told under both.
        """
        changes = await self._adapter.items_changed(self._brand, cursor)
        keys: dict[OrderId, None] = {}
        for id_, code in changes.codes.items():
            for one in (self._codes.get(id_, code), code):
                if is_ours(config, one):
                    keys[key_of(config, id_, one)] = None
            self._codes[id_] = code
        return Changes(tuple(keys), changes.cursor)

    async def _known(self, config: BrandConfig, keys: Sequence[OrderId]) -> Mapping[OrderId, Sequence[ErpItemId]]:
        age = None if self._read_at is None else self._clock.monotonic() - self._read_at
        known = self._by_key(config)
        lacks = any(key not in known for key in keys)
        if age is None or age > self._known_for or (lacks and age > self._known_for / 20):
            await self._read()
            known = self._by_key(config)
        return known

    async def _read(self) -> None:
        self._codes, self._read_at = dict(await self._adapter.item_codes(self._brand)), self._clock.monotonic()

    def _by_key(self, config: BrandConfig) -> Mapping[OrderId, Sequence[ErpItemId]]:
        found: dict[OrderId, list[ErpItemId]] = {}
        for id_, code in self._codes.items():
            if is_ours(config, code):
                found.setdefault(key_of(config, id_, code), []).append(id_)
        return found


def key_of(config: BrandConfig, id_: ErpItemId, code: Sku) -> OrderId:
    """By the product code it becomes; by the ERP's own id where it becomes none."""
    product = config.skus.code_of(code)
    return item_id(product) if product else uncoded_id(id_)


def is_ours(config: BrandConfig, code: Sku) -> bool:
    """Whether the brand keeps it in step."""
    prefixes = config.items.prefixes
    return not prefixes or code.startswith(prefixes)


def _reading(brand: Brand, key: OrderId, records: Sequence[ItemRecord], started: datetime) -> Reading:
    if not records:
        return Reading(brand, key, b"", started, absent=True)
    body = orjson.dumps({"items": [one.record for one in records]}, option=orjson.OPT_SORT_KEYS)
    return Reading(brand, key, body, started)
