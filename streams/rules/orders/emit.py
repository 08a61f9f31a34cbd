"""What of the wanted is sent now: commands neither under way, done, refused nor delayed; and withdrawals."""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple, TypeVar, cast

from pydantic_core import to_json

from schemas.commands import Command, CreateFulfilment, CreateGoodsOut, Decided, Withdraw, command_id, system_of
from schemas.config import BrandConfig
from streams.rules.orders.acting import Acting
from streams.rules.orders.findings import Wanted
from streams.rules.orders.state import DEAD, Refusal

A = TypeVar("A", bound=Acting)


class Decision(NamedTuple):
    """The record of the event log that decides: what every command carries."""

    partition: int
    offset: int
    trace: str = ""


def forget_unwanted(state: A, objects: set[str]) -> A:
    """Refusals, delays and what was done matter only while somebody wants the object."""
    if not (state.refusals or state.delays or state.done):
        return state
    return state.model_copy(
        update={
            "refusals": tuple(refusal for refusal in state.refusals if refusal.object in objects),
            "delays": tuple(delay for delay in state.delays if delay.object in objects and delay.until > state.now),
            "done": tuple(done for done in state.done if done.object in objects),
        }
    )


def emit(
    state: A, config: BrandConfig, wanted: list[Wanted], decision: Decision, wakes: list[datetime]
) -> tuple[A, tuple[Command, ...]]:
    """Emit what is wanted and neither under way, done, refused nor delayed; withdraw what is under way unwanted."""
    objects = {one.object for one in wanted}
    new: list[Command] = []
    would: list[str] = []
    for one in wanted:
        flying = state.flying(one.object)
        if flying is not None and one.keep_while_flying:
            continue
        fingerprint = _fingerprint(one)
        if flying is not None and flying.fingerprint == fingerprint:
            continue
        if _is_done(state, one.object, fingerprint) or one.system in config.paused:
            continue
        quiet = _quiet_until(state, config, one.object, fingerprint)
        if quiet is not None and quiet > state.now:
            wakes.append(quiet)
            continue
        if config.mode == "observe":
            would.append(one.says)
            continue
        new.append(_command(state, one, fingerprint, decision, len(new)))
    if not (new or would or state.in_flight or state.would_send):
        return state, ()
    withdrawals = _withdrawals(state, objects, decision, len(new))
    replaced = {command.object for command in new}
    kept = (one for one in state.in_flight if one.object in objects or not _forgotten(state, one))
    in_flight = (*(one for one in kept if one.object not in replaced), *new)
    return (
        state.model_copy(
            update={
                "in_flight": in_flight,
                "withdrawn": (*state.withdrawn, *withdrawals),
                "would_send": tuple(would),
            }
        ),
        (*new, *withdrawals),
    )


def _withdrawals(state: Acting, objects: set[str], decision: Decision, first_index: int) -> tuple[Withdraw, ...]:
    """Creates under way that no rule wants any more."""
    unwanted: list[Decided] = [
        flying
        for flying in state.in_flight
        if isinstance(flying, WITHDRAWN) and flying.object not in objects and not state.is_withdrawn(flying)
    ]
    return tuple(
        Withdraw.model_validate(
            {
                **_decided(state, decision, first_index + index),
                "object": flying.object,
                "generation": flying.generation,
                "fingerprint": flying.fingerprint,
                "system": system_of(cast("Command", flying)),
                "withdrawn": flying.id,
            }
        )
        for index, flying in enumerate(unwanted)
    )


WITHDRAWN = (CreateGoodsOut, CreateFulfilment)
"""What is withdrawn when it is not wanted any more. Other commands end by themselves: their targets are absolute."""


def _forgotten(state: Acting, unwanted: Command) -> bool:
    """One not wanted any more whose outcome would have come long ago."""
    return not isinstance(unwanted, WITHDRAWN) and state.now - unwanted.decided_at >= DEAD


def _command(state: Acting, one: Wanted, fingerprint: str, decision: Decision, index: int) -> Command:
    made = one.kind.model_validate(
        {
            **one.fields,
            **_decided(state, decision, index),
            "object": one.object,
            "generation": one.generation,
            "fingerprint": fingerprint,
        }
    )
    return cast("Command", made)


def _decided(state: Acting, decision: Decision, index: int) -> dict[str, object]:
    return {
        "id": command_id(state.brand, state.order, decision.partition, decision.offset, index),
        "brand": state.brand,
        "order": state.order,
        "decided_at": state.now,
        "decided_partition": decision.partition,
        "decided_offset": decision.offset,
        "trace": decision.trace,
    }


def _fingerprint(one: Wanted) -> str:
    return sha256(to_json([one.kind.__name__, one.object, one.fields])).hexdigest()[:16]


def _is_done(state: Acting, wanted: str, fingerprint: str) -> bool:
    return any(done.object == wanted and done.fingerprint == fingerprint for done in state.done)


def _quiet_until(state: Acting, config: BrandConfig, wanted: str, fingerprint: str) -> datetime | None:
    """Until when a delayed or refused command is not sent again."""
    delayed = next((delay.until for delay in state.delays if delay.object == wanted), None)
    if delayed is not None:
        return delayed
    refusal = next((one for one in state.refusals if one.object == wanted and one.fingerprint == fingerprint), None)
    return None if refusal is None or refusal.again else retry_at(refusal, config)


def retry_at(refusal: Refusal, config: BrandConfig) -> datetime:
    """Back-off: `retry`, doubling with each try, at most `retry_most` seconds."""
    seconds = min(config.waits.retry * 2 ** min(refusal.tries - 1, 20), config.waits.retry_most)
    return refusal.at + timedelta(seconds=seconds)
