"""Each trouble does to a connection what it says, and the system sees what it is said to see."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.engine.processes import until
from tests.kills.proxy import FaultProxy, Trouble

Story = Callable[["Desk"], Awaitable[None]]


class Desk:
    """A system that answers each line it gets with the same line, and a proxy before it."""

    def __init__(self, proxy: FaultProxy, heard: list[bytes]) -> None:
        self.proxy, self.heard = proxy, heard

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["Caller"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        try:
            yield Caller(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionResetError):
                await writer.wait_closed()


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, line: bytes) -> bytes:
        """The answer; nothing when the connection ends. Raises ConnectionResetError."""
        self.send(line)
        return await self.answer()

    def send(self, line: bytes) -> None:
        self._writer.write(line)

    async def answer(self) -> bytes:
        return await self._reader.readline()


def tell(story: Story, delay: float = 0.0) -> None:
    async def main() -> None:
        heard: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                heard.append(line)
                writer.write(line)
            writer.close()
            await writer.wait_closed()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with FaultProxy(server.sockets[0].getsockname()[1], delay) as proxy, asyncio.timeout(30):
            await story(Desk(proxy, heard))
        server.close()

    asyncio.run(main())


def test_without_trouble_everything_goes_through() -> None:
    async def story(desk: Desk) -> None:
        async with desk.connection() as caller:
            assert [await caller.ask(line) for line in (b"one\n", b"two\n")] == [b"one\n", b"two\n"]
        assert not desk.proxy.met

    tell(story)


def test_a_delayed_request_arrives() -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.strike(Trouble.DELAY)
        async with desk.connection() as caller:
            assert await caller.ask(b"one\n") == b"one\n"
        assert desk.proxy.met[Trouble.DELAY] == 1

    tell(story, delay=0.01)


def test_dropped_before_nothing_is_executed() -> None:
    async def story(desk: Desk) -> None:
        async with desk.connection() as caller:
            assert await caller.ask(b"one\n") == b"one\n"
            desk.proxy.strike(Trouble.DROP_BEFORE)
            assert await caller.ask(b"two\n") == b""
        assert desk.heard == [b"one\n"]

    tell(story)


def test_dropped_after_it_is_executed_and_nobody_says_so() -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.strike(Trouble.DROP_AFTER)
        async with desk.connection() as caller:
            assert await caller.ask(b"one\n") == b""
        assert desk.heard == [b"one\n"]

    tell(story)


def test_in_a_black_hole_it_vanishes_and_the_connection_breaks_at_the_end() -> None:
    async def story(desk: Desk) -> None:
        desk.proxy.strike(Trouble.BLACK_HOLE)
        async with desk.connection() as caller:
            caller.send(b"one\n")
            await until(lambda: desk.proxy.met[Trouble.BLACK_HOLE] == 1, "it has vanished")
            desk.proxy.strike(Trouble.NONE)
            with pytest.raises(ConnectionResetError):
                await caller.answer()
        async with desk.connection() as caller:
            assert await caller.ask(b"two\n") == b"two\n"
        assert desk.heard == [b"two\n"]

    tell(story)


def test_a_reset_breaks_what_is_open_and_what_comes() -> None:
    async def story(desk: Desk) -> None:
        async with desk.connection() as old, desk.connection() as new:
            assert await old.ask(b"one\n") == b"one\n"
            desk.proxy.strike(Trouble.RESET)
            with pytest.raises(ConnectionResetError):
                await old.answer()
            with pytest.raises(ConnectionResetError):
                await new.ask(b"two\n")
        assert desk.heard == [b"one\n"]

    tell(story)


def test_after_the_trouble_everything_goes_through_again() -> None:
    async def story(desk: Desk) -> None:
        for trouble in Trouble:
            desk.proxy.strike(trouble)
        desk.proxy.strike(Trouble.NONE)
        async with desk.connection() as caller:
            assert await caller.ask(b"one\n") == b"one\n"

    tell(story)
