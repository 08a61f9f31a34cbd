"""The sandbox Clarus itself: the office's records and what the people on the floor do with them.

The pickers, tests and demos move goods through the same methods, by hand or by chance. All of them raise `Refused` when
a goods-out is gone or in a status in which a person could not do this, and then change nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from uuid import NAMESPACE_OID, uuid5

from sandbox.clarus.books import By, Entry
from sandbox.clarus.office import Event, Header, LineWish, Office, WorldSettings
from sandbox.clarus.records import ZERO, GoodsOut, Line, Package, PickRequest, Shipment, Status
from sandbox.clarus.refusals import Refused, Symbol, refused
from sandbox.clock import Clock

__all__ = ["ClarusWorld", "Event", "Header", "LineWish", "WorldSettings"]

Units = int | Decimal


class ClarusWorld(Office):
    """Everything in one process's memory, for one event loop."""

    def __init__(self, clock: Clock, settings: WorldSettings | None = None) -> None:
        super().__init__(clock, settings)
        self._shipment_ids = count(6101)
        self._package_ids = count(7101)
        self._request_ids = count(1)

    # Rights

    def lose_rights(self, *client_ids: str) -> None:
        """A role was edited: every list these users (all, when none is named) read is empty, accounts included."""
        self.access.blind(client_ids or None)

    def restore_rights(self) -> None:
        self.access.unblind()

    # The floor

    def enter_by_hand(
        self, tenant: str, account: str, warehouse: str, units: Mapping[str, Units], *, reference: str
    ) -> GoodsOut:
        """A goods-out keyed in by a person, as wholesale orders are. Raises ValueError for an unknown code."""
        owner, place = self.master.account(tenant, account), self.master.warehouse(tenant, warehouse)
        if owner is None or place is None:
            raise ValueError(f"expected an account and a warehouse of {tenant}, found {account!r} and {warehouse!r}")
        wishes = []
        for sku, quantity in units.items():
            product = self.master.product(tenant, sku)
            if product is None:
                raise ValueError(f"expected a product of {tenant}, found {sku!r}")
            wishes.append(LineWish(product, Decimal(quantity)))
        return self.create_goods_out(Header(owner, reference, place), wishes, by="hand")

    def allocate(self, number: int) -> GoodsOut:
        """Take stock for what is owed, as far as there is any: ALLOCATED, PART_ALLOCATED, or refused if none."""
        goods_out = self._in(number, Status.PENDING, Status.PART_ALLOCATED)
        before = _allocated(goods_out)
        for line in goods_out.lines.values():
            wanted = line.ordered - line.shorted - line.allocated
            if balance := self._balance(goods_out, line):
                wanted = max(ZERO, min(wanted, balance.available))
                self.stock.allocate(balance, wanted)
            line.allocated += wanted
        if _allocated(goods_out) == before:
            raise refused(Symbol.NOT_ENOUGH_STOCK, f"goods out {number}: no stock to allocate")
        whole = all(line.allocated + line.shorted >= line.ordered for line in goods_out.lines.values())
        goods_out.status = Status.ALLOCATED if whole else Status.PART_ALLOCATED
        self._happened("processed", goods_out)
        return goods_out

    def start_picking(self, number: int) -> GoodsOut:
        """Somebody walks off with the list: from now on it can be neither amended nor cleanly cancelled."""
        goods_out = self._in(number, Status.ALLOCATED, Status.PART_ALLOCATED)
        goods_out.status = Status.PICK
        self._happened("updated", goods_out)
        return goods_out

    def pick(self, number: int) -> GoodsOut:
        """All that is allocated is in totes now. Allocates and starts where nobody did."""
        goods_out = self._in_picking(number)
        for line in goods_out.lines.values():
            self._pick(goods_out, line, line.allocated)
        self._happened("updated", goods_out)
        return goods_out

    def despatch(
        self, number: int, lines: Mapping[int, Units] | None = None, tracking: Sequence[str] | None = None
    ) -> Shipment:
        """Goods leave: all that is owed and allocated, or `lines`, units per line id, be it more than was ordered.

        One package per tracking number, '' for one whose number comes later; None makes up one package with a number.
        COMPLETED when nothing is owed any more, else picking goes on.
        """
        goods_out = self._in_picking(number)
        leaving = _leaving(goods_out, lines)
        for line, units in leaving.items():
            self._pick(goods_out, goods_out.lines[line], goods_out.lines[line].despatched + units)
            goods_out.lines[line].despatched += units
            if balance := self._balance(goods_out, goods_out.lines[line]):
                self.stock.despatch(balance, units, number)
        shipment = self._ship(goods_out, tracking)
        now = self.clock.now()
        goods_out.actual_date_of_dispatch = now
        numbers = tuple(package.tracking_number or "" for package in shipment.packages)
        self.books.write(Entry(now, "despatched", number, units=leaving, tracking=numbers))
        if any(line.owed for line in goods_out.lines.values()):
            self._happened("updated", goods_out)
        else:
            goods_out.status = Status.COMPLETED
            self._happened("completed", goods_out)
        return shipment

    def set_tracking(self, package: int, tracking_number: str) -> None:
        """The carrier's number came. No automation tells: Clarus has no event for it."""
        self.packages[package].tracking_number = tracking_number

    def carrier_says(self, shipment: int, status: str) -> None:
        """What became of a shipment's manifest. No automation tells."""
        self.shipments[shipment].status = status

    def pack_astray(self, tenant: str, tracking_number: str = "") -> Package:
        """Somebody at the packing desk makes a package and puts it into no shipment."""
        package = Package(next(self._package_ids), None, tracking_number or None, tenant)
        self.packages[package.id] = package
        return package

    def close_short(self, number: int) -> GoodsOut:
        """What has not left never will: COMPLETED all the same."""
        goods_out = self._in(number, *(status for status in Status if not status.ended))
        self._close_short(goods_out, "hand")
        return goods_out

    def undespatch(self, number: int) -> GoodsOut:
        """A despatch was confirmed by mistake: back to PICK, everything in totes again, its parcels gone."""
        goods_out = self._in(number, Status.COMPLETED, Status.PICK)
        if not any(line.despatched for line in goods_out.lines.values()):
            raise refused(Symbol.WRONG_STATUS, f"nothing of goods out {number} has left")
        for line in goods_out.lines.values():
            if balance := self._balance(goods_out, line):
                self.stock.undespatch(balance, line.despatched, number)
            line.despatched = line.shorted = ZERO
        for shipment in goods_out.shipments.values():
            del self.shipments[shipment.id]
            for package in shipment.packages:
                del self.packages[package.id]
        goods_out.shipments.clear()
        goods_out.actual_date_of_dispatch = None
        goods_out.status = Status.PICK
        self.books.write(Entry(self.clock.now(), "undespatched", number))
        self._happened("updated", goods_out)
        return goods_out

    def delete_by_hand(self, number: int) -> None:
        self.delete_goods_out(number, by="hand")

    def cancel_by_hand(self, number: int) -> None:
        self.cancel_goods_out(number, by="hand")

    def put_back(self, number: int) -> GoodsOut:
        """What was in totes for a goods-out that was cancelled or closed short lies on the shelf again."""
        goods_out = self._in(number, Status.CANCELLED, Status.COMPLETED)
        for line in goods_out.lines.values():
            if balance := self._balance(goods_out, line):
                self.stock.put_back(balance, line.picked - line.despatched, number)
            line.picked = line.allocated = line.despatched
        self._happened("updated", goods_out)
        return goods_out

    # What the office asks of the floor

    def process_picks(self, numbers: Sequence[int]) -> list[str]:
        """Allocate each of these a little later; the references tell which requests to follow. Needs an event loop."""
        goods_outs = [self.goods_out(number) for number in numbers]
        for goods_out in goods_outs:
            if goods_out.status is Status.ALLOCATED:
                raise refused(Symbol.ALREADY_ALLOCATED, f"goods out {goods_out.id} is allocated", ids=[goods_out.id])
            self._in(goods_out.id, Status.PENDING, Status.PART_ALLOCATED)
        requests = [self._request(goods_out) for goods_out in goods_outs]
        for request in requests:
            self.errands.start(self._process(request))
        return [request.process_reference for request in requests]

    def short_lines(self, numbers: Sequence[int], by: By = "api") -> None:
        """Give up what could not be allocated; the rest goes on. Closes a goods-out of which nothing is left."""
        for goods_out in [self._in(number, Status.PENDING, Status.PART_ALLOCATED) for number in numbers]:
            self._short_lines(goods_out, by)

    def _short_lines(self, goods_out: GoodsOut, by: By) -> None:
        missing = {line.id: line.ordered - line.shorted - line.allocated for line in goods_out.lines.values()}
        if not _allocated(goods_out):
            self._close_short(goods_out, by)
            return
        for line, units in missing.items():
            goods_out.lines[line].shorted += units
        goods_out.status = Status.ALLOCATED
        units_missing = {line: units for line, units in missing.items() if units}
        self.books.write(Entry(self.clock.now(), "closed_short", goods_out.id, by, units=units_missing))
        self._happened("updated", goods_out)

    def _request(self, goods_out: GoodsOut) -> PickRequest:
        number = next(self._request_ids)
        reference = str(uuid5(NAMESPACE_OID, f"{goods_out.id}/{number}"))
        request = PickRequest(number, reference, goods_out.id, "pending", self.clock.now())
        self.pick_requests[number] = request
        return request

    async def _process(self, request: PickRequest) -> None:
        await self.clock.sleep(self.settings.process_seconds)
        try:
            self.allocate(request.goods_out)
            ended = replace(request, status="completed", updated_at=self.clock.now())
        except Refused as why:
            ended = replace(request, status="failed", message=str(why), updated_at=self.clock.now())
        self.pick_requests[request.id] = ended

    def _in(self, number: int, *statuses: Status) -> GoodsOut:
        goods_out = self.goods_out(number)
        if goods_out.status not in statuses:
            raise refused(Symbol.WRONG_STATUS, f"goods out {number} is {goods_out.status}", status=422)
        return goods_out

    def _in_picking(self, number: int) -> GoodsOut:
        if self.goods_out(number).status is Status.PENDING:
            self.allocate(number)
        if self.goods_out(number).status in (Status.ALLOCATED, Status.PART_ALLOCATED):
            self.start_picking(number)
        return self._in(number, Status.PICK)

    def _pick(self, goods_out: GoodsOut, line: Line, upto: Decimal) -> None:
        """So many in totes or gone; beyond what was allocated, the rest is taken from the shelf as it is."""
        more = max(ZERO, upto - line.picked)
        from_allocation = min(more, line.allocated - line.picked)
        if balance := self._balance(goods_out, line):
            self.stock.pick(balance, more, from_allocation, goods_out.id)
        line.picked += more
        line.allocated = max(line.allocated, line.picked)

    def _ship(self, goods_out: GoodsOut, tracking: Sequence[str] | None) -> Shipment:
        number = next(self._shipment_ids)
        shipment = Shipment(number, goods_out.id, f"SHP{number}", [])
        for tracking_number in [f"SBX{number:09d}"] if tracking is None else tracking:
            package = Package(next(self._package_ids), number, tracking_number or None)
            shipment.packages.append(package)
            self.packages[package.id] = package
        self.shipments[number] = shipment
        goods_out.shipments[number] = shipment
        return shipment


def _allocated(goods_out: GoodsOut) -> Decimal:
    return sum((line.allocated for line in goods_out.lines.values()), ZERO)


def _leaving(goods_out: GoodsOut, lines: Mapping[int, Units] | None) -> dict[int, Decimal]:
    if lines is None:
        ready = {line.id: min(line.owed, line.allocated - line.despatched) for line in goods_out.lines.values()}
        leaving = {line: units for line, units in ready.items() if units > ZERO}
    else:
        leaving = {line: Decimal(units) for line, units in lines.items() if units}
    unknown = [line for line in leaving if line not in goods_out.lines]
    if unknown or not leaving:
        raise refused(Symbol.INVALID_IDS, f"goods out {goods_out.id}: nothing leaves, or no such line", ids=unknown)
    return leaving
