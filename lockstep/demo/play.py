"""A demo from the first checkout to the verdict: the outside world here; Kafka, Tryton and every role beside us."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from kernel.kafka_log import KafkaLog
from kernel.log import Log
from lockstep.demo.board import Board, Scene
from lockstep.demo.desk import Desk
from lockstep.demo.erps import PlayedErp, tryton
from lockstep.demo.held import held_in
from lockstep.demo.judge import Books, Judged
from lockstep.demo.naive_stock import NaiveStock
from lockstep.demo.outside import TOKEN, WHOLE_DAY, Outside, configure_brands, make_outside
from lockstep.demo.processes import Processes
from lockstep.demo.report import Report
from lockstep.demo.sale import SALE_RULES, SaleDay
from lockstep.demo.stock_report import causes, faults_of, stock_report
from lockstep.demo.watch import Watch
from lockstep.demo.wiring import PARTITIONS, wired
from lockstep.reading import newest_configs
from lockstep.roles import Role
from lockstep.topic_specs import specs
from sandbox.clock import Clock, LoopClock
from sandbox.faults import Faults, Preset
from sandbox.kafka import Broker
from schemas.stock_rules import StockRules

LOOK_EVERY = 1.0
QUIET_FOR = 9.0
"""Seconds of nothing new in any book before the verdict: longer than the systems' longest request plus what they
execute late, so that a second effect would have shown."""
SALE_QUIET_FOR = 25.0
"""The same where stock is kept: longer than a debounce, two readings and a write."""
DOWN_FOR = 2.0
"""Seconds a killed process stays away."""


class DemoError(RuntimeError):
    """The demo cannot start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Sale:
    """`buyers` want one or two of a few things within `window` seconds; there are `units` of them in all. `naive`: a
    program that writes Clarus' figure straight to available keeps the stock instead of Lockstep.
    """

    buyers: int
    units: int
    window: float = 60.0
    naive: bool = False
    hands: int = 0
    """Turns of the warehouse's people and of the shop's staff at the stock meanwhile."""

    def day(self, outside: Outside) -> SaleDay:
        return SaleDay(outside, self.buyers, self.units, self.window, self.hands)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is played. `rate` is orders a second over all shops; `timeout` seconds from the first order on."""

    orders: int = 60
    rate: float = 2.0
    seed: int = 7
    faults: Preset = "some"
    erp: Literal["tryton", "sandbox"] = "tryton"
    kill: bool = False
    timeout: float = 480.0
    bootstrap: str | None = None
    """Brokers that run already; None starts one."""
    sale: Sale | None = None
    """A flash sale instead of the day's shoppers; `orders` and `rate` mean nothing then."""

    @property
    def stock(self) -> StockRules | None:
        """How stock is kept: only a sale has any."""
        return None if self.sale is None else StockRules(mode="off") if self.sale.naive else SALE_RULES


@dataclass(frozen=True, slots=True)
class Ended:
    """A run at its verdict, while everything still runs."""

    report: Report
    books: Books
    """What the verdict was read from."""
    environment: Mapping[str, str]
    """What another terminal must set."""
    health: Mapping[str, str]
    """Process → base address of its /health and /metrics."""


async def play(plan: Plan, board: Board, at_the_end: Callable[[Ended], Awaitable[None]]) -> Report:
    """Run it: the verdict. `at_the_end` is awaited before anything is ended, and after the board.

    Raises DemoError, KafkaFailedError, TrytonFailedError or ProcessFailedError when something would not start or stay.
    """
    clock = LoopClock()
    async with AsyncExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="lockstep-demo-"))
        bootstrap, erp = await _started(plan, clock, board, stack)
        outside = make_outside(
            clock, plan.seed, Faults.preset(plan.faults), erp=None if erp is None else erp.books, edit_windows=True
        )
        stack.push_async_callback(outside.aclose)
        tables = None if erp is None else erp.tables
        environment = await wired(outside, tables, bootstrap, folder, stack, stock=plan.sale is not None)
        log = KafkaLog(bootstrap, client_id="lockstep-demo")
        await _prepared(log, clock, plan.stock)
        roles = [role for role in Role if role is not Role.STOCK or plan.sale is not None]
        processes = Processes(environment, folder, roles, say=board.say)
        stack.push_async_callback(processes.stop)
        board.say("starting Lockstep's processes: " + ", ".join(roles))
        await processes.start()
        board.say(f"all are ready; their logs are in {folder}")
        day = None if plan.sale is None else plan.sale.day(outside)
        with board:
            run = _Run(plan, log, outside, erp, processes, Watch(log, board.say), clock, board, day)
            report, books = await run.run()
        if day is not None:
            report = await _with_stock(report, day, plan, log)
        health = {process.name: process.health for process in processes.all}
        await at_the_end(Ended(report, books, environment, health))
    if report.in_step:
        shutil.rmtree(folder, ignore_errors=True)
    return report


# --- setting up


async def _started(plan: Plan, clock: Clock, board: Board, stack: AsyncExitStack) -> tuple[str, PlayedErp | None]:
    """Kafka and the ERP, at the same time: each may have to be downloaded first."""

    async def kafka() -> str:
        if plan.bootstrap is not None:
            return plan.bootstrap
        board.say("starting Kafka")
        return (await stack.enter_async_context(Broker(progress=board.say))).bootstrap

    async def erp() -> PlayedErp | None:
        if plan.erp == "sandbox":
            return None
        board.say("starting Tryton")
        return await stack.enter_async_context(tryton(clock, board.say))

    broker, played = asyncio.create_task(kafka()), asyncio.create_task(erp())
    try:
        return await broker, await played
    finally:
        played.cancel()
        await asyncio.gather(broker, played, return_exceptions=True)


async def _with_stock(report: Report, day: SaleDay, plan: Plan, log: KafkaLog) -> Report:
    """The verdict with the sale's: whatever was sold twice keeps it from being in step."""
    rules = plan.stock or StockRules()
    shops = [shop.inventory.books for shop in day.shops]
    stock = stock_report(day.books, shops, rules.buffer, await causes(log))
    why_not = (*report.why_not, *faults_of(stock))
    return report.model_copy(update={"stock": stock, "why_not": why_not, "in_step": not why_not})


async def _prepared(log: KafkaLog, clock: Clock, stock: StockRules | None) -> None:
    """Topics and the brands' configuration, on brokers that hold no other run."""
    made = await log.create_topics(specs(PARTITIONS, 1))
    if not made and await newest_configs(log):
        raise DemoError(
            "expected a Kafka without Lockstep's topics at LOCKSTEP_KAFKA_BOOTSTRAP, found them in use: unset it to "
            "get a broker of the demo's own, or delete them"
        )
    await configure_brands(log, clock.now() - timedelta(hours=1), edit_windows=True, stock=stock)


# --- the run itself


@dataclass(slots=True)
class _Run:
    plan: Plan
    log: Log
    outside: Outside
    erp: PlayedErp | None
    processes: Processes
    watch: Watch
    clock: Clock
    board: Board
    day: SaleDay | None = None

    async def run(self) -> tuple[Report, Books]:
        """From the first order to the verdict."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        played = asyncio.create_task(self._played())
        works = [
            self.processes.keep(),
            self.watch.run(),
            self.outside.pickers().run(),
            self._desk().let_go(),
            *self._clerk(),
            *self._naive(),
        ]
        background = [asyncio.create_task(work) for work in works]
        try:
            in_time, books = await self._until_finished(began, played, background)
        finally:
            for task in (played, *background):
                task.cancel()
            await asyncio.gather(played, *background, return_exceptions=True)
        report = (
            Judged(books)
            .report(
                seconds=loop.time() - began,
                in_time=in_time,
                cases=list(self.watch.cases.values()),
                dead_letters=self.watch.dead_letters,
                held=await held_in(self.log),
            )
            .model_copy(
                update={
                    "seed": self.plan.seed,
                    "erp_kind": self.plan.erp,
                    "faults": self.plan.faults,
                    "kills": self.processes.kills,
                    "restarts": self.processes.restarts,
                }
            )
        )
        return report, books

    async def _played(self) -> None:
        """The shoppers; half-way the new shipping lines are mapped, and where asked for, processes killed."""
        sale = self.plan.sale
        seconds = self.plan.orders / self.plan.rate if sale is None else sale.window
        async with asyncio.TaskGroup() as playing:
            if self.day is None:
                playing.create_task(self.outside.shoppers(WHOLE_DAY).run(self.plan.orders, self.plan.rate))
                playing.create_task(self._desk().map_new_lines(seconds * 0.5))
            else:
                playing.create_task(self.day.run())
            if self.plan.kill and sale is not None:
                playing.create_task(self._killed(Role.STOCK, seconds * 0.3))
            if self.plan.kill:
                playing.create_task(self._killed(Role.ORDERS, seconds * 0.4))
                playing.create_task(self._killed(Role.CLARUS, seconds * 0.7))

    async def _killed(self, role: Role, after: float) -> None:
        await asyncio.sleep(after)
        await self.processes.kill_and_restart(role, DOWN_FOR)

    @property
    def _naively(self) -> bool:
        return self.plan.sale is not None and self.plan.sale.naive

    def _naive(self) -> list[Coroutine[Any, Any, None]]:
        if self.day is None or not self._naively:
            return []
        return [NaiveStock(self.outside, self.day.spots, TOKEN).run()]

    def _desk(self) -> Desk:
        return Desk(self.log, self.outside, lambda: self.watch.open, self.board.say)

    def _clerk(self) -> list[Coroutine[Any, Any, None]]:
        return [] if self.erp is None or self.erp.clerk is None else [self.erp.clerk.run()]

    async def _until_finished(
        self, began: float, played: "asyncio.Task[None]", background: "list[asyncio.Task[None]]"
    ) -> tuple[bool, Books]:
        """Look at the books again and again until nothing is on its way and nothing new comes, or time is up."""
        loop = asyncio.get_running_loop()
        quiet_since, last = loop.time(), ""
        while True:
            _raise_what_failed(played, *background)
            if self.day is not None and played.done() and not self._naively:
                self.day.make_up()
            books = await self.outside.books()
            judged = Judged(books)
            now, cases = loop.time(), self.watch.open
            said = self._said(judged)
            if said != last:
                quiet_since, last = now, said
            # What was sold twice can never be shipped: a naive sale has ended when nothing moves any more.
            owed = not judged.finished() and not self._naively
            finished = played.done() and not owed and not any(judged.silent(cases))
            waiting = "shoppers order" if not played.done() else "everything is settling" if finished else "under way"
            expected = self.plan.orders if self.plan.sale is None else self.plan.sale.units
            self.board.show(Scene(now - began, waiting, judged, cases, expected))
            if (
                finished
                and now - quiet_since >= (QUIET_FOR if self.day is None else SALE_QUIET_FOR)
                and not any(judged.strays(cases))
            ):
                return True, books
            if now - began > self.plan.timeout:
                return False, books
            await asyncio.sleep(LOOK_EVERY)

    def _said(self, judged: Judged) -> str:
        """Everything countable; when it stays the same nothing happens any more."""
        counts = (judged.orders(), judged.clarus(), judged.erp(), judged.shopify())
        cases = sorted((key, case.open) for key, case in self.watch.cases.items())
        stock = "" if self.day is None else self.day.said()
        return f"{counts} {cases} {self.watch.dead_letters} {stock}"


def _raise_what_failed(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            raise task.exception()  # type: ignore[misc]  # asked for above: it has one
