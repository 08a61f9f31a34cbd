"""What the end of a command means for an order's state. An outcome is never dropped."""

from schemas.base import FulfilmentId, GoodsOutId, System
from schemas.commands import (
    CancelGoodsOut,
    Command,
    CreateFulfilment,
    CreateGoodsOut,
    UpdateTracking,
)
from schemas.events import CommandEnded
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus
from schemas.outcomes import Outcome, OutcomeKind
from streams.rules.orders.adopt import adopted, doubted, telling_of
from streams.rules.orders.endings import carried_out, landed, not_carried_out
from streams.rules.orders.state import KnownGoodsOut, OrderState, SentBy, address_mark, lines_mark


def ended(state: OrderState, event: CommandEnded) -> OrderState:
    """Take the command out of flight and keep what its end means. An outcome is never dropped."""
    state, command = landed(state, event)
    if command is None:
        return state
    outcome = event.outcome
    state = adopted(doubted(state, command, outcome))
    if outcome.kind in (OutcomeKind.APPLIED, OutcomeKind.ALREADY_APPLIED):
        return _applied(carried_out(state, command), command, outcome)
    return not_carried_out(state, command, outcome, event.system)


def _applied(state: OrderState, command: Command, outcome: Outcome) -> OrderState:
    match command:
        case CreateGoodsOut():
            return _created(state, command, outcome)
        case CancelGoodsOut():
            cancelled = state.with_goods_out(command.reference, cancelled_by_us=True)
            return cancelled.asking(System.CLARUS)
        case CreateFulfilment():
            telling = telling_of(command, FulfilmentId(outcome.external_id))
            # A reading may have shown it before.
            others = (one for one in state.tellings if one.fulfilment != telling.fulfilment)
            return state.model_copy(update={"tellings": (*others, telling)})
        case UpdateTracking():
            tellings = tuple(
                telling.model_copy(update={"numbers": command.tracking.numbers})
                if telling.fulfilment == command.fulfilment
                else telling
                for telling in state.tellings
            )
            return state.model_copy(update={"tellings": tellings})
        case _:  # what they made is seen when it is read
            return state


def _created(state: OrderState, command: CreateGoodsOut, outcome: Outcome) -> OrderState:
    lines = tuple(
        GoodsOutLine(id="", line=unit.line, sku=unit.sku, ordered=unit.quantity, each=unit.each)
        for unit in command.lines
    )
    marks = {
        "sent_to": address_mark(command.reference, command.ship_to),
        "sent_by": SentBy(shipping_line=command.shipping_line, carrier=command.carrier, service=command.service),
        "made_as": lines_mark(lines),
    }
    if state.goods_out(command.reference) is not None:
        return state.with_goods_out(command.reference, **marks)
    made = KnownGoodsOut(
        goods_out=GoodsOut(
            id=GoodsOutId(outcome.external_id),
            reference=command.reference,
            status=GoodsOutStatus.PENDING,
            account=command.account,
            warehouse=command.warehouse,
            carrier=command.carrier,
            service=command.service,
            lines=lines,
        ),
        fulfilment_order=command.fulfilment_order,
        generation=command.generation,
        **marks,
    )
    known = tuple(sorted((*state.goods_outs, made), key=lambda one: one.reference))
    return state.model_copy(update={"goods_outs": known})
