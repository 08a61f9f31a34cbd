"""Events and states in plain words, for `lockstep show`. Nothing personal is said."""

from schemas.events import (
    CommandEnded,
    ConfigChanged,
    ConnectionSeen,
    ErpOrderSeen,
    GoodsOutsSeen,
    OperatorActed,
    OrderEvent,
    OrderListed,
    ShopifyOrderSeen,
    SnapshotUnreadable,
    SystemSwept,
)
from schemas.goods_outs import GoodsOut
from schemas.orders import Order
from streams.rules.orders.state import OrderState


def event_in_words(event: OrderEvent) -> str:
    """One line per event."""
    match event:
        case ShopifyOrderSeen(snapshot=None):
            return "Shopify: no such order"
        case ShopifyOrderSeen(snapshot=order):
            assert order is not None
            return f"Shopify: {_order(order)}"
        case GoodsOutsSeen():
            shown = "; ".join(_goods_out(one) for one in event.goods_outs) or "no goods-out"
            return f"Clarus: {shown}" + ("" if event.complete else " (an answer that cannot be believed)")
        case ErpOrderSeen(snapshot=None):
            return "ERP: no sales order"
        case ErpOrderSeen(snapshot=erp):
            assert erp is not None
            fulfilments = ", ".join(f"{one.key} {one.state}" for one in erp.fulfilments) or "nothing posted"
            return f"ERP: {erp.number} {erp.state}; {fulfilments}"
        case CommandEnded(outcome=outcome):
            why = " ".join(part for part in (outcome.code, outcome.field, outcome.text) if part)
            return f"{event.system}: {outcome.object} {outcome.kind}" + (f" ({why})" if why else "")
        case ConnectionSeen():
            return f"{event.system}: connection {event.state} {event.text}".rstrip()
        case OrderListed() | SystemSwept():
            return _swept(event)
        case SnapshotUnreadable():
            return f"{event.system}: an answer that could not be read: {event.reason}"
        case OperatorActed():
            asked = (event.action.replace("_", " "), event.target, event.object, event.says, event.why)
            return f"{event.who}: {' '.join(word for word in asked if word)}"
        case ConfigChanged():
            return f"configuration version {event.config.version}"
        case _:
            return type(event).__name__


def _swept(event: OrderListed | SystemSwept) -> str:
    of = f"{event.system}: the sweep of {event.sweep:%Y-%m-%d %H:%M} UTC"
    if isinstance(event, OrderListed):
        return f"{of} names it"
    return f"{of} named {event.orders} orders and {len(event.strays) + event.more} records of none"


def _order(order: Order) -> str:
    routed = ", ".join(f"{one.id} {one.status}" for one in order.fulfilment_orders) or "not routed"
    told = f"; {len(order.fulfilments)} fulfilments" if order.fulfilments else ""
    return f"{order.financial_status}, fulfilment orders {routed}{told}"


def _goods_out(one: GoodsOut) -> str:
    left = sum(line.despatched for line in one.lines)
    asked = sum(line.ordered for line in one.lines)
    return f"{one.reference} {one.status}, {left} of {asked} units despatched"


def systems_side_by_side(state: OrderState) -> dict[str, list[str]]:
    """What each of the three systems has, as last seen."""
    order = state.shopify
    shopify = ["not read yet"] if order is None else [
        f"{order.name} {order.financial_status}" + (" cancelled" if order.cancelled_at else ""),
        *(
            f"fulfilment order {one.id} {one.status}: {sum(line.remaining for line in one.lines)} units to go"
            for one in order.fulfilment_orders
        ),
        *(
            f"fulfilment {one.name or one.id}: {sum(unit.quantity for unit in one.lines)} units,"
            f" tracking {', '.join(one.tracking_numbers) or 'none'}" + (" (cancelled)" if one.cancelled else "")
            for one in order.fulfilments
        ),
    ]  # fmt: skip
    clarus = [_goods_out(known.goods_out) + (" MISSING" if known.missing else "") for known in state.goods_outs] or [
        "no goods-out"
    ]
    erp = ["no sales order"] if state.erp is None else [
        f"{state.erp.number} {state.erp.state}",
        *(
            f"fulfilment {one.key} {one.state}: {sum(unit.quantity for unit in one.lines)} units"
            for one in state.erp.fulfilments
        ),
    ]  # fmt: skip
    return {"Shopify": shopify, "Clarus": clarus, "ERP": erp}
