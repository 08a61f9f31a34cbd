"""What happened in the warehouse or the shop after the release, that a person must settle or that we may cancel."""

from collections.abc import Iterator

from schemas.base import System
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.orders import Order
from streams.rules.orders.delivery import SHIPPING
from streams.rules.orders.edits import in_doubt, sent_elsewhere, sent_otherwise, to_replace, working
from streams.rules.orders.findings import Finding, Look, Waiting
from streams.rules.orders.mapping.shipping import named, shipping_rule
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.state import KnownGoodsOut, OrderState
from streams.rules.orders.units import (
    RELEASABLE,
    covers,
    despatched,
    ended_cleanly,
    ever_told,
    not_left,
    ordered,
    remaining,
    surplus,
    torn,
)


def undecided(state: OrderState) -> Iterator[KnownGoodsOut]:
    """Missing goods-outs, still owed, about which no person has decided."""
    closed = {one.object for one in state.closed_by_person if one.code is CaseCode.GOODS_OUT_MISSING}
    return (known for known in _missed(state) if known.reference not in closed)


def _missed(state: OrderState) -> Iterator[KnownGoodsOut]:
    if state.shopify is None or state.shopify_gone or not any(known.missing for known in state.goods_outs):
        return
    owed = remaining(state.shopify)
    for known in state.goods_outs:
        if known.missing and not known.given_up and covers(state, known) & owed and not in_doubt(state, known):
            yield known


def missing(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a goods-out that was there and is gone without our doing is a case; it is never created again by itself.

    While Clarus is doubted there is one case for all, not one per order.
    """
    open_already = {case.object for case in state.cases if case.code is CaseCode.GOODS_OUT_MISSING}
    for known in _missed(state):
        silent = state.clarus_doubted and known.reference not in open_already
        yield Waiting(
            name=f"missing:{known.reference}",
            after=0,
            code=None if silent else CaseCode.GOODS_OUT_MISSING,
            object=known.reference,
            detail=f"last seen {known.goods_out.status}, {ordered(known.goods_out).total()} units",
            read=(System.CLARUS,),
        )


def not_despatched(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: a goods-out in the warehouse is waited for until it has left."""
    for known in state.goods_outs:
        if working(known) and not_left(known.goods_out):
            yield Waiting(
                name=f"despatch:{known.reference}",
                after=config.waits.despatch,
                code=CaseCode.NOT_DESPATCHED,
                object=known.reference,
                detail=f"status {known.goods_out.status}",
                read=(System.CLARUS,),
            )


def short_closed(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: completed with fewer units than asked is not shipped: the rest is a case until refunded or sent again.

    So is what was cancelled when goods lay in totes already: where they are now is for a person to say.
    """
    order = state.shopify
    if order is None or state.shopify_gone or config.short_closed == "drop":
        return
    owed = remaining(order)
    for known in state.goods_outs:
        if not known.goods_out.status.ended or ended_cleanly(known) or known.given_up:
            continue
        lacking = not_left(known.goods_out) & owed
        if lacking:
            yield Look(
                code=CaseCode.SHORT_CLOSED,
                object=known.reference,
                detail=f"{lacking.total()} of {ordered(known.goods_out).total()} units did not leave",
            )


def over_despatched(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: units beyond what was asked are reported; they are neither told nor posted."""
    for known in state.goods_outs:
        beyond = surplus(known.goods_out)
        if beyond:
            yield Look(code=CaseCode.OVER_DESPATCHED, object=known.reference, detail=f"{beyond} units too many")


def half_a_kit(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: only whole bundles are posted and told; one that left in part is a case until the rest has left."""
    for known in state.goods_outs:
        if known.given_up:
            continue
        for line, count in sorted(torn(known.goods_out).items()):
            missing_parts = sorted(
                part.sku for part in known.goods_out.lines if part.line == line and part.despatched < part.ordered
            )
            yield Look(
                code=CaseCode.HALF_A_KIT,
                object=f"{known.reference} line {line}",
                detail=f"{count} left in part, lacking {', '.join(missing_parts)}",
            )


def undespatched(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: nothing told is untold; more told than has left is a case. The despatch was taken back after the telling,
    or somebody told twice.
    """
    for known in state.goods_outs:
        beyond = ever_told(state, known) - despatched(known.goods_out)
        if beyond:
            taken_back = sum(line.despatched for line in known.goods_out.lines) < known.most_despatched
            why = "taken back" if taken_back else "not despatched"
            yield Look(code=CaseCode.UNDESPATCHED, object=known.reference, detail=f"{beyond.total()} units told, {why}")


def changed(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what a warehouse still works on must be what Shopify still wants from that warehouse."""
    order = state.shopify
    if order is None or order.cancelled_at is not None or not any(map(working, state.goods_outs)):
        return
    wanted = _wanted_by_warehouse(order, config)
    replaced = {known.reference for known in to_replace(state, order, config)}
    for known in sorted(state.goods_outs, key=working):  # first what has left and waits to be told
        room = wanted.setdefault(_counted_in(known, order, config), PerLine())
        open_units = covers(state, known)
        astray = open_units - room
        room.subtract(open_units & room)
        if not working(known):
            continue
        if known.reference in replaced:
            continue
        if sent_elsewhere(known, order):
            yield Look(
                code=CaseCode.CHANGED_AFTER_RELEASE,
                object=f"{known.reference} address",
                detail="the delivery address is another than the one the warehouse has",
            )
        if sent_otherwise(known, order, config):
            yield Look(
                code=CaseCode.CHANGED_AFTER_RELEASE,
                object=f"{known.reference} shipping",
                detail=f"to go by {_goes_by(order, config)}; the warehouse has {_was_to_go(known)}",
            )
        if astray:
            yield Look(
                code=CaseCode.CHANGED_AFTER_RELEASE,
                object=known.reference,
                detail=f"{astray.total()} units in {known.goods_out.warehouse} that Shopify holds or wants elsewhere",
            )


def _goes_by(order: Order, config: BrandConfig) -> str:
    rule = shipping_rule(order, config)
    meant = "which no rule knows" if rule is None else f"{rule.carrier}/{rule.service}"
    return f"{named(order.shipping_lines[0])} now, {meant}"


def _was_to_go(known: KnownGoodsOut) -> str:
    assert known.sent_by is not None
    return f"{known.sent_by.carrier}/{known.sent_by.service}"


def _counted_in(known: KnownGoodsOut, order: Order, config: BrandConfig) -> str:
    """Its warehouse. One that no location has any more, because another took its place in the configuration, still
    sends what it has: there is nothing that Shopify would want elsewhere.
    """
    warehouse = known.goods_out.warehouse
    if config.locations_of(warehouse):
        return warehouse
    own = next((one for one in order.fulfilment_orders if one.id == known.fulfilment_order), None)
    return (None if own is None else config.warehouse_of(own.location)) or warehouse


def _wanted_by_warehouse(order: Order, config: BrandConfig) -> dict[str, PerLine]:
    wanted: dict[str, PerLine] = {}
    for one in order.fulfilment_orders:
        warehouse = config.warehouse_of(one.location)
        if one.status in RELEASABLE and one.method == SHIPPING and warehouse is not None:
            room = wanted.setdefault(warehouse, PerLine())
            for line in one.lines:
                room[line.line] += line.remaining
    return wanted


def gone(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: an order that Shopify no longer has, while the warehouse does, is a case."""
    if state.shopify_gone and state.goods_outs:
        yield Look(code=CaseCode.ORDER_GONE, object=state.order, detail=f"{len(state.goods_outs)} goods-outs")


def unreadable(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: an answer that could not be understood is a case until a later one can."""
    for unread in state.unreadable:
        yield Look(code=CaseCode.SNAPSHOT_UNREADABLE, object=f"{state.order} in {unread.system}", detail=unread.reason)
