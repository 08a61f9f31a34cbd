"""What the shopper is told: what despatched *and* is posted, per goods-out and line, once, with its tracking."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from schemas.base import GoodsOutRef, System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, TellUnits, Tracking, UpdateTracking
from schemas.config import BrandConfig
from schemas.goods_outs import GoodsOutStatus, Package
from schemas.orders import FulfilmentOrder, Order
from streams.rules.orders.by_hand import warehouse_units_told_by_hand
from streams.rules.orders.findings import Finding, Look, Waiting, Wake, Wanted
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.state import Closed, KnownGoodsOut, OrderState, Telling
from streams.rules.orders.units import (
    RELEASABLE,
    despatched,
    ever_told,
    fulfilments_of,
    numbers_of,
    posted,
    tracking_numbers,
)


def tell(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: `min(despatched, posted) - ever told`, capped by what the open fulfilment orders still allow. Nobody can be
    told of an order that Shopify no longer has.
    """
    order = state.shopify
    if order is None or state.shopify_gone:
        return
    left = [known for known in state.goods_outs if despatched(known.goods_out)]
    if not left:
        return
    room, by_hand = _room(order), warehouse_units_told_by_hand(state, order, config)
    for known in left:
        settled = despatched(known.goods_out) & posted(state, known.reference)
        owed = settled - ever_told(state, known)
        flying = _telling_in_flight(state, known)
        if flying is not None:
            if not told_by(flying) - (settled - ever_told(state, known, among=flying.known_fulfilments)):
                yield _keep(flying)
            room.subtract(told_by(flying) & owed)  # until a reading shows it
            if owed:
                yield _waited(known, owed, config)
            continue
        if owed and not _shown(state, known, order):
            yield _waited(known, owed, config)
            continue
        owed, by_hand = owed - by_hand, by_hand - owed
        lines = _place(known, owed, room, order)
        if lines:
            yield _waited(known, _by_line(lines), config)
        beyond = owed - _by_line(lines)
        if beyond:
            yield _not_owed(state, known, beyond)
        if not lines:
            continue
        numbers = _numbers(state, known, _bare(state, known))
        if not numbers and (wake := _tracking_wait(state, known, config)) is not None:
            yield wake
            continue
        yield _create(state, known, _of_one_place(lines, order), numbers, config)


def _waited(known: KnownGoodsOut, units: PerLine, config: BrandConfig) -> Waiting:
    """For Shopify to show it."""
    return Waiting(
        name=f"tell:{known.reference}",
        after=config.waits.told,
        code=CaseCode.NOT_TOLD,
        object=known.reference,
        detail=f"{units.total()} units posted and not in Shopify yet",
        read=(System.SHOPIFY,),
    )


def _not_owed(state: OrderState, known: KnownGoodsOut, units: PerLine) -> Finding:
    """A case; Shopify is read meanwhile, for a hold that ends moves no date there: without its webhook only that shows
    it. An order that is cancelled, or that a person has judged, is left alone.
    """
    code, detail = CaseCode.SHIPPED_NOT_OWED, f"{units.total()} units left that Shopify does not let us fulfil"
    judged = any(closed.code is code and closed.object == known.reference for closed in state.closed_by_person)
    if judged or state.shopify is None or state.shopify.cancelled_at is not None:
        return Look(code=code, object=known.reference, detail=detail)
    name, read = f"not-owed:{known.reference}", (System.SHOPIFY,)
    return Waiting(name=name, after=0, code=code, object=known.reference, detail=detail, read=read)


def _shown(state: OrderState, known: KnownGoodsOut, order: Order) -> bool:
    """Whether Shopify shows all that was told of it: until then its fulfilment orders seem to have more left."""
    return {telling.fulfilment for telling in _tellings(state, known)} <= {one.id for one in order.fulfilments}


def _telling_in_flight(state: OrderState, known: KnownGoodsOut) -> CreateFulfilment | None:
    flying = state.flying(fulfilment_object(known.reference))
    return flying if isinstance(flying, CreateFulfilment) else None


def fulfilment_object(reference: GoodsOutRef) -> str:
    """What commands call the fulfilment of a goods-out."""
    return f"fulfilment:{reference}"


def told_by(command: CreateFulfilment) -> PerLine:
    """The units a command tells."""
    return _by_line(command.lines)


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


def _place(known: KnownGoodsOut, owed: PerLine, room: PerLine, order: Order) -> tuple[TellUnits, ...]:
    """The owed units on open fulfilment orders, its own first, then the oldest; lowers the room."""
    left = PerLine({line: min(quantity, room[line]) for line, quantity in owed.items()})
    placed = []
    own_first = sorted(
        (one for one in order.fulfilment_orders if _open(one)),
        key=lambda one: (one.id != known.fulfilment_order, len(one.id), one.id),
    )
    for one in own_first:
        for line in one.lines:
            quantity = min(left[line.line], line.remaining)
            if quantity > 0:
                left[line.line] -= quantity
                room[line.line] -= quantity
                placed.append(
                    TellUnits(line=line.line, fulfilment_order=one.id, fulfilment_order_line=line.id, quantity=quantity)
                )
    return tuple(placed)


def _of_one_place(lines: tuple[TellUnits, ...], order: Order) -> tuple[TellUnits, ...]:
    """Shopify makes a fulfilment of one location (Admin API 2026-10, fulfillmentCreate): the first one's share of what
    was routed, split or moved elsewhere since its release. The others' follow, each when the last one is there.
    """
    places = {one.id: one.location for one in order.fulfilment_orders}
    here = places[lines[0].fulfilment_order]
    return tuple(unit for unit in lines if places[unit.fulfilment_order] == here)


def _by_line(lines: tuple[TellUnits, ...]) -> PerLine:
    total: PerLine = PerLine()
    for unit in lines:
        total[unit.line] += unit.quantity
    return total


def _numbers(state: OrderState, known: KnownGoodsOut, before: Sequence[Telling]) -> tuple[str, ...]:
    """Tracking numbers for the telling after these, which wait for theirs; all there are when no parcel is left for it
    but units were posted later.
    """
    fresh = numbers_of(_untold(state, known)[len(before) :])
    whole = known.goods_out.status is GoodsOutStatus.COMPLETED
    if fresh or not whole or not all(package.tracking_number for package in known.goods_out.packages):
        return fresh
    return tracking_numbers(known.goods_out)


def _untold(state: OrderState, known: KnownGoodsOut) -> tuple[Package, ...]:
    """Parcels whose number nobody was told, or is not there yet."""
    told = {number for one in fulfilments_of(state, known) for number in one.tracking_numbers}
    told |= {number for telling in _tellings(state, known) for number in telling.numbers}
    return tuple(package for package in known.goods_out.packages if package.tracking_number not in told)


def _bare(state: OrderState, known: KnownGoodsOut) -> tuple[Telling, ...]:
    """Tellings that wait for tracking. A person may have given it, or taken the fulfilment back."""
    shown = {one.id: one for one in fulfilments_of(state, known)}
    settled = {id_ for id_, one in shown.items() if one.cancelled or one.tracking_numbers}
    return tuple(one for one in _tellings(state, known) if not one.numbers and one.fulfilment not in settled)


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
        object=fulfilment_object(known.reference),
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
    )


def _keep(flying: CreateFulfilment) -> Wanted:
    return Wanted(
        kind=CreateFulfilment,
        system=System.SHOPIFY,
        object=flying.object,
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
    """Rule: a parcel told without tracking gets it once it is there; a case while it is not. So does the number of a
    second parcel that came when all was told with the first one's.
    """
    if state.shopify is None or state.shopify_gone:
        return
    for known in state.goods_outs:
        if not despatched(known.goods_out):
            continue
        for telling, numbers in _late(state, known):
            if numbers:
                yield from _added(known, telling, numbers, config)
            else:
                yield _lacking(state, known, "told without tracking", 0)
        numbered = all(telling.numbers for telling in _tellings(state, known))
        if numbered and (further := _further(state, known)) is not None:
            yield from _added(known, *further, config)
        if numbered and not tracking_numbers(known.goods_out):
            yield _lacking(state, known, "despatched, no tracking number yet", config.waits.tracking)


def _late(state: OrderState, known: KnownGoodsOut) -> Iterator[tuple[Telling, tuple[str, ...]]]:
    """Tellings that wait for tracking, each with what is there for it. Parcels leave in the order in which they are
    told of: each has its own, and the newest all the rest, unless there is more to tell.
    """
    bare = _bare(state, known)
    if not bare:
        return
    untold = _untold(state, known)
    more = bool(despatched(known.goods_out) - ever_told(state, known))
    for place, telling in enumerate(bare):
        has_rest = not more and place == len(bare) - 1
        own = untold[place:] if has_rest else untold[place : place + 1]
        yield telling, numbers_of(own) if own else _numbers(state, known, bare)


def _lacking(state: OrderState, known: KnownGoodsOut, detail: str, after: int) -> Finding:
    """A case; Clarus is read meanwhile, until a person has judged it: what goes as a letter may have no number."""
    look = Look(code=CaseCode.TRACKING_MISSING, object=known.reference, detail=detail)
    if Closed(code=look.code, object=look.object, detail=detail) in state.closed_by_person:
        return look
    name, read = f"tracking:{known.reference}", (System.CLARUS,)
    return Waiting(name=name, after=after, code=look.code, object=look.object, detail=detail, read=read)


def _added(known: KnownGoodsOut, telling: Telling, numbers: tuple[str, ...], config: BrandConfig) -> Iterator[Finding]:
    yield Waiting(
        name=f"track:{telling.fulfilment}",
        after=config.waits.told,
        code=CaseCode.NOT_TOLD,
        object=f"{known.reference} tracking",
        detail="the tracking is known and not in Shopify yet",
        read=(System.SHOPIFY,),
    )
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


def _further(state: OrderState, known: KnownGoodsOut) -> tuple[Telling, tuple[str, ...]] | None:
    """The newest telling, and its numbers with those that came when there was nothing left to tell them with. None also
    where a person took the fulfilment back or gave it a number.
    """
    tellings, fresh = tuple(_tellings(state, known)), numbers_of(_untold(state, known))
    whole = known.goods_out.status is GoodsOutStatus.COMPLETED
    if not (tellings and fresh and whole) or despatched(known.goods_out) - ever_told(state, known):
        return None
    newest = tellings[-1]
    shown = next((one for one in fulfilments_of(state, known) if one.id == newest.fulfilment), None)
    if shown is not None and (shown.cancelled or not set(shown.tracking_numbers) <= set(newest.numbers)):
        return None
    return newest, (*newest.numbers, *fresh)


def refused_by_shopify(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: a refusal that the next reading did not settle is a case."""
    for refusal in state.refusals:
        if refusal.system is System.SHOPIFY and (refusal.tries > 1 or refusal.code not in _SETTLED_BY_READING):
            said = " ".join(part for part in (refusal.code, refusal.field, refusal.text) if part)
            yield Look(code=CaseCode.SHOPIFY_REFUSED, object=refusal.object.partition(":")[2], detail=said)


_SETTLED_BY_READING = ("fulfilment_orders_changed", "unknown_fulfilment")
