"""What the warehouse should be asked for: units that are owed, allowed to leave and covered by no goods-out."""

from collections.abc import Collection, Iterator

from schemas.base import FulfilmentOrderId, GoodsOutRef, Sku, System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut, GoodsOutUnits
from schemas.config import BrandConfig
from schemas.orders import Address, FulfilmentOrder, Order
from schemas.references import goods_out_reference, read_reference
from streams.rules.orders.delivery import may_release, to_ship
from streams.rules.orders.edits import working
from streams.rules.orders.findings import Finding, Look, Waiting, Wanted
from streams.rules.orders.mapping.instructions import instructions
from streams.rules.orders.mapping.products import units_of
from streams.rules.orders.mapping.shipping import named, priority, shipping_rule
from streams.rules.orders.per_line import PerLine
from streams.rules.orders.readiness import free_units, is_ours, keeping_back
from streams.rules.orders.state import KnownGoodsOut, OrderState, Refusal
from streams.rules.orders.units import ended_cleanly, may_owe, not_left


def release(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: each fulfilment order that may leave gets a goods-out for the units no other goods-out covers.

    A create in flight is wanted as long as it would still be allowed; otherwise `plan` withdraws it.
    """
    order = state.shopify
    if order is None or not is_ours(state, config):
        return
    if must_read_first(state):
        yield Waiting(
            name="first-read",
            after=config.waits.goods_out,
            code=CaseCode.CLARUS_SLOW,
            object=state.order,
            detail="begun before we knew it; Clarus and the ERP have not said what they have",
            read=(System.CLARUS, System.ERP),
        )
        return
    ready = [one for one in to_ship(order, config) if may_release(one, config, state.now)]
    if not ready or not may_owe(state, order) or keeping_back(state, order, config):
        return
    creates = {create.fulfilment_order: create for create in reversed(state.creates_in_flight)}
    free = {} if all(one.id in creates for one in ready) else free_units(state, order, config)
    strange = {sku for known in state.goods_outs for sku in strange_skus(known)}
    for one in ready:
        flying = creates.get(one.id)
        if flying is not None:
            yield _again(flying)
            continue
        lines = _take(one, free[one.id], strange, config)
        if lines:
            yield from _asked_for(state, order, one, lines, config)


def _asked_for(
    state: OrderState, order: Order, one: FulfilmentOrder, lines: tuple[GoodsOutUnits, ...], config: BrandConfig
) -> Iterator[Finding]:
    if state.clarus_doubted:
        # Clarus lost sight of much at once: what it does not show cannot be believed absent, so nothing is created.
        yield Waiting(name="clarus-doubted", after=config.waits.goods_out, read=(System.CLARUS,))
        return
    try:
        create = _create(state, order, one, lines, config)
    except ValueError as error:
        yield Look(code=CaseCode.CLARUS_REFUSED, object=state.order, detail=f"no reference for it: {error}")
        return
    yield create
    if config.mode == "live":  # what is not sent is not late
        yield _waited(state, create.fields["reference"], config)


def strange_skus(known: KnownGoodsOut) -> frozenset[Sku]:
    """SKUs that a person put into a goods-out of this order: nobody knows which lines they are meant for."""
    if known.given_up or known.missing or ended_cleanly(known):
        return frozenset()
    return frozenset(line.sku for line in known.goods_out.lines if not line.line)


def strange(state: OrderState, _config: BrandConfig) -> Iterator[Finding]:
    """Rule: what stands under our reference and was not made by us is a case; what it may hold is not sent again."""
    for known in state.goods_outs:
        skus = strange_skus(known)
        if skus:
            yield Look(
                code=CaseCode.UNKNOWN_GOODS_OUT,
                object=known.reference,
                detail=f"lines that are not ours: {', '.join(sorted(skus))}",
            )
        if known.doubles:
            yield Look(
                code=CaseCode.UNKNOWN_GOODS_OUT,
                object=f"{known.reference} twice",
                detail=f"goods-outs {', '.join(known.doubles)} bear the same reference as {known.goods_out.id}",
            )


def instructed(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: where the shopper's wishes did not go along whole, somebody reads them before the parcel is packed."""
    order = state.shopify
    if order is None or not any(map(_to_pack, state.goods_outs)):
        return
    said = instructions(order, config)
    if said.cut:
        detail = f"{said.length} characters, {config.instructions.most} went along"
        yield Look(code=CaseCode.INSTRUCTIONS_CUT, object=state.order, detail=detail)


def _to_pack(known: KnownGoodsOut) -> bool:
    """Whether something of it has still to leave. That all of it left is seen before the status that says so."""
    return working(known) and bool(not_left(known.goods_out))


def under_way(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: the outcome of every create is waited for, also of one not wanted any more: its units count till then."""
    for create in state.creates_in_flight:
        yield _waited(state, create.reference, config)


def _waited(state: OrderState, reference: GoodsOutRef, config: BrandConfig) -> Waiting:
    """For the goods-out to be there; a refusal is a case of its own, a delay says why."""
    wanted = f"goods-out:{reference}"
    refused = any(refusal.object == wanted for refusal in state.refusals)
    why = next((delay.why for delay in state.delays if delay.object == wanted), "no answer yet")
    return Waiting(
        name=f"create:{reference}",
        after=config.waits.goods_out,
        code=None if refused else CaseCode.CLARUS_SLOW,
        object=reference,
        detail=f"sent to Clarus: {why}",
    )


def must_read_first(state: OrderState) -> bool:
    """A key that had begun before we ever saw it: ask what Clarus and the ERP have before adding to it."""
    return state.began_unseen and not (state.clarus_read and state.erp_read)


def _take(
    one: FulfilmentOrder, free: PerLine, strange: Collection[Sku], config: BrandConfig
) -> tuple[GoodsOutUnits, ...]:
    """Units of this fulfilment order that may still be released, without SKUs a person has in the warehouse."""
    left = PerLine(free)
    lines: list[GoodsOutUnits] = []
    for line in one.lines:
        quantity = min(line.remaining, left[line.line])
        picked = units_of(line, quantity, config) if quantity > 0 else ()
        if picked and not any(unit.sku in strange for unit in picked):
            left[line.line] -= quantity
            lines.extend(picked)
    return tuple(sorted(lines, key=lambda unit: (len(unit.line), unit.line)))


def next_generation(state: OrderState, fulfilment_order: FulfilmentOrderId) -> int:
    """One more than any goods-out of this fulfilment order ever had."""
    used = [known.generation for known in state.goods_outs if known.fulfilment_order == fulfilment_order]
    return max(used, default=0) + 1


def _create(
    state: OrderState, order: Order, one: FulfilmentOrder, lines: tuple[GoodsOutUnits, ...], config: BrandConfig
) -> Wanted:
    rule = shipping_rule(order, config)
    assert rule is not None, "an order without a shipping rule is held"
    generation = next_generation(state, one.id)
    reference = goods_out_reference(config.reference_prefix, state.order, one.id, generation)
    return Wanted(
        kind=CreateGoodsOut,
        system=System.CLARUS,
        object=f"goods-out:{reference}",
        generation=generation,
        fields={
            "reference": reference,
            "order_name": order.name,
            "fulfilment_order": one.id,
            "location": one.location,
            "account": config.account,
            "warehouse": config.warehouse_of(one.location),
            "carrier": rule.carrier,
            "service": rule.service,
            "shipping_line": named(order.shipping_lines[0]),
            "priority": priority(order, rule, config),
            "order_notes": instructions(order, config).text,
            "ship_to": order.personal.ship_to or Address(),
            "lines": lines,
            "known_goods_outs": tuple(known.reference for known in state.goods_outs),
        },
        says=f"goods-out {reference} in {config.warehouse_of(one.location)} by {rule.carrier}/{rule.service}: "
        + ", ".join(f"{unit.quantity} x {unit.sku}" for unit in lines),
    )


def _again(flying: CreateGoodsOut) -> Wanted:
    """The create in flight is still wanted as it is; a change of mind waits for its outcome."""
    return Wanted(
        kind=CreateGoodsOut,
        system=System.CLARUS,
        object=flying.object,
        says="",
        keep_while_flying=True,
    )


def refused_by_clarus(state: OrderState, config: BrandConfig) -> Iterator[Finding]:
    """Rule: what Clarus refused is a case that names the field, until it is accepted or not wanted any more.

    Where items come from the ERP, a product that is missing is waited for first.
    """
    for refusal in state.refusals:
        if refusal.system is not System.CLARUS:
            continue
        if refusal.lacks and config.items.writes:
            reference, detail = _reference_in(refusal.object), ", ".join(refusal.lacks)
            yield Waiting(
                name=f"item:{reference}",
                after=config.items.patience,
                code=_code_of(refusal),
                object=reference,
                detail=detail,
            )
        else:
            yield Look(code=_code_of(refusal), object=_reference_in(refusal.object), detail=_said(refusal))


def _code_of(refusal: Refusal) -> CaseCode:
    match refusal.code:
        case "unknown_sku":
            return CaseCode.UNKNOWN_SKU
        case "unknown_goods_out":
            return CaseCode.UNKNOWN_GOODS_OUT
        case _:
            return CaseCode.CLARUS_REFUSED


def _said(refusal: Refusal) -> str:
    """Code, field and text; the connectors keep personal values out of them."""
    return " ".join(part for part in (refusal.code, refusal.field, refusal.text) if part)


def _reference_in(name: str) -> str:
    reference = name.partition(":")[2]
    return reference if read_reference(reference) is not None else name
