"""What an order means for stock: units that are still to leave though Shopify counts them as free, and what has been
fulfilled since, which lowers Shopify's figures without a word.
"""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from schemas.aggregates import stock_id
from schemas.base import FulfilmentOrderId, LineId, LocationId, OrderId
from schemas.config import BrandConfig
from schemas.goods_outs import GoodsOut
from schemas.mapping import Bundle
from streams.rules.orders.mapping.products import bundle_of, units_of
from streams.rules.orders.readiness import is_ours
from streams.rules.orders.state import OrderState, WithheldUnits
from streams.rules.orders.units import remaining_of, uncovered


class _Wanted(NamedTuple):
    """Units that may still leave; `each`: how many of it a unit of the order's line takes."""

    line: LineId
    each: int
    location: LocationId
    item: OrderId
    units: int


def withheld(state: OrderState, config: BrandConfig) -> tuple[WithheldUnits, ...]:
    """Units that goods-outs of this order, made, being made or yet to be, want beyond what Shopify commits to it.

    Shopify frees the units of a cancelled or deleted order or a removed line at once, and those of a moved fulfilment
    order where they were; the warehouse may ship them all the same, and besides what a person made under our
    references. Of a bundle that only the warehouse takes apart Shopify never commits the components: from the purchase
    on they are withheld. What was withheld once stays in the list, with 0 units: that it is over must be said too.
    """
    total: Counter[OrderId] = Counter(dict.fromkeys((one.item for one in state.withheld), 0))
    owed: dict[tuple[LineId, int, OrderId], int] = {}
    committed, apart = _committed(state), _taken_apart(state, config)
    total.update(_to_be_released(state, config))
    for one in _wanted(state, config):
        key = (one.line, one.each, one.item)
        commits = committed[one.line, one.location] if not one.each or one.line in apart else 0
        left = owed.setdefault(key, commits * max(1, one.each))
        owed[key] = max(0, left - one.units)
        total[one.item] += max(0, one.units - left)
    known = {one.item for one in state.withheld}
    return tuple(
        WithheldUnits(item=item, units=units) for item, units in sorted(total.items()) if units or item in known
    )


def _wanted(state: OrderState, config: BrandConfig) -> Iterator[_Wanted]:
    """Also of what a person made or changed under our references: to the stock it is as good as ours."""
    for known in state.goods_outs:
        if known.gone or known.missing:
            continue
        for goods_out in (known.goods_out, *known.open_doubles):
            location = _location_of(goods_out, known.fulfilment_order, state, config)
            if location is None or goods_out.status.ended:
                continue
            for line in goods_out.lines:
                left = line.ordered - line.despatched
                if left > 0:
                    yield _Wanted(line.line, line.each, location, stock_id(line.sku, location), left)
    made = {known.reference for known in state.goods_outs}
    for create in state.creates_in_flight:
        if create.reference not in made:
            for unit in create.lines:
                yield _Wanted(unit.line, unit.each, create.location, stock_id(unit.sku, create.location), unit.quantity)


def _committed(state: OrderState) -> Counter[tuple[LineId, LocationId]]:
    """What Shopify commits to the order, where. Nothing once it is deleted."""
    committed: Counter[tuple[LineId, LocationId]] = Counter()
    for one in state.shopify.fulfilment_orders if state.shopify is not None and not state.shopify_gone else ():
        if not one.status.ended:
            committed.update({(line, one.location): units for line, units in remaining_of(one).items()})
    return committed


def _taken_apart(state: OrderState, config: BrandConfig) -> set[LineId]:
    """Lines of bundles of which Shopify commits the components."""
    return {line for line, bundle in _bundles(state, config) if bundle.commits == "components"}


def _to_be_released(state: OrderState, config: BrandConfig) -> Counter[OrderId]:
    """Components, that Shopify does not commit, of bundles of which no goods-out is there or being made yet."""
    found: Counter[OrderId] = Counter()
    whole = {line for line, bundle in _bundles(state, config) if bundle.commits == "bundle"}
    order = state.shopify if is_ours(state, config) else None
    if order is None or not whole:
        return found
    free = uncovered(state, order, [one.id for one in order.fulfilment_orders])
    for one in order.fulfilment_orders:
        if one.id in free and config.warehouse_of(one.location) is not None:
            for line in one.lines:
                if line.line in whole:
                    for part in units_of(line, free[one.id][line.line], config):
                        found[stock_id(part.sku, one.location)] += part.quantity
    return found


def _bundles(state: OrderState, config: BrandConfig) -> Iterator[tuple[LineId, Bundle]]:
    for line in state.shopify.lines if state.shopify is not None else ():
        bundle = bundle_of(line.sku, config)
        if bundle is not None:
            yield line.id, bundle


def may_withhold(state: OrderState, config: BrandConfig) -> bool:
    """Whether anything of the order may have to be withheld, or was: most have nothing. Cheaper than `withheld`."""
    return bool(state.goods_outs or state.in_flight or state.withheld or next(_bundles(state, config), None))


def _location_of(
    goods_out: GoodsOut, made_for: FulfilmentOrderId, state: OrderState, config: BrandConfig
) -> LocationId | None:
    """Where it leaves from: its warehouse decides, wherever the fulfilment order was moved to since."""
    orders = state.shopify.fulfilment_orders if state.shopify is not None else ()
    named = next((one.location for one in orders if one.id == made_for), None)
    served = [rule.location for rule in config.warehouses if rule.warehouse == goods_out.warehouse]
    return named if named in served or not served else served[0]


def fulfilled(before: OrderState | None, after: OrderState, config: BrandConfig) -> tuple[OrderId, ...]:
    """Stock items of which units were fulfilled, or fulfilments cancelled, between two states."""
    if after.shopify is None or before is None or before.shopify is None or before.shopify is after.shopify:
        return ()
    moved = {line for line, units in (_told(after) - _told(before)).items() if units}
    moved |= {line for line, units in (_told(before) - _told(after)).items() if units}
    found: set[OrderId] = set()
    for one in after.shopify.fulfilment_orders if moved else ():
        for line in one.lines:
            if line.line in moved:
                found.update(stock_id(unit.sku, one.location) for unit in units_of(line, 1, config))
    return tuple(sorted(found))


def _told(state: OrderState) -> Counter[LineId]:
    assert state.shopify is not None
    told: Counter[LineId] = Counter()
    for one in state.shopify.fulfilments:
        if not one.cancelled:
            told.update({unit.line: unit.quantity for unit in one.lines})
    return told
