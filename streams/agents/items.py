"""The items agent's fold: one partition of `items.events`, every item in it, what each should cause."""

from collections.abc import Iterable, Iterator, Sequence

from kernel.log import Record
from schemas.avro import Codec
from schemas.base import Brand, OrderId, System, order_key, split_key
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import ITEM_EVENT_KINDS, ItemMade, OrderEvent, Seen
from schemas.hints import SWEEP, Hint
from schemas.topics import ITEMS_EVENTS, ORDERS_EVENTS
from streams.agents.crowd import GapCrowds
from streams.agents.emissions import case_emission, command_emission, hint_emission
from streams.agents.keyed import Caused, Entry, KeyedFold
from streams.agents.same_log import same_log
from streams.engine.contract import Emission
from streams.rules.items.plan import Plan
from streams.rules.items.state import ItemState
from streams.rules.items.step import step, wake

_TOLD = Codec((ItemMade,))


class ItemsFold(KeyedFold[ItemState, Plan]):
    """All items of one partition."""

    KIND = ItemState
    TOPIC = ITEMS_EVENTS
    EVENTS = Codec(ITEM_EVENT_KINDS, repeated=Seen)

    def __init__(self, partition: int, *, effects: bool = True) -> None:
        super().__init__(partition, effects=effects)
        self._crowds = GapCrowds(partition)

    def _step(self, before: ItemState | None, event: OrderEvent, record: Record) -> Plan | None:
        same_log(before, event)
        try:
            return step(
                before,
                event,
                self.config_of(event.brand),
                record.at,
                self._decision(record, event.trace),
                self._crowds.full(event.brand),
                redelivered=self._before_its_configuration(event.brand, record),
            )
        except ValueError as wrong:
            raise Unreadable("order", "an item", str(wrong)) from wrong

    def _woken(self, state: ItemState, config: BrandConfig, record: Record) -> Plan:
        return wake(state, config, record.at, self._decision(record), self._crowds.full(state.brand))

    def _after(self, record: Record, caused: Caused) -> None:
        """Tell how many items have gaps beyond single cases, where that has changed."""
        if self._effects:
            caused.emissions.extend(self._crowds.news(record.offset))

    def _note(self, key: bytes, state: ItemState) -> None:
        super()._note(key, state)
        self._crowds.note(key, state)

    def _note_restored(self, key: bytes, entry: Entry[ItemState], body: bytes) -> None:
        super()._note_restored(key, entry, body)
        if GapCrowds.IN_STATE in body:
            self._crowds.note(key, entry.seen())

    def resend(self, committed: int) -> Sequence[Emission]:
        """Also the figures of gaps, when any of them may not have been told."""
        late = [key for key, entry in self._entries.items() if entry.prefix.last_offset >= committed]
        if not late:
            return super().resend(committed)
        brands = {brand for key in late if self._audited(brand := split_key(key.decode())[0])}
        newest = max(self._entries[key].prefix.last_offset for key in late)
        return [*super().resend(committed), *self._crowds.all(brands, newest)]

    def _audited(self, brand: Brand) -> bool:
        config = self.config_of(brand)
        return config is not None and config.items.audited

    def _sent(self, key: bytes, before: ItemState | None, made: Plan) -> Iterator[Emission]:
        yield from (command_emission(key, command) for command in made.commands)
        yield from (case_emission(case) for case in made.cases)
        yield from (_read(made.state, system) for system in made.reads)
        yield from (_read(made.state, system, gently=True) for system in made.gentle_reads)
        yield from _told(made.state, made.told)

    def _sent_again(self, key: bytes, state: ItemState, committed: int) -> Iterable[Emission]:
        """The command in flight, cases, reads, and to whom it was last told that it is there."""
        yield from (command_emission(key, command) for command in state.in_flight)
        yield from (case_emission(case) for case in (*state.closed_cases, *state.cases))
        config = self.config_of(state.brand)
        if config is not None and config.items.mode != "off":
            sides = System if config.items.audited else (System.CLARUS, System.ERP)
            yield from (_read(state, system) for system in sides)
        yield from _told(state, state.told)


def _read(state: ItemState, system: System, *, gently: bool = False) -> Emission:
    why = SWEEP if gently else "fold"
    return hint_emission(system, Hint(brand=state.brand, order=state.order, why=why, seen_at=state.now))


def _told(state: ItemState, orders: Iterable[OrderId]) -> Iterator[Emission]:
    for order in orders:
        value, headers = _TOLD.encode(ItemMade(brand=state.brand, order=order, code=state.code))
        headers |= {"brand": state.brand.encode(), "trace": b""}
        yield Emission(ORDERS_EVENTS.name, order_key(state.brand, order).encode(), value, headers)


def items_fold(partition: int) -> ItemsFold:
    """A `streams.engine.contract.FoldFactory`."""
    return ItemsFold(partition)
