"""Which fulfilment orders are the warehouse's business, and which of those may go now."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from schemas.base import LineId, LocationId
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.orders import FulfilmentOrder, FulfilmentOrderStatus, Order
from streams.rules.orders.holds import Hold
from streams.rules.orders.once import once
from streams.rules.orders.per_line import PerLine, summed
from streams.rules.orders.units import RELEASABLE, remaining

SHIPPING = "SHIPPING"
"""The only delivery method that a warehouse serves."""

NOT_OURS = frozenset({"PICK_UP", "LOCAL", "RETAIL", "NONE"})
"""Collected, brought by the shop itself, sold over the counter, digital: none of it ever reaches a warehouse."""


@once
def to_ship(order: Order, config: BrandConfig) -> tuple[FulfilmentOrder, ...]:
    """Fulfilment orders that are the warehouse's business, oldest id first; of a mixed order only those, and of them
    only the lines that need shipping.
    """
    mine = [one for one in _here(order, config) if one.method == SHIPPING]
    digital = unshipped(order)
    if digital:
        mine = [packed for one in mine if (packed := _without(one, digital)).lines]
    return tuple(sorted(mine, key=lambda one: (len(one.id), one.id)))


def _here(order: Order, config: BrandConfig) -> Iterator[FulfilmentOrder]:
    """Those that have not ended and that no other location sends by itself."""
    return (one for one in order.fulfilment_orders if not one.status.ended and one.location not in config.elsewhere)


@once
def unshipped(order: Order) -> frozenset[LineId]:
    """Lines that need no shipping: gift cards, warranties. Shopify may route them together with goods."""
    return frozenset(line.id for line in order.lines if not line.requires_shipping)


def _without(one: FulfilmentOrder, digital: Collection[LineId]) -> FulfilmentOrder:
    return one.model_copy(update={"lines": tuple(line for line in one.lines if line.line not in digital)})


def fulfilment_order_holds(one: FulfilmentOrder, config: BrandConfig, now: datetime) -> tuple[Hold, ...]:
    """Reasons that keep one fulfilment order back."""
    return _dateless_holds(one, config) if one.fulfil_at is None else _holds(one, config, now)


@once
def _dateless_holds(one: FulfilmentOrder, config: BrandConfig) -> tuple[Hold, ...]:
    """Of one without a date: they are the same at any time."""
    return _holds(one, config, datetime.max.replace(tzinfo=UTC))


def _holds(one: FulfilmentOrder, config: BrandConfig, now: datetime) -> tuple[Hold, ...]:
    return (*_status(one, config, now), *_location(one, config))


def may_release(one: FulfilmentOrder, config: BrandConfig, now: datetime) -> bool:
    """Whether this fulfilment order itself may go; the order's own holds are asked apart."""
    return not fulfilment_order_holds(one, config, now)


def _status(one: FulfilmentOrder, config: BrandConfig, now: datetime) -> Iterator[Hold]:
    match one.status:
        case FulfilmentOrderStatus.ON_HOLD:
            yield Hold(code=CaseCode.FULFILMENT_HOLD, named=", ".join(one.holds) or "no reason given")
        case FulfilmentOrderStatus.SCHEDULED if one.fulfil_at is None:
            named = f"fulfilment order {one.id} is scheduled without a date"
            yield Hold(code=CaseCode.SCHEDULED, named=named, after=config.waits.scheduled)
        case FulfilmentOrderStatus.SCHEDULED:
            yield _scheduled(one, one.fulfil_at)
        case status if status not in RELEASABLE:
            yield Hold(code=CaseCode.NOT_ROUTED, named=f"fulfilment order {one.id} is {status}")
        case _ if one.fulfil_at is not None and one.fulfil_at > now:
            yield _scheduled(one, one.fulfil_at)


def _scheduled(one: FulfilmentOrder, day: datetime | None) -> Hold:
    assert day is not None
    named = f"fulfilment order {one.id} is scheduled for {day:%Y-%m-%d %H:%M} UTC"
    return Hold(code=CaseCode.SCHEDULED, named=named, until=day)


def _location(one: FulfilmentOrder, config: BrandConfig) -> Iterator[Hold]:
    if config.warehouse_of(one.location) is None:
        yield Hold(code=CaseCode.UNMAPPED_LOCATION, named=_place(one.location, one.location_name))


def _place(location: LocationId, name: str) -> str:
    return f"{name!r} (location {location})" if name else f"location {location}"


@once
def left_out(order: Order, config: BrandConfig) -> tuple[Hold, ...]:
    """Units that would be dropped silently: delivered in a way nobody serves, or in no fulfilment order at all.

    They keep nothing else back.
    """
    return (*_not_served(order, config), *_nowhere(order))


def _not_served(order: Order, config: BrandConfig) -> Iterator[Hold]:
    for one in _here(order, config):
        if one.method != SHIPPING and one.method not in NOT_OURS:
            yield Hold(code=CaseCode.METHOD_NOT_SERVED, named=f"fulfilment order {one.id} by {one.method}")


def _nowhere(order: Order) -> Iterator[Hold]:
    lost = sorted(_unrouted(order), key=lambda line: (len(line), line))
    if lost:
        yield Hold(code=CaseCode.NOT_ROUTED, named=f"line {', '.join(lost)} in no fulfilment order")


def _unrouted(order: Order) -> PerLine:
    """Units that are to ship and neither fulfilled nor in a fulfilment order that has not ended."""
    wanted = PerLine({line.id: line.current_quantity for line in order.lines if line.requires_shipping})
    fulfilled = summed(unit for one in order.fulfilments if not one.cancelled for unit in one.lines)
    return wanted - fulfilled - remaining(order)
