"""Every way a request can fail, named for what the caller can do."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest

from connectors.erp.http import ErpHttp
from connectors.runtime.errors import (
    ConnectorError,
    Incompatible,
    NotFound,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from kernel.clock import LoopClock
from kernel.virtual_time import run_virtual

Handler = Callable[[httpx.Request], httpx.Response]


def http(handler: Handler) -> ErpHttp:
    transport = httpx.MockTransport(handler)
    return ErpHttp("http://erp.example/", {}, 1, 2, LoopClock(datetime(2026, 11, 3, tzinfo=UTC)), transport)


def answering(status: int) -> Handler:
    return lambda _: httpx.Response(status, text="<html>")


def elsewhere(status: int) -> Handler:
    """As a gateway answers that wants https, without a body."""
    return lambda _: httpx.Response(status, headers={"Location": "https://erp.example/"})


def breaking(error: type[httpx.TransportError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return handler


@pytest.mark.parametrize(
    ("handler", "reading", "writing"),
    [
        (elsewhere(301), Incompatible, Incompatible),
        (elsewhere(307), Incompatible, Incompatible),
        (answering(401), Unauthorised, Unauthorised),
        (answering(403), Unauthorised, Unauthorised),
        (answering(404), NotFound, NotFound),
        (answering(409), Rejected, Rejected),
        (answering(429), RateLimited, RateLimited),
        (answering(500), Unavailable, TimedOut),
        (answering(504), Unavailable, TimedOut),
        (answering(503), Unavailable, Unavailable),
        (answering(200), Incompatible, Incompatible),
        (breaking(httpx.ConnectError), Unavailable, Unavailable),
        (breaking(httpx.ConnectTimeout), Unavailable, Unavailable),
        (breaking(httpx.ReadTimeout), Unavailable, TimedOut),
        (breaking(httpx.RemoteProtocolError), Unavailable, TimedOut),
        (breaking(httpx.WriteError), Unavailable, TimedOut),
    ],
)
def test_each_failure_has_its_name(
    handler: Handler, reading: type[ConnectorError], writing: type[ConnectorError]
) -> None:
    with pytest.raises(ConnectorError) as read:
        run_virtual(http(handler).get("x"))
    with pytest.raises(ConnectorError) as written:
        run_virtual(http(handler).write("POST", "x", {}))
    assert (type(read.value), type(written.value)) == (reading, writing)


def test_a_read_outlives_a_bad_gateway_or_two_and_a_write_is_never_repeated() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.method)
        return httpx.Response(502) if len(seen) in {1, 2, 4} else httpx.Response(200, json=[len(seen)])

    assert run_virtual(http(handler).get("x")) == [3]
    with pytest.raises(TimedOut):
        run_virtual(http(handler).write("POST", "x", {}))
    assert seen == ["GET", "GET", "GET", "POST"]


def test_a_refusal_keeps_what_the_erp_said() -> None:
    def ours(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            422, json={"error": {"code": "unknown_item", "field": "lines.0.sku", "message": "no item"}}
        )

    def trytons(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"status": 400, "message": "must be unique per shop", "description": ""})

    with pytest.raises(Rejected) as refused:
        run_virtual(http(ours).write("PUT", "x", {}))
    assert (refused.value.code, refused.value.field, refused.value.text) == ("unknown_item", "lines.0.sku", "no item")
    with pytest.raises(Rejected, match="must be unique per shop"):
        run_virtual(http(trytons).write("POST", "x", {}))


def test_busy_says_how_long() -> None:
    with pytest.raises(RateLimited) as busy:
        run_virtual(http(lambda _: httpx.Response(429, headers={"Retry-After": "7"})).get("x"))
    assert busy.value.retry_after == 7


def test_no_more_requests_at_a_time_than_allowed() -> None:
    async def story() -> int:
        under_way = most = 0
        go_on = asyncio.Event()

        async def handler(_: httpx.Request) -> httpx.Response:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            if under_way == 2:
                go_on.set()
            await go_on.wait()
            await asyncio.sleep(0)
            under_way -= 1
            return httpx.Response(200, json=[])

        clock = LoopClock(datetime(2026, 11, 3, tzinfo=UTC))
        erp = ErpHttp("http://erp.example/", {}, 1, 2, clock, httpx.MockTransport(handler))
        await asyncio.gather(*(erp.get("x") for _ in range(6)))
        await erp.aclose()
        return most

    assert asyncio.run(story()) == 2
