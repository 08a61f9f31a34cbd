"""A TCP proxy between a connector and a system, which passes everything on until it is told to make trouble."""

import asyncio
import contextlib
import socket
import struct
from collections import Counter
from enum import StrEnum

PIECE = 65536
LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER of no seconds: closing sends a reset."""


class Trouble(StrEnum):
    NONE = "none"
    DELAY = "delay"
    """Each piece of a request waits for `delay` seconds."""
    DROP_BEFORE = "drop before"
    """The connection ends when a piece of a request comes; the piece is not passed on."""
    DROP_AFTER = "drop after"
    """Requests are passed on; the connection ends when the answer begins, and none of it is passed on."""
    BLACK_HOLE = "black hole"
    """Pieces vanish, either way. A connection that lost some is reset when the trouble ends."""
    RESET = "reset"
    """Every connection is reset: those there are at once, new ones at their first piece."""


class FaultProxy:
    """Listens on a loopback port for the system at `target`; an async context manager.

    `met` counts connections that a trouble struck; a delay counts by piece.
    """

    def __init__(self, target: int, delay: float = 0.7) -> None:
        self._target, self._delay = target, delay
        self._trouble = Trouble.NONE
        self._over = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: dict[_Link, asyncio.Task[None]] = {}
        self.met: Counter[Trouble] = Counter()

    async def __aenter__(self) -> "FaultProxy":
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._over.set()
        open_ = dict(self._open)
        for link in open_:
            link.reset()
        await asyncio.gather(*open_.values())

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def trouble(self) -> Trouble:
        return self._trouble

    def strike(self, trouble: Trouble) -> None:
        """From now on; NONE ends it."""
        self._over.set()
        self._over = asyncio.Event()
        self._trouble = trouble
        if trouble is Trouble.RESET:
            for link in list(self._open):
                self.met[trouble] += 1
                link.reset()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        link, task = _Link(writer, back), asyncio.current_task()
        assert task is not None
        self._open[link] = task
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump(reader, back, link, asking=True))
                pumps.create_task(self._pump(there, writer, link, asking=False))
        except* OSError:
            pass  # one of the two ends is gone; so is the link
        finally:
            await link.ended()
            del self._open[link]

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: "_Link", *, asking: bool
    ) -> None:
        """Until one side ends. Whoever asks and hangs up may still be served: what was passed on is executed."""
        while piece := await reader.read(PIECE):
            if not await self._passes(link, asking=asking):
                return
            writer.write(piece)
            await writer.drain()
        link.end()

    async def _passes(self, link: "_Link", *, asking: bool) -> bool:
        """Whether a piece may go on; otherwise the link has been ended."""
        trouble = self._trouble
        match trouble:
            case Trouble.DELAY if asking:
                self.met[trouble] += 1
                await asyncio.sleep(self._delay)
            case Trouble.BLACK_HOLE:
                self.met[trouble] += 1
                await self._over.wait()
                link.reset()
                return False
            case Trouble.RESET:
                self.met[trouble] += 1
                link.reset()
                return False
            case Trouble.DROP_BEFORE if asking:
                self.met[trouble] += 1
                link.end()
                return False
            case Trouble.DROP_AFTER if not asking:
                self.met[trouble] += 1
                link.end()
                return False
        return True


class _Link:
    """One connection and its continuation to the system."""

    def __init__(self, *sides: asyncio.StreamWriter) -> None:
        self._sides = sides

    def end(self) -> None:
        for side in self._sides:
            side.close()

    async def ended(self) -> None:
        self.end()
        for side in self._sides:
            with contextlib.suppress(OSError):
                await side.wait_closed()

    def reset(self) -> None:
        asker = self._sides[0]
        sock = asker.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
        for side in self._sides:
            side.transport.abort()
