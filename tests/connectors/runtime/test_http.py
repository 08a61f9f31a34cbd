"""How long an answer is waited for, and a busy system left alone."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.runtime.errors import ConnectorError, TimedOut, Unavailable
from connectors.runtime.http import DRIPPING, RETRY_AFTER_MOST, RETRY_AFTER_SECONDS, before_write, retry_after, send
from kernel.log import Fenced
from kernel.virtual_time import run_virtual

NOW = "Thu, 05 Nov 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.2"}, 1.0),
        ({"Retry-After": "-5"}, 1.0),
        ({"Retry-After": "86400"}, RETRY_AFTER_MOST),
        ({"Retry-After": "1e400"}, RETRY_AFTER_MOST),
        ({"Retry-After": "nan"}, 1.0),
        ({"Retry-After": "Thu, 05 Nov 2026 12:00:30 GMT", "Date": NOW}, 30.0),
        ({"Retry-After": "Thu, 05 Nov 2026 11:00:00 GMT", "Date": NOW}, 1.0),
        ({"Retry-After": "Thu, 05 Nov 2026 12:00:30 GMT"}, RETRY_AFTER_SECONDS),
        ({"Retry-After": "soon", "Date": NOW}, RETRY_AFTER_SECONDS),
        ({}, RETRY_AFTER_SECONDS),
    ],
)
def test_it_is_a_number_of_seconds_or_a_date_by_its_own_clock(said: dict[str, str], seconds: float) -> None:
    assert retry_after(httpx.Response(429, headers=said)) == seconds


class Drips(httpx.AsyncByteStream):
    """A byte a second for ever: no limit on a piece is reached."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(1)
            yield b" "


@pytest.mark.parametrize(("writing", "error"), [(False, Unavailable), (True, TimedOut)])
def test_an_answer_that_drips_is_not_waited_for_for_ever(*, writing: bool, error: type[ConnectorError]) -> None:
    async def story() -> float:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Drips()))
        async with httpx.AsyncClient(transport=transport, timeout=10) as client:
            with pytest.raises(error, match="not answered whole"):
                await send(client, client.build_request("GET", "http://clarus.test/"), writing=writing)
        return asyncio.get_running_loop().time()

    assert run_virtual(story()) == 10 * DRIPPING


def test_a_write_is_not_sent_by_one_who_may_not_write_any_more_and_a_read_is() -> None:
    """Its owner was stopped since the look: that may be done already."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return httpx.Response(200)

    def stood_still() -> None:
        raise Fenced("stood still")

    async def story() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            before_write.set(stood_still)
            await send(client, client.build_request("GET", "http://clarus.test/"), writing=False)
            with pytest.raises(Fenced):
                await send(client, client.build_request("POST", "http://clarus.test/"), writing=True)

    run_virtual(story())
    assert asked == ["GET"]
