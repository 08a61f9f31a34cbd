"""The clerk posts what is shipped, after a while; told with a Tryton of three shipments."""

import asyncio
import json
from base64 import urlsafe_b64decode
from datetime import timedelta

import httpx

from sandbox.tryton.clerk import Clerk
from sandbox.tryton.rest import TrytonRest
from tests.sandbox.step_clock import StepClock


class Shipments(httpx.AsyncBaseTransport):
    """Answers the one search and the one action the clerk uses."""

    def __init__(self, **states: str) -> None:
        self.states = states

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        names = list(self.states)
        if request.method == "GET":
            assert json.loads(urlsafe_b64decode(request.url.params["d"])) == [["state", "=", "shipped"]]
            found = [{"id": names.index(n), "reference": n} for n in names if self.states[n] == "shipped"]
            return httpx.Response(200, json=found)
        name = names[int(request.url.path.split("/")[-2])]
        assert request.url.path.endswith("/do")
        if self.states[name] != "shipped":
            return httpx.Response(400, json={"message": "You can not call do"})
        self.states[name] = "done"
        return httpx.Response(200, json={})


def looks(shipments: Shipments, *steps: float, hold: str = "") -> list[list[str]]:
    """What the clerk, who waits a minute, posts at each look; `steps` are the seconds before each."""

    async def whole() -> list[list[str]]:
        clock = StepClock()
        async with TrytonRest("http://erp.example/erp/rest/", "key", shipments) as rest:
            clerk = Clerk(rest, clock, delay=timedelta(minutes=1))
            if hold:
                clerk.hold(hold)
            posted = []
            for seconds in steps:
                clock.advance(seconds)
                posted.append(await clerk.look())
            return posted

    return asyncio.run(whole())


def test_a_shipment_is_posted_a_minute_after_it_was_first_seen() -> None:
    shipments = Shipments(first="shipped", second="packed")
    assert looks(shipments, 0, 59, 1, 60) == [[], [], ["first"], []]
    assert shipments.states == {"first": "done", "second": "packed"}


def test_a_held_one_is_left_alone() -> None:
    assert looks(Shipments(first="shipped", second="shipped"), 0, 60, hold="first") == [[], ["second"]]
