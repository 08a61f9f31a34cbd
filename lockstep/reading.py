"""Reading the log for people: everything in some topics, the newest of each key, one order's events and state."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from kernel.log import Log, Record
from kernel.partitioner import partition_of
from schemas.aggregates import Kind, item_id, kind_of, stock_id, stock_of
from schemas.avro import Codec
from schemas.base import Brand, LocationId, OrderKey, Sku, order_key, split_key
from schemas.cases import Case
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import EVENT_KINDS, OrderEvent
from schemas.topics import CASES, CONFIG, ITEMS_STATE, ORDERS_EVENTS, ORDERS_STATE, STOCK_STATE, Topic
from streams.agents.orders import OrdersFold
from streams.engine.changelog import MARKS, Restored
from streams.engine.prefix import unpack
from streams.rules.items.state import ItemState
from streams.rules.orders.state import OrderState
from streams.rules.stock.state import StockState

_EVENTS = Codec(EVENT_KINDS)
_CASES = Codec((Case,))
_TABLES: Mapping[Kind, tuple[Topic, type[OrderState | StockState | ItemState]]] = {
    Kind.ORDER: (ORDERS_STATE, OrderState),
    Kind.STOCK: (STOCK_STATE, StockState),
    Kind.ITEM: (ITEMS_STATE, ItemState),
}
Progress = Callable[[int], None]


@asynccontextmanager
async def everything(
    log: Log, topics: Sequence[str], *, partitions: Sequence[int] | None = None
) -> AsyncIterator[AsyncIterator[Record]]:
    """All records there are now, per partition in order; ends when what was there at the start has been read."""
    reader = log.reader(topics, partitions=partitions)
    await reader.start()

    async def records() -> AsyncIterator[Record]:
        while not await reader.caught_up():
            for record in await reader.poll(timeout=0.5, most=2000):
                yield record

    try:
        yield records()
    finally:
        await reader.stop()


async def newest_configs(log: Log) -> dict[Brand, BrandConfig]:
    configs: dict[Brand, BrandConfig] = {}
    async with everything(log, [CONFIG.name]) as records:
        async for record in records:
            if record.key is not None and record.value is not None:
                configs[Brand(record.key.decode())] = BrandConfig.model_validate_json(record.value)
    return configs


async def brands_in(log: Log, topic: str) -> set[Brand]:
    """Whose keys lie in a topic of keys `brand/id`."""
    brands: set[Brand] = set()
    async with everything(log, [topic]) as records:
        async for record in records:
            if record.key is not None and record.key not in MARKS:
                brands.add(Brand(record.key.decode(errors="replace").partition("/")[0]))
    return brands


async def newest_cases(log: Log) -> list[Case]:
    """Open and closed, the most urgent first."""
    cases: dict[str, Case] = {}
    async with everything(log, [CASES.name]) as records:
        async for record in records:
            if (case := case_in(record)) is not None:
                cases[case.key] = case
    return sorted(cases.values(), key=lambda case: (not case.open, case.due_at, case.key))


def case_in(record: Record) -> Case | None:
    """The case a record of `cases` holds; None for a tombstone. Raises Unreadable."""
    if record.value is None:
        return None
    case = _CASES.decode(record.value, record.headers)
    assert isinstance(case, Case)
    return case


@dataclass(frozen=True, slots=True)
class Told:
    """One event of an order: where it lies and what it says."""

    record: Record
    event: OrderEvent


@dataclass(frozen=True, slots=True)
class OrderStory:
    """An order as the log tells it: its state now, and the events that led here."""

    state: OrderState | None
    config: BrandConfig | None
    events: tuple[Told, ...]


async def read_order(log: Log, key: OrderKey, progress: Progress = lambda _: None) -> OrderStory:
    """Fold the order's partition from its beginning; calls `progress` with the records read so far."""
    count = await log.partitions(ORDERS_EVENTS.name)
    number = partition_of(key.encode(), count)
    fold = OrdersFold(number)
    told: list[Told] = []
    seen = 0
    async with everything(log, [ORDERS_EVENTS.name], partitions=[number]) as records:
        async for record in records:
            seen += 1
            if seen % 5000 == 0:
                progress(seen)
            try:
                fold.handle(record)
                if record.key == key.encode() and record.value is not None:
                    event = _EVENTS.decode(record.value, record.headers)
                    assert isinstance(event, OrderEvent)
                    told.append(Told(record, event))
            except Unreadable:
                continue  # it lies in the dead letters
    brand = split_key(key)[0]
    return OrderStory(fold.states().get(key), fold.config_of(brand), tuple(told))


async def read_state(log: Log, key: OrderKey) -> OrderState | StockState | ItemState | None:
    """What the workers know of a key, whatever it stands for: its newest state, as the changelog has it."""
    topic, model = _TABLES[kind_of(split_key(key)[1])]
    found = await _newest(log, topic.name, {key.encode()})
    return next((model.model_validate_json(unpack(value)[1]) for value in found.values()), None)


async def orders_named(log: Log, brand: Brand, name: str) -> list[OrderKey]:
    """The orders that Shopify shows by this name (`#1007`), as the changelog has them; a shop may reuse a name."""
    mine, said = f"{brand}/".encode(), b'"name":' + json.dumps(name, ensure_ascii=False).encode()
    found = await _newest_of(log, ORDERS_STATE.name, lambda key, value: key.startswith(mine) and said in value)
    states = (OrderState.model_validate_json(unpack(value)[1]) for _, value in sorted(found.items()))
    return [order_key(brand, one.order) for one in states if one.shopify is not None and one.shopify.name == name]


async def read_item(log: Log, brand: Brand, code: Sku) -> ItemState | None:
    """An item's newest state by its product code, as the changelog has it."""
    found = await _newest(log, ITEMS_STATE.name, {order_key(brand, item_id(code)).encode()})
    return next((ItemState.model_validate_json(unpack(value)[1]) for value in found.values()), None)


async def read_stock(log: Log, brand: Brand, code: Sku, places: Sequence[LocationId]) -> list[StockState]:
    """A product code's newest states at these locations, as the changelog has them."""
    keys = {order_key(brand, stock_id(code, place)).encode() for place in places}
    found = await _newest(log, STOCK_STATE.name, keys)
    return [StockState.model_validate_json(unpack(found[key])[1]) for key in sorted(found)]


async def read_all_stock(log: Log, brand: Brand) -> list[StockState]:
    """Every stock item of the brand, as the changelog has them."""
    found = await _newest_of(log, STOCK_STATE.name, lambda key, _: _is_stock_of(brand, key))
    return [StockState.model_validate_json(unpack(found[key])[1]) for key in sorted(found)]


def _is_stock_of(brand: Brand, key: bytes) -> bool:
    of, id_ = split_key(key.decode())
    return of == brand and stock_of(id_) is not None


async def _newest(log: Log, changelog: str, keys: Collection[bytes]) -> dict[bytes, bytes]:
    """The newest change of each of these keys, of those that have one."""
    count = await log.partitions(changelog)
    partitions = sorted({partition_of(key, count) for key in keys})
    return await _newest_of(log, changelog, lambda key, _: key in keys, partitions)


async def _newest_of(
    log: Log, changelog: str, wanted: Callable[[bytes, bytes], bool], partitions: Sequence[int] | None = None
) -> dict[bytes, bytes]:
    """Of the changes wanted, by key and value. As a worker would restore them: what lies before the mark of a table
    put in place does not count.
    """
    found: dict[int, Restored] = defaultdict(Restored)
    async with everything(log, [changelog], partitions=partitions) as records:
        async for record in records:
            key, value = record.key, record.value
            if key is not None and value is not None and (key in MARKS or wanted(key, value)):
                found[record.partition.number].note(key, value)
    return {key: value for one in found.values() for key, value in one.newest.items()}
