"""What the shopper is told: what despatched *and* is posted, per goods-out and line, once, with its tracking."""

from collections.abc import Iterator
from datetime import timedelta

from schemas.base import LineId, System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, TellUnits, Tracking, UpdateTracking
from schemas.config import BrandConfig
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FulfilmentOrder, Order
from streams.rules.orders.findings import Finding, Look, Waiting, Wake, Wanted
from streams.rules.orders.state import KnownGoodsOut, OrderState, Telling
from streams.rules.orders.units import (
    RELEASABLE,
    PerLine,
    despatched,
    ever_told,
    fulfilments_of,
    posted,
    telling_in_flight,
    tracking_numbers,
)


def tell(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: `min(despatched, posted) - ever told`, capped by what the open fulfilment orders still allow."""
    order = state.shopify
    if order is None:
        return
    room = _room(order)
    for known in state.goods_outs:
        left = despatched(known.goods_out)
        owed = (left & posted(state, known.reference)) - ever_told(state, known)
        if not owed:
            continue
        yield Waiting(
            name=f"tell:{known.reference}",
            after=config.waits.told,
            code=CaseCode.NOT_TOLD,
            object=known.reference,
            detail=f"{owed.total()} units posted and not in Shopify yet",
            read=(System.SHOPIFY,),
        )
        if telling_in_flight(state, known.reference):
            yield _keep(state, known)
            continue
        lines = _place(owed, room, order)
        beyond = owed - _by_line(lines)
        if beyond and not _by_hand(state, order):
            yield Look(
                code=CaseCode.SHIPPED_NOT_OWED,
                object=known.reference,
                detail=f"{beyond.total()} units left that Shopify does not let us fulfil",
            )
        if not lines:
            continue
        numbers = _numbers(state, known)
        if not numbers and (wake := _tracking_wait(state, known, config)) is not None:
            yield wake
            continue
        yield _create(state, known, lines, numbers, config)


def _room(order: Order) -> PerLine:
    """Per line, what Shopify still lets us fulfil."""
    room: PerLine = PerLine()
    for one in order.fulfilment_orders:
        if _open(one):
            for line in one.lines:
                room[line.line] += line.remaining
    return room


def _open(one: FulfilmentOrder) -> bool:
    return one.status in RELEASABLE and one.can_fulfil


def _place(owed: PerLine, room: PerLine, order: Order) -> tuple[TellUnits, ...]:
    """The owed units on the lines of the open fulfilment orders, oldest first; lowers the room."""
    left = PerLine({line: min(quantity, room[line]) for line, quantity in owed.items()})
    placed = []
    for one in sorted((one for one in order.fulfilment_orders if _open(one)), key=lambda one: (len(one.id), one.id)):
        for line in one.lines:
            quantity = min(left[line.line], line.remaining)
            if quantity > 0:
                left[line.line] -= quantity
                room[line.line] -= quantity
                placed.append(
                    TellUnits(line=line.line, fulfilment_order=one.id, fulfilment_order_line=line.id, quantity=quantity)
                )
    return tuple(placed)


def _by_line(lines: tuple[TellUnits, ...]) -> PerLine:
    total: PerLine = PerLine()
    for unit in lines:
        total[unit.line] += unit.quantity
    return total


def _numbers(state: OrderState, known: KnownGoodsOut) -> tuple[str, ...]:
    """Tracking numbers not told yet; all of them again when every parcel is told but units were posted later."""
    every = tracking_numbers(known.goods_out)
    told = {number for one in fulfilments_of(state, known) for number in one.tracking_numbers}
    told |= {number for telling in _tellings(state, known) for number in telling.numbers}
    fresh = tuple(number for number in every if number not in told)
    if fresh or not every:
        return fresh
    whole = known.goods_out.status is GoodsOutStatus.COMPLETED
    return every if whole and all(package.tracking_number for package in known.goods_out.packages) else ()


def _tellings(state: OrderState, known: KnownGoodsOut) -> Iterator[Telling]:
    return (telling for telling in state.tellings if telling.goods_out == known.reference)


def _tracking_wait(state: OrderState, known: KnownGoodsOut, config: BrandConfig) -> Wake | None:
    """When tracking has been waited for long enough; None when that is past."""
    since = known.despatch_seen_at or state.now
    until = since + timedelta(seconds=config.waits.tracking)
    return Wake(at=until) if until > state.now else None


def _create(
    state: OrderState, known: KnownGoodsOut, lines: tuple[TellUnits, ...], numbers: tuple[str, ...], config: BrandConfig
) -> Wanted:
    order = state.shopify
    assert order is not None
    earlier = {one.id for one in order.fulfilments} | {telling.fulfilment for telling in state.tellings}
    return Wanted(
        kind=CreateFulfilment,
        system=System.SHOPIFY,
        object=f"fulfilment:{known.reference}",
        generation=1 + sum(1 for _ in _tellings(state, known)),
        fields={
            "goods_out": known.reference,
            "lines": lines,
            "tracking": _tracking(known, numbers, config),
            "notify": config.notify_shopper,
            "known_fulfilments": tuple(sorted(earlier)),
        },
        says=f"fulfilment of {sum(unit.quantity for unit in lines)} units of {known.reference} "
        + (f"with tracking {', '.join(numbers)}" if numbers else "without tracking"),
        keep_while_flying=True,
    )


def _keep(state: OrderState, known: KnownGoodsOut) -> Wanted:
    flying = state.flying(f"fulfilment:{known.reference}")
    assert flying is not None
    return Wanted(
        kind=CreateFulfilment,
        system=System.SHOPIFY,
        object=flying.object,
        generation=flying.generation,
        says="",
        keep_while_flying=True,
    )


def _tracking(known: KnownGoodsOut, numbers: tuple[str, ...], config: BrandConfig) -> Tracking:
    rule = config.carrier_of(known.goods_out.carrier)
    if rule is None:
        return Tracking(company=known.goods_out.carrier, numbers=numbers)
    urls = tuple(rule.url.replace("{number}", number) for number in numbers) if rule.url else ()
    return Tracking(company=rule.company, numbers=numbers, urls=urls)


def late_tracking(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: a parcel told without tracking gets it once it is there; a case while it is not."""
    for known in state.goods_outs:
        if not despatched(known.goods_out):
            continue
        bare = [telling for telling in _tellings(state, known) if not telling.numbers]
        shown = {one.id: one for one in fulfilments_of(state, known)}
        numbers = _numbers(state, known)
        for telling in bare:
            fulfilment = shown.get(telling.fulfilment)
            if fulfilment is not None and (fulfilment.cancelled or fulfilment.tracking_numbers):
                continue
            if numbers:
                yield Wanted(
                    kind=UpdateTracking,
                    system=System.SHOPIFY,
                    object=f"tracking:{telling.fulfilment}",
                    fields={
                        "fulfilment": telling.fulfilment,
                        "tracking": _tracking(known, numbers, config),
                        "notify": config.notify_shopper,
                    },
                    says=f"tracking {', '.join(numbers)} for the fulfilment of {known.reference}",
                )
            else:
                yield Look(code=CaseCode.TRACKING_MISSING, object=known.reference, detail="told without tracking")
        if not numbers and not bare and not tracking_numbers(known.goods_out):
            yield Waiting(
                name=f"tracking:{known.reference}",
                after=config.waits.tracking,
                code=CaseCode.TRACKING_MISSING,
                object=known.reference,
                detail="despatched, no tracking number yet",
                read=(System.CLARUS,),
            )


def _by_hand(state: OrderState, order: Order) -> PerLine:
    """Units that stand fulfilled in Shopify by nobody of us."""
    ours = {telling.fulfilment for telling in state.tellings}
    for known in state.goods_outs:
        ours |= {one.id for one in fulfilments_of(state, known)}
    total: PerLine = PerLine()
    for fulfilment in order.fulfilments:
        if fulfilment.id not in ours and not fulfilment.cancelled:
            for unit in fulfilment.lines:
                total[LineId(unit.line)] += unit.quantity
    return total


def told_otherwise(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: fulfilments made by hand, and ours cancelled by hand, are for a person; nothing is sent by itself."""
    order = state.shopify
    if order is None:
        return
    ours = {telling.fulfilment for telling in state.tellings}
    for known in state.goods_outs:
        ours |= {one.id for one in fulfilments_of(state, known)}
    under_way = any(isinstance(flying, CreateFulfilment) for flying in state.in_flight)
    covered = {line.line for known in state.goods_outs for line in known.goods_out.lines}
    for fulfilment in order.fulfilments:
        if fulfilment.cancelled and fulfilment.id in ours:
            yield Look(
                code=CaseCode.RESHIP, object=f"fulfilment {fulfilment.name or fulfilment.id}", detail="cancelled"
            )
        by_hand = fulfilment.id not in ours and not fulfilment.cancelled and not under_way
        if by_hand and any(unit.line in covered for unit in fulfilment.lines):
            yield Look(
                code=CaseCode.FULFILLED_BY_HAND,
                object=f"fulfilment {fulfilment.name or fulfilment.id}",
                detail=f"{sum(unit.quantity for unit in fulfilment.lines)} units without the warehouse's tracking",
            )


def refused_by_shopify(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a refusal that the next reading did not settle is a case."""
    for refusal in state.refusals:
        if refusal.system is System.SHOPIFY and (refusal.tries > 1 or refusal.code not in _SETTLED_BY_READING):
            said = " ".join(part for part in (refusal.code, refusal.field, refusal.text) if part)
            yield Look(code=CaseCode.SHOPIFY_REFUSED, object=refusal.object.partition(":")[2], detail=said)


_SETTLED_BY_READING = ("fulfilment_orders_changed", "unknown_fulfilment")
