"""Asking for a sweep, and reading what the newest one found: from the orders' table, as the fold left it."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kernel.log import Log
from lockstep.reading import everything
from schemas.actions import OperatorAction
from schemas.base import Brand, OrderId, System, connection_id, order_key
from schemas.cases import Case
from schemas.sweep import AGREES, Cause
from schemas.topics import OPERATOR_ACTIONS, ORDERS_STATE
from streams.engine.changelog import BEGUN
from streams.engine.prefix import unpack
from streams.rules.orders.state import OrderState, Sweeping

EXAMPLES = 5
"""Orders named under each cause."""


@dataclass(slots=True)
class Result:
    """Of one brand. `newest`: the sweep that the orders counted here were compared in."""

    brand: Brand
    systems: dict[System, Sweeping] = field(default_factory=dict)
    newest: datetime | None = None
    compared: int = 0
    awaited: int = 0
    """Named, and not yet read from all three systems."""
    causes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    """By cause: orders, with what differs."""
    strays: tuple[Case, ...] = ()

    @property
    def agree(self) -> int:
        return self.causes[AGREES]

    @property
    def running(self) -> bool:
        return any(one.wanted is not None for one in self.systems.values()) or self.awaited > 0


async def ask(log: Log, brand: Brand, who: str, why: str, at: datetime) -> None:
    """Have all three systems of a brand swept now; returns when the broker has it. Safe to repeat."""
    producer = log.producer()
    await producer.start()
    try:
        for system in System:
            order = connection_id(system)
            action = OperatorAction(
                brand=brand, order=order, action="sweep", says=at.isoformat(), who=who, why=why, at=at
            )
            await (
                await producer.send(
                    OPERATOR_ACTIONS.name,
                    key=order_key(brand, order).encode(),
                    value=action.model_dump_json().encode(),
                    headers={"brand": brand.encode()},
                )
            )
    finally:
        await producer.stop()


async def result(log: Log, brand: Brand) -> Result:
    """Reads the whole table of orders once; changes nothing."""
    bodies: dict[int, dict[bytes, tuple[int, bytes]]] = defaultdict(dict)
    async with everything(log, [ORDERS_STATE.name]) as records:
        async for record in records:
            there = bodies[record.partition.number]
            if record.key == BEGUN:
                there.clear()  # a table put in place: what lay there does not count any more
            if record.key is None or not record.key.startswith(f"{brand}/".encode()) or record.value is None:
                continue
            prefix, body = unpack(record.value)
            if b'"comparison":' not in body and b'"sweeping":' not in body:
                there.pop(record.key, None)
            elif prefix.last_offset >= there.get(record.key, (-1, b""))[0]:
                there[record.key] = prefix.last_offset, body
    newest = {key: body for there in bodies.values() for key, (_, body) in there.items()}
    return summed(brand, {key.decode(): OrderState.model_validate_json(body) for key, body in newest.items()})


def summed(brand: Brand, states: Mapping[str, OrderState]) -> Result:
    """Over the newest sweep that named any order."""
    found = Result(brand)
    for system in System:
        state = states.get(order_key(brand, connection_id(system)))
        if state is not None and state.sweeping is not None:
            found.systems[system] = state.sweeping
            found.strays += tuple(case for case in state.cases if _of_a_stray(case, state.sweeping))
    mine = {key: one for key, one in states.items() if one.brand == brand and one.comparison is not None}
    found.newest = max((one.comparison.sweep for one in mine.values() if one.comparison), default=None)
    for _, state in sorted(mine.items()):
        _count(found, state)
    return found


def _of_a_stray(case: Case, sweeping: Sweeping) -> bool:
    return any((case.code, case.object) == (stray.code, stray.object) for stray in sweeping.strays)


def _count(found: Result, state: OrderState) -> None:
    comparison = state.comparison
    assert comparison is not None
    if comparison.sweep != found.newest:
        return
    if comparison.at is None:
        found.awaited += 1
        return
    found.compared += 1
    found.causes.update(comparison.causes)
    for cause in comparison.causes:
        if cause == AGREES:
            continue
        said = ", ".join(f"{one.what} {one.count}" for one in comparison.drifts if one.cause == cause)
        examples = found.examples.setdefault(cause, [])
        if len(examples) < EXAMPLES:
            examples.append(f"{OrderId(state.order)}: {said}".replace("_", " "))


IN_WORDS: Mapping[str, str] = {
    AGREES: "the three systems agree",
    Cause.IN_FLIGHT: "on its way: a command is out, or an answer is awaited within its time",
    Cause.STOPPED: "the brand is in observe mode, or paused for the system",
    Cause.HELD: "held for a reason that a case names, or will",
    Cause.LATE: "awaited longer than it should take",
    Cause.REFUSED: "refused by a system",
    Cause.MISSING: "a goods-out that was there is gone",
    Cause.UNKNOWN: "a goods-out that we did not make",
    Cause.EDITED: "edited, cancelled or refunded after the release",
    Cause.WAREHOUSE: "the warehouse sent other units than it was asked for",
    Cause.HAND_SHOPIFY: "changed by hand in Shopify",
    Cause.HAND_ERP: "changed by hand in the ERP",
    Cause.HAND_CLARUS: "changed by hand in Clarus",
    Cause.NO_COUNTERPART: "Clarus or the ERP has it, Shopify has no such order",
    Cause.UNREADABLE: "an answer could not be understood",
    Cause.SETTLED: "a person has settled it",
    Cause.UNEXPLAINED: "no rule says why",
}
