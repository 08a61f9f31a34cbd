"""HTTP servers of our own processes: loopback unless set otherwise, ended with the task that runs them."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from kernel.metrics import Metrics

BACKLOG = 2048
"""Connections that may wait to be taken; uvicorn's own figure."""
UNASKED_MOST = 10.0
"""Seconds a connection is kept, and at most as long again, on which nothing whole is asked."""
NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


class _Server(uvicorn.Server):
    """Leaves signals to the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Connection(H11Protocol):
    """Not kept for whoever says nothing, or begins a request and goes on byte by byte: uvicorn's own limit is for those
    that say nothing after an answer.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._before = self.cycle
        self._look_later = self.loop.call_later(UNASKED_MOST, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._look_later.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self.cycle is self._before:
            self.transport.close()
            return
        self._before = self.cycle
        self._look_later = self.loop.call_later(UNASKED_MOST, self._look)


class CannotListenError(Exception):
    """The address is taken, not ours, or not allowed to us."""


async def serve(app: Starlette, host: str, port: int) -> None:
    """Until cancelled. Raises CannotListenError."""
    await serve_on(await listening(host, port), app)


async def listening(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of the host; whoever connects waits until they are served. Raises CannotListenError."""
    opened: list[socket.socket] = []
    not_ours: OSError | None = None  # one of several may be: where IPv6 is switched off, localhost can still be ::1
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, _, _, _, address in dict.fromkeys(found):
            try:
                opened.append(socket.create_server(address[:2], family=family, backlog=BACKLOG))
            except OSError as cause:
                if cause.errno not in NOT_OURS:
                    raise
                not_ours = cause
        if not_ours is not None and not opened:
            raise not_ours
    except OSError as cause:
        for one in opened:
            one.close()
        raise CannotListenError(_why(cause, host, port)) from cause
    return opened


def _why(cause: OSError, host: str, port: int) -> str:
    if cause.errno == errno.EADDRINUSE:
        return f"expected a free port to listen on, found {host}:{port} taken: end what listens there or choose another"
    if isinstance(cause, socket.gaierror) or cause.errno in NOT_OURS:
        return f"expected an address of this machine to listen on, found {host!r}: 127.0.0.1 or 0.0.0.0, for example"
    return (
        f"expected to be allowed to listen on {host}:{port}, found {os.strerror(cause.errno or 0)}: choose another port"
    )


async def serve_on(sockets: list[socket.socket], app: Starlette) -> None:
    """Until cancelled; then they are closed."""
    config = uvicorn.Config(app, http=_Connection, log_level="warning", access_log=False, lifespan="off")
    server = _Server(config)
    try:
        await server.serve(sockets)
    finally:
        if server.started and not server.should_exit:  # cancelled: it has not closed what it listens on
            server.should_exit = server.force_exit = True
            await server.shutdown(sockets)
        for one in sockets:
            one.close()


@asynccontextmanager
async def served(sockets: list[socket.socket], app: Starlette) -> AsyncIterator[None]:
    """Beside what is done meanwhile."""
    serving = asyncio.create_task(serve_on(sockets, app))
    try:
        yield
    finally:
        serving.cancel()
        try:
            await asyncio.gather(serving, return_exceptions=True)
        finally:  # we too may be cancelled meanwhile
            for one in sockets:
                one.close()  # it may never have begun


@dataclass(frozen=True, slots=True)
class Health:
    """`ready`: partitions are taken, tables recovered, no fuse blown. `live`: progress is made."""

    ready: Callable[[], bool]
    live: Callable[[], bool] = lambda: True


def health_app(health: Health, metrics: Metrics) -> Starlette:
    """/health/live, /health/ready and /metrics."""

    async def live(_: Request) -> Response:
        return _answer(good=health.live())

    async def ready(_: Request) -> Response:
        return _answer(good=health.ready())

    async def scrape(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health/live", live), Route("/health/ready", ready), Route("/metrics", scrape)])


def _answer(*, good: bool) -> Response:
    return PlainTextResponse("ok\n" if good else "not yet\n", status_code=200 if good else 503)
