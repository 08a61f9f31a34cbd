"""The connector in its runtime while Clarus takes our rights and gives them back: told once each, nothing written."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from connectors.clarus.port import ClarusPort
from connectors.runtime.config_view import ConfigView
from connectors.runtime.runtime import ConnectorRuntime
from connectors.runtime.settings import RuntimeSettings
from kernel.clock import LoopClock
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from schemas.base import System
from schemas.events import ConnectionState
from schemas.raw import ConnectionReport, RawHeaders, RawKind
from schemas.topics import ALL, CONFIG, HINTS, RAW
from tests.builders import a_brand
from tests.connectors.clarus.commands import ACME
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import NOON, a_tenant, to_sandbox

POLL = 60.0


class Connected:
    """The runtime over the sandbox, polling every minute."""

    def __init__(self, floor: Floor, log: MemoryLog) -> None:
        self.floor, self._log = floor, log

    def told(self) -> list[ConnectionState]:
        """Every report about the connection."""
        records = self._log.records(RAW[System.CLARUS].name)
        return [
            ConnectionReport.model_validate_json(record.value or b"").state
            for record in records
            if RawHeaders.load(record.headers).kind is RawKind.CONNECTION
        ]

    def hinted(self) -> list[str]:
        return [(record.key or b"").decode() for record in self._log.records(HINTS[System.CLARUS].name)]


def connected(story: Callable[[Connected], Awaitable[None]], start: datetime = NOON) -> None:
    async def whole() -> None:
        clock, floor = LoopClock(start), Floor(start)
        log = MemoryLog(clock, {topic.name: 1 for topic in ALL})
        producer = log.producer()
        await producer.start()
        config = a_brand().model_dump_json().encode()
        await (await producer.send(CONFIG.name, key=ACME.encode(), value=config, headers={}))
        async with ConfigView(log, clock) as configs:
            port = ClarusPort([a_tenant()], configs.of, clock, {ACME: to_sandbox(floor)})
            runtime = ConnectorRuntime(port, log, configs, clock, RuntimeSettings(poll_every=POLL), Metrics())
            running = asyncio.create_task(runtime.run())
            try:
                await story(Connected(floor, log))
                assert not running.done()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    run_virtual(whole())


def test_rights_lost_and_given_back_are_told_though_nothing_is_to_be_read() -> None:
    async def story(clarus: Connected) -> None:
        await asyncio.sleep(POLL / 2)
        assert clarus.told() == [ConnectionState.WELL]  # once at the start
        clarus.floor.world.lose_rights()
        await asyncio.sleep(3 * POLL)
        assert clarus.told()[1:] == [ConnectionState.RIGHTS_LOST]
        clarus.floor.world.restore_rights()
        await asyncio.sleep(POLL)
        assert clarus.told()[1:] == [ConnectionState.RIGHTS_LOST, ConnectionState.WELL]

    connected(story)


def test_while_blind_no_open_goods_out_seems_to_be_gone() -> None:
    async def story(clarus: Connected) -> None:
        clarus.floor.goods_out("ACME-5012-71-1")
        await asyncio.sleep(POLL / 2)
        assert clarus.hinted() == ["acme/5012"]
        clarus.floor.world.lose_rights()
        await asyncio.sleep(3 * POLL)
        clarus.floor.world.restore_rights()
        await asyncio.sleep(2 * POLL)
        assert clarus.hinted() == ["acme/5012"]

    connected(story)
