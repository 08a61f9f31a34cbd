"""`python -m benchmarks.stock_sweep ITEMS RATE [bulk]`: a catalogue is looked at in Shopify, every figure is written.

The connector as it runs, against the sandbox's cost bucket of RATE points a second; the log in memory and time virtual,
so that what is measured is the pace and not the machine. Prints as JSON what came of it.
"""

import asyncio
import json
import random
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

from connectors.runtime.config_view import ConfigView
from connectors.runtime.runtime import ConnectorRuntime
from connectors.runtime.settings import RuntimeSettings
from connectors.shopify.port import ShopifyPort
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.translate_stock import translate_level
from kernel.clock import LoopClock
from kernel.log import Outgoing, Record
from kernel.logs import configure
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from lockstep.demo.scenario import BRANDS
from lockstep.publishing import publish
from lockstep.simulation.wire import Wire
from sandbox.faults import Chance, FaultPlan, Faults
from sandbox.shopify.app import ShopifyWorld, create_app
from sandbox.shopify.bucket import Bucket
from sandbox.shopify.setup import Variant
from sandbox.shopify.shop import Shop
from schemas.aggregates import stock_of
from schemas.base import OrderId, System, split_key
from schemas.commands import SetOnHand, command_id
from schemas.outcomes import Outcome, OutcomeKind
from schemas.stock_rules import StockRules
from schemas.topics import ALL, RAW
from streams.agents.emissions import command_emission

START = datetime(2026, 11, 24, 2, tzinfo=UTC)
PARTITIONS = 4
BRAND = BRANDS[0]


class Meter(Bucket):
    """A shop's bucket, full at first, that notes what was taken and who was sent away."""

    def __init__(self, rate: float) -> None:
        super().__init__(rate)
        self.spent = 0.0
        self.asked = self.refused = 0
        self.begun: datetime | None = None

    def take(self, points: float, now: datetime) -> bool:
        self.asked += 1
        had = super().take(points, now)
        if had:
            self.begun = self.begun or now
            self.spent += points
        else:
            self.refused += 1
        return had

    def give_back(self, points: float) -> None:
        super().give_back(points)
        self.spent -= points

    def restored(self, now: datetime) -> float:
        """The share of the restore rate that came into the bucket since the first request; what comes while it is full
        is lost.
        """
        if self.begun is None or now <= self.begun:
            return 0.0
        came_back = self.spent - (self.maximum - self.available(now))
        return came_back / (self.rate * (now - self.begun).total_seconds())


def _shop(clock: LoopClock, location: int, items: int, rate: float) -> tuple[Shop, Meter]:
    shop, meter = Shop(BRAND.domain, "sweep-token", ["secret"], clock), Meter(rate)
    shop.bucket = meter
    shop.locations[location] = "Harbour"
    shop.setup.variants.extend(
        Variant(number, f"SKU-{number:06}", locations={location}) for number in range(1, items + 1)
    )
    for number in range(1, items + 1):
        level = shop.inventory.level(number, location)
        assert level is not None
        level.counted = True
    shop.inventory.write("on_hand", [])
    return shop, meter


class Decider:
    """In the place of the fold: whatever is read is written with another figure, once."""

    def __init__(self, log: MemoryLog, clock: LoopClock) -> None:
        self._log, self._clock = log, clock
        self._decided: set[OrderId] = set()
        self.outcomes: dict[OutcomeKind, int] = {}

    async def run(self, items: int) -> None:
        """Until that many figures were applied."""
        producer = self._log.producer()
        await producer.start()
        reader = self._log.reader([RAW[System.SHOPIFY].name])
        await reader.start()
        while sum(self.outcomes.values()) < items:
            for record in await reader.poll(timeout=10.0):
                command = self._heard(record)
                if command is not None:
                    sent = command_emission(record.key or b"", command)
                    await producer.send_many([Outgoing(sent.topic, sent.key, sent.value, sent.headers, sent.partition)])

    def _heard(self, record: Record) -> SetOnHand | None:
        if record.headers.get("kind") not in (b"outcome", b"snapshot") or record.key is None or record.value is None:
            return None
        brand, id_ = split_key(record.key.decode())
        of = stock_of(id_)
        if of is None:
            return None
        if record.headers.get("kind") == b"outcome":
            kind = Outcome.model_validate_json(record.value).kind
            self.outcomes[kind] = self.outcomes.get(kind, 0) + 1
        if record.headers.get("kind") != b"snapshot" or id_ in self._decided:
            return None
        self._decided.add(id_)
        (item,) = translate_level(record.value).items
        return SetOnHand(
            id=command_id(brand, id_, record.partition.number, record.offset, 0),
            brand=brand, order=id_, object="on-hand", fingerprint=str(record.offset), decided_at=self._clock.now(),
            decided_partition=record.partition.number, decided_offset=record.offset, item=item.id, location=of[1],
            quantity=item.on_hand + 1, compare=item.on_hand,
        )  # fmt: skip


async def sweep(items: int, rate: float, *, bulk: bool = False) -> Mapping[str, Any]:
    """With `bulk` items and figures are read in one bulk query, as in every sweep after a connector's first: that costs
    none of the bucket.
    """
    clock = LoopClock(START)
    log = MemoryLog(clock, {topic.name: PARTITIONS for topic in ALL})
    config = BRAND.config(START - timedelta(hours=1))
    one_place = {"version": 1, "stock": StockRules(mode="write"), "warehouses": config.warehouses[:1]}
    config = config.model_copy(update=one_place)
    await publish(log, BRAND.brand, lambda _: config)
    shop, meter = _shop(clock, int(config.warehouses[0].location), items, rate)
    world = ShopifyWorld([shop], FaultPlan(Faults(), Chance(0), "shopify"), clock)
    async with ConfigView(log, clock) as configs:
        pages: dict[str, Any] = {} if bulk else {"stock_bulk_from": items + 1}
        settings = ShopifyShop(
            brand=BRAND.brand, base_url=f"http://shopify.test/{BRAND.domain}", token=shop.token, **pages
        )
        wire = Wire(create_app(world), random.Random(1))
        port = ShopifyPort([settings], clock, wire, lambda: 0.5, configs.of)
        runtime = ConnectorRuntime(port, log, configs, clock, RuntimeSettings(), Metrics())
        if bulk:
            await port.stocked(BRAND.brand)
            shop.bucket = meter = Meter(rate)
        began, cpu = clock.now(), process_time()
        connector = asyncio.create_task(runtime.run())
        decider = Decider(log, clock)
        await asyncio.wait(
            {connector, deciding := asyncio.create_task(decider.run(items))}, return_when="FIRST_COMPLETED"
        )
        deciding.result()
        seconds = (clock.now() - began).total_seconds()
        connector.cancel()
        await asyncio.gather(connector, return_exceptions=True)
    return {
        "items": items,
        "seconds": seconds,
        "cpu": process_time() - cpu,
        "applied": decider.outcomes.get(OutcomeKind.APPLIED, 0),
        "requests": meter.asked,
        "throttled": meter.refused,
        "points": meter.spent,
        "restored": meter.restored(clock.now()),
        "writes": len([one for one in shop.inventory.books.writes if one.by == "app"]),
    }


if __name__ == "__main__":
    configure("bench", 50)
    print(json.dumps(run_virtual(sweep(int(sys.argv[1]), float(sys.argv[2]), bulk="bulk" in sys.argv[3:]))))
