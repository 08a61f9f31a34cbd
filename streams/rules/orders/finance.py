"""What the ERP should hold: the sales order, and every despatch posted against it."""

from collections.abc import Iterator

from schemas.base import LineId, System, Units
from schemas.cases import CaseCode
from schemas.commands import ErpLineWanted, PostFulfilment, UpsertErpOrder
from schemas.config import BrandConfig
from schemas.orders import Order
from streams.rules.orders.delivery import may_release, to_ship
from streams.rules.orders.findings import Finding, Look, Waiting, Wanted
from streams.rules.orders.mapping.products import product_code
from streams.rules.orders.once import once
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.readiness import is_ours, keeping_back
from streams.rules.orders.state import KnownGoodsOut, OrderState
from streams.rules.orders.units import despatched, left_in_all, posted, sent_to_erp

ERP_ORDER = "erp-order"


def sales_order(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: an order that may leave, or has begun to, stands in the ERP as it is now; it is waited for until committed.

    An edit after that amends it, before what the edit added is posted.
    """
    order = state.shopify
    if order is None:
        return
    if not state.goods_outs and not state.creates_in_flight and not _may_leave(state, order, config):
        return
    left = left_in_all(state)
    if order.cancelled_at is not None and not left:
        return
    lines = _lines(order, left, config)
    if not lines or (state.erp is not None and state.erp.state.committed and not _differs(state, lines)):
        return
    unread = state.began_unseen and not state.erp_read
    if not unread and (state.erp is None or _differs(state, lines) or _unfinished(state, ERP_ORDER)):
        yield Wanted(
            kind=UpsertErpOrder,
            system=System.ERP,
            object=ERP_ORDER,
            fields={
                "order_name": order.name,
                "ordered_at": order.created_at,
                "currency": order.currency,
                "lines": lines,
            },
            says=f"sales order for {order.name}: " + ", ".join(f"{line.quantity} x {line.sku}" for line in lines),
        )
    if config.mode == "observe" and not state.goods_outs:
        return  # what is not sent, and not in the warehouse either, is not late
    refused = any(refusal.object == ERP_ORDER for refusal in state.refusals)
    yield Waiting(
        name="erp-commit",
        after=config.waits.erp_commit,
        code=None if refused else CaseCode.ERP_NOT_COMMITTED,  # a refusal is a case of its own and says why
        object=state.order,
        detail=_stands(state),
        read=(System.ERP,),
    )


def _stands(state: OrderState) -> str:
    if state.erp is None:
        return "not in the ERP yet"
    return "edited since it was committed in the ERP" if state.erp.state.committed else "draft in the ERP"


def _may_leave(state: OrderState, order: Order, config: BrandConfig) -> bool:
    return (
        is_ours(state, config)
        and not keeping_back(state, order, config)
        and any(may_release(one, config, state.now) for one in to_ship(order, config))
    )


@once
def _lines(order: Order, left: PerLine, config: BrandConfig) -> tuple[ErpLineWanted, ...]:
    """What the order is for now, and never less than what left: that must be posted although it was refunded since."""
    wanted = {line.id: max(line.current_quantity, left[line.id]) for line in order.lines}
    return tuple(
        ErpLineWanted(
            line=line.id,
            sku=product_code(line.sku, config),
            quantity=wanted[line.id],
            unit_price=line.unit_price,
        )
        for line in order.lines
        if wanted[line.id] > 0 and (line.requires_shipping or left[line.id] > 0)
    )


def _unfinished(state: OrderState, wanted: str) -> bool:
    """Whether a try was cut short and may have done half of it: what the ERP shows by now is no reason to stop then."""
    return state.flying(wanted) is not None or any(delay.object == wanted for delay in state.delays)


def _differs(state: OrderState, lines: tuple[ErpLineWanted, ...]) -> bool:
    assert state.erp is not None
    wanted = {(line.line, line.sku, line.quantity) for line in lines}
    return wanted != {(line.line, line.sku, line.quantity) for line in state.erp.lines}


def posting(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what despatched is posted in the ERP, per goods-out, as an absolute total; then it is waited for."""
    if state.erp is None or not state.erp.state.committed:
        return
    sold = PerLine({line.line: line.quantity for line in state.erp.lines})
    for known in state.goods_outs:
        left = despatched(known.goods_out)
        if not left:
            continue
        behind = left - posted(state, known.reference)
        unfinished = behind and _unfinished(state, _posting_of(known))
        if (left - sent_to_erp(state, known.reference) or unfinished) and not left - sold:
            yield _post(known, left)
        if behind:
            yield Waiting(
                name=f"erp-post:{known.reference}",
                after=config.waits.erp_post,
                code=CaseCode.ERP_NOT_POSTED,
                object=known.reference,
                detail=f"{behind.total()} units despatched and not posted",
                read=(System.ERP,),
            )


def _posting_of(known: KnownGoodsOut) -> str:
    return f"erp-fulfilment:{known.reference}"


def _post(known: KnownGoodsOut, left: PerLine) -> Wanted:
    return Wanted(
        kind=PostFulfilment,
        system=System.ERP,
        object=_posting_of(known),
        fields={
            "goods_out": known.reference,
            "target": _units(left),
            "despatched_at": known.goods_out.despatched_at,
        },
        says=f"posting of {left.total()} units of {known.reference}",
    )


def _units(per_line: PerLine) -> tuple[Units, ...]:
    """By line id, so that equal content is equal bytes."""
    lines: list[LineId] = sorted(per_line, key=lambda line: (len(line), line))
    return tuple(Units(line=line, quantity=per_line[line]) for line in lines if per_line[line] > 0)


def refused_by_erp(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: what the ERP refused is a case for finance, or for operations when it does not know a SKU."""
    for refusal in state.refusals:
        if refusal.system is System.ERP:
            code = CaseCode.UNKNOWN_SKU if refusal.code == "unknown_sku" else CaseCode.ERP_REFUSED
            said = " ".join(part for part in (refusal.code, refusal.field, refusal.text) if part)
            yield Look(code=code, object=refusal.object.partition(":")[2] or state.order, detail=said)
