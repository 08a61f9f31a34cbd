"""One phase: Kafka, the outside world and every role started, struck while shoppers order, brought to rest, judged."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from kernel.kafka_log import KafkaLog
from kernel.log import LogError
from lockstep.demo.judge import Books, Judged, Stage
from lockstep.demo.outside import Outside, configure_brands, make_outside
from lockstep.demo.processes import Processes
from lockstep.demo.watch import Watch
from lockstep.demo.wiring import PARTITIONS, wired
from lockstep.roles import Role
from lockstep.simulation.oracle import DOUBLES, never, unsettled
from lockstep.simulation.people import Account
from lockstep.topic_specs import specs
from sandbox.clarus.pickers import PickerSettings
from sandbox.clock import Clock, LoopClock
from sandbox.faults import Faults, Preset
from sandbox.kafka import Cluster
from sandbox.shopify.shoppers import Habits
from schemas.base import System
from schemas.topics import COMMANDS, HINTS, ORDERS_EVENTS
from streams.agents.normalise import SOURCES
from tests.kills.blows import Blows, until
from tests.kills.proxy import FaultProxy
from tests.kills.report import Phase
from tests.kills.schedule import Where, draw
from tests.kills.verdict import DOUBLED, LOST, ORDERS_GROUP, TABLE, Verdict, excused, judge, take

LOOK_EVERY = 2.0
SAY_EVERY = 10.0
QUIET_FOR = 12.0
"""Seconds of nothing new in any book before the verdict: longer than any system's longest request, so that a second
effect would have shown."""
FINISHED_WITHIN = 180.0
SLACK = timedelta(seconds=5)
RESTARTS_MOST = 60
"""Of one process: each time the whole Kafka is away it may try again a few times."""
QUICK_HANDS = PickerSettings(until_rest=(5.0, 15.0), until_tracking=(5.0, 20.0))
BATCH = 10
"""Orders placed at a time while the blows last longer than planned."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`over`: seconds in which `blows` fall. `rate` is orders a second over all shops."""

    where: Where
    seed: int
    blows: int
    over: float
    rate: float = 2.0
    faults: Preset = "some"
    settled_within: float = 300.0

    @property
    def brokers(self) -> int:
        return 1 if self.where == "single" else 3


async def play(plan: Plan, folder: Path, say: Callable[[str], None]) -> Phase:
    """Raises KafkaFailedError, ProcessFailedError or NotUpError when something does not come up."""
    clock = LoopClock()
    clock.now()
    began = asyncio.get_running_loop().time()
    async with AsyncExitStack() as stack:
        say(f"{plan.where}: {plan.brokers} broker(s), the outside world and every role are started")
        settings = {"min.insync.replicas": str(max(1, plan.brokers - 1))}
        cluster = await stack.enter_async_context(Cluster(plan.brokers, settings=settings, progress=say))
        outside = make_outside(clock, plan.seed, Faults.preset(plan.faults))
        stack.push_async_callback(outside.aclose)
        proxies: dict[System, FaultProxy] = {}

        async def through_a_proxy(system: System, port: int) -> int:
            proxies[system] = await stack.enter_async_context(FaultProxy(port))
            return proxies[system].port

        environment = await wired(
            outside, None, cluster.bootstrap, folder, stack, reach=through_a_proxy, replication=plan.brokers
        )
        log = KafkaLog(cluster.bootstrap, client_id="lockstep-kills")
        await log.create_topics(specs(PARTITIONS, plan.brokers))
        await configure_brands(log, clock.now() - timedelta(hours=1))
        processes = Processes(environment, folder, say=say, restarts_most=RESTARTS_MOST)
        stack.push_async_callback(processes.stop)
        await processes.start()
        run = _Run(plan, outside, cluster, proxies, log, processes, clock, say)
        return await run.run(folder, began)


class _Run:
    """What happens once all is up."""

    def __init__(
        self,
        plan: Plan,
        outside: Outside,
        cluster: Cluster,
        proxies: dict[System, FaultProxy],
        log: KafkaLog,
        processes: Processes,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self._plan, self._outside, self._log = plan, outside, log
        self._processes, self._proxies, self._clock, self._say = processes, proxies, clock, say
        self._watch = Watch(log, lambda _: None)
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._judged: Judged | None = None
        self._blows = Blows(processes, cluster, proxies, log, clock, self._tell)

    async def run(self, folder: Path, phase_began: float) -> Phase:
        self._processes.say = self._tell
        background = [
            asyncio.create_task(work)
            for work in (self._processes.keep(), self._watch.run(), self._outside.pickers(QUICK_HANDS).run())
        ]
        schedule = draw(self._plan.seed, self._plan.where, self._plan.blows, self._plan.over)
        falling = asyncio.create_task(self._blows.run(schedule))
        shopping = asyncio.create_task(self._shop(falling))
        try:
            await self._wait(lambda: falling.done() and shopping.done(), falling, shopping, *background)
            blows_seconds = self._loop.time() - self._began
            self._tell("all blows have fallen; waiting until everything is settled")
            await self._settle(background)
            settled_seconds = self._loop.time() - self._began - blows_seconds
            moment = self._clock.now()
            await self._rest(background)
        finally:
            for task in (falling, shopping, *background):
                task.cancel()
            await asyncio.gather(falling, shopping, *background, return_exceptions=True)
        books, taken = await self._outside.books(), await take(self._log)
        verdict = judge(books, taken, PARTITIONS, moment - SLACK, self._blows.told.naps)
        if verdict.violations:
            (folder / "books.json").write_text(json.dumps(asdict(books), indent=1, default=str) + "\n")
        return self._report(books, verdict, phase_began, blows_seconds, settled_seconds)

    # --- on the way

    async def _shop(self, falling: "asyncio.Task[None]") -> None:
        """As many orders as the schedule is long, and more as long as blows fall."""
        count = max(5, round(self._plan.over * self._plan.rate))
        await self._outside.shoppers().run(count, self._plan.rate)
        while not falling.done():
            await self._outside.shoppers(Habits(planted=())).run(BATCH, self._plan.rate)

    async def _wait(self, done: Callable[[], bool], *tasks: "asyncio.Task[None]") -> None:
        """Look and tell now and then. Raises what ended one of the tasks."""
        said = self._loop.time()
        while not done():
            self._judged = Judged(await self._outside.books())
            if self._loop.time() - said > SAY_EVERY:
                said = self._loop.time()
                self._tell("orders are placed and picked")
            await asyncio.wait(tasks, timeout=LOOK_EVERY, return_when=asyncio.FIRST_EXCEPTION)
            _raise_what_failed(tasks)

    async def _settle(self, background: Sequence["asyncio.Task[None]"]) -> None:
        """Until every order is where it must end and no book changes, or until it has taken too long."""
        began = quiet_since = self._loop.time()
        last = ""

        def quiet() -> bool:
            return self._loop.time() - quiet_since >= QUIET_FOR

        def late() -> bool:
            return self._loop.time() - began > self._plan.settled_within

        while not quiet() and not late():
            await self._wait(_after(1), *background)
            books = await self._outside.books()
            open_ = sorted(case.key for case in self._watch.open)
            waits = self._waits_for(books)
            said = f"{len(self._outside.clarus.books)} {_size(books)} {open_} {waits}"
            if said != last or waits:
                quiet_since = self._loop.time()
            last = said
        if late():
            self._tell("it did not settle in time")

    def _waits_for(self, books: Books) -> list[str]:
        """Why the orders are not settled; doubles that a sleeper's waking explains do not count."""
        account, cases = Account(), list(self._watch.cases.values())
        found = list(unsettled(books, cases, account))
        if found:
            doubles = [one for one in never(books, account, lambda _number, _at: True) if one.rule in DOUBLES]
            passed = {one.order for one in excused(doubles, books, cases, self._blows.told.naps)}
            found = [one for one in found if one.order not in passed]
        return [str(one) for one in found]

    # --- to rest

    async def _rest(self, background: Sequence["asyncio.Task[None]"]) -> None:
        """End the roles in the order of the flow, each when it has finished all there is."""
        self._tell("settled; the processes finish what is in the log and end")
        for system in System:
            await self._finished(f"lockstep.{system}", [HINTS[system].name, COMMANDS[system].name], background)
        await self._processes.stop(Role.INTAKE, *(Role(system) for system in System))
        await self._finished("lockstep.normalise", SOURCES, background)
        await self._processes.stop(Role.NORMALISE)
        await self._finished(ORDERS_GROUP, [ORDERS_EVENTS.name], background)
        await self._processes.stop(Role.ORDERS)

    async def _finished(self, group: str, topics: Sequence[str], background: Sequence["asyncio.Task[None]"]) -> None:
        ends = {where: span.end for where, span in (await self._log.spans(topics)).items() if span.end > span.begin}

        async def so() -> bool:
            _raise_what_failed(background)
            try:
                committed = (await self._log.describe_groups([group]))[group].committed
            except LogError:
                return False
            return all(committed.get(where, 0) >= end for where, end in ends.items())

        await until(so, lambda: f"{group} has not finished {', '.join(topics)}", FINISHED_WITHIN)

    # --- what is told

    def _tell(self, what: str) -> None:
        """With how far the orders are."""
        judged = self._judged
        told = ""
        if judged is not None:
            stages = judged.stages()
            ended = stages[Stage.TOLD]
            told = f"   [orders {len(judged.ledgers)}, in step {ended}, cases open {len(self._watch.open)}]"
        self._say(f"{self._plan.where} {self._loop.time() - self._began:6.1f} s  {what}{told}")

    def _report(
        self, books: Books, verdict: Verdict, phase_began: float, blows_seconds: float, settled_seconds: float
    ) -> Phase:
        judged, told = Judged(books), self._blows.told
        stages = judged.stages()
        troubled = {
            f"{system} {trouble}": count
            for system, proxy in self._proxies.items()
            for trouble, count in sorted(proxy.met.items())
        }
        return Phase(
            where=self._plan.where,
            seed=self._plan.seed,
            blows=dict(sorted(told.by_kind.items())),
            victims=dict(sorted(told.by_victim.items())),
            troubled=troubled,
            orders=len(judged.ledgers),
            in_step=stages[Stage.TOLD],
            held=stages[Stage.PLANTED],
            events=verdict.events,
            lost=verdict.count(LOST),
            doubled=verdict.count(DOUBLED),
            doubled_found=len(verdict.doubled_found),
            tables_equal=verdict.count(TABLE) == 0,
            restarts=self._processes.restarts,
            seconds=round(self._loop.time() - phase_began, 1),
            blows_seconds=round(blows_seconds, 1),
            settled_seconds=round(settled_seconds, 1),
            cases_opened=len(verdict.cases),
            disorderly=tuple(told.disorderly),
            violations=tuple(str(one) for one in verdict.violations),
            found=tuple(str(one) for one in verdict.doubled_found),
        )


def _after(looks: int) -> Callable[[], bool]:
    """False so many times, then true."""
    left = iter([False] * looks)
    return lambda: next(left, True)


def _size(books: Books) -> str:
    shopify = books.shopify
    tellings = [(one["id"], one["cancelled"], one["tracking"]) for one in shopify["fulfillments"]]
    erp = (len(books.erp["sales_orders"]), len(books.erp["fulfilments"]))
    return f"{len(shopify['orders'])} {tellings} {erp}"


def _raise_what_failed(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            task.result()
