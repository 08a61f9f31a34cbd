"""Every way a request can fail, named for what the caller can do."""

import asyncio
from collections.abc import Callable

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

Handler = Callable[[httpx.Request], httpx.Response]


def http(handler: Handler) -> ErpHttp:
    return ErpHttp("http://erp.example/", {}, timeout=1, max_in_flight=2, transport=httpx.MockTransport(handler))


def answering(status: int) -> Handler:
    return lambda _: httpx.Response(status, text="<html>")


def breaking(error: type[httpx.TransportError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    return handler


@pytest.mark.parametrize(
    ("handler", "reading", "writing"),
    [
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
        asyncio.run(http(handler).get("x"))
    with pytest.raises(ConnectorError) as written:
        asyncio.run(http(handler).write("POST", "x", {}))
    assert (type(read.value), type(written.value)) == (reading, writing)


def test_a_refusal_keeps_what_the_erp_said() -> None:
    def ours(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            422, json={"error": {"code": "unknown_item", "field": "lines.0.sku", "message": "no item"}}
        )

    def trytons(_: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"status": 400, "message": "must be unique per shop", "description": ""})

    with pytest.raises(Rejected) as refused:
        asyncio.run(http(ours).write("PUT", "x", {}))
    assert (refused.value.code, refused.value.field, refused.value.text) == ("unknown_item", "lines.0.sku", "no item")
    with pytest.raises(Rejected, match="must be unique per shop"):
        asyncio.run(http(trytons).write("POST", "x", {}))


def test_busy_says_how_long() -> None:
    with pytest.raises(RateLimited) as busy:
        asyncio.run(http(lambda _: httpx.Response(429, headers={"Retry-After": "7"})).get("x"))
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

        erp = ErpHttp("http://erp.example/", {}, 1, max_in_flight=2, transport=httpx.MockTransport(handler))
        await asyncio.gather(*(erp.get("x") for _ in range(6)))
        await erp.aclose()
        return most

    assert asyncio.run(story()) == 2
