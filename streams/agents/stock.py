"""The stock agent's fold: one partition of `stock.events`, every stock item in it, what each should cause."""

from collections.abc import Iterable, Iterator

from kernel.log import Record
from schemas.aggregates import Kind
from schemas.avro import Codec
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import STOCK_EVENT_KINDS, OrderEvent, Seen
from schemas.hints import Hint
from schemas.topics import STOCK_EVENTS
from streams.agents.emissions import case_emission, command_emission, hint_emission
from streams.agents.keyed import KeyedFold
from streams.agents.same_log import same_log
from streams.engine.contract import Compared, Emission
from streams.rules.stock.plan import Ask, Plan
from streams.rules.stock.state import StockState
from streams.rules.stock.step import step, wake


class StockFold(KeyedFold[StockState, Plan]):
    """All stock items of one partition."""

    KIND = StockState
    TOPIC = STOCK_EVENTS
    EVENTS = Codec(STOCK_EVENT_KINDS, repeated=Seen)

    def _step(self, before: StockState | None, event: OrderEvent, record: Record) -> Plan | None:
        same_log(before, event)
        decision = self._decision(record, event.trace)
        try:
            again = self._before_its_configuration(event.brand, record)
            return step(before, event, self.config_of(event.brand), record.at, decision, redelivered=again)
        except ValueError as wrong:
            raise Unreadable("order", "a stock item", str(wrong)) from wrong

    def _woken(self, state: StockState, config: BrandConfig, record: Record) -> Plan:
        return wake(state, config, record.at, self._decision(record))

    def _sent(self, key: bytes, before: StockState | None, made: Plan) -> Iterator[Emission]:
        yield from (command_emission(key, command) for command in made.commands)
        yield from (case_emission(case) for case in made.cases)
        yield from (_read(made.state, ask) for ask in made.asks)

    def _compared(self, before: StockState | None, made: Plan) -> Iterator[Compared]:
        """Each difference once, when it is first known, by what is then known of its cause."""
        if made.state.drift and (before is None or not before.drift):
            yield Compared(made.state.brand, made.state.drift, Kind.STOCK)

    def _sent_again(self, key: bytes, state: StockState, committed: int) -> Iterable[Emission]:
        """The command in flight, cases and reads."""
        if state.in_flight is not None:
            yield command_emission(key, state.in_flight)
        yield from (case_emission(case) for case in (*state.closed_cases, *state.cases))
        yield from (_read(state, Ask(one.system, one.token)) for one in state.asked)


def _read(state: StockState, ask: Ask) -> Emission:
    hint = Hint(brand=state.brand, order=state.order, why="fold", seen_at=state.now, token=ask.token)
    return hint_emission(ask.system, hint)


def stock_fold(partition: int) -> StockFold:
    """A `streams.engine.contract.FoldFactory`."""
    return StockFold(partition)
