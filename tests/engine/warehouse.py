"""A system outside every process under test: it lives in the test and speaks a line of JSON per question.

It takes its time, and finishes what it has begun whether or not somebody still waits. It has no uniqueness of its own:
told twice, it does it twice.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors.runtime.errors import TimedOut
from connectors.runtime.port import Changes, Execution, Reading
from schemas.base import Brand, OrderId, System
from schemas.commands import Command, CreateGoodsOut
from schemas.hints import Hint
from schemas.outcomes import Outcome, OutcomeKind
from tests.builders import ACME


@dataclass
class Warehouse:
    """`begun` and `made` are references, in order. With `slow`, what is asked for is made a second after `let_go`.

    `longest_request` is what its connector is told: seconds, from when it took over, in which `let_go` must come.
    """

    slow: bool = False
    port: int = 0
    begun: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    _at_work: set["asyncio.Task[None]"] = field(default_factory=set)
    _may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def longest_request(self) -> float:
        return 5.0 if self.slow else 0.5

    def let_go(self) -> None:
        self._may_go_on.set()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Warehouse"]:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.let_go()
            server.close()
            await server.wait_closed()
            await asyncio.gather(*self._at_work)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = json.loads(await reader.readline())
            if asked["do"] == "create":
                self.begun.append(asked["reference"])
                work = asyncio.create_task(self._make(asked["reference"]))
                self._at_work.add(work)
                await asyncio.shield(work)
            writer.write(json.dumps({"there": self.made.count(asked["reference"])}).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            return  # who asked is dead; the work goes on
        finally:
            writer.close()

    async def _make(self, reference: str) -> None:
        if self.slow:
            await self._may_go_on.wait()
            await asyncio.sleep(1.0)
        self.made.append(reference)


class WarehousePort:
    """A `connectors.runtime.port.Port` that looks before it writes."""

    system, brands, read_batch = System.CLARUS, frozenset({ACME}), 10

    def __init__(self, port: int, longest_request: float) -> None:
        self._port = port
        self.longest_request = longest_request

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        return [Reading(brand, order, b"[]", datetime.now(UTC)) for order in orders]

    async def execute(self, command: Command) -> Execution:
        assert isinstance(command, CreateGoodsOut)
        if await self._ask("look", command.reference):
            return Execution(_outcome(command, OutcomeKind.ALREADY_APPLIED))
        await self._ask("create", command.reference)
        return Execution(_outcome(command, OutcomeKind.APPLIED))

    async def resolve(self, hint: Hint) -> Sequence[OrderId]:
        return ()

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        return Changes((), cursor)

    async def aclose(self) -> None:
        """Every question has its own connection."""

    async def _ask(self, what: str, reference: str) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(json.dumps({"do": what, "reference": reference}).encode() + b"\n")
            line = await reader.readline()
        finally:
            writer.close()
        if not line:
            raise TimedOut("the connection was closed without an answer")
        answer: dict[str, Any] = json.loads(line)
        return int(answer["there"])


def _outcome(command: CreateGoodsOut, kind: OutcomeKind) -> Outcome:
    return Outcome(
        command=command.id, object=command.object, generation=command.generation, kind=kind, external_id="9001"
    )
