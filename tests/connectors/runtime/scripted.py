"""An outside system as a script, and a connector in front of it: log in memory, virtual time, calls written down."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from connectors.runtime.config_view import ConfigView
from connectors.runtime.port import Changes, Execution, Reading
from connectors.runtime.runtime import ConnectorRuntime
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import LoopClock
from kernel.log import Partition, Record
from kernel.memory_group import MemoryConsumer
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from schemas.base import Brand, OrderId, System, order_key
from schemas.commands import Command, CreateGoodsOut, Withdraw
from schemas.config import BrandConfig
from schemas.hints import Hint
from schemas.outcomes import Outcome, OutcomeKind
from schemas.raw import ConnectionReport, RawKind
from schemas.topics import ALL, COMMANDS, CONFIG, DLQ, HINTS, RAW
from streams.agents.emissions import RECORDS
from tests.builders import ACME, NOON, a_brand, an_order
from tests.story import Story

PARTITIONS = 2
SYSTEM = System.CLARUS
HINTS_TOPIC, COMMANDS_TOPIC, RAW_TOPIC = HINTS[SYSTEM].name, COMMANDS[SYSTEM].name, RAW[SYSTEM].name
GROUP = f"lockstep.{SYSTEM}"
SETTINGS = RuntimeSettings(poll_every=1e6, measure_every=1.0)


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked for, and when, in seconds from the start."""

    what: str
    orders: tuple[str, ...]
    began: float


@dataclass
class ScriptedPort:
    """Takes `takes` seconds a call; fails with what `failures` holds for a kind of call, one after the other."""

    clock: LoopClock
    takes: float = 1.0
    longest_request: float = 30.0
    read_batch: int = 10
    brands: frozenset[Brand] = frozenset({ACME})
    calls: list[Call] = field(default_factory=list)
    finished: list[Call] = field(default_factory=list)
    failures: dict[str, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    refuses: dict[str, Exception] = field(default_factory=dict)
    """By order: reading it fails so, every time."""
    incomplete: bool = False
    body: bytes = b"[]"
    """What a read shows: as it is when the read begins."""
    resolved: dict[str, OrderId] = field(default_factory=dict)
    most_at_once: int = 0
    _out: list[str] = field(default_factory=list)
    closed: bool = False

    system = SYSTEM

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        began, body = self.clock.now(), self.body
        await self._call("read", tuple(orders))
        for order in orders:
            if order in self.refuses:
                raise self.refuses[order]
        return [Reading(brand, order, body, began, complete=not self.incomplete) for order in orders]

    async def execute(self, command: Command) -> Execution:
        await self._call("execute", (command.order,))
        reading = Reading(command.brand, command.order, b"[]", self.clock.now(), complete=not self.incomplete)
        return Execution(
            Outcome(
                command=command.id,
                object=command.object,
                generation=command.generation,
                kind=OutcomeKind.APPLIED,
                external_id="9001",
            ),
            (reading,),
        )

    async def resolve(self, hint: Hint) -> Sequence[OrderId]:
        await self._call("resolve", (hint.order,))
        found = self.resolved.get(hint.order)
        return () if found is None else (found,)

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        return Changes((), cursor)

    async def aclose(self) -> None:
        self.closed = True

    async def _call(self, what: str, orders: tuple[str, ...]) -> None:
        assert not set(orders) & set(self._out), f"{orders} asked for while a call for one of them was out"
        call = Call(what, orders, self.clock.monotonic())
        self.calls.append(call)
        self._out.extend(orders)
        self.most_at_once = max(self.most_at_once, len(self._out))
        try:
            await self.clock.sleep(self.takes)
        finally:
            for order in orders:
                self._out.remove(order)
        self.finished.append(call)
        if self.failures[what]:
            raise self.failures[what].popleft()


class Bench:
    """A connector, its system, and the log between them and the test."""

    def __init__(self, settings: RuntimeSettings = SETTINGS, config: BrandConfig | None = None) -> None:
        self.clock = LoopClock(NOON)
        self.log = MemoryLog(self.clock, {topic.name: PARTITIONS for topic in ALL})
        self.port = ScriptedPort(self.clock)
        self.metrics = Metrics()
        self.producer = self.log.producer()
        self._settings, self._config = settings, config or a_brand()
        self._ending = AsyncExitStack()
        self._works: dict[int, asyncio.Task[None]] = {}
        self._decided = 0

    async def __aenter__(self) -> "Bench":
        self.clock.monotonic()
        await self.producer.start()
        await self.configure(self._config)
        self._configs = await self._ending.enter_async_context(ConfigView(self.log, self.clock))
        return self

    async def __aexit__(self, *_: object) -> None:
        for work in self._works.values():
            work.cancel()
        await asyncio.gather(*self._works.values(), return_exceptions=True)
        await self._ending.aclose()

    # --- what happens

    def start(self, port: ScriptedPort | None = None) -> ConnectorRuntime:
        runtime = ConnectorRuntime(port or self.port, self.log, self._configs, self.clock, self._settings, self.metrics)
        self._works[id(runtime)] = asyncio.create_task(runtime.run())
        return runtime

    async def stop(self, runtime: ConnectorRuntime) -> BaseException | None:
        """End it in order; what it raised."""
        work = self._works.pop(id(runtime))
        work.cancel()
        (result,) = await asyncio.gather(work, return_exceptions=True)
        return result

    async def expire(self, runtime: ConnectorRuntime) -> None:
        """Its session is over, and it does not know."""
        assert isinstance(runtime._consumer, MemoryConsumer)
        await runtime._consumer.expire()

    async def configure(self, config: BrandConfig) -> None:
        body = config.model_dump_json().encode()
        await (await self.producer.send(CONFIG.name, key=config.brand.encode(), value=body))

    async def hint(self, order: str, *, brand: Brand = ACME, why: str = "poll", **more: object) -> None:
        named = {"brand": brand, "order": order, "why": why, "seen_at": self.clock.now(), **more}
        body = Hint.model_validate(named).model_dump_json().encode()
        await (await self.producer.send(HINTS_TOPIC, key=order_key(brand, OrderId(order)).encode(), value=body))

    def create(self, order: str = "5012", reference: str = "", **changes: object) -> CreateGoodsOut:
        """A command decided now; another object with another `reference`."""
        self._decided += 1
        decided = Story(order=OrderId(order)).shopify(an_order(order).with_line("0042-A", 2).routed("71"))
        named = {"object": f"goods-out:{reference}", "reference": reference} if reference else {}
        fresh = {"id": f"c{self._decided}", "decided_at": self.clock.now(), **named, **changes}
        return decided.one(CreateGoodsOut).model_copy(update=fresh)

    def withdraw(self, command: CreateGoodsOut) -> Withdraw:
        shared = {name: getattr(command, name) for name in ("brand", "order", "object", "generation", "fingerprint")}
        decided = {"decided_at": self.clock.now(), "decided_partition": 0, "decided_offset": 99}
        return Withdraw.model_validate({**shared, **decided, "id": "w1", "system": SYSTEM, "withdrawn": command.id})

    async def send(self, command: Command) -> None:
        value, headers = RECORDS.encode(command)
        await (await self.producer.send(COMMANDS_TOPIC, key=command.key.encode(), value=value, headers=headers))

    async def until(self, holds: Callable[[], bool], *, within: float = 600.0, step: float = 0.05) -> float:
        """Let virtual seconds pass until it is so; how many did."""
        began = self.clock.monotonic()
        while not holds():
            for work in self._works.values():
                if work.done():
                    work.result()
            assert self.clock.monotonic() < began + within, "it never came to that"
            await self.clock.sleep(step)
        return self.clock.monotonic() - began

    # --- what came of it

    def told(self, kind: RawKind) -> list[Record]:
        return [record for record in self.log.records(RAW_TOPIC) if record.headers["kind"] == kind.encode()]

    @property
    def outcomes(self) -> list[Outcome]:
        return [Outcome.model_validate_json(record.value or b"") for record in self.told(RawKind.OUTCOME)]

    @property
    def connections(self) -> list[str]:
        reports = self.told(RawKind.CONNECTION)
        return [ConnectionReport.model_validate_json(record.value or b"").state for record in reports]

    @property
    def letters(self) -> list[Record]:
        return self.log.records(DLQ.name)

    def unfinished(self) -> int:
        """Records of hints and commands that nobody has committed past."""
        group = self.log._groups[GROUP]
        wheres = [Partition(topic, number) for topic in (HINTS_TOPIC, COMMANDS_TOPIC) for number in range(PARTITIONS)]
        return sum(self.log.end(where) - group.committed.get(where, 0) for where in wheres)

    async def finished(self) -> None:
        await self.until(lambda: self.unfinished() == 0)


def bench(
    story: Callable[[Bench], Awaitable[None]],
    *,
    settings: RuntimeSettings = SETTINGS,
    config: BrandConfig | None = None,
) -> None:
    async def main() -> None:
        async with Bench(settings, config) as made:
            await story(made)

    run_virtual(main())
