"""The sweep's comparison: what the three systems say differently about one order, counted in units, and why.

What differs is reckoned from the snapshots alone. Why is asked of the rules: a difference that one of their findings
accounts for is named after it, one that none accounts for is `unexplained`, and a case.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut
from schemas.config import BrandConfig
from schemas.erp import ErpOrderState
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import Order
from schemas.sweep import Cause, Comparison, Difference, Drift
from streams.rules.orders.delivery import to_ship
from streams.rules.orders.edits import working
from streams.rules.orders.finance import ERP_ORDER
from streams.rules.orders.findings import Finding, Look, Waiting, Wanted
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.readiness import is_ours
from streams.rules.orders.state import KnownGoodsOut, OrderState
from streams.rules.orders.units import (
    covers,
    despatched,
    ever_told,
    fulfilments_of,
    left_in_all,
    ordered,
    posted,
    remaining,
    still_told,
    tracking_numbers,
)

_CASES: Mapping[CaseCode, Cause] = MappingProxyType(
    {
        CaseCode.UNKNOWN_GOODS_OUT: Cause.UNKNOWN,
        CaseCode.CHANGED_AFTER_RELEASE: Cause.EDITED,
        CaseCode.CANCELLED_AFTER_RELEASE: Cause.EDITED,
        CaseCode.SHIPPED_NOT_OWED: Cause.EDITED,
        CaseCode.SHORT_CLOSED: Cause.WAREHOUSE,
        CaseCode.HALF_A_KIT: Cause.WAREHOUSE,
        CaseCode.OVER_DESPATCHED: Cause.WAREHOUSE,
        CaseCode.UNDESPATCHED: Cause.WAREHOUSE,
        CaseCode.CLARUS_REFUSED: Cause.REFUSED,
        CaseCode.ERP_REFUSED: Cause.REFUSED,
        CaseCode.SHOPIFY_REFUSED: Cause.REFUSED,
        CaseCode.UNKNOWN_SKU: Cause.REFUSED,
        CaseCode.FULFILLED_BY_HAND: Cause.HAND_SHOPIFY,
        CaseCode.RESHIP: Cause.HAND_SHOPIFY,
        CaseCode.ORPHAN_FULFILMENT: Cause.HAND_SHOPIFY,
        CaseCode.ORDER_GONE: Cause.NO_COUNTERPART,
        CaseCode.ORPHAN_ERP_ORDER: Cause.NO_COUNTERPART,
        CaseCode.ORPHAN_POSTING: Cause.HAND_ERP,
        CaseCode.SNAPSHOT_UNREADABLE: Cause.UNREADABLE,
    }
)
"""What a case accounts for, open or about to be. What is only awaited is on its way, or late once it is a case."""

_MAY_BE: Mapping[Difference, Sequence[Cause]] = MappingProxyType(
    {
        Difference.NO_ORDER: (Cause.NO_COUNTERPART,),
        Difference.WAREHOUSE_LACKS: (
            Cause.MISSING, Cause.UNKNOWN, Cause.REFUSED, Cause.HELD, Cause.WAREHOUSE, Cause.EDITED, Cause.HAND_SHOPIFY,
            Cause.HAND_CLARUS, Cause.STOPPED, Cause.LATE, Cause.IN_FLIGHT, Cause.UNREADABLE, Cause.SETTLED,
        ),
        Difference.WAREHOUSE_HAS_MORE: (Cause.UNKNOWN, Cause.HAND_CLARUS, Cause.EDITED),
        Difference.GOODS_OUT_TWICE: (Cause.UNKNOWN,),
        Difference.ERP_LACKS: (Cause.HAND_ERP, Cause.REFUSED, Cause.STOPPED, Cause.LATE, Cause.IN_FLIGHT, Cause.HELD,
            Cause.UNREADABLE, Cause.EDITED, Cause.SETTLED),
        Difference.NOT_POSTED: (Cause.UNREADABLE, Cause.REFUSED, Cause.STOPPED, Cause.LATE, Cause.IN_FLIGHT),
        Difference.POSTED_NOT_LEFT: (Cause.WAREHOUSE, Cause.HAND_ERP, Cause.UNREADABLE, Cause.SETTLED),
        Difference.NOT_TOLD: (
            Cause.HAND_SHOPIFY, Cause.EDITED, Cause.REFUSED, Cause.STOPPED, Cause.LATE, Cause.IN_FLIGHT,
            Cause.UNREADABLE, Cause.SETTLED,
        ),
        Difference.TOLD_NOT_LEFT: (Cause.WAREHOUSE,),
        Difference.NO_TRACKING: (Cause.HAND_CLARUS, Cause.LATE, Cause.IN_FLIGHT, Cause.SETTLED),
    }
)  # fmt: skip
"""In the order in which a difference is named: the first cause that the order shows. Where a rule always has something
to say of a difference, what would come after that is left out.
"""


def compared(state: OrderState, config: BrandConfig, findings: Sequence[Finding]) -> Comparison | None:
    """The order's comparison as it stands: made when the last system has answered. Made again while a difference is
    unexplained; else what that sweep found stays as it was.
    """
    found = state.comparison
    if found is None or found.awaited:
        return found
    if found.at is not None and not found.unexplained:
        return found
    causes = _causes(state, config, findings)
    drifts = tuple(
        Drift(what=what, count=count, cause=_why(what, causes | _by_hand_in_clarus(state, config, what)))
        for what, count in _all(state, config)
    )
    return found.model_copy(update={"at": found.at or state.now, "drifts": drifts})


def unexplained(found: Comparison | None, state: OrderState, config: BrandConfig) -> Iterator[Waiting]:
    """What differs and no rule accounts for is read again, and a case when that lasts."""
    bare = () if found is None else found.unexplained
    if bare:
        yield Waiting(
            name="drift",
            after=config.waits.drift,
            code=CaseCode.DRIFT_UNEXPLAINED,
            object=state.order,
            detail=", ".join(f"{one.what} {one.count}" for one in bare),
            read=tuple(System),
        )


def _why(what: Difference, causes: set[Cause]) -> Cause:
    return next((cause for cause in _MAY_BE[what] if cause in causes), Cause.UNEXPLAINED)


# --- why


def _causes(state: OrderState, config: BrandConfig, findings: Sequence[Finding]) -> set[Cause]:
    """All that the rules account for about this order."""
    causes: set[Cause] = set()
    open_ = {(case.code, case.object) for case in state.cases}
    for finding in findings:
        match finding:
            case Look():
                causes.add(_CASES.get(finding.code, Cause.HELD))
            case Waiting() if finding.name.startswith("hold:"):
                causes.add(Cause.HELD)
            case Waiting() if finding.name.startswith("missing:"):
                causes.add(Cause.MISSING)
            case Waiting(code=CaseCode() as code) if code in _CASES:
                causes.add(_CASES[code])
            case Waiting():
                late = finding.code is not None and (finding.code, finding.object) in open_
                causes.add(Cause.LATE if late else Cause.IN_FLIGHT)
            case Wanted():
                causes.add(_wanted(state, config, finding))
            case _:
                pass
    if state.in_flight or state.ask or state.delays:
        causes.add(Cause.IN_FLIGHT)
    if state.closed_by_person or state.answers or state.overridden:
        causes.add(Cause.SETTLED)
    return causes


def _by_hand_in_clarus(state: OrderState, config: BrandConfig, what: Difference) -> set[Cause]:
    """Of our goods-outs: other lines than they were made with, cancelled there and not by us, or without the tracking
    number that was told. No command of ours changes lines or numbers, so whatever did is somebody there.
    """
    changed = any(working(known) and known.changed_in_clarus for known in state.goods_outs)
    match what:
        case Difference.WAREHOUSE_HAS_MORE:
            return {Cause.HAND_CLARUS} if changed else set()
        case Difference.WAREHOUSE_LACKS if state.shopify is not None:
            lacking = _lacking(state, state.shopify, config)
            cancelled = any(
                _cancelled_there(state, known) and ordered(known.goods_out) & lacking for known in state.goods_outs
            )
            return {Cause.HAND_CLARUS} if changed or cancelled else set()
        case Difference.NO_TRACKING:
            taken_off = any(
                told.tracking_numbers and not told.cancelled and not tracking_numbers(known.goods_out)
                for known in state.goods_outs
                for told in fulfilments_of(state, known)
            )
            return {Cause.HAND_CLARUS} if taken_off else set()
        case _:
            return set()


def _cancelled_there(state: OrderState, known: KnownGoodsOut) -> bool:
    """Cancelled, and neither by a command of ours that ended nor by one without outcome."""
    ours = known.cancelled_by_us or any(
        isinstance(one, CancelGoodsOut) and one.reference == known.reference for one in state.in_flight
    )
    return known.goods_out.status is GoodsOutStatus.CANCELLED and not ours


def _wanted(state: OrderState, config: BrandConfig, finding: Wanted) -> Cause:
    if config.mode == "observe" or finding.system in config.paused:
        return Cause.STOPPED
    if any(one.object == finding.object for one in state.refusals):
        return Cause.REFUSED
    carried_out = any(one.object == finding.object for one in state.done) and state.flying(finding.object) is None
    return Cause.HAND_ERP if finding.object == ERP_ORDER and carried_out else Cause.IN_FLIGHT


# --- what


def _all(state: OrderState, config: BrandConfig) -> Iterator[tuple[Difference, int]]:
    """Every difference, with how many units or records it is about."""
    order = state.shopify
    if state.shopify_gone or order is None:
        records = sum(not one.goods_out.status.ended for one in state.goods_outs)
        records += state.erp is not None and state.erp.state is not ErpOrderState.CANCELLED
        if records and state.shopify_gone:
            yield Difference.NO_ORDER, records
        return
    for what, count in (
        (Difference.WAREHOUSE_LACKS, _lacking(state, order, config).total()),
        (Difference.WAREHOUSE_HAS_MORE, _astray(state, order).total()),
        (Difference.GOODS_OUT_TWICE, sum(len(one.doubles) for one in state.goods_outs)),
        (Difference.ERP_LACKS, _sold_otherwise(state, order)),
        *_despatches(state),
    ):
        if count:
            yield what, count


def _lacking(state: OrderState, order: Order, config: BrandConfig) -> PerLine:
    """Owed from warehouses of ours, and in no goods-out."""
    if not is_ours(state, config):
        return PerLine()
    owed = PerLine()
    for one in to_ship(order, config):
        for line in one.lines:
            owed[line.line] += line.remaining
    for known in state.goods_outs:
        if not known.missing:
            owed = owed - covers(state, known)
    return +owed


def _astray(state: OrderState, order: Order) -> PerLine:
    """What the warehouse works on and nobody is owed."""
    astray = PerLine()
    for known in state.goods_outs:
        if working(known):
            astray.update(covers(state, known) - despatched(known.goods_out))
    return astray - remaining(order)


def _sold_otherwise(state: OrderState, order: Order) -> int:
    """Units by which the ERP's sales order is another than the order is now."""
    left = left_in_all(state)
    wanted = PerLine(
        {
            line.id: max(line.current_quantity if order.cancelled_at is None else 0, left[line.id])
            for line in order.lines
            if line.requires_shipping or left[line.id]
        }
    )
    if state.erp is None:
        asked = any(covers(state, known) for known in state.goods_outs) or left
        return (+wanted).total() if asked else 0
    if order.cancelled_at is not None and not left:
        return 0  # it stays as it was sold until finance takes it back
    sold = PerLine()
    for sale_line in state.erp.lines:
        sold[sale_line.line] += sale_line.quantity
    return (wanted - sold).total() + (sold - wanted).total()


def _despatches(state: OrderState) -> Iterator[tuple[Difference, int]]:
    """What left, beside what is posted and told of it, per goods-out."""
    behind = ahead = untold = beyond = bare = 0
    for known in state.goods_outs:
        left, entered = despatched(known.goods_out), posted(state, known.reference)
        behind += (left - entered).total()
        ahead += (entered - left).total()
        untold += ((left & entered) - still_told(state, known)).total()
        beyond += (ever_told(state, known) - left).total()
        told = [one for one in fulfilments_of(state, known) if not one.cancelled]
        bare += bool(left) and (not tracking_numbers(known.goods_out) or any(not one.tracking_numbers for one in told))
    yield Difference.NOT_POSTED, behind
    yield Difference.POSTED_NOT_LEFT, ahead
    yield Difference.NOT_TOLD, untold
    yield Difference.TOLD_NOT_LEFT, beyond
    yield Difference.NO_TRACKING, bare
