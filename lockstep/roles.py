"""The roles a process can play, put together from settings, and run until told to stop.

intake      webhooks and automations in, hints out
shopify     reads and writes Shopify;  clarus and erp likewise
normalise   raw.* → orders.events
orders      orders.events → commands, cases
stock       stock.events → readings asked for, stock figures, cases
items       items.events → products of Clarus, cases
notices     cases → webhooks of people's tools, daily digests
"""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from enum import StrEnum
from typing import NamedTuple

import structlog

from connectors.intake.app import create_intake
from connectors.intake.settings import IntakeBrand
from connectors.runtime.config_view import ConfigView
from connectors.runtime.port import Port
from connectors.runtime.runtime import ConnectorRuntime
from kernel.clock import Clock, SystemClock
from kernel.log import Log
from kernel.metrics import Metrics
from lockstep.kafka import kafka_log
from lockstep.notices.role import Notices
from lockstep.ports import clarus_port, erp_port, shopify_port, translators
from lockstep.serving import CannotListenError, Health, health_app, listening, serve_on, served
from lockstep.settings import Connections, Settings, SettingsError, read_connections
from schemas.base import Brand
from schemas.topics import ITEMS_EVENTS, ITEMS_STATE, ORDERS_EVENTS, ORDERS_STATE, STOCK_EVENTS, STOCK_STATE, Topic
from streams.agents import agents
from streams.agents.items import items_fold
from streams.agents.normalise import SOURCES, NormaliseFold
from streams.agents.orders import orders_fold
from streams.agents.stock import stock_fold
from streams.engine.contract import FoldFactory
from streams.engine.faust_shell import Agent, run_in_faust
from streams.engine.settings import EngineSettings
from streams.engine.worker import Worker

_log = structlog.get_logger(__name__)

STILL_OF_SESSION = 0.7
"""The rest is for the heartbeat that was the last to be heard."""
READY_WITHIN = 60.0
LIVE_WITHIN = 180.0
"""Seconds without progress while something waits. A connector's single call may take a minute or two."""


class Role(StrEnum):
    INTAKE = "intake"
    SHOPIFY = "shopify"
    CLARUS = "clarus"
    ERP = "erp"
    NORMALISE = "normalise"
    ORDERS = "orders"
    STOCK = "stock"
    ITEMS = "items"
    NOTICES = "notices"


class Folding(NamedTuple):
    """A worker's log, what folds it, its table's changelog and the agent that hands it over."""

    events: Topic
    fold: FoldFactory
    state: Topic
    agent: Agent


FOLDS: Mapping[Role, Folding] = {
    Role.ORDERS: Folding(ORDERS_EVENTS, orders_fold, ORDERS_STATE, agents.orders),
    Role.STOCK: Folding(STOCK_EVENTS, stock_fold, STOCK_STATE, agents.stock),
    Role.ITEMS: Folding(ITEMS_EVENTS, items_fold, ITEMS_STATE, agents.items),
}
"""The roles that keep one state per key."""


async def run_roles(roles: Sequence[Role], settings: Settings) -> None:
    """Run these roles in this process until SIGTERM or SIGINT. Raises what ended one of them; all end together."""
    brands = read_connections(settings)
    if not brands:
        raise SettingsError(f"{settings.connections}: expected a table per brand, found none")
    stop = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    quiet = settings.model_copy(update={"health_port": 0})  # the port can be had once
    running = [
        asyncio.create_task(_Process(quiet if number else settings, brands).run(role), name=role)
        for number, role in enumerate(roles)
    ]
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    _log.info("process.ending", asked=stop.is_set())
    stopping.cancel()
    for task in running:
        task.cancel()
    results = await asyncio.gather(*running, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            raise result


class _Process:
    """What the roles of one process share."""

    def __init__(self, settings: Settings, brands: dict[Brand, Connections]) -> None:
        self._settings, self._brands = settings, brands
        self._clock: Clock = SystemClock()
        self._metrics = Metrics()

    async def run(self, role: Role) -> None:
        log = kafka_log(self._settings, f"lockstep-{role}")
        match role:
            case Role.INTAKE:
                await self._intake(log)
            case Role.SHOPIFY | Role.CLARUS | Role.ERP:
                await self._connector(role, log)
            case Role.NORMALISE:
                await self._normalise(log)
            case Role.ORDERS | Role.STOCK | Role.ITEMS:
                await self._folded(role, log)
            case Role.NOTICES:
                await self._notices(log)

    async def _intake(self, log: Log) -> None:
        producer = log.producer()
        await producer.start()
        try:
            async with ConfigView(log, self._clock) as configs:
                app = create_intake(
                    producer=producer,
                    brands={brand: intake_brand(brand, one) for brand, one in self._brands.items()},
                    clock=self._clock,
                    metrics=self._metrics,
                    prefix_of=configs.reference_prefix,
                )

                async def open_door() -> None:
                    host, port = self._settings.intake_host, self._settings.intake_port
                    await serve_on(await _listening("INTAKE", host, port), app)

                await self._with_health(open_door, Health(ready=lambda: True))
        finally:
            await producer.stop()

    async def _connector(self, role: Role, log: Log) -> None:
        async with ConfigView(log, self._clock) as configs:
            port: Port
            match role:
                case Role.SHOPIFY:
                    port = shopify_port(self._brands, self._clock, config_of=configs.of)
                case Role.CLARUS:
                    port = clarus_port(self._brands, configs.of, self._clock)
                case _:
                    port = erp_port(self._brands, self._clock, config_of=configs.of)
            timings = self._settings.runtime
            still = min(timings.stands_still_most, STILL_OF_SESSION * self._settings.session_timeout)
            timings = timings.model_copy(update={"stands_still_most": still})
            runtime = ConnectorRuntime(port, log, configs, self._clock, timings, self._metrics)
            health = self._health(runtime.ready.is_set, runtime.stuck_for)
            await self._with_health(runtime.run, health)

    async def _normalise(self, log: Log) -> None:
        translate, cluster = translators(self._brands), await log.cluster_id()
        partitions = await log.partitions(ORDERS_EVENTS.name)
        worker = self._worker(
            Role.NORMALISE, log, SOURCES, lambda _: NormaliseFold(translate, cluster, partitions), None
        )
        health = self._health(lambda: worker.ready, worker.stuck_for)
        await self._with_health(lambda: run_in_faust(Role.NORMALISE, worker, agents.normalise), health)

    async def _folded(self, role: Role, log: Log) -> None:
        folding = FOLDS[role]
        worker = self._worker(role, log, [folding.events.name], folding.fold, folding.state.name)
        health = self._health(lambda: worker.ready, worker.stuck_for)
        await self._with_health(lambda: run_in_faust(role, worker, folding.agent), health)

    async def _notices(self, log: Log) -> None:
        targets = {brand: one.notices for brand, one in self._brands.items()}
        notices = Notices(targets, log, self._clock, self._metrics)
        await self._with_health(notices.run, Health(ready=lambda: notices.ready))

    def _worker(
        self, role: Role, log: Log, sources: Sequence[str], factory: FoldFactory, changelog: str | None
    ) -> Worker:
        engine = EngineSettings(tick_every=self._settings.tick_every)
        return Worker(role, log, sources, factory, changelog, self._clock, self._metrics, engine)

    def _health(self, ready: Callable[[], bool], stuck_for: Callable[[float], float]) -> Health:
        """Progress decides: who stands still while something waits is not ready, and after a while not alive."""
        return Health(
            ready=lambda: ready() and stuck_for(self._clock.monotonic()) < READY_WITHIN,
            live=lambda: stuck_for(self._clock.monotonic()) < LIVE_WITHIN,
        )

    async def _with_health(self, run: Callable[[], Awaitable[None]], health: Health) -> None:
        """Serve /health and /metrics beside the work, where a port is set. Raises SettingsError before the work when
        they cannot be: nobody would know how it is.
        """
        async with AsyncExitStack() as stack:
            if self._settings.health_port:
                sockets = await _listening("HEALTH", self._settings.health_host, self._settings.health_port)
                await stack.enter_async_context(served(sockets, health_app(health, self._metrics)))
            await run()


async def _listening(door: str, host: str, port: int) -> list[socket.socket]:
    """Raises SettingsError naming the variables."""
    try:
        return await listening(host, port)
    except CannotListenError as cause:
        raise SettingsError(f"LOCKSTEP_{door}_HOST, LOCKSTEP_{door}_PORT: {cause}") from cause


def intake_brand(brand: Brand, one: Connections) -> IntakeBrand:
    return IntakeBrand(
        brand=brand,
        shop_domain=one.shopify.shop_domain,
        shopify_secrets=one.shopify.webhook_secrets,
        clarus_token=one.clarus.path_token,
        clarus_subdomain=one.clarus.subdomain,
    )
