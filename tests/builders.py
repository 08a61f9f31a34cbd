"""Literal domain objects in one line each: `an_order().with_line("0042-A", 2).routed_to("L1")`. Shared by all tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from schemas.base import (
    Brand,
    ErpOrderId,
    FulfilmentId,
    FulfilmentOrderId,
    FulfilmentOrderLineId,
    GoodsOutId,
    GoodsOutRef,
    LineId,
    LocationId,
    Money,
    OrderId,
    Sku,
    Units,
)
from schemas.cases import CATALOGUE, Case, CaseCode
from schemas.config import BrandConfig, CarrierRule, Waits, WarehouseRule
from schemas.erp import ErpFulfilment, ErpLine, ErpOrder, ErpOrderState, FulfilmentState
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus, Package
from schemas.mapping import ShippingRule
from schemas.orders import (
    Address,
    FinancialStatus,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    Order,
    OrderLine,
    Personal,
    RiskAdvice,
    ShippingLine,
)

NOON = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
ACME = Brand("acme")
ORDER = OrderId("5012")


def a_brand(**changes: object) -> BrandConfig:
    """Live since yesterday; location 11 is warehouse LDS1, 12 is MAN1; `standard` goes by DPD."""
    plain = BrandConfig(
        brand=ACME,
        version=1,
        mode="live",
        release_from=NOON - timedelta(days=1),
        reference_prefix="ACME",
        account="ACME",
        warehouses=(
            WarehouseRule(location=LocationId("11"), warehouse="LDS1"),
            WarehouseRule(location=LocationId("12"), warehouse="MAN1"),
        ),
        shipping=(ShippingRule(code="standard", carrier="DPD", service="NEXTDAY"),),
        carriers=(CarrierRule(carrier="DPD", company="DPD UK"),),
        waits=Waits(hold=3600, goods_out=900, erp_commit=1800, erp_post=3600, told=900, tracking=600),
    )
    return BrandConfig.model_validate({**plain.model_dump(), **changes})


LEEDS = Address(
    name="R. Example",
    line1="8 Mill Lane",
    city="Leeds",
    postcode="LS1 4AB",
    country_code="GB",
    phone="+441130000000",
    email="r.example@example.test",
)


@dataclass(frozen=True)
class OrderBuilder:
    """Makes a Shopify order step by step; each step is a new builder."""

    order: Order
    _next: int = 1

    def _with(self, **changes: object) -> OrderBuilder:
        return replace(self, order=self.order.model_copy(update=changes))

    def with_line(self, sku: str, quantity: int = 1, *, id: str | None = None) -> OrderBuilder:
        line = OrderLine(
            id=LineId(id or str(900 + self._next)),
            sku=Sku(sku),
            quantity=quantity,
            current_quantity=quantity,
            unit_price=Money(amount=Decimal("9.50"), currency="GBP"),
        )
        return replace(self, _next=self._next + 1)._with(lines=(*self.order.lines, line))

    def routed(self, id: str = "71", *, to: str = "11", **remaining: int) -> OrderBuilder:
        """A fulfilment order at a location with all lines, or with these: `L901=2` is two units of line 901."""
        lines = {LineId(name.removeprefix("L")): quantity for name, quantity in remaining.items()}
        if not lines:
            lines = {line.id: line.current_quantity for line in self.order.lines}
        skus = {line.id: line.sku for line in self.order.lines}
        one = FulfilmentOrder(
            id=FulfilmentOrderId(id),
            status=FulfilmentOrderStatus.OPEN,
            location=LocationId(to),
            location_name=f"Location {to}",
            lines=tuple(
                FulfilmentOrderLine(
                    id=FulfilmentOrderLineId(f"{id}-{line}"), line=line, sku=skus[line], total=units, remaining=units
                )
                for line, units in lines.items()
            ),
        )
        others = tuple(other for other in self.order.fulfilment_orders if other.id != id)
        return self._with(fulfilment_orders=(*others, one))

    def fulfilment_order(self, id: str, **changes: object) -> OrderBuilder:
        changed = tuple(one.model_copy(update=changes) if one.id == id else one for one in self.order.fulfilment_orders)
        return self._with(fulfilment_orders=changed)

    def closed(self, id: str) -> OrderBuilder:
        one = next(one for one in self.order.fulfilment_orders if one.id == id)
        emptied = tuple(line.model_copy(update={"remaining": 0}) for line in one.lines)
        return self.fulfilment_order(id, status=FulfilmentOrderStatus.CLOSED, lines=emptied, can_fulfil=False)

    def on_hold(self, id: str, reason: str = "OTHER") -> OrderBuilder:
        return self.fulfilment_order(id, status=FulfilmentOrderStatus.ON_HOLD, holds=(reason,), can_fulfil=False)

    def fulfilled(
        self,
        id: str,
        *,
        of: str = "71",
        numbers: tuple[str, ...] = (),
        cancelled: bool = False,
        **units: int,
    ) -> OrderBuilder:
        """A fulfilment of these units (`L901=1`); lowers what remains on fulfilment order `of`."""
        lines = {LineId(name.removeprefix("L")): quantity for name, quantity in units.items()}
        fulfilment = Fulfilment(
            id=FulfilmentId(id),
            name=f"#1042-F{id}",
            location=next(one.location for one in self.order.fulfilment_orders if one.id == of),
            cancelled=cancelled,
            company="DPD UK",
            tracking_numbers=numbers,
            lines=tuple(Units(line=line, quantity=quantity) for line, quantity in lines.items()),
        )
        one = next(one for one in self.order.fulfilment_orders if one.id == of)
        left = tuple(
            line.model_copy(update={"remaining": line.remaining - lines.get(line.line, 0)}) for line in one.lines
        )
        done = all(line.remaining == 0 for line in left)
        status = FulfilmentOrderStatus.CLOSED if done else FulfilmentOrderStatus.IN_PROGRESS
        others = tuple(other for other in self.order.fulfilments if other.id != id)
        return self._with(fulfilments=(*others, fulfilment)).fulfilment_order(
            of, lines=left, status=status, can_fulfil=not done
        )

    def digital(self, line: str) -> OrderBuilder:
        """This line needs no shipping, wherever it is routed."""
        lines = (
            one.model_copy(update={"requires_shipping": one.requires_shipping and one.id != line})
            for one in self.order.lines
        )
        return self._with(lines=tuple(lines))

    def shipping_to(self, address: Address | None) -> OrderBuilder:
        return self._with(personal=Personal(ship_to=address))

    def sent_by(self, title: str, code: str = "") -> OrderBuilder:
        return self._with(shipping_lines=(ShippingLine(title=title, code=code),))

    def advised(self, risk: RiskAdvice) -> OrderBuilder:
        return self._with(risk=risk)

    def paid(self, status: FinancialStatus = FinancialStatus.PAID) -> OrderBuilder:
        return self._with(financial_status=status)

    def cancelled(self) -> OrderBuilder:
        builder = self._with(cancelled_at=NOON)
        for one in self.order.fulfilment_orders:
            builder = builder.closed(one.id)
        return builder

    def refunded(self, **units: int) -> OrderBuilder:
        """These units (`L901=1`) will not be sent any more: fewer wanted, fewer remaining."""
        taken = {LineId(name.removeprefix("L")): quantity for name, quantity in units.items()}
        lines = tuple(
            line.model_copy(update={"current_quantity": line.current_quantity - taken.get(line.id, 0)})
            for line in self.order.lines
        )
        builder = self._with(lines=lines)
        for one in self.order.fulfilment_orders:
            left = []
            for line in one.lines:
                fewer = min(taken.get(line.line, 0), line.remaining)
                taken[line.line] = taken.get(line.line, 0) - fewer
                left.append(line.model_copy(update={"remaining": line.remaining - fewer}))
            builder = builder.fulfilment_order(one.id, lines=tuple(left))
        return builder

    def placed(self, at: datetime) -> OrderBuilder:
        return self._with(created_at=at)


def an_order(order: str = ORDER) -> OrderBuilder:
    """Paid, addressed to Leeds, sent by `standard`; no lines and not routed yet."""
    return OrderBuilder(
        Order(
            id=OrderId(order),
            name="#1042",
            created_at=NOON,
            updated_at=NOON,
            financial_status=FinancialStatus.PAID,
            currency="GBP",
            total=Money(amount=Decimal("19.00"), currency="GBP"),
            shipping_lines=(ShippingLine(title="Standard", code="standard"),),
            personal=Personal(ship_to=LEEDS),
        )
    )


@dataclass(frozen=True)
class GoodsOutBuilder:
    """Makes a goods-out as Clarus shows it. Lines by Shopify line id: `with_line("901", "0042-A", 2)`."""

    goods_out: GoodsOut = field(repr=False)

    def _with(self, **changes: object) -> GoodsOutBuilder:
        return GoodsOutBuilder(self.goods_out.model_copy(update=changes))

    def with_line(self, line: str, sku: str, quantity: int = 1) -> GoodsOutBuilder:
        made = GoodsOutLine(id=f"l{line}", line=LineId(line), sku=Sku(sku), ordered=quantity)
        return self._with(lines=(*self.goods_out.lines, made))

    def with_part(self, line: str, sku: str, quantity: int, *, each: int, left: int = 0) -> GoodsOutBuilder:
        """A component of a bundle, `left` of which have left."""
        part = GoodsOutLine(
            id=f"l{line}-{sku}", line=LineId(line), sku=Sku(sku), ordered=quantity, despatched=left, each=each
        )
        return self._with(lines=(*self.goods_out.lines, part))

    def status(self, status: GoodsOutStatus) -> GoodsOutBuilder:
        return self._with(status=status)

    def as_id(self, id: str) -> GoodsOutBuilder:
        return self._with(id=GoodsOutId(id))

    def picked(self, **units: int) -> GoodsOutBuilder:
        """These units (`L901=1`) lie in totes."""
        taken = {name.removeprefix("L"): quantity for name, quantity in units.items()}
        lines = (line.model_copy(update={"picked": taken.get(line.line, 0)}) for line in self.goods_out.lines)
        return self._with(lines=tuple(lines))

    def picking(self) -> GoodsOutBuilder:
        return self.status(GoodsOutStatus.PICK)

    def despatched(self, *, tracking: tuple[str, ...] = ("T1",), whole: bool = True, **units: int) -> GoodsOutBuilder:
        """These units left in all (`L901=2`; none named: everything). `whole`: the goods-out is completed."""
        wanted = {name.removeprefix("L"): quantity for name, quantity in units.items()}
        lines = tuple(
            line.model_copy(update={"despatched": wanted.get(line.line, 0) if wanted else line.ordered})
            for line in self.goods_out.lines
        )
        packages = tuple(
            Package(id=f"p{index}", tracking_number=number, shipment="S1") for index, number in enumerate(tracking)
        )
        status = GoodsOutStatus.COMPLETED if whole else GoodsOutStatus.PICK
        return self._with(lines=lines, packages=packages, status=status, despatched_at=NOON)


def a_goods_out(reference: str, id: str = "9001", *, warehouse: str = "LDS1") -> GoodsOutBuilder:
    return GoodsOutBuilder(
        GoodsOut(
            id=GoodsOutId(id),
            reference=GoodsOutRef(reference),
            status=GoodsOutStatus.PENDING,
            account="ACME",
            warehouse=warehouse,
            carrier="DPD",
            service="NEXTDAY",
        )
    )


@dataclass(frozen=True)
class ErpBuilder:
    """Makes a sales order as the ERP shows it."""

    order: ErpOrder = field(repr=False)

    def with_line(self, line: str, sku: str, quantity: int = 1) -> ErpBuilder:
        made = ErpLine(line=LineId(line), sku=Sku(sku), quantity=quantity)
        return ErpBuilder(self.order.model_copy(update={"lines": (*self.order.lines, made)}))

    def draft(self) -> ErpBuilder:
        return ErpBuilder(self.order.model_copy(update={"state": ErpOrderState.DRAFT}))

    def fulfilment(
        self, goods_out: str, number: int = 1, state: FulfilmentState = FulfilmentState.POSTED, **units: int
    ) -> ErpBuilder:
        """Fulfilment `<goods-out>#<number>` of these units (`L901=2`)."""
        made = ErpFulfilment(
            key=f"{goods_out}#{number}",
            goods_out=GoodsOutRef(goods_out),
            state=state,
            posted_at=NOON if state is FulfilmentState.POSTED else None,
            lines=tuple(
                Units(line=LineId(name.removeprefix("L")), quantity=quantity) for name, quantity in units.items()
            ),
        )
        others = tuple(one for one in self.order.fulfilments if one.key != made.key)
        return ErpBuilder(self.order.model_copy(update={"fulfilments": (*others, made)}))


def an_erp_order(state: ErpOrderState = ErpOrderState.COMMITTED) -> ErpBuilder:
    return ErpBuilder(ErpOrder(id=ErpOrderId("77"), number="SO77", state=state))


def a_case(
    code: CaseCode = CaseCode.SHORT_CLOSED, order: str = ORDER, *, opened: datetime = NOON, **changes: object
) -> Case:
    """As the catalogue has it, opened at noon."""
    entry = CATALOGUE[code]
    plain = Case(
        brand=ACME,
        order=OrderId(order),
        object=f"ACME-{order}-71-1",
        code=code,
        detail="2 of 3 units",
        opened_at=opened,
        due_at=opened + timedelta(seconds=entry.due),
        owner=entry.owner,
        severity=entry.severity,
    )
    return plain.model_copy(update=changes)
