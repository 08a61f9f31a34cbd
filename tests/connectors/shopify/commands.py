"""Commands for the shopper's ears, in one line each."""

from datetime import UTC, datetime
from typing import Any

from schemas.base import CommandId, FulfilmentId, FulfilmentOrderId, FulfilmentOrderLineId, GoodsOutRef, LineId, OrderId
from schemas.commands import CreateFulfilment, TellUnits, Tracking, UpdateTracking
from schemas.orders import Order
from tests.connectors.shopify.shops import ACME

REFERENCE = GoodsOutRef("ACME-5012-71-1")
DPD = Tracking(company="DPD UK", numbers=("15501234567890",))


def tell(order: Order, *units: TellUnits, tracking: Tracking = DPD, **changes: Any) -> CreateFulfilment:
    """Of an order as it was read: what it already shows is known to the decision."""
    plain = CreateFulfilment(
        **_decided(order.id, f"fulfilment:{REFERENCE}"),
        goods_out=REFERENCE,
        lines=units,
        tracking=tracking,
        known_fulfilments=tuple(one.id for one in order.fulfilments),
    )
    return plain.model_copy(update=changes)


def units(order: Order, quantity: int, *, of: int = 0, line: int = 0) -> TellUnits:
    """So many units of a fulfilment order's line, both by their place in the order."""
    routed = order.fulfilment_orders[of]
    return TellUnits(
        line=routed.lines[line].line,
        fulfilment_order=routed.id,
        fulfilment_order_line=routed.lines[line].id,
        quantity=quantity,
    )


def some_units(quantity: int = 1) -> TellUnits:
    return TellUnits(
        line=LineId("1"),
        fulfilment_order=FulfilmentOrderId("2"),
        fulfilment_order_line=FulfilmentOrderLineId("3"),
        quantity=quantity,
    )


def track(order: OrderId, fulfilment: str, tracking: Tracking = DPD) -> UpdateTracking:
    told = FulfilmentId(fulfilment)
    return UpdateTracking(**_decided(order, f"tracking:{told}"), fulfilment=told, tracking=tracking)


def _decided(order: OrderId, about: str) -> dict[str, Any]:
    return {
        "id": CommandId(f"acme/{order}@0:7:1"),
        "brand": ACME,
        "order": order,
        "object": about,
        "fingerprint": "f",
        "decided_at": datetime(2026, 11, 5, 12, tzinfo=UTC),
        "decided_partition": 0,
        "decided_offset": 7,
    }
