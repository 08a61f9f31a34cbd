"""What a person decides about an order, written to the log. The command line does it by this, whoever types."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from kernel.log import Log
from lockstep.awaited import holds_of, still_holding
from lockstep.reading import Progress, read_order
from schemas.actions import ActionKind, OperatorAction
from schemas.base import OrderKey, split_key
from schemas.cases import CATALOGUE, CaseCode
from schemas.topics import OPERATOR_ACTIONS
from streams.rules.items.state import ItemState
from streams.rules.orders.state import OrderState
from streams.rules.stock.state import StockState


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at a log. `who` is the handle that stands on what is asked for, `now` says when."""

    log: Log
    who: str
    now: Callable[[], datetime]

    async def act(
        self,
        key: OrderKey,
        action: ActionKind,
        *,
        target: str = "",
        about: str = "",
        says: str = "",
        why: str = "",
    ) -> None:
        """Write an action; returns when the broker has it. Raises LogError."""
        brand, order = split_key(key)
        record = OperatorAction(
            brand=brand,
            order=order,
            action=action,
            target=target,
            object=about,
            says=says,
            who=self.who,
            why=why,
            at=self.now(),
        )
        producer = self.log.producer()
        await producer.start()
        try:
            sent = await producer.send(
                OPERATOR_ACTIONS.name,
                key=key.encode(),
                value=record.model_dump_json().encode(),
                headers={"brand": brand.encode()},
            )
            await sent
        finally:
            await producer.stop()

    async def release(self, key: OrderKey, why: str, progress: Progress = lambda _: None) -> "Release":
        """Override every hold of the order that can be; reads its log first. Raises LogError."""
        story = await read_order(self.log, key, progress)
        state, config = story.state, story.config
        if state is None or config is None:
            return Release(unknown="the order is not in the log" if state is None else "the brand is not configured")
        holds = holds_of(state)
        lifted = tuple(code for code in holds if CATALOGUE[code].override)
        overridden = {one.code for one in state.overridden}
        for code in lifted:
            if code not in overridden:
                await self.act(key, "override", target=code, why=why)
        return Release(held=bool(holds), lifted=lifted, stays=tuple(still_holding(state, config, lifted)))


def to_try_again(state: OrderState | StockState | ItemState) -> bool:
    """Whether anything was refused, delayed, sent without an outcome, or is a case: a retry changes nothing else."""
    if isinstance(state, StockState):
        return bool(state.refusal or state.delayed_until or state.in_flight or state.cases)
    untold = isinstance(state, OrderState) and state.untold
    return bool(state.refusals or state.delays or state.in_flight or untold or state.cases)


@dataclass(frozen=True, slots=True)
class Release:
    """What came of it. `unknown` says why nothing could be decided; `held`: whether anything held the order."""

    unknown: str = ""
    held: bool = False
    lifted: tuple[CaseCode, ...] = ()
    """What keeps it back no more."""
    stays: tuple[str, ...] = ()
    """What holds it still, in words."""
