"""What the end of a command means for the state of any key, but for what it made. An outcome is never dropped."""

from datetime import datetime, timedelta
from typing import TypeVar

from schemas.base import Sku, System
from schemas.commands import Command, CreateGoodsOut
from schemas.events import CommandEnded
from schemas.outcomes import Outcome, OutcomeKind
from streams.rules.orders.acting import Acting
from streams.rules.orders.state import Delay, Done, Refusal

A = TypeVar("A", bound=Acting)

YOUNG = timedelta(minutes=1)
"""No command this young is expired by a clock that goes right."""

UNCLEAR = frozenset({"unclear", "unclear_answer", "held_too_long"})
"""Codes of delays after which the system may have done it all the same. Whoever does not want it any more by then must
still see it: the system is read.
"""

LONGEST_DELAY = timedelta(hours=1)
"""A wait longer than this is not believed: whoever said so has a wrong clock."""


def landed(state: A, event: CommandEnded) -> tuple[A, Command | None]:
    """Take the command out of flight. None when it is not ours to end: unknown, or still to be carried out."""
    outcome = event.outcome
    command = next((flying for flying in state.in_flight if flying.id == outcome.command), None)
    if event.epoch < state.epochs.of(event.system) or command is None:
        state = state.asking(event.system)
    if event.epoch > state.epochs.of(event.system):
        # What a predecessor read before this was done must not pass for newer, though it comes later.
        state = state.model_copy(update={"epochs": state.epochs.with_(event.system, event.epoch)})
    if command is None:
        return state, None
    if outcome.kind is OutcomeKind.SUPERSEDED and not state.is_withdrawn(command):
        # Sent twice after a restart: the later record of this very command is still to be carried out.
        return state.asking(event.system), None
    update = {
        "in_flight": tuple(flying for flying in state.in_flight if flying.id != outcome.command),
        "withdrawn": tuple(one for one in state.withdrawn if one.withdrawn != outcome.command),
    }
    return state.model_copy(update=update), command


def carried_out(state: A, command: Command) -> A:
    """It is so now: what was refused before is over, and it is not sent again until it is seen."""
    done = Done(object=command.object, fingerprint=command.fingerprint)
    return state.model_copy(
        update={
            "refusals": tuple(refusal for refusal in state.refusals if refusal.object != command.object),
            "done": (*(one for one in state.done if one.object != command.object), done),
        }
    )


def not_carried_out(state: A, command: Command, outcome: Outcome, system: System) -> A:
    """Of every kind of outcome but `applied` and `already_applied`."""
    match outcome.kind:
        case OutcomeKind.REJECTED:
            return _rejected(state, command, outcome, system)
        case OutcomeKind.DELAYED:
            until = outcome.until or state.now
            delayed = _delayed(state, command, system, outcome.text or outcome.code, until)
            return delayed.asking(system) if outcome.code in UNCLEAR else delayed
        case OutcomeKind.SUPERSEDED:
            # Withdrawn in time, as far as the one who says so knows: one before it may have carried it out and died.
            return state.asking(system)
        case OutcomeKind.EXPIRED:
            if state.now - command.decided_at < YOUNG:
                why = "expired although just decided: the clocks of the broker and the connector differ"
                return _delayed(state, command, system, why, state.now + YOUNG)
            return state
        case _:
            return state


def _rejected(state: A, command: Command, outcome: Outcome, system: System) -> A:
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
        lacks=_lacks(command, outcome),
    )
    kept = tuple(one for one in state.refusals if one.object != command.object)
    return state.model_copy(update={"refusals": (*kept, refusal)})


def _delayed(state: A, command: Command, system: System, why: str, until: datetime) -> A:
    until = min(max(until, state.now + timedelta(seconds=1)), state.now + LONGEST_DELAY)
    delay = Delay(object=command.object, system=system, why=why, until=until)
    return state.model_copy(update={"delays": (*state.delays, delay)})


def _lacks(command: Command, outcome: Outcome) -> tuple[Sku, ...]:
    """The connector names every code that Clarus does not know, with commas between."""
    if not isinstance(command, CreateGoodsOut) or outcome.code != "unknown_sku":
        return ()
    named = set(outcome.text.split(", "))
    return tuple(sorted({unit.sku for unit in command.lines if unit.sku in named}))
