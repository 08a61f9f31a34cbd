"""HTTP to outside systems: every way a request can fail, named for what the caller can do."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from connectors.runtime.errors import NotFound, RateLimited, TimedOut, Unauthorised, Unavailable
from kernel.clock import Clock

T = TypeVar("T")

READ_TRIES = 3
READ_WAIT_FIRST = 0.2
"""Seconds before the second try of a read, doubling."""

DRIPPING = 2
"""An answer that comes piece by piece is waited for so many times as long as one of which nothing comes: httpx's limit
is for each piece.
"""

RETRY_AFTER_SECONDS = 2.0
"""How long to wait when a busy system does not say."""
RETRY_AFTER_MOST = 300.0
"""How long at most before it is asked again, whatever it says."""


before_write: ContextVar[Callable[[], None]] = ContextVar("before_write", default=lambda: None)
"""Asked before every write goes out, last of all. Raises where nothing may be written any more: whoever answers for a
connector sets it in its task, and in those that it starts from there on.
"""


class HttpClient(httpx.AsyncClient):
    """One outside system's. Interfaces for programs set no cookies: none are kept, and none are looked for."""

    @property
    def cookies(self) -> httpx.Cookies:
        return _NO_COOKIES

    @cookies.setter
    def cookies(self, cookies: object) -> None:
        raise TypeError(f"expected no cookies for a connector, found {type(cookies).__name__}")

    def whole_url(self, path: str) -> httpx.URL:
        """For paths asked for all the time: to join and read one again costs more than the rest of a request."""
        return self.build_request("GET", path).url


class _NoCookies(httpx.Cookies):
    def extract_cookies(self, response: httpx.Response) -> None:
        """Nothing."""

    def set_cookie_header(self, request: httpx.Request) -> None:
        """Nothing."""


_NO_COOKIES = _NoCookies()


async def send(client: httpx.AsyncClient, request: httpx.Request, *, writing: bool) -> httpx.Response:
    """The answer, whatever its status below 500. Raises Unavailable when nothing can have been executed and TimedOut
    when a write may have been; a read that goes wrong executed nothing. What `before_write` raises comes before all.
    """
    if writing:
        before_write.get()()
    what = f"{request.method} {request.url.path}"
    unclear = TimedOut if writing else Unavailable
    patience = client.timeout.read
    try:
        async with asyncio.timeout(None if patience is None else patience * DRIPPING):
            response = await client.send(request)
    except TimeoutError as error:
        raise unclear(f"{what}: not answered whole within {patience} s times {DRIPPING}") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise Unavailable(f"{what}: no connection ({type(error).__name__})") from error
    except httpx.RequestError as error:  # also an answer that is not encoded as it says
        raise unclear(f"{what}: no answer ({type(error).__name__})") from error
    match response.status_code:
        case 429:
            raise RateLimited(f"{what}: busy", retry_after(response))
        case 401 | 403:
            raise Unauthorised(f"{what}: answered {response.status_code}")
        case 404:
            raise NotFound(what)
        case 503:
            raise Unavailable(f"{what}: away (503)")
        case status if status >= 500 or status in (408, 423):
            raise unclear(f"{what}: answered {status}")
        case _:
            return response


async def read_patiently(read: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """A read that one bad gateway does not end: a look at an order is many requests. Never for writes.

    Raises what the last try raised; only Unavailable is tried again.
    """
    try:
        return await read()  # nearly always; what follows costs as much as a small request
    except Unavailable:
        await clock.sleep(READ_WAIT_FIRST)
    tries = AsyncRetrying(
        stop=stop_after_attempt(READ_TRIES - 1),
        wait=wait_exponential(multiplier=READ_WAIT_FIRST * 2),
        retry=retry_if_exception_type(Unavailable),
        sleep=clock.sleep,
        reraise=True,
    )

    async def once() -> T:  # tenacity awaits coroutine functions only
        return await read()

    return await tries(once)


def retry_after(response: httpx.Response) -> float:
    """Seconds of the header `Retry-After` (RFC 9110: a number of them, or a date), at least one."""
    said = response.headers.get("Retry-After", "")
    try:
        seconds = float(said)
    except ValueError:
        seconds = _until(said, response.headers.get("Date", ""))
    return min(max(1.0, seconds), RETRY_AFTER_MOST)


def _until(then: str, now: str) -> float:
    """By the clock of whoever answered."""
    try:
        return (parsedate_to_datetime(then) - parsedate_to_datetime(now)).total_seconds()
    except (TypeError, ValueError):
        return RETRY_AFTER_SECONDS
