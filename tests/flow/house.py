"""The whole topology in one process: real folds and connectors, in-memory log, virtual time, the sandbox outside.

What is replaced: the log, the clock, the network. What runs is what runs in production.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.intake.app import create_intake
from connectors.runtime.config_view import ConfigView
from connectors.runtime.runtime import ConnectorRuntime
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from lockstep.demo.outside import Outside, connection_tables, erp_key, make_outside
from lockstep.ports import clarus_port, erp_port, shopify_port, translators
from lockstep.publishing import publish
from lockstep.roles import intake_brand
from lockstep.settings import Connections
from sandbox.faults import Faults
from schemas.base import Brand, System
from schemas.topics import ALL, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.normalise import SOURCES, NormaliseFold
from streams.agents.orders import OrdersFold, orders_fold
from streams.engine.worker import Worker
from streams.rules.orders.state import OrderState

START = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
PARTITIONS = 2
RUNTIME = RuntimeSettings(poll_every=20.0, delay=3.0)


class House:
    """Everything, started; `async with` ends it."""

    def __init__(self, faults: Faults | None = None, seed: int = 1, runtime: RuntimeSettings = RUNTIME) -> None:
        self.clock = LoopClock(START)
        self.log = MemoryLog(self.clock, {topic.name: PARTITIONS for topic in ALL})
        self.outside: Outside = make_outside(self.clock, seed, faults or Faults())
        self.metrics = Metrics()
        self._runtime = runtime
        bases = {"shopify": "http://shopify.test", "clarus": "http://clarus.test"}
        erps: dict[str, dict[str, Any]] = {
            brand.brand: {"kind": "sandbox", "base_url": "http://erp.test", "key": erp_key(brand)}
            for brand in self.outside.brands
        }
        tables = connection_tables(bases, self.outside, erps)
        self.brands = {Brand(brand): Connections.model_validate(table) for brand, table in tables.items()}
        self.tasks: dict[str, asyncio.Task[Any]] = {}
        self.intake: httpx.ASGITransport | None = None
        self.orders: Worker | None = None
        self._configs = ConfigView(self.log, self.clock)

    async def __aenter__(self) -> "House":
        for brand in self.outside.brands:
            config = brand.config(START - timedelta(hours=1)).model_copy(update={"version": 1})
            await publish(self.log, brand.brand, lambda _, config=config: config)  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        await self._configs.__aenter__()
        producer = self.log.producer()
        await producer.start()
        intake = create_intake(
            producer=producer,
            brands={brand: intake_brand(brand, one) for brand, one in self.brands.items()},
            clock=self.clock,
            metrics=self.metrics,
            prefix_of=self._configs.reference_prefix,
        )
        self.intake = httpx.ASGITransport(app=intake)
        self.outside.tell("http://intake.test", self.intake)
        for name in (*System, "normalise", "orders"):
            self.start(name)
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self.tasks):
            await self.kill(name)
        await self.outside.aclose()
        await self._configs.__aexit__()

    def start(self, name: str) -> None:
        """A connector by its system's name, `normalise` or `orders`; a new one where the last was killed."""
        match name:
            case "normalise":
                self._start_normalise()
            case "orders":
                self._start_orders()
            case _:
                self._start_connector(System(name))

    def _start_connector(self, system: System) -> None:
        match system:
            case System.SHOPIFY:
                app = self.outside.shopify_app
                port: Any = shopify_port(self.brands, self.clock, httpx.ASGITransport(app=app))
            case System.CLARUS:
                app = self.outside.clarus_app
                port = clarus_port(self.brands, self._configs.of, self.clock, httpx.ASGITransport(app=app))
            case System.ERP:
                app = self.outside.erp_app
                port = erp_port(self.brands, self.clock, httpx.ASGITransport(app=app))
        runtime = ConnectorRuntime(port, self.log, self._configs, self.clock, self._runtime, self.metrics)
        self.tasks[system] = asyncio.create_task(runtime.run())

    def _start_normalise(self) -> None:
        translate = translators(self.brands)
        worker = Worker(
            "normalise", self.log, SOURCES, lambda _: NormaliseFold(translate, "memory", PARTITIONS), None,
            self.clock, self.metrics,
        )  # fmt: skip
        self.tasks["normalise"] = asyncio.create_task(worker.run())

    def _start_orders(self) -> None:
        self.orders = Worker(
            "orders", self.log, [ORDERS_EVENTS.name], orders_fold, ORDERS_STATE.name, self.clock, self.metrics
        )
        self.tasks["orders"] = asyncio.create_task(self.orders.run())

    async def kill(self, name: str) -> None:
        """End one process; whatever it was doing is left where it is."""
        task = self.tasks.pop(name)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def until(self, so: Callable[[], bool], *, within: float = 600.0) -> None:
        """Virtual time passes until it is so. Raises AssertionError after `within` seconds or when a task ended."""
        end = self.clock.monotonic() + within
        while not so():
            self.raise_what_ended()
            assert self.clock.monotonic() < end, "it never came to that"
            await self.clock.sleep(0.1)

    def raise_what_ended(self) -> None:
        for name, task in self.tasks.items():
            if task.done():
                raise AssertionError(f"{name} ended") from task.exception()

    def states(self) -> dict[str, OrderState]:
        assert self.orders is not None
        states: dict[str, OrderState] = {}
        for fold in self.orders.folds.values():
            assert isinstance(fold, OrdersFold)
            states |= fold.states()
        return states
