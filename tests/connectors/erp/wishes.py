"""Commands to an ERP, written as a person would say them."""

import itertools
from datetime import UTC, datetime
from decimal import Decimal

from schemas.base import Brand, CommandId, GoodsOutRef, LineId, Money, OrderId, Sku, Units
from schemas.commands import ErpLineWanted, PostFulfilment, UpsertErpOrder

ACME = Brand("acme")
LAMP, BLACK_LAMP, RUG = Sku("0042-A"), Sku("0042-B"), Sku("0007")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

_numbers = itertools.count(1)


def an_order() -> OrderId:
    """An order id no other test of this process uses."""
    return OrderId(f"61200{next(_numbers):05}")


def goods_out(order: OrderId, generation: int = 1) -> GoodsOutRef:
    return GoodsOutRef(f"ACME-{order}-77001-{generation}")


def line(number: int, sku: Sku, quantity: int, price: str = "49.90") -> ErpLineWanted:
    money = Money(amount=Decimal(price), currency="GBP")
    return ErpLineWanted(line=LineId(str(number)), sku=sku, quantity=quantity, unit_price=money)


def wish(order: OrderId, *lines: ErpLineWanted) -> UpsertErpOrder:
    """The ERP shall hold this order."""
    number = next(_numbers)
    return UpsertErpOrder(
        id=CommandId(f"erp-order-{number}"),
        brand=ACME,
        order=order,
        object="erp-order",
        fingerprint=f"{number}",
        decided_at=NOON,
        decided_partition=0,
        decided_offset=number,
        order_name=f"#{order[-4:]}",
        ordered_at=NOON,
        currency="GBP",
        lines=lines,
    )


def posting(order: OrderId, left: GoodsOutRef, **units: int) -> PostFulfilment:
    """The ERP shall have entered, in all, so many units of these lines: `posting(order, ref, _1=2)` is 2 of line 1."""
    number = next(_numbers)
    return PostFulfilment(
        id=CommandId(f"erp-fulfilment-{number}"),
        brand=ACME,
        order=order,
        object=f"erp-fulfilment:{left}",
        fingerprint=f"{number}",
        decided_at=NOON,
        decided_partition=0,
        decided_offset=number,
        goods_out=left,
        target=tuple(Units(line=LineId(name.removeprefix("_")), quantity=count) for name, count in units.items()),
        despatched_at=NOON,
    )
