"""Units per order line: what is owed, what goods-outs cover, what was told. All arithmetic of the rules is here.

Coverage is counted in units per order line over all goods-outs of the order, never per fulfilment order: fulfilment
orders are split, moved, held and replaced, and none of that may send anything twice.
"""

from collections import Counter
from collections.abc import Iterable

from schemas.base import FulfilmentId, GoodsOutRef, LineId, Units
from schemas.commands import CreateFulfilment
from schemas.erp import FulfilmentState
from schemas.goods_outs import GoodsOut
from schemas.orders import Fulfilment, FulfilmentOrderStatus, Order
from streams.rules.orders.state import KnownGoodsOut, OrderState

PerLine = Counter[LineId]

RELEASABLE = (FulfilmentOrderStatus.OPEN, FulfilmentOrderStatus.IN_PROGRESS)


def summed(units: Iterable[Units]) -> PerLine:
    total: PerLine = Counter()
    for unit in units:
        total[unit.line] += unit.quantity
    return total


def remaining(order: Order) -> PerLine:
    """Still to be fulfilled, over all fulfilment orders that have not ended."""
    total: PerLine = Counter()
    for fulfilment_order in order.fulfilment_orders:
        if not fulfilment_order.status.ended:
            for line in fulfilment_order.lines:
                total[line.line] += line.remaining
    return total


def ordered(goods_out: GoodsOut) -> PerLine:
    total: PerLine = Counter()
    for line in goods_out.lines:
        total[line.line] += line.ordered
    return total


def despatched(goods_out: GoodsOut) -> PerLine:
    """What left, at most what that goods-out was asked for: what goes beyond is reported, never told or posted."""
    left: PerLine = Counter()
    for line in goods_out.lines:
        left[line.line] += line.despatched
    asked = ordered(goods_out)
    return Counter({line: min(quantity, asked[line]) for line, quantity in left.items() if quantity})


def tracking_numbers(goods_out: GoodsOut) -> tuple[str, ...]:
    """In the order of the packages, each once."""
    return tuple(dict.fromkeys(package.tracking_number for package in goods_out.packages if package.tracking_number))


def fulfilments_of(state: OrderState, known: KnownGoodsOut) -> tuple[Fulfilment, ...]:
    """Shopify's fulfilments of one goods-out: those we made for it, and those that bear its tracking."""
    if state.shopify is None:
        return ()
    ours = {telling.fulfilment for telling in state.tellings if telling.goods_out == known.reference}
    others = {telling.fulfilment for telling in state.tellings} - ours
    numbers = set(tracking_numbers(known.goods_out))
    return tuple(
        fulfilment
        for fulfilment in state.shopify.fulfilments
        if fulfilment.id in ours or (fulfilment.id not in others and numbers & set(fulfilment.tracking_numbers))
    )


def ever_told(state: OrderState, known: KnownGoodsOut) -> PerLine:
    """Units ever told for a goods-out: by our outcomes and by its tracking, cancelled ones included."""
    shown = fulfilments_of(state, known)
    told = summed(unit for fulfilment in shown for unit in fulfilment.lines)
    seen: set[FulfilmentId] = {fulfilment.id for fulfilment in shown}
    for telling in state.tellings:
        if telling.goods_out == known.reference and telling.fulfilment not in seen:
            told.update(summed(telling.lines))
    return told


def still_told(state: OrderState, known: KnownGoodsOut) -> PerLine:
    """Units told for a goods-out and not taken back: cancelled fulfilments do not count.

    A telling whose fulfilment no snapshot has shown yet does not count either: Shopify's remaining quantities do not
    know of it yet.
    """
    return summed(
        unit for fulfilment in fulfilments_of(state, known) if not fulfilment.cancelled for unit in fulfilment.lines
    )


def posted(state: OrderState, reference: GoodsOutRef) -> PerLine:
    """Units of a goods-out that stand posted in the ERP."""
    return _in_erp(state, reference, (FulfilmentState.POSTED,))


def sent_to_erp(state: OrderState, reference: GoodsOutRef) -> PerLine:
    """Units of a goods-out that the ERP knows, posted or not yet."""
    return _in_erp(state, reference, (FulfilmentState.POSTED, FulfilmentState.OPEN))


def _in_erp(state: OrderState, reference: GoodsOutRef, states: tuple[FulfilmentState, ...]) -> PerLine:
    if state.erp is None:
        return Counter()
    return summed(
        unit
        for fulfilment in state.erp.fulfilments
        if fulfilment.goods_out == reference and fulfilment.state in states
        for unit in fulfilment.lines
    )


def covers(state: OrderState, known: KnownGoodsOut) -> PerLine:
    """Units of what Shopify still owes that this goods-out takes care of, or may: none of it may be released again.

    Open, missing or short-closed and undecided: all that was asked less what Shopify has been told. Given up by a
    person or ended by cancelling: only what left and is not told. Despatched and not yet told always counts.
    """
    despatched_here, told = despatched(known.goods_out), still_told(state, known)
    cancelled = known.gone or known.goods_out.status.name == "CANCELLED"
    counted = despatched_here if cancelled or known.given_up else ordered(known.goods_out) | despatched_here
    return counted - told


def covered(state: OrderState) -> PerLine:
    """Units that no new goods-out may carry: covered by known goods-outs or by creates without outcome."""
    total: PerLine = Counter()
    for known in state.goods_outs:
        total.update(covers(state, known))
    references = {known.reference for known in state.goods_outs}
    for create in state.creates_in_flight:
        if create.reference not in references:
            for unit in create.lines:
                total[unit.line] += unit.quantity
    return total


def releasable(state: OrderState, order: Order) -> PerLine:
    """Per line, the most a new goods-out may carry now."""
    return remaining(order) - covered(state)


def telling_in_flight(state: OrderState, reference: GoodsOutRef) -> bool:
    return any(isinstance(one, CreateFulfilment) and one.goods_out == reference for one in state.in_flight)
