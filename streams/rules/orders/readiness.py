"""May this order leave? Every reason why not, at once, in words; never the first only."""

from collections.abc import Iterator
from datetime import timedelta

from schemas.base import FulfilmentOrderId, System
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.orders import Order
from streams.rules.orders.addresses import address_holds
from streams.rules.orders.delivery import fulfilment_order_holds, left_out, may_release, to_ship
from streams.rules.orders.findings import Finding, Waiting, Wake
from streams.rules.orders.holds import Hold, merged
from streams.rules.orders.mapping.products import sku_holds
from streams.rules.orders.mapping.shipping import shipping_holds, shipping_rule
from streams.rules.orders.once import once
from streams.rules.orders.payment import payment_holds, risk_holds
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.state import OrderState
from streams.rules.orders.units import remaining_of, uncovered


def is_ours(state: OrderState, config: BrandConfig) -> bool:
    """Whether the order is to be released by us at all: known, not cancelled, not older than the switch-on."""
    order = state.shopify
    if order is None or order.cancelled_at is not None or state.shopify_gone:
        return False
    return config.release_from is not None and order.created_at >= config.release_from


@once
def order_holds(order: Order, config: BrandConfig) -> tuple[Hold, ...]:
    """Reasons that keep the whole order back."""
    return (
        *payment_holds(order, config),
        *risk_holds(order, config),
        *address_holds(order.personal.ship_to, config),
        *shipping_holds(order, config),
        *sku_holds(order, config),
    )


def keeping_back(state: OrderState, order: Order, config: BrandConfig) -> tuple[Hold, ...]:
    """The same without what a person overrode, and with the edit window."""
    holds = (*order_holds(order, config), *_edit_window(state, order, config))
    if not (holds and state.overridden):
        return holds
    lifted = {one.code for one in state.overridden}
    nowhere = order.personal.ship_to is None  # there is nothing that could be sent in spite of it
    return tuple(
        hold for hold in holds if hold.code not in lifted or (hold.code is CaseCode.ADDRESS_INCOMPLETE and nowhere)
    )


def _edit_window(state: OrderState, order: Order, config: BrandConfig) -> Iterator[Hold]:
    window = timedelta(seconds=config.waits.edit_window)
    if not window or order.created_at + window <= state.now:
        return
    rule = shipping_rule(order, config)
    if rule is None or not rule.expedited:
        until = order.created_at + window
        yield Hold(code=CaseCode.EDIT_WINDOW, named=f"until {until:%Y-%m-%d %H:%M:%S} UTC", until=until)


def held(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: an order that may not leave yet waits with its reasons; a case opens when that lasts. Shopify is read again
    meanwhile, but not for a date that is still to come: of thousands of orders for a day of months ahead none needs it.
    """
    order = state.shopify
    if order is None or not is_ours(state, config):
        return
    reasons = tuple(_reasons(state, order, config))
    ahead = {hold.until for hold in reasons if hold.until is not None and hold.until > state.now}
    read = {hold.code for hold in reasons if hold.until not in ahead}
    for hold in merged(reasons):
        yield _waiting(state, hold, config, read=hold.code in read)
    for until in sorted(ahead):
        yield Wake(until)


def _reasons(state: OrderState, order: Order, config: BrandConfig) -> Iterator[Hold]:
    """All that keeps something of this order back, of units that no goods-out covers."""
    if not order.fulfilment_orders:
        if any(line.requires_shipping and line.current_quantity > 0 for line in order.lines):
            yield Hold(code=CaseCode.NOT_ROUTED, named="no fulfilment order yet")
        return
    yield from left_out(order, config)
    apart = [(one, fulfilment_order_holds(one, config, state.now)) for one in to_ship(order, config)]
    if not apart:
        return
    whole = keeping_back(state, order, config)
    if not whole and not any(holds for _, holds in apart):
        return  # the common case, and what is free need not be counted for it
    free = free_units(state, order, config)
    owing = [holds for one, holds in apart if free[one.id]]
    if owing:
        yield from whole
        yield from (hold for holds in owing for hold in holds)


_AT_ONCE = (
    CaseCode.UNMAPPED_LOCATION,
    CaseCode.UNMAPPED_SHIPPING_LINE,
    CaseCode.SKU_MISSING,
    CaseCode.SKU_UNUSABLE,
    CaseCode.METHOD_NOT_SERVED,
)
"""Nobody but us can mend these, so nobody else will: the case opens without waiting."""


_LONGEST_HOLD = timedelta(days=366)
"""A date further away than this is doubted."""


def _waiting(state: OrderState, hold: Hold, config: BrandConfig, *, read: bool) -> Waiting:
    name = f"hold:{hold.code}"
    meant = timedelta(0) if hold.until is None else min(hold.until - (state.since_of(name) or state.now), _LONGEST_HOLD)
    usual = config.waits.hold if hold.after is None else hold.after
    return Waiting(
        name=name,
        after=0 if hold.code in _AT_ONCE else usual + max(0, int(meant.total_seconds())),
        code=hold.code,
        object=state.order,
        detail=hold.named,
        read=(System.SHOPIFY,) if read else (),
    )


def free_units(state: OrderState, order: Order, config: BrandConfig) -> dict[FulfilmentOrderId, PerLine]:
    """Per fulfilment order of the warehouse, the units to be shipped that no goods-out covers; see `uncovered`."""
    mine = to_ship(order, config)
    free = uncovered(state, order, {one.id for one in mine if may_release(one, config, state.now)})
    return {one.id: free[one.id] & remaining_of(one) for one in mine}
