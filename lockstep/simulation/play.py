"""Plays one history and judges it: how it ended, what struck, and what does not hold."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from pydantic import Field

from kernel.memory_log import MemoryLog
from kernel.virtual_time import run_virtual
from lockstep.demo.desk import Desk
from lockstep.demo.judge import Books
from lockstep.demo.stock_report import causes
from lockstep.simulation.evidence import read
from lockstep.simulation.history import EVENTS_AN_ORDER, History
from lockstep.simulation.house import PARTITIONS, RUNTIME, House
from lockstep.simulation.log_oracle import LogOracle, cases_of, compared_in, shown_by
from lockstep.simulation.mishaps import Mishaps
from lockstep.simulation.oracle import DOUBLES, Violation, never, not_found, unsettled
from lockstep.simulation.people import Account
from lockstep.simulation.stocked import Stocked
from lockstep.sweeps import summed
from sandbox.faults import Fault
from sandbox.shopify.shoppers import Habits, Shoppers
from schemas.base import Frozen, System
from schemas.config import SweepTimes
from schemas.topics import ALL, DLQ, ITEMS_EVENTS, ORDERS_EVENTS, STOCK_EVENTS
from streams.engine.settings import EngineSettings

LET_GO = "let go by a person"
LOOK_EVERY = 3.0
QUIET_FOR = 15.0
"""Seconds for which all is settled before the verdict: longer than a request lasts, so that a second effect shows."""
AT_MOST = 900.0
"""Seconds after which what is not settled is a violation."""
FINISHED_WITHIN = 60.0
"""Seconds after which what lies in the log must have been finished: reads of what is waited for never cease."""
TIMINGS = RUNTIME.model_copy(update={"poll_every": 30.0, "commit_every": 2.0, "measure_every": 60.0, "look_every": 2.0})
STOCK_TIMINGS = TIMINGS.model_copy(update={"sweep_every": 90.0})
SWEEP = SweepTimes(at="09:01", every=90)
"""A night is a minute and a half: a history of any length is swept, mostly more than once."""
ENGINE = EngineSettings(commit_every=2.0, tick_every=1.0, measure_every=60.0)


class Result(Frozen):
    """`struck` counts faults and mishaps by name; `events` are of orders, stock, items; `seconds` are virtual."""

    seed: int
    events: int
    seconds: float
    violations: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    """What does not hold, by name; as many as violations."""
    doubled_found: tuple[str, ...] = ()
    """Effects done twice because a process stood still between its last check and the write, which nothing fences."""
    struck: dict[str, int] = Field(default_factory=dict)
    verdicts: dict[str, int] = Field(default_factory=dict)
    digest: str = ""
    """Of every byte in the log."""

    @property
    def faults(self) -> int:
        return sum(self.struck.values())


def play(history: History) -> Result:
    """Deterministic: the same history, the same result."""
    return run_virtual(_play(history))


async def _play(history: History) -> Result:
    shelves = history.shelves
    timings, rules = (TIMINGS, None) if shelves is None else (STOCK_TIMINGS, shelves.rules())
    async with House(history.faults, history.seed, timings, ENGINE, stock=rules, sweep=SWEEP) as house:
        stocked = None if shelves is None else Stocked(house.outside, shelves)
        mishaps = Mishaps(house, history.mishaps, stocked)
        in_time = await _until_settled(house, history, mishaps, stocked)
        books, account, cases = await house.outside.books(), mishaps.account, cases_of(house.log)
        found = list(never(books, account, shown_by(house.log)))
        if stocked is not None:
            found.extend(stocked.never())
        if not in_time:
            found.extend(unsettled(books, cases, account))
            found.extend(() if stocked is None else stocked.unsettled())
        log_oracle = _oracle(house, stocked)
        found.extend(log_oracle.violations(house.clock.now() - timedelta(seconds=FINISHED_WITHIN)))
        found.extend(Violation("crash", text) for text in house.crashed)
        letters = len(house.log.records(DLQ.name))
        if letters < account.poisoned:
            found.append(Violation("lost", f"{account.poisoned} poisoned records, {letters} dead letters"))
        if not in_time and not found:
            found.append(Violation("unsettled", "it did not come to rest"))
        doubled = [one for one in found if one.rule in DOUBLES and _in_a_gap(house, one)]
        found = [one for one in found if one.order not in {double.order for double in doubled}]
        found.extend(not_found(doubled, cases, compared_in(house.log)))
        return Result(
            seed=history.seed,
            events=events_in(house.log),
            seconds=round(house.clock.monotonic(), 3),
            violations=tuple(str(one) for one in found),
            rules=tuple(one.rule for one in found),
            doubled_found=tuple(str(one) for one in doubled),
            struck=dict(sorted((await _struck(house, account, books, stocked)).items())),
            verdicts=dict(sorted(log_oracle.verdicts.items())),
            digest=digest(house.log),
        )


async def _until_settled(house: House, history: History, mishaps: Mishaps, stocked: Stocked | None) -> bool:
    clock = house.clock
    began = clock.monotonic()
    pickers = asyncio.create_task(house.outside.pickers().run())
    habits = Habits(planted=history.planted, new_line=history.new_line, on_account=history.on_account)
    crowd = house.outside.shoppers(habits)
    shoppers = asyncio.create_task(_ordering(crowd, history, stocked))
    striking = asyncio.create_task(_striking(mishaps, history))
    letting_go = _letting_go(house, shoppers) if history.on_account else ()
    quiet_since: float | None = None
    struck_at: datetime | None = None
    last = -1
    try:
        while clock.monotonic() - began < AT_MOST and not house.crashed:
            await clock.sleep(LOOK_EVERY)
            for task in (pickers, shoppers, striking, *letting_go):
                if task.done() and task.exception() is not None:
                    task.result()
            if not (shoppers.done() and striking.done()):
                continue
            struck_at = struck_at or clock.now()
            if stocked is not None:
                stocked.make_up()
            said = len(house.outside.clarus.books) + sum(
                len(shop.made) for shop in house.outside.shopify.shops.values()
            )
            settled = (
                said == last
                and house.log.available
                and _swept_since(house, struck_at)
                and not await _unsettled(house, mishaps.account)
                and (stocked is None or not any(stocked.unsettled()))
                and not any(_oracle(house, stocked).under_way(clock.now() - timedelta(seconds=5)))
            )
            last = said
            if not settled:
                quiet_since = None
            elif quiet_since is None:
                quiet_since = clock.monotonic()
            elif clock.monotonic() - quiet_since >= QUIET_FOR:
                missing = history.events - events_in(house.log)
                if missing <= 0:
                    return True
                crowd.habits, quiet_since = Habits(planted=()), None
                if stocked is not None:
                    stocked.deliver()
                shoppers = asyncio.create_task(crowd.run(max(1, missing // EVENTS_AN_ORDER), history.rate))
        return False
    finally:
        for task in (pickers, shoppers, striking, *letting_go):
            task.cancel()
        await asyncio.gather(pickers, shoppers, striking, *letting_go, return_exceptions=True)


def events_in(log: MemoryLog) -> int:
    """What the folds have been told."""
    return sum(len(log.records(topic.name)) for topic in (ORDERS_EVENTS, STOCK_EVENTS, ITEMS_EVENTS))


def _oracle(house: House, stocked: Stocked | None) -> LogOracle:
    return LogOracle(house.log, PARTITIONS, stock=stocked is not None)


async def _ordering(crowd: Shoppers, history: History, stocked: Stocked | None) -> None:
    """Returns when the last shopper has come, and the last of a rush."""
    rush = () if stocked is None else (stocked.rush(),)
    await asyncio.gather(crowd.run(history.orders, history.rate), *rush)


async def _striking(mishaps: Mishaps, history: History) -> None:
    """Returns when all have struck, and the new lines are mapped."""
    mapping = (mishaps.map_new_lines(history.mapped_after),) if history.new_line else ()
    await asyncio.gather(mishaps.run(), *mapping)


def _letting_go(house: House, shoppers: "asyncio.Task[None]") -> tuple["asyncio.Task[None]"]:
    """A person who lets go what is on account, at work."""
    desk = Desk(house.log, house.outside, lambda: cases_of(house.log))
    return (asyncio.create_task(desk.let_go(partial(_nobody_owes, house, shoppers))),)


def _nobody_owes(house: House, shoppers: "asyncio.Task[None]") -> bool:
    """All orders are placed, and each that is on account has been let go."""
    placed = (one for shop in house.outside.shopify.shops.values() for one in shop.orders.values())
    return shoppers.done() and not any(one.on_account and one.agreed_at is None for one in placed)


def _swept_since(house: House, moment: datetime) -> bool:
    """Whether a sweep of everything has begun and ended since; asked only where something may have been done twice."""
    if not any(process.gaps for process in house.processes):
        return True
    found = [summed(brand.brand, house.states()) for brand in house.outside.brands]
    return all(
        len(one.systems) == len(System)
        and not one.running
        and all(system.newest >= moment for system in one.systems.values())
        for one in found
    )


async def _unsettled(house: House, account: Account) -> list[Violation]:
    """Without orders of which something was done twice that nothing can fence: those do not settle."""
    books = await house.outside.books()
    found = list(unsettled(books, cases_of(house.log), account))
    if found and any(process.gaps for process in house.processes):
        doubles = (one for one in never(books, account, shown_by(house.log)) if one.rule in DOUBLES)
        excused = {one.order for one in doubles if _in_a_gap(house, one)}
        found = [one for one in found if one.order not in excused]
    return found


def _in_a_gap(house: House, violation: Violation) -> bool:
    """Whether a write for this order stood between its last check and the sending while its process was paused."""
    brand, _, order = violation.order.partition("/")
    names = {order}
    for one in house.outside.shop(brand).orders.values():
        if str(one.id) == order:
            names |= {str(fulfilment_order.id) for fulfilment_order in one.fulfillment_orders}
    gaps = [gap for process in house.processes for gap in process.gaps]
    return any(name in gap for name in names for gap in gaps)


async def _struck(house: House, account: Account, books: Books, stocked: Stocked | None) -> Counter[str]:
    """Every fault and mishap that came about; of stock also what followed from them."""
    struck = Counter(account.struck)
    if stocked is not None:
        struck.update(stocked.struck())
        struck.update({f"stock written: {why}": count for why, count in (await causes(house.log)).items()})
    outside = house.outside
    placed = (one for shop in outside.shopify.shops.values() for one in shop.orders.values())
    if let_go := sum(one.agreed_at is not None for one in placed):
        struck[LET_GO] = let_go
    for plan in (outside.shopify.faults, outside.clarus_faults, outside.erp_faults):
        struck.update({str(fault): count for fault, count in plan.drawn.items() if fault is not Fault.NONE})
    for order in read(books).orders.values():
        for what in ("lost", "doubled"):
            if order.book["webhooks"][what]:
                struck[f"webhook {what}"] += order.book["webhooks"][what]
    for what, count in house.ended.items():
        struck[f"ended by {what}"] += count
    return struck


def digest(log: MemoryLog) -> str:
    """Of every record of every topic: place, time, key, value, headers."""
    whole = sha256()
    for topic in ALL:
        for record in log.records(topic.name):
            place = f"{record.partition.topic}/{record.partition.number}/{record.offset}/{record.at.timestamp()}"
            headers = (part for header in sorted(record.headers.items()) for part in (header[0].encode(), header[1]))
            whole.update(b"\0".join((place.encode(), record.key or b"", record.value or b"", *headers)))
    return whole.hexdigest()
