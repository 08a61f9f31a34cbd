"""What people did to the shop's fulfilments: made by hand, or ours taken back. Nothing is sent by itself then."""

from collections.abc import Iterator

from schemas.base import FulfilmentId
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment
from schemas.config import BrandConfig
from schemas.orders import Fulfilment, Order
from streams.rules.orders.findings import Finding, Look
from streams.rules.orders.per_line import PerLine, summed
from streams.rules.orders.state import OrderState
from streams.rules.orders.units import despatched, ended_cleanly, fulfilments_of, ordered, remaining


def told_otherwise(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: fulfilments made by hand, and ours cancelled by hand, are for a person; nothing is sent by itself."""
    order = state.shopify
    if order is None or not order.fulfilments:
        return
    ours = _ours(state)
    for fulfilment in order.fulfilments:
        if fulfilment.cancelled and fulfilment.id in ours:
            yield Look(code=CaseCode.RESHIP, object=hand(fulfilment), detail="cancelled")
    covered = {line.line for known in state.goods_outs for line in known.goods_out.lines}
    for fulfilment in by_hand(state, order, config):
        if any(unit.line in covered for unit in fulfilment.lines):
            yield Look(
                code=CaseCode.FULFILLED_BY_HAND,
                object=hand(fulfilment),
                detail=f"{sum(unit.quantity for unit in fulfilment.lines)} units without the warehouse's tracking",
            )


def warehouse_units_told_by_hand(state: OrderState, order: Order, config: BrandConfig) -> PerLine:
    """Units in the warehouse's care that somebody told by hand, or we did and never learned of it: not told again.

    Units fulfilled by hand that the warehouse was never asked for do not count, nor those that a person judged by
    closing the case.
    """
    judged = {closed.object for closed in state.closed_by_person if closed.code is CaseCode.FULFILLED_BY_HAND}
    told = summed(unit for one in by_hand(state, order, config) if hand(one) not in judged for unit in one.lines)
    if not told:
        return told
    elsewhere = PerLine({line.id: line.current_quantity for line in order.lines}) | _sold(order)
    for known in state.goods_outs:
        elsewhere.subtract(despatched(known.goods_out) if ended_cleanly(known) else ordered(known.goods_out))
    return told - +elsewhere


def _sold(order: Order) -> PerLine:
    """Units fulfilled or still to be: a unit that came back as a return has left all the same, though Shopify's current
    quantity counts it no more.
    """
    sold = summed(unit for one in order.fulfilments if not one.cancelled for unit in one.lines)
    sold.update(remaining(order))
    return sold


def by_hand(state: OrderState, order: Order, config: BrandConfig) -> tuple[Fulfilment, ...]:
    """Fulfilments that stand and are nobody's of us; not those that a telling in flight may have made just now, nor
    those of a location that sends by itself.
    """
    if not order.fulfilments:
        return ()
    ours = _ours(state)
    flying = [one for one in state.in_flight if isinstance(one, CreateFulfilment)]
    return tuple(
        one
        for one in order.fulfilments
        if not one.cancelled
        and one.id not in ours
        and one.location not in config.elsewhere
        and all(one.id in telling.known_fulfilments for telling in flying)
    )


def _ours(state: OrderState) -> set[FulfilmentId]:
    """Fulfilments made by us, or that bear the tracking of one of our goods-outs."""
    ours = {telling.fulfilment for telling in state.tellings}
    for known in state.goods_outs:
        ours |= {one.id for one in fulfilments_of(state, known)}
    return ours


def hand(fulfilment: Fulfilment) -> str:
    return f"fulfilment {fulfilment.name or fulfilment.id}"
