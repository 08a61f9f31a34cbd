"""What the warehouse is asked for: goods-outs made, amended, cancelled and deleted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any, Literal

from sandbox.clarus import refusals
from sandbox.clarus.access import Access
from sandbox.clarus.books import Books, By, Entry, OrderedLine
from sandbox.clarus.errands import Errands
from sandbox.clarus.master import MasterData
from sandbox.clarus.records import (
    ZERO,
    Account,
    Automation,
    Carrier,
    CarrierService,
    GoodsOut,
    Line,
    Package,
    PickRequest,
    Product,
    Shipment,
    Status,
    Warehouse,
)
from sandbox.clarus.references import References
from sandbox.clarus.refusals import Symbol, refused
from sandbox.clarus.stock import Balance, Column, Stock
from sandbox.clock import Clock

EventName = Literal["created", "updated", "processed", "completed", "cancelled"]


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """`process_seconds`: from `process_picks_async` to the allocation it asked for."""

    process_seconds: float = 1.0
    token_seconds: float = 3600.0
    available_includes: frozenset[Column] = frozenset()
    """What `available` of a balance is gross of. That it takes them out by default is assumed."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened to a goods-out; automations and pickers hear of it at once."""

    name: EventName
    goods_out: GoodsOut


@dataclass(frozen=True, slots=True)
class Header:
    """What a goods-out is made with, its ids resolved."""

    account: Account
    reference: str
    warehouse: Warehouse | None = None
    carrier: Carrier | None = None
    service: CarrierService | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    address: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LineWish:
    """A line to be made."""

    product: Product
    quantity: Decimal
    attributes: Mapping[str, Any] = field(default_factory=dict)


class Office:
    """The records of all tenants, and the office's part in changing them.

    A change, its line in the books and its event always go together. Nothing here knows who is logged in: what a user
    may see is checked where requests come in.
    """

    def __init__(self, clock: Clock, settings: WorldSettings | None = None) -> None:
        self.clock = clock
        self.settings = settings or WorldSettings()
        self.master = MasterData()
        self.access = Access(clock, self.settings.token_seconds)
        self.stock = Stock(clock, self.settings.available_includes)
        self.books = Books()
        self.errands = Errands()
        self.goods_outs: dict[int, GoodsOut] = {}
        self.references = References()
        self.lines: dict[int, Line] = {}
        self.shipments: dict[int, Shipment] = {}
        self.packages: dict[int, Package] = {}
        self.pick_requests: dict[int, PickRequest] = {}
        self.automations: dict[int, Automation] = {}
        self._goods_out_ids = count(90001)
        self._line_ids = count(550001)
        self._automation_ids = count(801)
        self._listeners: list[Callable[[Event], None]] = []

    def listen(self, listener: Callable[[Event], None]) -> None:
        """`listener` is called in the middle of the change: it may look, and start tasks, but not change anything."""
        self._listeners.append(listener)

    def goods_out(self, number: int) -> GoodsOut:
        """Raises Refused 404 for one that never was or was deleted."""
        found = self.goods_outs.get(number)
        if found is None:
            raise refusals.not_found("goods out", number)
        return found

    def add_automation(self, automation: Automation) -> Automation:
        """With an id of its own, whatever it bears."""
        made = replace(automation, id=next(self._automation_ids))
        self.automations[made.id] = made
        return made

    def create_goods_out(
        self, header: Header, lines: Sequence[LineWish], *, draft: bool = False, by: By = "api"
    ) -> GoodsOut:
        """A new goods-out, PENDING. A reference that is already borne by another is taken all the same."""
        now = self.clock.now()
        made = GoodsOut(
            id=next(self._goods_out_ids),
            tenant=header.account.tenant,
            account=header.account,
            warehouse=header.warehouse,
            reference=header.reference,
            created_at=now,
            updated_at=now,
            status=Status.DRAFT if draft else Status.PENDING,
            carrier=header.carrier,
            service=header.service,
            attributes=dict(header.attributes),
            address=dict(header.address),
        )
        self.goods_outs[made.id] = made
        self.references.add(made.reference, made.id)
        for wish in lines:
            self._add_line(made, wish)
        self.books.write(Entry(now, "created", made.id, by, head=_head(made), ordered=_ordered(made)))
        self._happened("created", made)
        return made

    def amend_goods_out(
        self,
        number: int,
        header: Header,
        *,
        add: Sequence[LineWish] = (),
        update: Mapping[int, tuple[Decimal | None, Mapping[str, Any]]] | None = None,
        destroy: Sequence[int] = (),
        by: By = "api",
    ) -> GoodsOut:
        """`header` replaces the whole header; `update` maps line ids to a new quantity, if any, and attributes.

        Raises Refused once processing has started, and for a line that is not this goods-out's; then nothing changes.
        """
        goods_out = self.goods_out(number)
        if not goods_out.status.untouched:
            raise refused(Symbol.PROCESSING_STARTED, f"goods out {number} is {goods_out.status}", status=422)
        for line in (*(update or {}), *destroy):
            if line not in goods_out.lines:
                raise refused(Symbol.INVALID_IDS, f"line {line} is not of goods out {number}", ids=[line])
        self.references.remove(goods_out.reference, goods_out.id)
        goods_out.account, goods_out.reference, goods_out.warehouse = header.account, header.reference, header.warehouse
        goods_out.carrier, goods_out.service = header.carrier, header.service
        goods_out.attributes, goods_out.address = dict(header.attributes), dict(header.address)
        self.references.add(goods_out.reference, goods_out.id)
        for line, (quantity, attributes) in (update or {}).items():
            goods_out.lines[line].ordered = quantity or goods_out.lines[line].ordered
            goods_out.lines[line].attributes |= attributes
        for line in destroy:
            del goods_out.lines[line], self.lines[line]
        for wish in add:
            self._add_line(goods_out, wish)
        self.books.write(Entry(self.clock.now(), "amended", number, by, ordered=_ordered(goods_out)))
        self._happened("updated", goods_out)
        return goods_out

    def delete_goods_out(self, number: int, *, by: By = "api") -> None:
        """Gone, and no automation tells; only the books know. Raises Refused once processing has started."""
        goods_out = self.goods_out(number)
        if not goods_out.status.untouched:
            raise refused(Symbol.PROCESSING_STARTED, f"goods out {number} is {goods_out.status}")
        self._forget(goods_out)
        self.books.write(Entry(self.clock.now(), "deleted", number, by))

    def cancel_goods_out(self, number: int, *, by: By = "api") -> None:
        """As far as it has not left: untouched → deleted; else stock is freed and what is in totes stays picked.

        One of which something has left already is closed short instead of cancelled. Raises Refused when it has ended.
        """
        goods_out = self.goods_out(number)
        if goods_out.status.ended:
            symbol = Symbol.COMPLETED if goods_out.status is Status.COMPLETED else Symbol.WRONG_STATUS
            raise refused(symbol, f"goods out {number} is {goods_out.status}")
        now = self.clock.now()
        if goods_out.status.untouched:
            self._forget(goods_out)
            self.books.write(Entry(now, "deleted", number, by))
            self._happened("cancelled", goods_out)
            return
        for line in goods_out.lines.values():
            self._free(goods_out, line)
        if any(line.despatched for line in goods_out.lines.values()):
            self._close_short(goods_out, by)
            return
        goods_out.status = Status.CANCELLED
        self.books.write(Entry(now, "cancelled", number, by))
        self._happened("cancelled", goods_out)

    def _close_short(self, goods_out: GoodsOut, by: By) -> None:
        missing = {line.id: line.owed for line in goods_out.lines.values() if line.owed}
        for line in goods_out.lines.values():
            self._free(goods_out, line)
            line.shorted += line.owed
        goods_out.status = Status.COMPLETED
        self.books.write(Entry(self.clock.now(), "closed_short", goods_out.id, by, units=missing))
        self._happened("completed", goods_out)

    def _free(self, goods_out: GoodsOut, line: Line) -> None:
        """What is allocated and not yet picked can be allocated to others."""
        if balance := self._balance(goods_out, line):
            self.stock.free(balance, line.allocated - line.picked)
        line.allocated = line.picked

    def _balance(self, goods_out: GoodsOut, line: Line) -> Balance | None:
        """Of the goods-out's warehouse, or, when it names none, of the tenant's first."""
        warehouse = goods_out.warehouse or next(
            (each for each in self.master.warehouses.values() if each.tenant == goods_out.tenant), None
        )
        return self.stock.of(goods_out.account, warehouse, line.product) if warehouse else None

    def _add_line(self, goods_out: GoodsOut, wish: LineWish) -> None:
        line = Line(
            id=next(self._line_ids),
            goods_out=goods_out.id,
            product=wish.product,
            ordered=wish.quantity,
            created_at=self.clock.now(),
            attributes=dict(wish.attributes),
        )
        goods_out.lines[line.id] = line
        self.lines[line.id] = line

    def _forget(self, goods_out: GoodsOut) -> None:
        del self.goods_outs[goods_out.id]
        self.references.remove(goods_out.reference, goods_out.id)
        for line in goods_out.lines:
            del self.lines[line]

    def _happened(self, name: EventName, goods_out: GoodsOut) -> None:
        goods_out.updated_at = self.clock.now()
        for listener in self._listeners:
            listener(Event(name, goods_out))


def _head(goods_out: GoodsOut) -> dict[str, str]:
    return {
        "tenant": goods_out.tenant,
        "account": goods_out.account.code,
        "warehouse": goods_out.warehouse.code if goods_out.warehouse else "",
        "reference": goods_out.reference,
        "external_reference1": goods_out.attributes.get("external_system_reference1") or "",
        "external_reference2": goods_out.attributes.get("external_system_reference2") or "",
        "external_reference3": goods_out.attributes.get("external_system_reference3") or "",
        "service": goods_out.service.code if goods_out.service else "",
        "packing_notes": goods_out.attributes.get("packing_notes") or "",
    }


def _ordered(goods_out: GoodsOut) -> tuple[OrderedLine, ...]:
    return tuple(
        OrderedLine(line.id, line.product.code, line.ordered, line.attributes.get("external_system_reference1") or "")
        for line in goods_out.lines.values()
        if line.ordered > ZERO
    )
