"""May this order leave? Every reason why not, at once, in words; never the first only."""

from collections.abc import Iterator
from datetime import timedelta

from schemas.base import Frozen, FulfilmentOrderId, LocationId, System, Utc
from schemas.cases import CaseCode
from schemas.config import BrandConfig, ShippingRule
from schemas.orders import Address, FulfilmentOrder, FulfilmentOrderStatus, Order
from streams.rules.orders.findings import Finding, Waiting
from streams.rules.orders.once import once
from streams.rules.orders.state import OrderState
from streams.rules.orders.units import RELEASABLE, PerLine, uncovered

SHIPPING = "SHIPPING"
"""The only delivery method that a warehouse serves; pick-up, local and digital lines never reach it."""


class Hold(Frozen):
    """One reason. `named` is the title, SKU or location a person would look for."""

    code: CaseCode
    named: str
    until: Utc | None = None
    """It is meant to last until then."""


def is_ours(state: OrderState, config: BrandConfig) -> bool:
    """Whether the order is to be released by us at all: known, not cancelled, not older than the switch-on."""
    order = state.shopify
    if order is None or order.cancelled_at is not None or state.shopify_gone:
        return False
    return config.release_from is not None and order.created_at >= config.release_from


def to_ship(order: Order) -> tuple[FulfilmentOrder, ...]:
    """Fulfilment orders that are the warehouse's business, oldest id first."""
    mine = (one for one in order.fulfilment_orders if one.method == SHIPPING and not one.status.ended)
    return tuple(sorted(mine, key=lambda one: (len(one.id), one.id)))


@once
def order_holds(order: Order, config: BrandConfig) -> tuple[Hold, ...]:
    """Reasons that keep the whole order back."""
    return (
        *_payment(order, config),
        *_address(order.personal.ship_to, config),
        *_shipping(order, config),
        *_skus(order),
    )


def fulfilment_order_holds(one: FulfilmentOrder, config: BrandConfig) -> tuple[Hold, ...]:
    """Reasons that keep one fulfilment order back."""
    holds = []
    if one.status is FulfilmentOrderStatus.ON_HOLD:
        holds.append(Hold(code=CaseCode.FULFILMENT_HOLD, named=", ".join(one.holds) or "no reason given"))
    elif one.status not in RELEASABLE:
        named = f"fulfilment order {one.id} is {one.status}"
        holds.append(Hold(code=CaseCode.NOT_ROUTED, named=named, until=one.fulfil_at))
    if config.warehouse_of(one.location) is None:
        holds.append(Hold(code=CaseCode.UNMAPPED_LOCATION, named=_place(one.location, one.location_name)))
    return tuple(holds)


def shipping_rule(order: Order, config: BrandConfig) -> ShippingRule | None:
    """How the order is sent: by its first shipping line."""
    if not order.shipping_lines:
        return None
    line = order.shipping_lines[0]
    return config.shipping_of(line.code, line.title)


def held(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: an order that may not leave yet waits with its reasons; a case opens when that lasts."""
    order = state.shopify
    if order is None or not is_ours(state, config):
        return
    if not order.fulfilment_orders:
        if any(line.requires_shipping and line.current_quantity > 0 for line in order.lines):
            yield _waiting(state, Hold(code=CaseCode.NOT_ROUTED, named="no fulfilment order yet"), config)
        return
    apart = [(one, fulfilment_order_holds(one, config)) for one in to_ship(order)]
    if not apart:
        return
    whole = order_holds(order, config)
    if not whole and not any(holds for _, holds in apart):
        return  # the common case, and what is free need not be counted for it
    free = free_units(state, order, config)
    owing = [holds for one, holds in apart if free[one.id]]
    if not owing:
        return
    for hold in (*whole, *(hold for holds in owing for hold in holds)):
        yield _waiting(state, hold, config)


_AT_ONCE = (CaseCode.UNMAPPED_LOCATION, CaseCode.UNMAPPED_SHIPPING_LINE, CaseCode.SKU_MISSING)
"""Nobody but us can mend these, so nobody else will: the case opens without waiting."""


_LONGEST_HOLD = timedelta(days=366)
"""A date further away than this is doubted."""


def _waiting(state: OrderState, hold: Hold, config: BrandConfig) -> Waiting:
    name = f"hold:{hold.code}"
    meant = timedelta(0) if hold.until is None else min(hold.until - (state.since_of(name) or state.now), _LONGEST_HOLD)
    return Waiting(
        name=name,
        after=0 if hold.code in _AT_ONCE else config.waits.hold + max(0, int(meant.total_seconds())),
        code=hold.code,
        object=state.order,
        detail=hold.named,
        read=(System.SHOPIFY,),
    )


def _payment(order: Order, config: BrandConfig) -> Iterator[Hold]:
    if order.financial_status not in config.paid:
        yield Hold(code=CaseCode.PAYMENT_NOT_MET, named=f"payment is {order.financial_status}")


def _address(address: Address | None, config: BrandConfig) -> Iterator[Hold]:
    lacking = address_lacks(address, config)
    if lacking:
        yield Hold(code=CaseCode.ADDRESS_INCOMPLETE, named=f"lacks {', '.join(lacking)}")


def address_lacks(address: Address | None, config: BrandConfig) -> tuple[str, ...]:
    """Names of the parts that Clarus' packing desk needs and the address does not have; never their values."""
    if address is None:
        return ("delivery address",)
    needed = {
        "name": address.name or address.company,
        "street": address.line1,
        "city": address.city,
        "postcode": address.postcode,
        "country": address.country_code,
    }
    if config.require_phone:
        needed["phone"] = address.phone
    if config.require_email:
        needed["email"] = address.email
    return tuple(part for part, value in needed.items() if not value.strip())


def _shipping(order: Order, config: BrandConfig) -> Iterator[Hold]:
    if shipping_rule(order, config) is None:
        lines = order.shipping_lines
        named = f"{lines[0].title!r} (code {lines[0].code!r})" if lines else "no shipping line"
        yield Hold(code=CaseCode.UNMAPPED_SHIPPING_LINE, named=named)


def _skus(order: Order) -> Iterator[Hold]:
    bare = [line.id for line in order.lines if line.requires_shipping and line.current_quantity > 0 and not line.sku]
    if bare:
        yield Hold(code=CaseCode.SKU_MISSING, named=f"line {', '.join(bare)}")


def _place(location: LocationId, name: str) -> str:
    return f"{name!r} (location {location})" if name else f"location {location}"


def may_release(one: FulfilmentOrder, config: BrandConfig) -> bool:
    """Whether this fulfilment order itself may go; the order's own holds are asked apart."""
    return one.status in RELEASABLE and not fulfilment_order_holds(one, config)


def free_units(state: OrderState, order: Order, config: BrandConfig) -> dict[FulfilmentOrderId, PerLine]:
    """Per fulfilment order, the units that no goods-out covers; see `uncovered`."""
    return uncovered(state, order, {one.id for one in to_ship(order) if may_release(one, config)})
