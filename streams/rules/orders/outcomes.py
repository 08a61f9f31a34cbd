"""What the end of a command means for an order's state. An outcome is never dropped."""

from datetime import datetime, timedelta

from schemas.base import FulfilmentId, GoodsOutId, System
from schemas.commands import (
    CancelGoodsOut,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    PostFulfilment,
    SetOnHand,
    UpdateTracking,
    UpsertErpOrder,
    Withdraw,
)
from schemas.events import CommandEnded
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus
from schemas.outcomes import Outcome, OutcomeKind
from streams.rules.orders.adopt import adopted, doubted, telling_of
from streams.rules.orders.state import Delay, Done, KnownGoodsOut, OrderState, Refusal, address_mark

YOUNG = timedelta(minutes=1)
"""No command this young is expired by a clock that goes right."""

UNCLEAR = frozenset({"unclear", "unclear_answer", "held_too_long"})
"""Codes of delays after which the system may have done it all the same. Whoever does not want it any more by then must
still see it: the system is read.
"""

LONGEST_DELAY = timedelta(hours=1)
"""A wait longer than this is not believed: whoever said so has a wrong clock."""


def ended(state: OrderState, event: CommandEnded) -> OrderState:
    """Take the command out of flight and keep what its end means. An outcome is never dropped."""
    outcome = event.outcome
    command = next((flying for flying in state.in_flight if flying.id == outcome.command), None)
    if event.epoch < state.epochs.of(event.system) or command is None:
        state = state.asking(event.system)
    if event.epoch > state.epochs.of(event.system):
        # What a predecessor read before this was done must not pass for newer, though it comes later.
        state = state.model_copy(update={"epochs": state.epochs.with_(event.system, event.epoch)})
    if command is None:
        return state
    if outcome.kind is OutcomeKind.SUPERSEDED and not state.is_withdrawn(command):
        # Sent twice after a restart: the later record of this very command is still to be carried out.
        return state.asking(event.system)
    state = state.model_copy(
        update={
            "in_flight": tuple(flying for flying in state.in_flight if flying.id != outcome.command),
            "withdrawn": tuple(one for one in state.withdrawn if one.withdrawn != outcome.command),
            "delays": tuple(delay for delay in state.delays if delay.object != command.object),
        }
    )
    state = adopted(doubted(state, command, outcome))
    match outcome.kind:
        case OutcomeKind.APPLIED | OutcomeKind.ALREADY_APPLIED:
            return _applied(state, command, outcome)
        case OutcomeKind.REJECTED:
            return _rejected(state, command, outcome, event.system)
        case OutcomeKind.DELAYED:
            until = outcome.until or state.now
            delayed = _delayed(state, command, event.system, outcome.text or outcome.code, until)
            return delayed.asking(event.system) if outcome.code in UNCLEAR else delayed
        case OutcomeKind.SUPERSEDED:
            # Withdrawn in time, as far as the one who says so knows: one before it may have carried it out and died.
            return state.asking(event.system)
        case OutcomeKind.EXPIRED:
            if state.now - command.decided_at < YOUNG:
                why = "expired although just decided: the clocks of the broker and the connector differ"
                return _delayed(state, command, event.system, why, state.now + YOUNG)
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
            cancelled = state.with_goods_out(command.reference, cancelled_by_us=True)
            return cancelled.asking(System.CLARUS)
        case CreateFulfilment():
            telling = telling_of(command, FulfilmentId(outcome.external_id))
            return state.model_copy(update={"tellings": (*state.tellings, telling)})
        case UpdateTracking():
            tellings = tuple(
                telling.model_copy(update={"numbers": command.tracking.numbers})
                if telling.fulfilment == command.fulfilment
                else telling
                for telling in state.tellings
            )
            return state.model_copy(update={"tellings": tellings})
        case UpsertErpOrder() | PostFulfilment() | SetOnHand() | Withdraw():
            return state


def _created(state: OrderState, command: CreateGoodsOut, outcome: Outcome) -> OrderState:
    if state.goods_out(command.reference) is not None:
        return state.with_goods_out(command.reference, sent_to=address_mark(command.reference, command.ship_to))
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
                GoodsOutLine(id="", line=unit.line, sku=unit.sku, ordered=unit.quantity, each=unit.each)
                for unit in command.lines
            ),
        ),
        fulfilment_order=command.fulfilment_order,
        generation=command.generation,
        sent_to=address_mark(command.reference, command.ship_to),
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


def _delayed(state: OrderState, command: Command, system: System, why: str, until: datetime) -> OrderState:
    until = min(max(until, state.now + timedelta(seconds=1)), state.now + LONGEST_DELAY)
    delay = Delay(object=command.object, system=system, why=why, until=until)
    return state.model_copy(update={"delays": (*state.delays, delay)})
