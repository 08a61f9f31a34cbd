"""flash_sale on a real Kafka: processes and sockets, faults outside, the stock worker killed in the middle."""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from kernel.kafka_log import KafkaLog
from lockstep.demo.outside import Outside, configure_brands, make_outside
from lockstep.demo.sale import SaleDay
from lockstep.demo.stock_report import StockReport, causes, faults_of, stock_report
from lockstep.demo.wiring import PARTITIONS, wired
from lockstep.roles import Role
from lockstep.topic_specs import specs
from sandbox import tether
from sandbox.clarus.pickers import PickerSettings
from sandbox.clock import LoopClock
from sandbox.erp.world import ErpTimings
from sandbox.faults import Faults
from sandbox.kafka import Broker
from schemas.stock_rules import StockRules

pytestmark = pytest.mark.kafka

BUYERS, UNITS, WINDOW, HANDS = 40, 10, 6.0, 4
RULES = StockRules(mode="write", quiet_for=1, max_wait=3)
TOGETHER = tuple(role for role in Role if role not in (Role.STOCK, Role.ITEMS, Role.NOTICES))
"""Roles of one process: eight would take longer to start than the sale lasts."""
BRISK = PickerSettings(
    until_allocated=(0.2, 1.0), until_picking=(0.2, 1.0), while_picking=(0.5, 2.0), until_despatched=(0.2, 1.0),
    until_rest=(1.0, 3.0), until_tracking=(1.0, 3.0),
)  # fmt: skip
SWEEP_EVERY = 6
QUIET_FOR = 2.5 * SWEEP_EVERY
"""Seconds without a move before the verdict: what no webhook told is found by a sweep, on a slow machine too."""
FASTER = {
    "LOCKSTEP_RUNTIME__POLL_EVERY": "2", "LOCKSTEP_RUNTIME__SWEEP_EVERY": f"{SWEEP_EVERY}",
    "LOCKSTEP_RUNTIME__DELAY": "1", "LOCKSTEP_LOG_LEVEL": "warning",
}  # fmt: skip


class Running:
    """Lockstep's processes. `folder` gets what they print."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment, self._folder = {**os.environ, **environment, **FASTER}, folder

    @contextmanager
    def playing(self, *roles: Role) -> Iterator[tether.Tethered]:
        """Ends by SIGKILL, as everything here must bear."""
        command = [sys.executable, "-m", "lockstep", "run", *roles]
        with (self._folder / f"{roles[0]}.log").open("ab") as log:
            process = tether.start(command, environment=self._environment, log=log, folder=self._folder)
        try:
            yield process
            assert process.exit_status is None, f"{roles} ended: {(self._folder / f'{roles[0]}.log').read_text()}"
        finally:
            process.kill()
            process.stop()


async def answers(port: str) -> None:
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(f"http://127.0.0.1:{port}/")
            except httpx.TransportError:
                await asyncio.sleep(0.1)
            else:
                return


async def sold(outside: Outside, running: Running, log: KafkaLog, port: str) -> StockReport:
    day = SaleDay(outside, BUYERS, UNITS, WINDOW, HANDS)
    with running.playing(*TOGETHER):
        floor = asyncio.create_task(outside.pickers(BRISK).run())
        await answers(port)
        selling = asyncio.create_task(day.run())
        with running.playing(Role.STOCK):
            await asyncio.sleep(WINDOW / 2)
        with running.playing(Role.STOCK):
            await selling
            await day.rests(quiet_for=QUIET_FOR, within=180.0)
        floor.cancel()
        await asyncio.gather(floor, return_exceptions=True)
    shops = [shop.inventory.books for shop in day.shops]
    return stock_report(day.books, shops, RULES.buffer, await causes(log))


async def sale(folder: Path, bootstrap: str) -> StockReport:
    clock = LoopClock()
    async with AsyncExitStack() as stack:
        timings = ErpTimings(timedelta(seconds=0.2), timedelta(seconds=1))
        outside = make_outside(clock, 7, Faults.preset("some"), timings=timings)
        stack.push_async_callback(outside.aclose)
        environment = await wired(outside, None, bootstrap, folder, stack, stock=True)
        log = KafkaLog(bootstrap, client_id="sale")
        await log.create_topics(specs(PARTITIONS, 1))
        await configure_brands(log, clock.now() - timedelta(hours=1), stock=RULES)
        return await sold(outside, Running(environment, folder), log, environment["LOCKSTEP_INTAKE_PORT"])


def test_no_unit_is_sold_twice_on_a_real_kafka(tmp_path: Path) -> None:
    with Broker() as broker:
        stock = asyncio.run(sale(tmp_path, broker.bootstrap))

    assert (stock.oversold, stock.stale_overwrites) == (0, 0)
    assert (stock.undersold_beyond_buffer, stock.still_beyond) == (0, 0)
    assert list(faults_of(stock)) == []
    assert stock.units_sold >= UNITS / 2
    assert stock.writes >= 1
    assert stock.items_per_write >= 1
    assert sum(stock.drift_repaired_by_cause.values()) >= stock.writes
    assert stock.longest_window.keys() >= stock.window_oversold.keys()
