"""Units per order line: what is owed, what goods-outs cover, what was told. All arithmetic of the rules is here.

Coverage is counted in units per order line over all goods-outs of the order, never per fulfilment order: fulfilment
orders are split, moved, held and replaced, and none of that may send anything twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from schemas.base import FulfilmentId, FulfilmentOrderId, GoodsOutRef, LineId, Sku
from schemas.commands import CreateGoodsOut
from schemas.erp import FulfilmentState
from schemas.goods_outs import GoodsOut, GoodsOutStatus, Package
from schemas.orders import FinancialStatus, Fulfilment, FulfilmentOrder, FulfilmentOrderStatus, Order
from streams.rules.orders.once import once
from streams.rules.orders.per_line import PerLine, in_lines, summed
from streams.rules.orders.state import KnownGoodsOut, OrderState, Telling

RELEASABLE = (FulfilmentOrderStatus.OPEN, FulfilmentOrderStatus.IN_PROGRESS)


@once
def remaining(order: Order) -> PerLine:
    """Still to be fulfilled, over all fulfilment orders that have not ended."""
    total = PerLine()
    for one in order.fulfilment_orders:
        if not one.status.ended:
            total.update(remaining_of(one))
    return total


def begun(order: Order) -> bool:
    """It was fulfilled, refunded or closed in part: when that is the first we see of it, others know more than we."""
    return (
        bool(order.fulfilments)
        or any(one.status.ended for one in order.fulfilment_orders)
        or order.financial_status in (FinancialStatus.PARTIALLY_REFUNDED, FinancialStatus.REFUNDED)
        or any(line.current_quantity < line.quantity for line in order.lines)
    )


@once
def ordered(goods_out: GoodsOut) -> PerLine:
    """What we asked for. Lines that a person added in Clarus name no line of the shop and are not among them.

    Of a bundle every one is counted of which any component is asked for.
    """
    return in_lines(((line.line, line.each, line.ordered) for line in goods_out.lines), begun=True)


def asked_in(create: CreateGoodsOut) -> PerLine:
    """Units per order line that a create asks for."""
    return in_lines(((unit.line, unit.each, unit.quantity) for unit in create.lines), begun=True)


def picked(goods_out: GoodsOut) -> bool:
    """Whether goods lie in totes that have not left."""
    return any(line.picked > line.despatched for line in goods_out.lines)


@once
def despatched(goods_out: GoodsOut) -> PerLine:
    """What left, at most what that goods-out was asked for: what goes beyond is reported, never told or posted."""
    if not any(line.despatched for line in goods_out.lines):
        return PerLine()
    left = in_lines(((line.line, line.each, line.despatched) for line in goods_out.lines), begun=False)
    asked = ordered(goods_out)
    return PerLine({line: min(quantity, asked[line]) for line, quantity in left.items() if quantity})


@once
def not_left(goods_out: GoodsOut) -> PerLine:
    """What was asked for and has not left."""
    return ordered(goods_out) - despatched(goods_out)


def left_in_all(state: OrderState) -> PerLine:
    """What left, over all goods-outs of the order."""
    total = PerLine()
    for known in state.goods_outs:
        total.update(despatched(known.goods_out))
    return total


@once
def torn(goods_out: GoodsOut) -> PerLine:
    """Bundles of which some components left and others did not."""
    if not any(line.each and line.despatched for line in goods_out.lines):
        return PerLine()
    parts = [(line.line, line.each, min(line.despatched, line.ordered)) for line in goods_out.lines if line.each]
    return in_lines(parts, begun=True) - in_lines(parts, begun=False)


@once
def surplus(goods_out: GoodsOut) -> int:
    """Units that left beyond what was asked, of whatever product."""
    beyond: Counter[tuple[LineId, Sku | None]] = Counter()
    for line in goods_out.lines:
        asked = line.ordered if line.line else 0
        beyond[line.line, line.sku if line.each else None] += line.despatched - asked
    return sum(quantity for quantity in beyond.values() if quantity > 0)


@once
def tracking_numbers(goods_out: GoodsOut) -> tuple[str, ...]:
    return numbers_of(goods_out.packages)


def numbers_of(packages: Iterable[Package]) -> tuple[str, ...]:
    """Tracking numbers, in the order of the packages, each once."""
    return tuple(dict.fromkeys(package.tracking_number for package in packages if package.tracking_number))


def fulfilments_of(state: OrderState, known: KnownGoodsOut) -> tuple[Fulfilment, ...]:
    """Shopify's fulfilments of one goods-out: those we made for it, and those that bear its tracking."""
    order = state.shopify
    if order is None or not order.fulfilments:
        return ()
    return _fulfilments_of(known, order, state.tellings)


@once
def _fulfilments_of(known: KnownGoodsOut, order: Order, tellings: tuple[Telling, ...]) -> tuple[Fulfilment, ...]:
    ours = {telling.fulfilment for telling in tellings if telling.goods_out == known.reference}
    others = {telling.fulfilment for telling in tellings} - ours
    numbers = set(tracking_numbers(known.goods_out))
    return tuple(
        fulfilment
        for fulfilment in order.fulfilments
        if fulfilment.id in ours or (fulfilment.id not in others and numbers & set(fulfilment.tracking_numbers))
    )


def ever_told(state: OrderState, known: KnownGoodsOut, among: Collection[FulfilmentId] | None = None) -> PerLine:
    """Units ever told for a goods-out: by our outcomes and by its tracking, cancelled ones included.

    `among`: only by these fulfilments.
    """
    shown = {fulfilment.id: fulfilment.lines for fulfilment in fulfilments_of(state, known)}
    if not shown and not state.tellings:
        return PerLine()
    told = {telling.fulfilment: telling.lines for telling in state.tellings if telling.goods_out == known.reference}
    return summed(unit for id_, lines in (told | shown).items() if among is None or id_ in among for unit in lines)


def still_told(state: OrderState, known: KnownGoodsOut) -> PerLine:
    """Units told for a goods-out and not taken back: cancelled fulfilments do not count.

    A telling whose fulfilment no snapshot has shown yet does not count either: Shopify's remaining quantities do not
    know of it yet.
    """
    return _standing(fulfilments_of(state, known))


def _standing(fulfilments: tuple[Fulfilment, ...]) -> PerLine:
    return summed(unit for fulfilment in fulfilments if not fulfilment.cancelled for unit in fulfilment.lines)


def posted(state: OrderState, reference: GoodsOutRef) -> PerLine:
    """Units of a goods-out that stand posted in the ERP."""
    return _in_erp(state, reference, (FulfilmentState.POSTED,))


def sent_to_erp(state: OrderState, reference: GoodsOutRef) -> PerLine:
    """Units of a goods-out that the ERP knows, posted or not yet."""
    return _in_erp(state, reference, (FulfilmentState.POSTED, FulfilmentState.OPEN))


def _in_erp(state: OrderState, reference: GoodsOutRef, states: tuple[FulfilmentState, ...]) -> PerLine:
    if state.erp is None:
        return PerLine()
    return summed(
        unit
        for fulfilment in state.erp.fulfilments
        if fulfilment.goods_out == reference and fulfilment.state in states
        for unit in fulfilment.lines
    )


def covers(state: OrderState, known: KnownGoodsOut) -> PerLine:
    """Units of what Shopify still owes that this goods-out takes care of, or may: none of it may be released again.

    Open, missing, short-closed or cancelled with goods in totes, and undecided: all that was asked less what Shopify
    has been told. Cancelled with nothing picked: only what left and is not told. Given up by a person: what left and
    was never told, not even in a fulfilment that was taken back. Despatched and not yet told always counts.
    """
    return _covers(known, fulfilments_of(state, known))


@once
def _covers(known: KnownGoodsOut, fulfilments: tuple[Fulfilment, ...]) -> PerLine:
    left = despatched(known.goods_out)
    if known.given_up:
        return left - summed(unit for fulfilment in fulfilments for unit in fulfilment.lines)
    left = PerLine(left)
    left.update(torn(known.goods_out))
    counted = left if ended_cleanly(known) else ordered(known.goods_out) | left
    return counted - _standing(fulfilments)


def ended_cleanly(known: KnownGoodsOut) -> bool:
    """Cancelled with nothing picked: what did not leave is free."""
    return known.gone or (known.goods_out.status is GoodsOutStatus.CANCELLED and not picked(known.goods_out))


def _covering(state: OrderState) -> Iterator[tuple[FulfilmentOrderId, PerLine]]:
    """What known goods-outs and creates without outcome cover, and for which fulfilment order they were made."""
    for known in state.goods_outs:
        yield known.fulfilment_order, covers(state, known)
    references = {known.reference for known in state.goods_outs}
    for create in state.creates_in_flight:
        if create.reference not in references:
            yield create.fulfilment_order, asked_in(create)


def may_owe(state: OrderState, order: Order) -> bool:
    """False when all that remains is covered, or a create is under way for it: then no fulfilment order has anything
    free. Cheaper than asking each.
    """
    if state.creates_in_flight:
        return True
    left = remaining(order)
    for known in state.goods_outs:
        left = left - covers(state, known)
    return bool(left)


def uncovered(
    state: OrderState, order: Order, may_go: Collection[FulfilmentOrderId]
) -> dict[FulfilmentOrderId, PerLine]:
    """Per fulfilment order that has not ended, the units that a new goods-out may carry.

    In all at most `remaining - covered` per line. A goods-out counts against the fulfilment order it was made for;
    what that one no longer holds, because it was split, moved or replaced, counts against those in `may_go` first: a
    unit that is held back or goes another way never makes room for one that is on its way already.
    """
    free = {one.id: +remaining_of(one) for one in order.fulfilment_orders if not one.status.ended}
    loose = PerLine()
    for made_for, units in _covering(state):
        own = free.get(made_for, PerLine())
        loose.update(units - own)
        if made_for in free:
            free[made_for] = own - units
    for id_ in sorted(free, key=lambda id_: (id_ not in may_go, len(id_), id_)):
        own = free[id_]
        free[id_], loose = own - loose, loose - own
    return free


@once
def remaining_of(one: FulfilmentOrder) -> PerLine:
    """Still to be fulfilled of one fulfilment order."""
    total = PerLine()
    for line in one.lines:
        total[line.line] += line.remaining
    return total
