"""A flash sale in virtual time: the whole flow keeps stock in step while many shoppers want few things."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from kernel.virtual_time import run_virtual
from lockstep.demo.naive_stock import NaiveStock
from lockstep.demo.outside import TOKEN
from lockstep.demo.sale import SALE_RULES, SaleDay
from lockstep.demo.stock_report import StockReport, causes, stock_report
from lockstep.simulation.house import RUNTIME, House
from sandbox.faults import Faults
from schemas.stock_rules import StockRules

QUIET_FOR = 40.0
"""Seconds in which no figure moves before the verdict: longer than debounce, reads, a write and its retries."""
AT_MOST = 1800.0


def play_sale(
    seed: int,
    *,
    buyers: int,
    units: int,
    window: float = 60.0,
    faults: Faults | None = None,
    hands: int = 0,
    naive: bool = False,
    kill_at: float | None = None,
    rules: StockRules = SALE_RULES,
) -> StockReport:
    """`buyers` want one or two of two hot items within `window` seconds; there are `units` of them in all.

    `hands`: so many turns of the warehouse's people and of the shop's staff meanwhile. `naive`: a program that writes
    Clarus' figure straight to available keeps the stock, and nobody else. `kill_at`: seconds after which the stock
    worker is killed and started again. Deterministic.
    """
    rules = rules.model_copy(update={"mode": "off"}) if naive else rules

    async def play() -> StockReport:
        runtime = RUNTIME.model_copy(update={"poll_every": 20.0, "sweep_every": 120.0})
        async with House(faults, seed, runtime, stock=rules) as house:
            day = SaleDay(house.outside, buyers, units, window, hands, rules)
            works: list[Coroutine[Any, Any, None]] = [house.outside.pickers().run()]
            if naive:
                works.append(NaiveStock(house.outside, day.spots, TOKEN).run())
            if kill_at is not None:
                works.append(_killed(house, kill_at))
            background = [asyncio.create_task(work) for work in works]
            try:
                await day.run()
                await day.rests(quiet_for=QUIET_FOR, within=AT_MOST, whole=not naive)
            finally:
                for task in background:
                    task.cancel()
                await asyncio.gather(*background, return_exceptions=True)
            assert not house.crashed, house.crashed
            shops = [shop.inventory.books for shop in house.outside.shopify.shops.values()]
            return stock_report(day.books, shops, rules.buffer, await causes(house.log))

    return run_virtual(play())


async def _killed(house: House, after: float) -> None:
    await house.clock.sleep(after)
    await house.kill("stock")
    await house.clock.sleep(3.0)
    house.start("stock")
