"""HTTP between a process and an application in the same memory: thin, with time-outs, and with points to strike at.

The application answers in a task of its own: what it was asked is done although whoever asked has died meanwhile.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from lockstep.simulation.process import OUTSIDE, Point, SimProcess

LATENCY = (0.005, 0.06)
"""Seconds a request, and its answer, are on their way."""

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]


class Wire(httpx.AsyncBaseTransport):
    """From one process, or from the outside world where `process` is None."""

    def __init__(self, app: App, chance: random.Random, process: SimProcess | None = None) -> None:
        self._app, self._chance, self._process = app, chance, process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        writing = self._process is not None and _writes(request, body)
        what = _path_and_body(request, body) if writing else ""
        if self._process is not None:
            await self._process.gate(Point.BEFORE_EFFECT if writing else None, what)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[httpx.Response] = loop.create_future()
        asked = loop.create_task(_Exchange(self._app, request, body, self._chance).run(answer), context=OUTSIDE)
        within = request.extensions.get("timeout", {}).get("read")
        late = None if within is None else loop.call_later(within, _late, answer, request)
        try:
            response = await answer
        finally:
            if late is not None:
                late.cancel()
            del asked  # held until here: a loop holds its tasks weakly
        if self._process is not None:
            await self._process.gate(Point.AFTER_EFFECT if writing else None, what)
        return response


def _late(answer: "asyncio.Future[httpx.Response]", request: httpx.Request) -> None:
    if not answer.done():
        answer.set_exception(httpx.ReadTimeout("no answer in time", request=request))


def _writes(request: httpx.Request, body: bytes) -> bool:
    path = request.url.path
    if path.endswith("graphql.json"):
        return b"mutation " in body
    return request.method != "GET" and not path.endswith(("/graphql", "/oauth/token"))


def _path_and_body(request: httpx.Request, body: bytes) -> str:
    return f"{request.method} {request.url.path} {body.decode()}"


class _Exchange:
    """One request and its answer, as ASGI has it."""

    def __init__(self, app: App, request: httpx.Request, body: bytes, chance: random.Random) -> None:
        self._app, self._request, self._body = app, request, body
        self._there, self._back = chance.uniform(*LATENCY), chance.uniform(*LATENCY)
        self._read = False
        self._status = 500
        self._headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []

    async def run(self, answer: "asyncio.Future[httpx.Response]") -> None:
        """Done whether or not anybody still waits for the answer."""
        try:
            response = await self._answered()
        except Exception as cause:
            if answer.done():
                raise
            answer.set_exception(cause)
        else:
            if not answer.done():
                answer.set_result(response)

    async def _answered(self) -> httpx.Response:
        await asyncio.sleep(self._there)
        url = self._request.url
        raw_path, _, query = url.raw_path.partition(b"?")
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": raw_path,
            "query_string": query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 1),
            "root_path": "",
        }
        await self._app(scope, self._receive, self._send)
        await asyncio.sleep(self._back)
        return httpx.Response(self._status, headers=self._headers, content=b"".join(self._parts))

    async def _receive(self) -> Message:
        if self._read:
            return {"type": "http.disconnect"}
        self._read = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], message["headers"]
        else:
            self._parts.append(message.get("body", b""))
