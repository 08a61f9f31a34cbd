"""The adapter to the sandbox ERP: keyed upserts, and fulfilments the ERP itself recognises by their key."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from connectors.erp.coverage import key_of_part, next_part, standing, still_to_enter
from connectors.erp.http import ErpHttp
from connectors.erp.interface import FIRST_POLL, Capabilities, ItemChanges, ItemRecord, NotYet, Written
from connectors.erp.sandbox.setup import SandboxErpSetup
from connectors.erp.sandbox.translate import translate
from connectors.runtime.errors import NotFound, Rejected
from connectors.runtime.port import Changes, Reading
from kernel.clock import Clock
from schemas.base import Brand, OrderId, Sku
from schemas.commands import PostFulfilment, UpsertErpOrder
from schemas.erp import ErpOrder
from schemas.items import ErpItemId

CAPABILITIES = Capabilities(
    ships_and_bills_together=False,
    push_supported=False,
    native_idempotency=True,
    partial_shipment=True,
    posts_into_period=True,
    external_id_pattern=r"[^/]+",
    max_in_flight=8,
    max_per_minute=None,
    longest_request=10.0,
    read_batch=100,
)

PAGE = 500
"""Changes a page of the list holds."""

OUR_CODES = {"unknown_item": "unknown_sku"}
"""The ERP's refusals that have a name of their own with us."""

DRAFT_RETRY_SECONDS = 10.0


class SandboxErp:
    """Implements `ErpAdapter`. A key opens one brand's books, so there is a connection per brand."""

    def __init__(
        self,
        base_url: str,
        keys: Mapping[Brand, str],
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`keys`: the bearer key of each brand. `transport` is for tests and fault proxies."""
        self._clock = clock
        self._connections = {
            brand: ErpHttp(
                base_url,
                {"Authorization": f"Bearer {key}"},
                timeout=CAPABILITIES.longest_request,
                max_in_flight=CAPABILITIES.max_in_flight,
                clock=clock,
                transport=transport,
            )
            for brand, key in keys.items()
        }

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        started = self._clock.now()
        answer = await self._connections[brand].get("api/sales_orders", [("keys", ",".join(orders))])
        found = {str(order["key"]): order for order in answer["orders"]}
        return [
            Reading(
                brand=brand,
                order=order,
                body=orjson.dumps(found[order]) if order in found else b"",
                read_started_at=started,
                absent=order not in found,
            )
            for order in orders
        ]

    async def upsert_order(self, command: UpsertErpOrder) -> Written:
        there = await self._look(command.brand, command.order)
        wanted = _wanted(command)
        if there is not None and _holds(there, wanted):
            return Written(str(there["number"]), already=True)
        written = await self._write(command.brand, "PUT", _path(command.order), wanted)
        return Written(str(written["number"]), already=False)

    async def post_fulfilment(self, command: PostFulfilment) -> Written:
        try:
            return await self._post(command)
        except Rejected as refused:
            if refused.code != "key_reused":
                raise
            # Between our look and our write another has entered a part under the same key: look again.
            return await self._post(command)

    async def _post(self, command: PostFulfilment) -> Written:
        there = await self._look(command.brand, command.order)
        if there is None:
            raise Rejected("no_sales_order", f"the ERP has no sales order {command.order}")
        order = translate(orjson.dumps(there))
        missing = still_to_enter(order, command.goods_out, command.target)
        if not missing:
            return Written(_newest_key(order, command), already=True)
        key = key_of_part(command.goods_out, next_part(order, command.goods_out))
        path = f"{_path(command.order)}/fulfilments/{quote(key, safe='')}"
        await self._write(command.brand, "POST", path, {"lines": missing})
        return Written(key, already=False)

    async def changes_since(self, brand: Brand, cursor: str) -> Changes:
        """By change number, which the ERP gives out in order: nothing is missed and nothing need overlap."""
        if cursor:
            return await self._listed(brand, int(cursor), [])
        first = await self._listed(brand, 0, _since(self._clock.now() - FIRST_POLL))
        return first if first.orders else replace(first, cursor="")

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return (await self._listed(brand, 0, _since(since))).orders

    async def _listed(self, brand: Brand, after: int, filter_: list[tuple[str, str]]) -> Changes:
        orders: list[OrderId] = []
        while True:
            page = [("after", str(after)), ("limit", str(PAGE)), *filter_]
            found = (await self._connections[brand].get("api/sales_orders", page))["orders"]
            orders.extend(OrderId(order["key"]) for order in found)
            if found:
                after = found[-1]["change"]
            if len(found) < PAGE:
                return Changes(tuple(dict.fromkeys(orders)), str(after), proven=True)

    async def item_codes(self, brand: Brand) -> Mapping[ErpItemId, Sku]:
        return (await self._changed_items(brand, 0)).codes

    async def items(self, brand: Brand, ids: Sequence[ErpItemId]) -> Mapping[ErpItemId, ItemRecord]:
        found: dict[ErpItemId, ItemRecord] = {}
        for start in range(0, len(ids), CAPABILITIES.read_batch):
            asked = ",".join(ids[start : start + CAPABILITIES.read_batch])
            for item in (await self._connections[brand].get("api/items", [("ids", asked)]))["items"]:
                found[ErpItemId(str(item["id"]))] = ItemRecord(Sku(item["sku"]), item)
        return found

    async def items_changed(self, brand: Brand, cursor: str) -> ItemChanges:
        """By change number, as orders."""
        changes = await self._changed_items(brand, int(cursor or "0"))
        return changes if cursor else ItemChanges({}, changes.cursor)

    async def _changed_items(self, brand: Brand, after: int) -> ItemChanges:
        codes: dict[ErpItemId, Sku] = {}
        while True:
            page = [("after", str(after)), ("limit", str(PAGE))]
            found = (await self._connections[brand].get("api/items", page))["items"]
            codes.update((ErpItemId(str(item["id"])), Sku(item["sku"])) for item in found)
            after = found[-1]["change"] if found else after
            if len(found) < PAGE:
                return ItemChanges(codes, str(after))

    def setup(self, brand: Brand) -> SandboxErpSetup:
        return SandboxErpSetup(self._connections[brand])

    async def aclose(self) -> None:
        for connection in self._connections.values():
            await connection.aclose()

    async def _look(self, brand: Brand, order: OrderId) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._connections[brand].get(_path(order))
        except NotFound:
            return None
        return found

    async def _write(self, brand: Brand, method: str, path: str, body: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = await self._connections[brand].write(method, path, body)
        except Rejected as refused:
            if refused.code == "order_not_committed":
                raise NotYet(refused.code, refused.text, DRAFT_RETRY_SECONDS) from refused
            raise Rejected(OUR_CODES.get(refused.code, refused.code), refused.text, refused.field) from refused
        return answer


def _since(moment: datetime) -> list[tuple[str, str]]:
    return [("changed_since", moment.isoformat())]


def _path(order: OrderId) -> str:
    return f"api/sales_orders/{order}"


def _wanted(command: UpsertErpOrder) -> dict[str, Any]:
    return {
        "currency": command.currency,
        "lines": [
            {
                "line": line.line,
                "sku": line.sku,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price.amount),
            }
            for line in command.lines
        ],
    }


def _holds(there: dict[str, Any], wanted: dict[str, Any]) -> bool:
    by_line = {line["line"]: line for line in there["lines"]}
    return there["currency"] == wanted["currency"] and by_line == {line["line"]: line for line in wanted["lines"]}


def _newest_key(order: ErpOrder, command: PostFulfilment) -> str:
    parts = standing(order, command.goods_out)
    return parts[-1].key if parts else ""
