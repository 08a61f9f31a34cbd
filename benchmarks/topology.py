"""Everything in processes of its own, as in production: a real Kafka, the outside world, one process per role."""

import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # ships no types

from benchmarks.process import ROOT, environment, program, until
from benchmarks.world import make_world
from kernel.kafka_log import KafkaLog
from lockstep.demo.outside import configure_brands, connection_tables, erp_key
from lockstep.demo.processes import Processes
from lockstep.demo.scenario import BRANDS
from lockstep.topic_specs import specs
from sandbox import tether
from sandbox.kafka.ports import free_ports
from schemas.stock_rules import StockRules

PARTITIONS = 4
WORLD = "world"
KAFKA = "kafka"
QUICK = {"per_second": 100_000.0, "at_once": 64}
"""Our own limits towards Clarus are not what is measured."""


@dataclass(frozen=True, slots=True)
class Spent:
    """CPU seconds so far and resident bytes."""

    cpu: float
    resident: int


class Topology:
    """The running processes, and the way to the world's control."""

    def __init__(self, control: str) -> None:
        self._http = httpx.AsyncClient(base_url=control, timeout=900.0)

    async def order(self, count: int, rate: float) -> float:
        """Shoppers order; returns when all are placed, with the seconds that took."""
        answer = await self._http.post("/orders", params={"count": count, "rate": rate})
        return float(answer.raise_for_status().json()["seconds"])

    async def receive(self, count: int, rate: float) -> list[dict[str, str]]:
        """Goods are received; `key` of the stock item and `at`, when, of each."""
        answer = await self._http.post("/received", params={"count": count, "rate": rate})
        received: list[dict[str, str]] = answer.raise_for_status().json()
        return received

    async def counts(self) -> dict[str, int]:
        """placed, asked, told."""
        return {name: int(count) for name, count in (await self._http.get("/counts")).json().items()}

    async def times(self, since: int) -> list[dict[str, float | None]]:
        answer: list[dict[str, float | None]] = (await self._http.get("/times", params={"since": since})).json()
        return answer

    def spent(self) -> dict[str, Spent]:
        """By role, and of `world` and `kafka`. A process that is being started anew is left out."""
        found: dict[str, Spent] = {}
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                name = _name(process.cmdline())
                if name is not None:
                    times = process.cpu_times()
                    found[name] = Spent(times.user + times.system, process.memory_info().rss)
        return found

    async def aclose(self) -> None:
        await self._http.aclose()


def _name(command: list[str]) -> str | None:
    """What a process of ours is; tethers are none, they carry their program's command behind their own."""
    if not command or "tether.py" in " ".join(command[:5]):
        return None
    if command[-2:-1] == ["run"]:
        return command[-1]
    if "benchmarks.world" in command:
        return WORLD
    return KAFKA if "kafka.Kafka" in command else None


@asynccontextmanager
async def topology(bootstrap: str, stock: StockRules | None = None) -> AsyncIterator[Topology]:
    """On brokers without Lockstep's topics. `stock`: how it is kept in step; None: nobody counts it.

    Raises ProcessFailedError when a process does not become ready.
    """
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-bench-")))
        shopify, clarus, erp, control, intake = free_ports(5)
        told_world = (f"{shopify},{clarus},{erp},{control}", str(intake), *(["stock"] if stock else []))
        stack.callback(_world(folder, told_world).stop)
        connections = folder / "connections.json"
        connections.write_text(json.dumps(_connections(shopify, clarus, erp)))
        await _topics(bootstrap, stock)
        told = {
            "LOCKSTEP_KAFKA_BOOTSTRAP": bootstrap,
            "LOCKSTEP_CONNECTIONS": str(connections),
            "LOCKSTEP_PARTITIONS": str(PARTITIONS),
            "LOCKSTEP_REPLICATION": "1",
            "LOCKSTEP_INTAKE_PORT": str(intake),
            "LOCKSTEP_LOG_LEVEL": "warning",
            "PYTHONPATH": str(ROOT),
        }
        processes = Processes(told, folder)
        stack.push_async_callback(processes.stop)
        running = Topology(f"http://127.0.0.1:{control}")
        stack.push_async_callback(running.aclose)
        await until(lambda: _answers(running), within=60.0, what="the outside world answers")
        await processes.start()
        yield running


async def _answers(running: Topology) -> bool:
    try:
        await running.counts()
    except httpx.TransportError:
        return False
    return True


def _world(folder: Path, told: Sequence[str]) -> tether.Tethered:
    with (folder / "world.log").open("ab") as log:
        return tether.start(program("benchmarks.world", *told), environment=environment(), log=log, folder=folder)


def _connections(shopify: int, clarus: int, erp: int) -> dict[str, Any]:
    bases = {"shopify": f"http://127.0.0.1:{shopify}", "clarus": f"http://127.0.0.1:{clarus}"}
    erps = {
        str(brand.brand): {"kind": "sandbox", "base_url": f"http://127.0.0.1:{erp}", "key": erp_key(brand)}
        for brand in BRANDS
    }
    tables = connection_tables(bases, make_world(), erps)
    for table in tables.values():
        table["clarus"] |= QUICK
    return tables


async def _topics(bootstrap: str, stock: StockRules | None) -> None:
    log = KafkaLog(bootstrap, client_id="lockstep-bench")
    await log.create_topics(specs(PARTITIONS, 1))
    await configure_brands(log, datetime.now(UTC) - timedelta(hours=1), stock=stock)
