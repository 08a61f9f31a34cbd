"""The adapter to Tryton, series 8.0, over its REST interface."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx
import orjson

from connectors.erp.interface import FIRST_POLL, Capabilities, ItemChanges, ItemRecord, Written
from connectors.erp.tryton.client import TrytonClient
from connectors.erp.tryton.items import item_codes, items, items_changed
from connectors.erp.tryton.master import MasterRecords, Shop
from connectors.erp.tryton.read import changes_since, sales_of
from connectors.erp.tryton.setup import TrytonSetup
from connectors.erp.tryton.write_fulfilment import FulfilmentWriter
from connectors.erp.tryton.write_order import OrderWriter
from connectors.runtime.port import Changes, Reading
from kernel.clock import Clock
from schemas.base import Brand, OrderId, Sku
from schemas.commands import PostFulfilment, UpsertErpOrder
from schemas.items import ErpItemId

CAPABILITIES = Capabilities(
    ships_and_bills_together=True,
    push_supported=False,
    native_idempotency=False,
    partial_shipment=True,
    posts_into_period=True,
    external_id_pattern=r"[0-9]+",
    max_in_flight=4,
    max_per_minute=None,
    longest_request=30.0,
    read_batch=50,
)
"""The draft invoice arises when a shipment is done (measured). Without native idempotency, but the pair of web shop and
web id is unique and a shipment's claim is read before the next is made."""


class TrytonErp:
    """Implements `ErpAdapter` for all brands whose books one Tryton company keeps."""

    def __init__(
        self,
        base_url: str,
        key: str,
        shops: Mapping[Brand, Shop],
        clock: Clock,
        *,
        posts_itself: bool = True,
        company: int = 1,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`posts_itself`: bring shipments to *done*; false leaves the last step to the ERP's own people.

        `company` is Tryton's id of the company; `transport` is for tests and fault proxies.
        """
        self._shops = dict(shops)
        self._clock = clock
        self._client = TrytonClient(
            base_url, key, company, CAPABILITIES.longest_request, CAPABILITIES.max_in_flight, clock, transport
        )
        self._orders = OrderWriter(self._client, MasterRecords(self._client))
        self._fulfilments = FulfilmentWriter(self._client, posts_itself=posts_itself)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        """Verbatim records; the members of each object in alphabetical order, as Tryton's own order is by chance."""
        started = self._clock.now()
        found = await sales_of(self._client, self._shops[brand].web_shop, orders)
        return [
            Reading(
                brand=brand,
                order=order,
                body=orjson.dumps({"sales": found[order]}, option=orjson.OPT_SORT_KEYS) if order in found else b"",
                read_started_at=started,
                absent=order not in found,
            )
            for order in orders
        ]

    async def upsert_order(self, command: UpsertErpOrder) -> Written:
        return await self._orders.upsert(self._shops[command.brand], command)

    async def post_fulfilment(self, command: PostFulfilment) -> Written:
        return await self._fulfilments.post(self._shops[command.brand], command)

    async def changes_since(self, brand: Brand, cursor: str) -> Changes:
        since = datetime.fromisoformat(cursor) if cursor else self._clock.now() - FIRST_POLL
        return await changes_since(self._client, self._shops[brand].web_shop, since, self._clock)

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return (await self.changes_since(brand, since.isoformat())).orders

    async def item_codes(self, brand: Brand) -> Mapping[ErpItemId, Sku]:
        """Of the whole company: its products belong to no web shop in particular. See `items.prefixes`."""
        return await item_codes(self._client)

    async def items(self, brand: Brand, ids: Sequence[ErpItemId]) -> Mapping[ErpItemId, ItemRecord]:
        return await items(self._client, ids)

    async def items_changed(self, brand: Brand, cursor: str) -> ItemChanges:
        return await items_changed(self._client, cursor)

    def setup(self, brand: Brand) -> TrytonSetup:
        return TrytonSetup(self._client, self._shops[brand])

    async def aclose(self) -> None:
        await self._client.aclose()
