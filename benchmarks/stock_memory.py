"""`python -m benchmarks.stock_memory ITEMS KNOWN`: what a stock worker keeps in memory of so many items.

KNOWN is `restored`, as after an assignment, or `decoded`, when something has happened to each since. Prints as JSON the
bytes the process grew by and the bytes of one item's record in the changelog.
"""

import gc
import json
import sys
from datetime import UTC, datetime, timedelta

import psutil  # type: ignore[import-untyped]  # ships no types

from kernel.log import Partition, Record
from lockstep.demo.scenario import BRANDS
from schemas.aggregates import stock_id
from schemas.base import Sku, order_key
from schemas.events import CONFIG_ID, BalanceSeen, ConfigChanged, LevelSeen, OrderEvent, Source
from schemas.stock import Balance, InventoryItemId, Level, ShopItem, WarehouseBalance
from schemas.stock_rules import StockRules
from schemas.topics import STOCK_EVENTS
from streams.agents.stock import StockFold

BRAND = BRANDS[0]
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MODEL = Sku("MODEL-000000")


class _Log:
    """One partition of `stock.events`, as it grows."""

    def __init__(self) -> None:
        self.offset = -1
        self.where = Partition(STOCK_EVENTS.name, 0)

    def record(self, event: OrderEvent) -> Record:
        self.offset += 1
        value, headers = StockFold.EVENTS.encode(event)
        return Record(self.where, self.offset, event.key.encode(), value, NOON, headers)


def model() -> bytes:
    """The changelog's value of an item in step: both sides read, nothing to write."""
    config = BRAND.config(NOON - timedelta(days=1))
    config = config.model_copy(update={"version": 1, "stock": StockRules(mode="write")})
    rule, fold, log = config.warehouses[0], StockFold(0), _Log()
    fold.handle(log.record(ConfigChanged(brand=BRAND.brand, order=CONFIG_ID, source=_source(0), config=config)))
    id_ = stock_id(MODEL, rule.location)
    item = ShopItem(
        id=InventoryItemId("44123456789012"),
        sku=MODEL,
        tracked=True,
        stocked=True,
        available=9,
        committed=3,
        on_hand=12,
    )
    seen = {"brand": BRAND.brand, "order": id_, "epoch": 1, "read_started_at": NOON}
    fold.handle(log.record(LevelSeen(**seen, source=_source(1), level=Level(items=(item,)))))
    (level_at,) = (one.level_at for one in fold.states().values())
    there = WarehouseBalance(warehouse=rule.warehouse, available=9, allocated=3, picked=0)
    balance = Balance(known=True, warehouses=(there,), ours=3)
    step = fold.handle(
        log.record(BalanceSeen(**seen, source=_source(2), token=level_at, balance=balance, complete=True))
    )
    value = step.changes[-1].value
    assert value is not None
    return value


def _source(offset: int) -> Source:
    return Source(topic="raw.shopify", cluster="bench", partition=0, offset=offset)


def main(items: int, known: str) -> None:
    value, location = model(), BRAND.config(NOON).warehouses[0].location
    fold, process = StockFold(0), psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    for number in range(items):
        code = f"MODEL-{number:06}"
        key = order_key(BRAND.brand, stock_id(Sku(code), location)).encode()
        fold.restore(key, value.replace(MODEL.encode(), code.encode()))
        if known == "decoded":
            fold.state_of(key)
    fold.restored()
    grown = process.memory_info().rss - before
    print(json.dumps({"items": items, "grown": grown, "record": len(value)}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
