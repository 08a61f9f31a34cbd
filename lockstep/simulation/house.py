"""The whole topology in one process: real folds and connectors, in-memory log, virtual time, the sandbox outside.

What is replaced: the log, the clock, the network. What runs is what runs in production.
"""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.intake.app import create_intake
from connectors.runtime.config_view import ConfigView
from connectors.runtime.port import Port
from connectors.runtime.runtime import ConnectorRuntime
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import LoopClock
from kernel.log import LogError
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from lockstep.demo.outside import Outside, configure_brands, connection_tables, erp_key, make_outside
from lockstep.ports.clarus import clarus_port
from lockstep.ports.erp import erp_port
from lockstep.ports.shopify import shopify_port
from lockstep.ports.translators import translators
from lockstep.roles.intake import intake_brand
from lockstep.roles.items import ITEMS
from lockstep.roles.orders import ORDERS
from lockstep.roles.stock import STOCK
from lockstep.settings import Connections
from lockstep.simulation.process import SimProcess, own_tasks
from lockstep.simulation.seams import ProcessClock, ProcessLog
from lockstep.simulation.wire import App, Wire
from sandbox.faults import Faults
from schemas.base import Brand, System
from schemas.config import SweepTimes
from schemas.item_rules import ItemRules
from schemas.stock_rules import StockRules
from schemas.topics import ALL
from streams.agents.items import ItemsFold
from streams.agents.normalise import SOURCES, NormaliseFold
from streams.agents.orders import OrdersFold
from streams.agents.stock import StockFold
from streams.engine.settings import EngineSettings
from streams.engine.worker import Ended, Worker
from streams.rules.items.state import ItemState
from streams.rules.orders.state import OrderState
from streams.rules.stock.state import StockState

FOLDS = {"orders": ORDERS, "stock": STOCK, "items": ITEMS}
START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
PARTITIONS = 2
SESSION = 6.0
"""Seconds of silence after which a group goes on without a member."""
RUNTIME = RuntimeSettings(poll_every=20.0, delay=3.0, stands_still_most=0.7 * SESSION)
COMES_BACK = 1.0
"""Seconds after which a process that ended by itself is started again."""


@dataclass(slots=True)
class Instance:
    """One running copy of a role."""

    process: SimProcess
    root: "asyncio.Task[None]"
    log: ProcessLog
    worker: Worker | None = None


class _Door(httpx.AsyncBaseTransport):
    """Where webhooks knock: whichever intake is there now."""

    def __init__(self, house: "House") -> None:
        self._house = house

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._house.intake is None:
            raise httpx.ConnectError("nobody is there", request=request)
        return await self._house.intake.handle_async_request(request)


class House:
    """Everything, started; `async with` ends it. Processes that end by themselves come back, as in production."""

    def __init__(
        self,
        faults: Faults | None = None,
        seed: int = 1,
        runtime: RuntimeSettings = RUNTIME,
        engine: EngineSettings | None = None,
        stock: StockRules | None = None,
        sweep: SweepTimes | None = None,
        items: Mapping[Brand, ItemRules] | None = None,
    ) -> None:
        """`stock`: how the brands keep their stock in step; None: nobody counts it, and no stock worker runs. `sweep`:
        when the systems are compared; None: nightly. `items`: how these brands get their items from the ERP; None: no
        items worker runs.
        """
        self.clock = LoopClock(START)
        self.log = self._empty_log()
        self.outside: Outside = make_outside(self.clock, seed, faults or Faults(), edit_windows=True)
        self.metrics = Metrics()
        self._stock, self._sweep, self._items = stock, sweep, items
        self._runtime, self._engine = runtime, engine or EngineSettings()
        self._apps: dict[str, App] = {
            System.SHOPIFY: self.outside.shopify_app,
            System.CLARUS: self.outside.clarus_app,
            System.ERP: self.outside.erp_app,
        }
        bases = {"shopify": "https://shopify.test", "clarus": "https://clarus.test"}
        erps: dict[str, dict[str, Any]] = {
            brand.brand: {"kind": "sandbox", "base_url": "http://erp.test", "key": erp_key(brand)}
            for brand in self.outside.brands
        }
        tables = connection_tables(bases, self.outside, erps)
        self.brands = {Brand(brand): Connections.model_validate(table) for brand, table in tables.items()}
        self.instances: dict[str, list[Instance]] = {}
        self.skews: dict[str, float] = {}
        self.ended: Counter[str] = Counter()
        """Processes that ended by themselves, by what ended them."""
        self.crashed: list[str] = []
        """Ends that nobody foresaw."""
        self.processes: list[SimProcess] = []
        """All there ever were."""
        self.lost_acks: Counter[str] = Counter()
        self.intake: Wire | None = None
        self._configs = ConfigView(self.log, self.clock)
        self._traces = random.Random(f"traces/{seed}")  # noqa: S311 - names, not secrets
        self._wires = random.Random(f"wires/{seed}")  # noqa: S311 - latencies, not secrets
        self._keepers: set[asyncio.Task[None]] = set()
        self._numbers: Counter[str] = Counter()

    async def __aenter__(self) -> "House":
        asyncio.get_running_loop().set_task_factory(own_tasks)  # type: ignore[arg-type]  # typeshed knows no `context` of 3.11
        self.outside.tell("http://intake.test", _Door(self), stock=self._stock is not None)
        await self._open()
        return self

    async def _open(self) -> None:
        """Configure the brands in an empty log, open the door, start every role."""
        await configure_brands(
            self.log,
            START - timedelta(hours=1),
            edit_windows=True,
            stock=self._stock,
            sweep=self._sweep,
            items=self._items,
        )
        await self._configs.__aenter__()
        producer = self.log.producer()
        await producer.start()
        intake = create_intake(
            producer=producer,
            brands={brand: intake_brand(brand, one) for brand, one in self.brands.items()},
            clock=self.clock,
            metrics=self.metrics,
            prefix_of=self._configs.reference_prefix,
            new_trace=lambda: str(uuid.UUID(int=self._traces.getrandbits(128), version=4)),
        )
        self.intake = Wire(intake, self._wires)
        extra = [*(["stock"] if self._stock is not None else []), *(["items"] if self._items is not None else [])]
        for name in (*System, "normalise", "orders", *extra):
            self.start(name)

    async def __aexit__(self, *_: object) -> None:
        for keeper in list(self._keepers):
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for role in list(self.instances):
            await self.kill(role)
        await self.outside.aclose()
        await self._configs.__aexit__()

    async def lose_the_log(self) -> None:
        """Every record and every state is gone; the outside world goes on, and all roles start on an empty log."""
        for role in list(self.instances):
            await self.kill(role)
        await self._configs.__aexit__()
        self.log = self._empty_log()
        self._configs = ConfigView(self.log, self.clock)
        await self._open()

    def _empty_log(self) -> MemoryLog:
        return MemoryLog(self.clock, {topic.name: PARTITIONS for topic in ALL})

    # --- processes

    def start(self, role: str) -> Instance:
        """One more instance: a connector by its system's name, `normalise` or `orders`."""
        self._numbers[role] += 1
        process = SimProcess(f"{role}-{self._numbers[role]}", role, self.skews.get(role, 0.0))
        self.processes.append(process)
        log, clock = ProcessLog(self.log, process, self.lost_acks), ProcessClock(self.clock, process)
        worker: Worker | None = None
        match role:
            case "normalise":
                translate = translators(self.brands)
                worker = Worker(
                    role, log, SOURCES, lambda _: NormaliseFold(translate, "memory", PARTITIONS), None,
                    clock, self.metrics, self._engine,
                )  # fmt: skip
                root = process.run(worker.run())
            case _ if role in FOLDS:
                events, fold, state, _ = FOLDS[role]
                worker = Worker(role, log, [events.name], fold, state.name, clock, self.metrics, self._engine)
                root = process.run(worker.run())
            case _:
                root = process.run(self._connector(System(role), log, clock, process))
        instance = Instance(process, root, log, worker)
        self.instances.setdefault(role, []).append(instance)
        keeper = asyncio.get_running_loop().create_task(self._keep(role, instance))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        return instance

    async def _connector(self, system: System, log: ProcessLog, clock: ProcessClock, process: SimProcess) -> None:
        async with ConfigView(log, clock) as configs:
            wire = Wire(self._apps[system], self._wires, process)
            port: Port
            match system:
                case System.SHOPIFY:
                    port = shopify_port(self.brands, clock, wire, self._wires.random, configs.of)
                case System.CLARUS:
                    port = clarus_port(self.brands, configs.of, clock, wire)
                case System.ERP:
                    port = erp_port(self.brands, clock, wire, configs.of)
            await ConnectorRuntime(port, log, configs, clock, self._runtime, self.metrics).run()

    async def _keep(self, role: str, instance: Instance) -> None:
        """Start it again when it ends by itself."""
        await asyncio.wait([instance.root])
        if instance in self.instances.get(role, ()):
            self.instances[role].remove(instance)
        if instance.process.dead or instance.root.cancelled():
            return
        cause = instance.root.exception()
        self.ended[type(cause).__name__] += 1
        if not isinstance(cause, Ended | LogError):
            self.crashed.append(f"{instance.process.name}: {type(cause).__name__}: {cause}")
        instance.process.die()
        await self.clock.sleep(COMES_BACK)
        self.start(role)

    async def kill(self, role: str) -> None:
        """End every instance of it; whatever they were doing is left where it is."""
        for instance in self.instances.pop(role, []):
            await self.end(instance)

    async def end(self, instance: Instance) -> None:
        """Kill this one; it does not come back by itself."""
        instance.process.die()
        await asyncio.wait([instance.root])
        if instance.worker is not None:
            self.metrics.open_cases.clear()  # what a process told is gone with it; those that live tell it again
        if instance in self.instances.get(instance.process.role, ()):
            self.instances[instance.process.role].remove(instance)

    async def leave(self, instance: Instance) -> None:
        """End this one in order, as a deployment does."""
        self.instances[instance.process.role].remove(instance)
        instance.root.cancel()
        await asyncio.wait([instance.root])
        instance.process.die()

    # --- for whoever waits and looks

    async def until(self, so: Callable[[], bool], *, within: float = 600.0) -> None:
        """Virtual time passes until it is so. Raises AssertionError after `within` seconds or when a process ended."""
        end = self.clock.monotonic() + within
        while not so():
            self.raise_what_ended()
            assert self.clock.monotonic() < end, "it never came to that"
            await self.clock.sleep(0.1)

    def raise_what_ended(self) -> None:
        assert not self.ended, f"ended by themselves: {dict(self.ended)} {self.crashed}"

    def states(self) -> dict[str, OrderState]:
        states: dict[str, OrderState] = {}
        for instance in self.instances["orders"]:
            assert instance.worker is not None
            for fold in instance.worker.folds.values():
                assert isinstance(fold, OrdersFold)
                states |= fold.states()
        return states

    def stock(self) -> dict[str, StockState]:
        states: dict[str, StockState] = {}
        for instance in self.instances["stock"]:
            assert instance.worker is not None
            for fold in instance.worker.folds.values():
                assert isinstance(fold, StockFold)
                states |= fold.states()
        return states

    def items(self) -> dict[str, ItemState]:
        states: dict[str, ItemState] = {}
        for instance in self.instances["items"]:
            assert instance.worker is not None
            for fold in instance.worker.folds.values():
                assert isinstance(fold, ItemsFold)
                states |= fold.states()
        return states
