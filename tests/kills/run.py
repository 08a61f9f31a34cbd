"""One run of a flow that is up: shoppers order while blows fall, until all is settled; then it comes to rest."""

import asyncio
from collections.abc import Callable, Sequence

from lockstep.demo.judge import Books, Judged, Stage
from lockstep.demo.outside import Outside
from lockstep.demo.processes import Processes
from lockstep.demo.watch import Watch
from lockstep.simulation.oracle import DOUBLES, never, unsettled
from lockstep.simulation.people import Account
from sandbox.clarus.pickers import PickerSettings
from sandbox.shopify.shoppers import Habits
from tests.kills.blows import Blows
from tests.kills.schedule import Blow
from tests.kills.verdict import excused

LOOK_EVERY = 2.0
SAY_EVERY = 10.0
QUIET_FOR = 12.0
"""Seconds of nothing new in any book before the verdict: longer than any system's longest request, so that a second
effect would have shown."""
QUICK_HANDS = PickerSettings(until_rest=(5.0, 15.0), until_tracking=(5.0, 20.0))
BATCH = 10
"""Orders placed at a time while the blows last longer than planned."""


class Run:
    """Of one flow. `blows_seconds` and `settled_seconds` are known when it has settled."""

    def __init__(
        self, outside: Outside, processes: Processes, watch: Watch, blows: Blows, say: Callable[[str], None]
    ) -> None:
        self._outside, self._processes, self._watch, self._blows = outside, processes, watch, blows
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._judged: Judged | None = None
        self._background: list[asyncio.Task[None]] = []
        self.blows_seconds = self.settled_seconds = 0.0

    async def __aenter__(self) -> "Run":
        """Processes are kept alive, pickers pick, cases are followed until the block ends."""
        works = (self._processes.keep(), self._watch.run(), self._outside.pickers(QUICK_HANDS).run())
        self._background = [asyncio.create_task(work) for work in works]
        return self

    async def __aexit__(self, *_: object) -> None:
        await _end(self._background)

    async def be_struck(self, schedule: Sequence[Blow], rate: float, over: float) -> None:
        """Shoppers order for as long as it is planned, and as long as blows fall. Raises what ended one of them."""
        falling = asyncio.create_task(self._blows.run(schedule))
        shopping = asyncio.create_task(self._shop(max(BATCH, round(over * rate)), rate, falling))
        try:
            await self._wait(lambda: falling.done() and shopping.done(), falling, shopping)
        finally:
            await _end([falling, shopping])
        self.blows_seconds = self._loop.time() - self._began

    async def _shop(self, count: int, rate: float, falling: "asyncio.Task[None]") -> None:
        await self._outside.shoppers().run(count, rate)
        while not falling.done():
            await self._outside.shoppers(Habits(planted=())).run(BATCH, rate)

    async def settle(self, within: float) -> None:
        """Until every order is where it must end and no book changes, or until it has taken too long."""
        began = quiet_since = self._loop.time()
        last = ""
        while self._loop.time() - quiet_since < QUIET_FOR:
            if self._loop.time() - began > within:
                self.tell("it did not settle in time")
                break
            await self._wait(_once())
            books = await self._outside.books()
            waits = self._waits_for(books)
            open_ = sorted(case.key for case in self._watch.open)
            said = f"{len(self._outside.clarus.books)} {_size(books)} {open_}"
            if said != last or waits:
                quiet_since = self._loop.time()
            last = said
        self.settled_seconds = self._loop.time() - began

    def check(self) -> None:
        """Raises what ended one of those who must not end."""
        _raise_what_failed(self._background)

    def tell(self, what: str) -> None:
        """With how far the orders are."""
        told = ""
        if self._judged is not None:
            in_step = self._judged.stages()[Stage.TOLD]
            told = f"   [orders {len(self._judged.ledgers)}, in step {in_step}, cases open {len(self._watch.open)}]"
        self._say(f"{self._loop.time() - self._began:6.1f} s  {what}{told}")

    async def _wait(self, done: Callable[[], bool], *tasks: "asyncio.Task[None]") -> None:
        """Look and tell now and then. Raises what ended one of the tasks."""
        said = self._loop.time()
        while not done():
            self._judged = Judged(await self._outside.books())
            if self._loop.time() - said > SAY_EVERY:
                said = self._loop.time()
                self.tell("orders are placed and picked")
            await asyncio.wait((*self._background, *tasks), timeout=LOOK_EVERY, return_when=asyncio.FIRST_EXCEPTION)
            _raise_what_failed((*self._background, *tasks))

    def _waits_for(self, books: Books) -> list[str]:
        """Why the orders are not settled; doubles that a sleeper's waking explains do not count."""
        account, cases = Account(), list(self._watch.cases.values())
        found = list(unsettled(books, cases, account))
        if found:
            doubles = [one for one in never(books, account, lambda _number, _at: True) if one.rule in DOUBLES]
            passed = {one.order for one in excused(doubles, books, cases, self._blows.told.naps)}
            found = [one for one in found if one.order not in passed]
        return [str(one) for one in found]


def _once() -> Callable[[], bool]:
    """False once, then true."""
    left = iter([False])
    return lambda: next(left, True)


def _size(books: Books) -> str:
    tellings = [(one["id"], one["cancelled"], one["tracking"]) for one in books.shopify["fulfillments"]]
    erp = len(books.erp["sales_orders"]), len(books.erp["fulfilments"])
    return f"{len(books.shopify['orders'])} {tellings} {erp}"


def _raise_what_failed(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled() and task.exception() is not None:
            task.result()


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
