"""Makes a web order stand in Tryton with exactly the lines wanted, and commits it.

Measured on series 8.0: a sale takes new lines only as a draft; on a committed one the quantity and price of a line can
be changed, but shipments that wait already keep their units. So a changed order is amended by changing the lines, then
withdrawing the shipments that wait: Tryton makes one anew for what is owed as soon as one is cancelled without moves.
A line that is new goes into a supplement.
"""

from collections import Counter
from decimal import Decimal
from typing import Any

from connectors.erp.coverage import units_of
from connectors.erp.interface import Written
from connectors.erp.tryton.client import Record, TrytonClient, as_decimal, day, decimal
from connectors.erp.tryton.master import MasterRecords, Shop
from connectors.erp.tryton.read import SALE, SHIPMENT, SUPPLEMENT, sales_of
from connectors.erp.tryton.translate import is_unclaimed, of_sales, units_in
from connectors.runtime.errors import Rejected
from schemas.base import LineId
from schemas.commands import ErpLineWanted, UpsertErpOrder
from schemas.erp import FulfilmentState

COMMITTING = {"draft": "quote", "quotation": "confirm", "confirmed": "process"}
"""The action that leads out of a state, until the sale is in processing."""

OPEN_TO_NEW_LINES = frozenset({"draft"})


class OrderWriter:
    def __init__(self, client: TrytonClient, master: MasterRecords) -> None:
        self._client = client
        self._master = master

    async def upsert(self, shop: Shop, command: UpsertErpOrder) -> Written:
        """See `ErpAdapter.upsert_order`. Each request leaves a state from which the next call goes on."""
        sales = await self._look(shop, command)
        if not sales:
            try:
                sale = await self._create(shop, command, command.order, command.lines)
            except Rejected:
                # The pair of web shop and web id is unique: perhaps another try of ours has made it meanwhile.
                sales = await self._look(shop, command)
                if not sales:
                    raise
            else:
                return Written(await self._commit([{"id": sale, "state": "draft"}]), already=False)
        changed = await self._amend(shop, command, sales)
        committed = all(sale["state"] not in COMMITTING for sale in sales)
        if not changed and committed:
            return Written(str(sales[0]["id"]), already=True)
        return Written(await self._commit(await self._look(shop, command)), already=False)

    async def _look(self, shop: Shop, command: UpsertErpOrder) -> list[Record]:
        return (await sales_of(self._client, shop.web_shop, [command.order])).get(command.order, [])

    async def _create(self, shop: Shop, command: UpsertErpOrder, web_id: str, lines: tuple[ErpLineWanted, ...]) -> int:
        ids = await self._master.shop(shop)
        values = {
            "web_shop": ids.shop,
            "web_id": web_id,
            "reference": command.order_name,
            "sale_date": day(command.ordered_at),
            "party": ids.party,
            "invoice_address": ids.address,
            "shipment_address": ids.address,
            "currency": await self._master.currency(command.currency),
            "invoice_method": "fulfillment",
            "shipment_method": "order",
            "lines": [["create", await self._new_lines(lines)]],
        }
        return await self._client.create(SALE, values)

    async def _new_lines(self, lines: tuple[ErpLineWanted, ...]) -> list[dict[str, object]]:
        products = await self._master.products(line.sku for line in lines)
        return [
            {
                "type": "line",
                "product": products[line.sku].product,
                "unit": products[line.sku].unit,
                "quantity": line.quantity,
                "unit_price": decimal(line.unit_price.amount),
                "note": line.line,
            }
            for line in lines
        ]

    async def _commit(self, sales: list[Record]) -> str:
        """Bring every sale of the order into processing; the id of the first."""
        for sale in sales:
            state = sale["state"]
            while state in COMMITTING:
                after = await self._client.act(SALE, sale["id"], COMMITTING[state], state)
                if after == state:
                    break  # Tryton works it off by itself; the next read tells
                state = after
        return str(sales[0]["id"])

    async def _amend(self, shop: Shop, command: UpsertErpOrder, sales: list[Record]) -> bool:
        """Whether anything was written."""
        wanted = {line.line: line for line in command.lines}
        _refuse_what_is_shipped(wanted, sales)
        changed = False
        for sale in sales:
            changed |= await self._amend_lines(sale, wanted)
        standing = {LineId(line["note"]) for sale in sales for line in sale["lines"]}
        new = tuple(line for line in command.lines if line.line not in standing)
        if new:
            await self._add(shop, command, sales, new)
        return changed or bool(new)

    async def _amend_lines(self, sale: Record, wanted: dict[LineId, ErpLineWanted]) -> bool:
        changes: list[tuple[int, dict[str, Any]]] = []
        for line in sale["lines"]:
            new = wanted.get(LineId(line["note"]))
            quantity = new.quantity if new is not None else 0
            price = new.unit_price.amount if new is not None else as_decimal(line["unit_price"])
            if quantity != line["quantity"] or _differ(price, as_decimal(line["unit_price"])):
                changes.append((line["id"], {"quantity": quantity, "unit_price": decimal(price)}))
        if changes:
            lines = [["write", [line], values] for line, values in changes]
            await self._client.change(SALE, sale["id"], {"lines": lines})
        quantities = {line["id"]: line["quantity"] for line in sale["lines"]}
        quantities.update((line, values["quantity"]) for line, values in changes)
        amiss = sale["state"] == "processing" and _waits_amiss(sale, quantities)
        if amiss:
            await self._withdraw_waiting(sale)
            await self._client.act(SALE, sale["id"], "process", sale["state"])
        return bool(changes) or amiss

    async def _withdraw_waiting(self, sale: Record) -> None:
        """Take back the shipments no goods-out has claimed."""
        for shipment in sale["shipments"]:
            if not is_unclaimed(shipment):
                continue
            if shipment["state"] == "waiting":
                await self._client.act(SHIPMENT, shipment["id"], "draft", "waiting")
            moves = [move["id"] for move in shipment["outgoing_moves"]]
            await self._client.change(SHIPMENT, shipment["id"], {"outgoing_moves": [["delete", moves]]})
            await self._client.act(SHIPMENT, shipment["id"], "cancel", "draft")

    async def _add(
        self, shop: Shop, command: UpsertErpOrder, sales: list[Record], new: tuple[ErpLineWanted, ...]
    ) -> None:
        last = sales[-1]
        if last["state"] in OPEN_TO_NEW_LINES:
            await self._client.change(SALE, last["id"], {"lines": [["create", await self._new_lines(new)]]})
            return
        await self._create(shop, command, f"{command.order}{SUPPLEMENT}{len(sales) + 1}", new)


def _refuse_what_is_shipped(wanted: dict[LineId, ErpLineWanted], sales: list[Record]) -> None:
    """Raises Rejected when a line would fall below what is fulfilled of it, or would become another product."""
    order = of_sales(sales)
    shipped = units_of(one for one in order.fulfilments if one.state is not FulfilmentState.CANCELLED)
    for line in order.lines:
        new = wanted.get(line.line)
        if (new.quantity if new is not None else 0) < shipped[line.line]:
            text = f"{shipped[line.line]} units are fulfilled already"
            raise Rejected("line_is_shipped", text, f"lines.{line.line}")
        if new is not None and new.sku != line.sku:
            raise Rejected("line_changed_product", f"the sale holds {line.sku!r}", f"lines.{line.line}.sku")


def _waits_amiss(sale: Record, quantities: dict[int, float]) -> bool:
    """Whether the shipments that wait unclaimed hold anything but what is still owed of these quantities."""
    waiting, elsewhere = Counter[LineId](), Counter[LineId]()
    for shipment in sale["shipments"]:
        if shipment["state"] != "cancelled":
            held = waiting if is_unclaimed(shipment) else elsewhere
            for units in units_in(sale, shipment):
                held[units.line] += units.quantity
    owed = Counter({LineId(line["note"]): int(quantities[line["id"]]) for line in sale["lines"]})
    cut_short = any(is_unclaimed(shipment) and shipment["state"] == "draft" for shipment in sale["shipments"])
    return cut_short or +waiting != +(owed - elsewhere)


def _differ(one: Decimal, other: Decimal) -> bool:
    """As amounts: 1.50 and 1.5000 are one price."""
    return one.compare(other) != 0
