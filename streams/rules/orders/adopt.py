"""A fulfilment of ours that nobody could tell us of: recognised by its units, for it bears no tracking of ours.

`fulfillmentCreate` takes no reference of the caller's (Admin API 2026-10). With tracking a lost answer is found by the
tracking numbers; a telling without tracking is found here, in the next reading.
"""

from schemas.base import FulfilmentId, Units
from schemas.commands import Command, CreateFulfilment
from schemas.orders import Fulfilment
from schemas.outcomes import Outcome, OutcomeKind
from streams.rules.orders.per_line import summed
from streams.rules.orders.state import OrderState, Telling

IN_DOUBT = frozenset({"unclear_answer", "unknown_fulfilment", "fulfilment_orders_changed"})
"""Codes with which the Shopify connector ends a telling that an earlier request of it may have done."""


def doubted(state: OrderState, command: Command, outcome: Outcome) -> OrderState:
    """Remember a telling without tracking that may have been done, and forget it once its end is known."""
    if not isinstance(command, CreateFulfilment):
        return state
    others = tuple(one for one in state.untold if one.object != command.object)
    in_doubt = outcome.kind in (OutcomeKind.DELAYED, OutcomeKind.REJECTED) and outcome.code in IN_DOUBT
    kept = (*others, command) if in_doubt and not command.tracking.numbers else others
    return state if kept == state.untold else state.model_copy(update={"untold": kept})


def adopted(state: OrderState) -> OrderState:
    """Take for ours what was not there when the telling was decided and has its very units and no tracking."""
    shown = () if state.shopify is None else state.shopify.fulfilments
    for command in state.untold:
        known = {telling.fulfilment for telling in state.tellings} | set(command.known_fulfilments)
        found = next((one for one in shown if one.id not in known and _is_it(one, command)), None)
        if found is not None:
            state = state.model_copy(
                update={
                    "tellings": (*state.tellings, telling_of(command, found.id)),
                    "untold": tuple(one for one in state.untold if one is not command),
                    "refusals": tuple(one for one in state.refusals if one.object != command.object),
                    "delays": tuple(one for one in state.delays if one.object != command.object),
                }
            )
    return state


def telling_of(command: CreateFulfilment, fulfilment: FulfilmentId) -> Telling:
    """What a command told, once it is known under which fulfilment."""
    return Telling(
        fulfilment=fulfilment,
        goods_out=command.goods_out,
        lines=tuple(Units(line=unit.line, quantity=unit.quantity) for unit in command.lines),
        numbers=command.tracking.numbers,
    )


def _is_it(fulfilment: Fulfilment, command: CreateFulfilment) -> bool:
    bare = not fulfilment.cancelled and not fulfilment.tracking_numbers
    return bare and summed(fulfilment.lines) == summed(telling_of(command, fulfilment.id).lines)
