"""The stock agent's fold: one partition of `stock.events`, every stock item in it, what each should cause."""

from collections.abc import Iterable, Iterator

from kernel.log import Record
from schemas.avro import Codec
from schemas.commands import SetOnHand
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import STOCK_EVENT_KINDS, OrderEvent
from schemas.hints import Hint
from schemas.topics import COMMANDS_STOCK, HINTS, STOCK_EVENTS
from streams.agents.keyed import KeyedFold
from streams.agents.orders import RECORDS, case_emission
from streams.agents.same_log import same_log
from streams.engine.contract import Emission
from streams.rules.orders.emit import Decision
from streams.rules.stock.plan import Ask, Plan
from streams.rules.stock.state import StockState
from streams.rules.stock.step import step, wake


class StockFold(KeyedFold[StockState, Plan]):
    """All stock items of one partition."""

    KIND = StockState
    TOPIC = STOCK_EVENTS
    EVENTS = Codec(STOCK_EVENT_KINDS)

    def _step(self, before: StockState | None, event: OrderEvent, record: Record) -> Plan | None:
        same_log(before, event)
        decision = _decision(record, event.trace)
        try:
            return step(before, event, self.config_of(event.brand), record.at, decision)
        except ValueError as wrong:
            raise Unreadable("order", "a stock item", str(wrong)) from wrong

    def _woken(self, state: StockState, config: BrandConfig, record: Record) -> Plan:
        return wake(state, config, record.at, _decision(record, ""))

    def _state_of(self, made: Plan) -> StockState:
        return made.state

    def _sent(self, key: bytes, before: StockState | None, made: Plan) -> Iterator[Emission]:
        yield from (_command(key, command) for command in made.commands)
        yield from (case_emission(case) for case in made.cases)
        yield from (_read(key, made.state, ask) for ask in made.asks)

    def _sent_again(self, key: bytes, state: StockState, committed: int) -> Iterable[Emission]:
        """The command in flight, cases and reads."""
        if state.in_flight is not None:
            yield _command(key, state.in_flight)
        yield from (case_emission(case) for case in (*state.closed_cases, *state.cases))
        yield from (_read(key, state, Ask(one.system, one.token)) for one in state.asked)


def _decision(record: Record, trace: str) -> Decision:
    return Decision(record.partition.number, record.offset, trace)


def _command(key: bytes, command: SetOnHand) -> Emission:
    value, headers = RECORDS.encode(command)
    headers |= {"brand": command.brand.encode(), "trace": command.trace.encode()}
    return Emission(COMMANDS_STOCK.name, key, value, headers)


def _read(key: bytes, state: StockState, ask: Ask) -> Emission:
    hint = Hint(brand=state.brand, order=state.order, why="fold", seen_at=state.now, token=ask.token)
    return Emission(HINTS[ask.system].name, key, hint.model_dump_json().encode(), {"brand": state.brand.encode()})


def stock_fold(partition: int) -> StockFold:
    """A `streams.engine.contract.FoldFactory`."""
    return StockFold(partition)
