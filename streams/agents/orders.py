"""The orders agent's fold: one partition of `orders.events`, every order in it, what each should cause."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import cast

from kernel.log import Record
from kernel.metrics import Stage
from schemas.avro import Codec
from schemas.base import System, connection_id
from schemas.commands import Command
from schemas.config import BrandConfig
from schemas.events import EVENT_KINDS, ConfigChanged, ConnectionState, OrderEvent, Seen
from schemas.hints import SWEEP, Hint
from schemas.topics import ORDERS_EVENTS
from streams.agents.demand import Demand, looks
from streams.agents.emissions import RECORDS, case_emission, command_emission, hint_emission
from streams.agents.keyed import Caused, Entry, KeyedFold
from streams.agents.lacking import lacking
from streams.agents.measured import ended_waits
from streams.agents.same_log import same_log
from streams.agents.vanished import Vanished
from streams.engine.contract import Compared, Emission, Step, Took, Verdict
from streams.rules.orders.plan import Plan
from streams.rules.orders.state import OrderState
from streams.rules.orders.step import step, wake

EVENTS = Codec(EVENT_KINDS, repeated=Seen)
MISSING = b'"missing_at":'
"""Stands in the JSON of a state with a missing goods-out: the others need not be decoded at a restore."""


class OrdersFold(KeyedFold[OrderState, Plan]):
    """All orders of one partition."""

    KIND = OrderState
    TOPIC = ORDERS_EVENTS
    EVENTS = EVENTS

    def __init__(self, partition: int, *, effects: bool = True) -> None:
        super().__init__(partition, effects=effects)
        self._vanished = Vanished(partition)
        self._demand = Demand(partition)

    def _step(self, before: OrderState | None, event: OrderEvent, record: Record) -> Plan | None:
        same_log(before, event)
        return step(
            before,
            event,
            self.config_of(event.brand),
            record.at,
            self._decision(record, event.trace),
            clarus_doubted=self._vanished.many(event.brand),
            redelivered=self._before_its_configuration(event.brand, record),
        )

    def _woken(self, state: OrderState, config: BrandConfig, record: Record) -> Plan:
        doubted = self._vanished.many(state.brand)
        return wake(state, config, record.at, self._decision(record), clarus_doubted=doubted)

    def _configure(self, event: ConfigChanged, record: Record) -> Step:
        """With a new configuration also all demand is told once more: a stock table may have been lost meanwhile."""
        made = super()._configure(event, record)
        if made.verdict is not Verdict.APPLIED or not self._effects:
            return made
        demand = self._demand.told(event.brand, self._demand.of(event.brand), record.offset)
        return replace(made, emissions=[*made.emissions, *demand])

    def resend(self, committed: int) -> Sequence[Emission]:
        """Also the demand that may not have been told with a new configuration."""
        late = [(brand, one.offset) for brand, one in sorted(self._configs.items()) if one.offset >= committed]
        demand = [one for brand, offset in late for one in self._demand.told(brand, self._demand.of(brand), offset)]
        return [*super().resend(committed), *demand]

    def _after(self, record: Record, caused: Caused) -> None:
        """Open or close the case of brands of which many goods-outs vanished; again after a crash in between."""
        for brand, key in self._vanished.keys.items():
            before = self._known(key)
            if self._vanished.state(brand) is (ConnectionState.WELL if before is None else before.connection):
                continue
            made = step(before, self._vanished.report(brand), self.config_of(brand), record.at, self._decision(record))
            if made is not None:
                self._keep(key, made, caused, None, record)

    def _sent(self, key: bytes, before: OrderState | None, made: Plan) -> Iterator[Emission]:
        yield from (command_emission(key, command) for command in made.commands)
        yield from (case_emission(case) for case in made.cases)
        yield from (_read(made.state, system) for system in made.reads)
        state, moved = made.state, self._demand.note(key, made.state)
        yield from self._demand.told(state.brand, moved, state.last_offset)
        yield from looks(before, state, self.config_of(state.brand))
        yield from (_read(made.state, system, gently=True) for system in made.gentle_reads)
        yield from lacking(before, state, self.config_of(state.brand))

    def _sent_again(self, key: bytes, state: OrderState, committed: int) -> Iterator[Emission]:
        """Commands in flight, cases and reads."""
        yield from (command_emission(key, command) for command in state.to_send_again(committed))
        yield from (case_emission(case) for case in (*state.closed_cases, *state.cases))
        if not state.order.startswith("~"):
            yield from (_read(state, system) for system in System)
        elif state.sweeping is not None and state.sweeping.wanted is not None:
            yield from (_read(state, system) for system in System if state.order == connection_id(system))
        yield from self._demand.told(state.brand, (one.item for one in state.withheld), state.last_offset)
        yield from lacking(None, state, self.config_of(state.brand))

    def _took(self, before: OrderState | None, made: Plan, event: OrderEvent | None, record: Record) -> Iterator[Took]:
        yield from ended_waits(before, made.state)
        if made.commands and event is not None:
            yield Took(Stage.EVENT_TO_COMMAND, event.brand, record.at)

    def _compared(self, before: OrderState | None, made: Plan) -> Iterator[Compared]:
        """Each sweep's comparison of an order once, when it is made, under each of its causes."""
        found, earlier = made.state.comparison, None if before is None else before.comparison
        if found is None or found.at is None or (earlier is not None and earlier.at == found.at):
            return
        yield from (Compared(made.state.brand, cause) for cause in found.causes)

    def _note(self, key: bytes, state: OrderState) -> None:
        super()._note(key, state)
        self._vanished.note(state)

    def _note_restored(self, key: bytes, entry: Entry[OrderState], body: bytes) -> None:
        super()._note_restored(key, entry, body)
        if MISSING in body:
            self._vanished.note(entry.seen())
        if Demand.IN_STATE in body:
            self._demand.note(key, entry.seen())

    def _held(self, state: OrderState) -> bool:
        return any(since.name.startswith("hold:") for since in state.since)


def _read(state: OrderState, system: System, *, gently: bool = False) -> Emission:
    """Under a connection's key it is the whole system that is to be looked at: its sweep."""
    sweep = None if state.sweeping is None else state.sweeping.wanted
    why = SWEEP if gently or sweep is not None else "fold"
    hint = Hint(brand=state.brand, order=state.order, why=why, seen_at=state.now, sweep=sweep)
    return hint_emission(system, hint)


def orders_fold(partition: int) -> OrdersFold:
    """A `streams.engine.contract.FoldFactory`."""
    return OrdersFold(partition)


def decode_command(value: bytes, headers: dict[str, bytes]) -> Command:
    """The command of a record of `commands.<system>`. Raises Unreadable."""
    return cast("Command", RECORDS.decode(value, headers))
