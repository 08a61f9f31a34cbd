"""Enters what left under a goods-out: claims units of a waiting shipment under our key and brings it to *shipped*.

Measured on series 8.0: lowering the inventory moves of a waiting shipment makes it a part shipment, 0 leaves a line
out; when it is *shipped* Tryton makes a waiting shipment of the rest, so the next parcel need not wait until this one
is posted.
Key and quantities are one request: a shipment is either unclaimed and whole, or claimed with the units claimed.
"""

from collections.abc import Iterator

from connectors.erp.coverage import goods_out_of, key_of_part, next_part, standing, still_to_enter
from connectors.erp.interface import NotYet, Written
from connectors.erp.tryton.client import Record, TrytonClient
from connectors.erp.tryton.master import Shop
from connectors.erp.tryton.read import SALE, SHIPMENT, sales_of
from connectors.erp.tryton.translate import is_unclaimed, of_sales
from connectors.runtime.errors import Rejected
from schemas.base import LineId
from schemas.commands import PostFulfilment

STEPS = {"waiting": "assign_try", "assigned": "pick", "picked": "pack", "packed": "ship", "shipped": "do"}
"""The action that leads out of a shipment's state."""

DRAFT_RETRY_SECONDS = 10.0


class FulfilmentWriter:
    def __init__(self, client: TrytonClient, *, posts_itself: bool) -> None:
        """`posts_itself`: bring shipments to *done*; otherwise leave that to the ERP's own clerk."""
        self._client = client
        self._ended = {"done", "cancelled"} if posts_itself else {"shipped", "done", "cancelled"}

    async def post(self, shop: Shop, command: PostFulfilment) -> Written:
        """See `ErpAdapter.post_fulfilment`."""
        sales = await self._look(shop, command)
        went_on = await self._go_on(sales, command)
        if went_on:
            sales = await self._look(shop, command)
        sales = await self._with_enough_waiting(shop, command, sales)
        entered = False
        while missing := still_to_enter(order := of_sales(sales), command.goods_out, command.target):
            sale, shipment = _first_unclaimed(sales, missing)
            await self._claim(
                sale, shipment, key_of_part(command.goods_out, next_part(order, command.goods_out)), missing
            )
            await self._bring_on(shipment)
            sales = await self._look(shop, command)
            entered = True
        parts = standing(order, command.goods_out)
        return Written(parts[-1].key if parts else "", already=not entered and not went_on)

    async def _look(self, shop: Shop, command: PostFulfilment) -> list[Record]:
        found = await sales_of(self._client, shop.web_shop, [command.order])
        if command.order not in found:
            raise Rejected("no_sales_order", f"Tryton has no sale with web id {command.order}")
        return found[command.order]

    async def _go_on(self, sales: list[Record], command: PostFulfilment) -> bool:
        """Bring on what an earlier try claimed for this goods-out and did not finish. Whether there was any."""
        found = False
        for sale in sales:
            for shipment in sale["shipments"]:
                mine = goods_out_of(shipment["reference"]) == command.goods_out
                if mine and shipment["state"] not in self._ended:
                    await self._bring_on(shipment)
                    found = True
        return found

    async def _with_enough_waiting(self, shop: Shop, command: PostFulfilment, sales: list[Record]) -> list[Record]:
        """The sales once unclaimed shipments hold all that is missing. Raises NotYet, Rejected; nothing is claimed."""
        short = _short(sales, command)
        if short:
            if not of_sales(sales).state.committed:
                raise NotYet("order_not_committed", "the sale is not in processing", DRAFT_RETRY_SECONDS)
            for sale in sales:  # an amendment that was cut short leaves the rest of its work to this
                if sale["state"] == "processing":
                    await self._client.act(SALE, sale["id"], "process", sale["state"])
            sales = await self._look(shop, command)
            short = _short(sales, command)
        for line, units in short.items():
            raise Rejected("more_than_ordered", f"{units} units more than are left to ship", f"lines.{line}")
        return sales

    async def _claim(self, sale: Record, shipment: Record, key: str, missing: dict[LineId, int]) -> None:
        """Write our key and the units of each line into the shipment; a line not missing leaves it."""
        left = dict(missing)
        moves = []
        for move, line in _moves(sale, shipment):
            units = min(left.get(line, 0), int(move["quantity"]))
            left[line] = left.get(line, 0) - units
            moves.append(["write", [move["id"]], {"quantity": units}])
        await self._client.change(SHIPMENT, shipment["id"], {"reference": key, "inventory_moves": moves})

    async def _bring_on(self, shipment: Record) -> None:
        """Step by step to *shipped*, and to *done* where we post ourselves. Raises Rejected where Tryton stops."""
        state = shipment["state"]
        while state not in self._ended:
            action = STEPS.get(state)
            if action is None:
                raise Rejected(f"shipment_{state}", f"the shipment stands in {state}")
            after = await self._client.act(SHIPMENT, shipment["id"], action, state)
            if after == state:
                # Tryton answers 200 to an assignment it cannot fulfil (measured); the claim stays for the next try.
                raise Rejected("too_little_stock", f"Tryton refused {action} without a reason: too little stock")
            state = after


def _unclaimed(sales: list[Record], missing: dict[LineId, int]) -> Iterator[tuple[Record, Record]]:
    """Waiting shipments nobody's reference is on that hold units of these lines."""
    for sale in sales:
        for shipment in sale["shipments"]:
            if is_unclaimed(shipment) and any(
                line in missing and move["quantity"] for move, line in _moves(sale, shipment)
            ):
                yield sale, shipment


def _first_unclaimed(sales: list[Record], missing: dict[LineId, int]) -> tuple[Record, Record]:
    """Raises NotYet: what was counted as waiting has been taken by somebody in between."""
    for found in _unclaimed(sales, missing):
        return found
    raise NotYet("shipment_taken", "no shipment waits with these units any more", DRAFT_RETRY_SECONDS)


def _short(sales: list[Record], command: PostFulfilment) -> dict[LineId, int]:
    """Units per line still to enter that no unclaimed shipment holds."""
    missing = still_to_enter(of_sales(sales), command.goods_out, command.target)
    for sale, shipment in list(_unclaimed(sales, missing)):
        for move, line in _moves(sale, shipment):
            if line in missing:
                missing[line] -= int(move["quantity"])
    return {line: units for line, units in missing.items() if units > 0}


def _moves(sale: Record, shipment: Record) -> Iterator[tuple[Record, LineId]]:
    """The inventory moves of a shipment not picked yet, each with its order line."""
    line_of = {f"sale.line,{line['id']}": LineId(line["note"]) for line in sale["lines"] if line["note"]}
    origin_of = {f"stock.move,{move['id']}": move["origin"] for move in shipment["outgoing_moves"]}
    for move in shipment["inventory_moves"]:
        line = line_of.get(origin_of.get(move["origin"], ""))
        if line is not None:
            yield move, line
