"""The outside world served on sockets, and what Lockstep's processes are told of it: their environment."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from lockstep.demo.outside import Outside, connection_tables, erp_key
from lockstep.serving import serve
from sandbox.kafka.ports import free_ports
from schemas.base import System

PARTITIONS = 4

Reach = Callable[[System, int], Awaitable[int]]
"""The port at which connectors reach a system that listens on the given one."""


async def directly(_system: System, port: int) -> int:
    return port


async def wired(
    outside: Outside,
    erp: Mapping[str, dict[str, Any]] | None,
    bootstrap: str,
    folder: Path,
    stack: AsyncExitStack,
    *,
    reach: Reach = directly,
    replication: int = 1,
    stock: bool = False,
) -> dict[str, str]:
    """Serve the outside world on free ports and tell Lockstep where it is: the environment of its processes.

    `erp` holds a table per brand for the connections file where a real ERP plays; None serves the sandbox ERP too.
    """
    intake, *ports = free_ports(4)
    bases = {}
    for system, port in zip(System, ports, strict=True):
        if system is not System.ERP or erp is None:
            await stack.enter_async_context(_served(_app(outside, system), port))
            bases[str(system)] = f"http://127.0.0.1:{await reach(system, port)}"
    if erp is None:
        erp = {
            str(brand.brand): {"kind": "sandbox", "base_url": bases[System.ERP], "key": erp_key(brand)}
            for brand in outside.brands
        }
    outside.tell(f"http://127.0.0.1:{intake}", stock=stock)
    connections = folder / "connections.json"
    connections.write_text(json.dumps(connection_tables(bases, outside, dict(erp)), indent=1))
    return {
        "LOCKSTEP_KAFKA_BOOTSTRAP": bootstrap,
        "LOCKSTEP_CONNECTIONS": str(connections),
        "LOCKSTEP_PARTITIONS": str(PARTITIONS),
        "LOCKSTEP_REPLICATION": str(replication),
        "LOCKSTEP_INTAKE_PORT": str(intake),
        "LOCKSTEP_SESSION_TIMEOUT": "6",
        "LOCKSTEP_RUNTIME__POLL_EVERY": "10",
        "LOCKSTEP_RUNTIME__SWEEP_EVERY": "60",
        "LOCKSTEP_RUNTIME__DELAY": "3",
        "LOCKSTEP_RUNTIME__READS_AT_ONCE": "4",
        "LOCKSTEP_RUNTIME__WRITES_AT_ONCE": "24",
    }


def _app(outside: Outside, system: System) -> Starlette:
    match system:
        case System.SHOPIFY:
            return outside.shopify_app
        case System.CLARUS:
            return outside.clarus_app
        case System.ERP:
            return outside.erp_app


@asynccontextmanager
async def _served(app: Starlette, port: int) -> AsyncIterator[None]:
    serving = asyncio.create_task(serve(app, "127.0.0.1", port))
    try:
        yield
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
