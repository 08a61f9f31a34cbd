"""An order in step leaves the hot state after a grace period; a stub stays.

The stub keeps what no system could tell us again: which goods-outs and generations there were, what despatched, what
was told, what a person decided, and which records were folded. The order itself, and all that is personal in it, is
dropped; when something happens to it again, it is read anew.
"""

from collections.abc import Sequence

from streams.rules.orders.findings import Finding, Look
from streams.rules.orders.state import OrderState, Telling
from streams.rules.orders.units import fulfilments_of


def at_rest(state: OrderState, findings: Sequence[Finding]) -> bool:
    """Whether nothing is wanted, waited for or open, of an order that has not left yet."""
    if state.order.startswith("~") or (state.shopify is None and state.erp is None):
        return False
    idle = all(isinstance(finding, Look) for finding in findings)
    return idle and not (state.cases or state.ask or state.ask_gently)


def stub(state: OrderState) -> OrderState:
    """What stays of it."""
    return OrderState(
        brand=state.brand,
        order=state.order,
        now=state.now,
        last_offset=state.last_offset,
        seen=state.seen,
        epochs=state.epochs,
        goods_outs=state.goods_outs,
        tellings=_told(state),
        closed_by_person=state.closed_by_person,
        answers=state.answers,
        overridden=state.overridden,
    )


def _told(state: OrderState) -> tuple[Telling, ...]:
    """Every telling, as Shopify showed it last; also those known only by the tracking that a fulfilment bears."""
    shown = {
        fulfilment.id: Telling(
            fulfilment=fulfilment.id,
            goods_out=goods_out.reference,
            lines=fulfilment.lines,
            numbers=fulfilment.tracking_numbers,
        )
        for goods_out in state.goods_outs
        for fulfilment in fulfilments_of(state, goods_out)
    }
    unseen = {telling.fulfilment: telling for telling in state.tellings if telling.fulfilment not in shown}
    return (*unseen.values(), *shown.values())
