"""What an event adds to what is known. No decision is made here."""

from datetime import datetime, timedelta

from schemas.base import FulfilmentId, GoodsOutId, System, Units
from schemas.commands import (
    CancelGoodsOut,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    PostFulfilment,
    UpdateTracking,
    UpsertErpOrder,
    Withdraw,
)
from schemas.events import (
    CommandEnded,
    ConfigChanged,
    ConnectionSeen,
    ErpOrderSeen,
    GoodsOutsSeen,
    OperatorActed,
    OrderEvent,
    Seen,
    ShopifyOrderSeen,
    SnapshotUnreadable,
    Source,
)
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus
from schemas.outcomes import Outcome, OutcomeKind
from schemas.references import read_reference
from streams.rules.orders.state import (
    Closed,
    Delay,
    Done,
    KnownGoodsOut,
    OrderState,
    Reached,
    Refusal,
    Telling,
    Unread,
)


def is_repeated(state: OrderState, source: Source | None) -> bool:
    """Whether this very record of a source topic has been folded: at or below the offset reached there."""
    if source is None:
        return False
    return any(
        source.offset <= reached.offset
        for reached in state.seen
        if (reached.topic, reached.cluster, reached.partition) == (source.topic, source.cluster, source.partition)
    )


def absorb(state: OrderState, event: OrderEvent, at: datetime, offset: int) -> OrderState:
    """The next state. `at` is the broker's append time of the event: `now` never goes back.

    Callers check `is_repeated` first; an event of a lower epoch than the key's only causes a read.
    """
    state = state.model_copy(
        update={"now": max(at, state.now), "last_offset": offset, "seen": _reach(state, event.source)}
    )
    if isinstance(event, Seen):
        system = _system_of(event)
        if event.epoch < state.epochs.of(system):
            return _asking(state, system)
        state = state.model_copy(
            update={
                "epochs": state.epochs.with_(system, event.epoch),
                "unreadable": tuple(unread for unread in state.unreadable if unread.system is not system),
            }
        )
    match event:
        case ShopifyOrderSeen():
            return _shopify(state, event)
        case GoodsOutsSeen():
            return _clarus(state, event)
        case ErpOrderSeen():
            return _erp(state, event)
        case CommandEnded():
            return _ended(state, event)
        case ConnectionSeen():
            return state.model_copy(update={"connection": event.state, "connection_text": event.text})
        case SnapshotUnreadable():
            kept = tuple(unread for unread in state.unreadable if unread.system is not event.system)
            return state.model_copy(update={"unreadable": (*kept, Unread(system=event.system, reason=event.reason))})
        case OperatorActed():
            return _operator(state, event)
        case ConfigChanged() | _:
            return state


def _reach(state: OrderState, source: Source | None) -> tuple[Reached, ...]:
    if source is None:
        return state.seen
    others = tuple(
        reached
        for reached in state.seen
        if (reached.topic, reached.cluster, reached.partition) != (source.topic, source.cluster, source.partition)
    )
    reached = Reached(topic=source.topic, cluster=source.cluster, partition=source.partition, offset=source.offset)
    return tuple(sorted((*others, reached), key=lambda one: (one.topic, one.cluster, one.partition)))


def _system_of(event: Seen) -> System:
    match event:
        case ShopifyOrderSeen():
            return System.SHOPIFY
        case GoodsOutsSeen():
            return System.CLARUS
        case _:
            return System.ERP


def _asking(state: OrderState, *systems: System) -> OrderState:
    wanted = set(state.ask) | set(systems)
    return state.model_copy(update={"ask": tuple(system for system in System if system in wanted)})


def _shopify(state: OrderState, event: ShopifyOrderSeen) -> OrderState:
    if event.snapshot is None:
        return state.model_copy(update={"shopify_gone": state.shopify is not None})
    before = state.shopify
    state = state.model_copy(update={"shopify": event.snapshot, "shopify_gone": False})
    began_elsewhere = any(order.status.ended for order in event.snapshot.fulfilment_orders) or bool(
        event.snapshot.fulfilments
    )
    if before is None and began_elsewhere:
        return _asking(state, System.CLARUS, System.ERP)
    return state


def _clarus(state: OrderState, event: GoodsOutsSeen) -> OrderState:
    shown = {goods_out.reference: goods_out for goods_out in event.goods_outs}
    known: list[KnownGoodsOut] = []
    newly_absent = False
    for one in state.goods_outs:
        now_shown = shown.pop(one.reference, None)
        if now_shown is not None:
            known.append(_updated(one, now_shown, state.now))
        elif event.complete:
            newly_absent = newly_absent or one.absent == 0
            known.append(one.model_copy(update={"absent": one.absent + 1}))
        else:
            known.append(one)
    known.extend(_adopted(goods_out, state.now) for goods_out in shown.values())
    known.sort(key=lambda one: one.reference)
    state = state.model_copy(update={"goods_outs": tuple(known), "clarus_read": state.clarus_read or event.complete})
    return _asking(state, System.CLARUS) if newly_absent else state


def _updated(known: KnownGoodsOut, shown: GoodsOut, now: datetime) -> KnownGoodsOut:
    units = sum(line.despatched for line in shown.lines)
    update: dict[str, object] = {"goods_out": shown, "absent": 0}
    if units > known.most_despatched:
        update |= {"most_despatched": units, "despatch_seen_at": now}
    return known.model_copy(update=update)


def _adopted(shown: GoodsOut, now: datetime) -> KnownGoodsOut:
    """One we did not know: made by a create whose answer was lost, or by a person under our reference."""
    read = read_reference(shown.reference)
    bare = KnownGoodsOut(
        goods_out=shown,
        fulfilment_order=read[2] if read is not None else "",
        generation=read[3] if read is not None else 0,
    )
    return _updated(bare, shown, now)


def _erp(state: OrderState, event: ErpOrderSeen) -> OrderState:
    if event.snapshot is None:
        return state.model_copy(update={"erp_read": True})
    return state.model_copy(update={"erp": event.snapshot, "erp_read": True})


def _ended(state: OrderState, event: CommandEnded) -> OrderState:
    """Take the command out of flight and keep what its end means. An outcome is never dropped."""
    outcome = event.outcome
    command = next((flying for flying in state.in_flight if flying.id == outcome.command), None)
    if event.epoch < state.epochs.of(event.system) or command is None:
        state = _asking(state, event.system)
    if command is None:
        return state
    state = state.model_copy(
        update={
            "in_flight": tuple(flying for flying in state.in_flight if flying.id != outcome.command),
            "withdrawn": tuple(one for one in state.withdrawn if one != outcome.command),
            "delays": tuple(delay for delay in state.delays if delay.object != command.object),
        }
    )
    match outcome.kind:
        case OutcomeKind.APPLIED | OutcomeKind.ALREADY_APPLIED:
            return _applied(state, command, outcome)
        case OutcomeKind.REJECTED:
            return _rejected(state, command, outcome, event.system)
        case OutcomeKind.DELAYED:
            until = max(outcome.until or state.now, state.now + timedelta(seconds=1))
            delay = Delay(object=command.object, system=event.system, why=outcome.text or outcome.code, until=until)
            return state.model_copy(update={"delays": (*state.delays, delay)})
        case OutcomeKind.SUPERSEDED | OutcomeKind.EXPIRED:
            return state


def _applied(state: OrderState, command: Command, outcome: Outcome) -> OrderState:
    done = Done(object=command.object, fingerprint=command.fingerprint)
    state = state.model_copy(
        update={
            "refusals": tuple(refusal for refusal in state.refusals if refusal.object != command.object),
            "done": (*(one for one in state.done if one.object != command.object), done),
        }
    )
    match command:
        case CreateGoodsOut():
            return _created(state, command, outcome)
        case CancelGoodsOut():
            known = tuple(
                one.model_copy(update={"cancelled_by_us": True}) if one.reference == command.reference else one
                for one in state.goods_outs
            )
            return _asking(state.model_copy(update={"goods_outs": known}), System.CLARUS)
        case CreateFulfilment():
            telling = Telling(
                fulfilment=FulfilmentId(outcome.external_id),
                goods_out=command.goods_out,
                lines=tuple(Units(line=unit.line, quantity=unit.quantity) for unit in command.lines),
                numbers=command.tracking.numbers,
            )
            return state.model_copy(update={"tellings": (*state.tellings, telling)})
        case UpdateTracking():
            tellings = tuple(
                telling.model_copy(update={"numbers": command.tracking.numbers})
                if telling.fulfilment == command.fulfilment
                else telling
                for telling in state.tellings
            )
            return state.model_copy(update={"tellings": tellings})
        case UpsertErpOrder() | PostFulfilment() | Withdraw():
            return state


def _created(state: OrderState, command: CreateGoodsOut, outcome: Outcome) -> OrderState:
    if state.goods_out(command.reference) is not None:
        return state
    made = KnownGoodsOut(
        goods_out=GoodsOut(
            id=GoodsOutId(outcome.external_id),
            reference=command.reference,
            status=GoodsOutStatus.PENDING,
            account=command.account,
            warehouse=command.warehouse,
            carrier=command.carrier,
            service=command.service,
            lines=tuple(
                GoodsOutLine(id="", line=unit.line, sku=unit.sku, ordered=unit.quantity) for unit in command.lines
            ),
        ),
        fulfilment_order=command.fulfilment_order,
        generation=command.generation,
    )
    known = tuple(sorted((*state.goods_outs, made), key=lambda one: one.reference))
    return state.model_copy(update={"goods_outs": known})


def _rejected(state: OrderState, command: Command, outcome: Outcome, system: System) -> OrderState:
    before = next((refusal for refusal in state.refusals if refusal.object == command.object), None)
    same = before is not None and before.fingerprint == command.fingerprint
    tries = before.tries + 1 if before is not None and same else 1
    refusal = Refusal(
        object=command.object,
        system=system,
        fingerprint=command.fingerprint,
        code=outcome.code,
        field=outcome.field,
        text=outcome.text,
        tries=tries,
        at=state.now,
    )
    kept = tuple(one for one in state.refusals if one.object != command.object)
    return state.model_copy(update={"refusals": (*kept, refusal)})


def _operator(state: OrderState, event: OperatorActed) -> OrderState:
    match event.action:
        case "retry":
            return _asking(
                state.model_copy(update={"refusals": (), "delays": (), "done": ()}),
                *(System if not event.target else (refusal.system for refusal in state.refusals)),
            )
        case "refresh":
            return _asking(state, *System)
        case "close":
            closed = tuple(
                Closed(code=case.code, object=case.object, detail=case.detail)
                for case in state.cases
                if not event.target or case.code == event.target
            )
            return state.model_copy(update={"closed_by_person": (*state.closed_by_person, *closed)})
        case "release_again":
            known = tuple(
                one.model_copy(update={"given_up": True}) if one.reference == event.target else one
                for one in state.goods_outs
            )
            return state.model_copy(update={"goods_outs": known})
