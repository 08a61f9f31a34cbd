"""What we take back ourselves: goods-outs nobody has begun, of a cancelled order or of one that was edited since.

A cancel carries `only_if`: when the floor was faster it is refused, and from then on it is a person's. What replaces a
goods-out is planned by the release when the one before is seen cancelled or gone, never earlier.
"""

from collections.abc import Iterator

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut
from schemas.config import BrandConfig
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import Order
from streams.rules.orders.addresses import address_lacks
from streams.rules.orders.findings import Finding, Look, Waiting, Wanted
from streams.rules.orders.mapping.shipping import named, shipping_rule
from streams.rules.orders.once import once
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.state import KnownGoodsOut, OrderState, address_mark
from streams.rules.orders.units import covers, remaining, remaining_of

UNTOUCHED = (GoodsOutStatus.DRAFT, GoodsOutStatus.PENDING)


def cancelled(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: a cancelled order's goods-outs are cancelled while nobody has begun; from then on it is a person's, who is
    asked once however far the floor is.
    """
    order = state.shopify
    if order is None or order.cancelled_at is None:
        return
    for known in state.goods_outs:
        if not working(known):
            continue
        if known.goods_out.status in UNTOUCHED:
            yield from _cancel(known, CaseCode.CANCELLED_AFTER_RELEASE, "order cancelled", config)
        else:
            yield Look(
                code=CaseCode.CANCELLED_AFTER_RELEASE,
                object=known.reference,
                detail="order cancelled, and somebody has begun on the goods-out",
            )


def edited(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: a goods-out nobody has begun that is for more than is still wanted, goes to an old address, or by
    what the shopper chose before, is cancelled; the release makes the next one when it is gone.
    """
    order = state.shopify
    if order is not None and order.cancelled_at is None:
        doubtful = (known for known in state.goods_outs if in_doubt(state, known))
        for known in (*to_replace(state, order, config), *doubtful):
            yield from _cancel(known, CaseCode.CHANGED_AFTER_RELEASE, "order edited", config)


@once
def to_replace(state: OrderState, order: Order, config: BrandConfig) -> tuple[KnownGoodsOut, ...]:
    """Goods-outs nobody has begun that are not what the shopper wants any more.

    Units that are held or moved are still wanted: those are a person's, who knows how long. Of several goods-outs of
    one fulfilment order those that left or that somebody has begun go before, then the older ones.
    """
    untouched = [one for one in state.goods_outs if working(one) and one.goods_out.status in UNTOUCHED]
    if not untouched:
        return ()
    too_many = PerLine()
    own = {one.id: remaining_of(one) for one in order.fulfilment_orders if not one.status.ended}
    for known in state.goods_outs:
        units = covers(state, known)
        too_many.update(units)
        if known not in untouched:
            own[known.fulfilment_order] = own.get(known.fulfilment_order, PerLine()) - units
    too_many -= remaining(order)
    found = []
    for known in sorted(untouched, key=lambda one: one.generation):
        units, wanted = covers(state, known), own.get(known.fulfilment_order, PerLine())
        here = (units - wanted) & too_many
        moved = sent_elsewhere(known, order) and not address_lacks(order.personal.ship_to, config)
        if here or moved or (sent_otherwise(known, order, config) and shipping_rule(order, config) is not None):
            too_many -= units
            found.append(known)
        else:
            own[known.fulfilment_order] = wanted - units
    return tuple(found)


def sent_elsewhere(known: KnownGoodsOut, order: Order) -> bool:
    """Whether the warehouse has another delivery address than the order."""
    to = order.personal.ship_to
    return bool(known.sent_to) and to is not None and address_mark(known.reference, to) != known.sent_to


def sent_otherwise(known: KnownGoodsOut, order: Order, config: BrandConfig) -> bool:
    """Whether the order has another shipping line than it was released by, which means another carrier or service or
    nothing that is known. What the rules say of the same line may change; what was released goes as it was.
    """
    was = known.sent_by
    if was is None or not was.shipping_line or not order.shipping_lines:
        return False
    if named(order.shipping_lines[0]) == was.shipping_line:
        return False
    rule = shipping_rule(order, config)
    return rule is None or (rule.carrier, rule.service) != (was.carrier, was.service)


@once
def working(known: KnownGoodsOut) -> bool:
    """Whether the warehouse has it and may still do something with it."""
    return not (known.goods_out.status.ended or known.missing or known.gone or known.given_up)


def in_doubt(state: OrderState, known: KnownGoodsOut) -> bool:
    """Whether it is missing, was last seen in a state in which a cancel deletes it, and a cancel of ours has no clear
    end: that may be why. It is tried until a look says so; nobody need be asked then, and what replaces it may follow.
    """
    if not known.missing or known.given_up or known.goods_out.status not in UNTOUCHED:
        return False
    wanted = _cancel_of(known)
    return state.flying(wanted) is not None or any(delay.object == wanted for delay in state.delays)


def _cancel_of(known: KnownGoodsOut) -> str:
    return f"cancel:{known.reference}"


def _cancel(known: KnownGoodsOut, code: CaseCode, why: str, config: BrandConfig) -> Iterator[Finding]:
    yield Wanted(
        kind=CancelGoodsOut,
        system=System.CLARUS,
        object=_cancel_of(known),
        fields={"reference": known.reference, "goods_out": known.goods_out.id, "only_if": UNTOUCHED},
        says=f"cancel of {known.reference}",
    )
    yield Waiting(
        name=f"cancel:{known.reference}",
        after=config.waits.goods_out,
        code=code,
        object=known.reference,
        detail=f"{why}, the cancel of the goods-out has not come through",
        read=(System.CLARUS,),
    )
