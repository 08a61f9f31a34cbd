"""Two blows upon one real role and one real broker: both come back, and it is told what fell."""

import asyncio
import json
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kernel.kafka_log import KafkaLog
from lockstep.demo.outside import configure_brands, connection_tables, make_outside
from lockstep.demo.processes import Processes
from lockstep.demo.scenario import BRANDS
from lockstep.demo.wiring import PARTITIONS
from lockstep.roles import Role
from lockstep.topic_specs import specs
from sandbox.clock import LoopClock
from sandbox.faults import Faults
from sandbox.kafka import Cluster
from tests.kills.blows import Blows
from tests.kills.schedule import Blow, Kind


def told(bootstrap: str, folder: Path) -> dict[str, str]:
    """Of a world that nobody serves: normalise never asks it."""
    bases = {"shopify": "http://127.0.0.1:9", "clarus": "http://127.0.0.1:9"}
    erps: dict[str, dict[str, Any]] = {
        str(brand.brand): {"kind": "sandbox", "base_url": bases["shopify"], "key": "key"} for brand in BRANDS
    }
    connections = folder / "connections.json"
    connections.write_text(json.dumps(connection_tables(bases, make_outside(LoopClock(), 1, Faults()), erps)))
    return {
        "LOCKSTEP_KAFKA_BOOTSTRAP": bootstrap,
        "LOCKSTEP_CONNECTIONS": str(connections),
        "LOCKSTEP_PARTITIONS": str(PARTITIONS),
        "LOCKSTEP_SESSION_TIMEOUT": "6",
    }


@pytest.mark.kafka
def test_a_role_and_a_broker_are_killed_and_come_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            cluster = await stack.enter_async_context(Cluster(1))
            environment = told(cluster.bootstrap, tmp_path)
            log = KafkaLog(cluster.bootstrap, client_id="test")
            await log.create_topics(specs(PARTITIONS, 1))
            await configure_brands(log, datetime.now(UTC))
            processes = Processes(environment, tmp_path, roles=(Role.NORMALISE,))
            stack.push_async_callback(processes.stop)
            await processes.start()
            said: list[str] = []
            blows = Blows(processes, cluster, {}, log, LoopClock(), said.append)
            broker = cluster.nodes[0].process_id
            keeping = asyncio.create_task(processes.keep())
            await blows.run(
                [
                    Blow(at=0, kind=Kind.KILL, whom=Role.NORMALISE, seconds=0),
                    Blow(at=0, kind=Kind.BROKER_KILL, whom="", seconds=0),
                ]
            )
            keeping.cancel()
            assert blows.told.by_victim == {Role.NORMALISE: 1, "broker": 1}
            assert said == ["blow 1 of 2: kill normalise (0.0 s)", "blow 2 of 2: broker kill (0.0 s)"]
            assert processes.kills == 1
            assert cluster.nodes[0].process_id != broker
            (process,) = processes.all
            assert await processes.leave(process) == 0
            assert processes.all == []

    asyncio.run(story())
