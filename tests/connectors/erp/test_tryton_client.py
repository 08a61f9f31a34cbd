"""Tryton's answers without a server: pages of what changed, and answers of an odd shape."""

import asyncio
import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from connectors.erp.tryton.client import TrytonClient, moment
from connectors.erp.tryton.read import OVERLAP, changes_since
from connectors.runtime.errors import Incompatible, TimedOut
from tests.sandbox.step_clock import StepClock

SINCE = datetime(2026, 5, 4, 8, tzinfo=UTC)


def client(answer: Callable[[httpx.Request], httpx.Response]) -> TrytonClient:
    transport = httpx.MockTransport(answer)
    return TrytonClient("http://erp.example/db/rest/", "key", 1, 30.0, 4, StepClock(), transport)


class Sales:
    """2500 sales of the shop, the last with a shipment; each answer takes a minute."""

    def __init__(self) -> None:
        self.clock = StepClock()
        self.asked: list[tuple[str, list[Any]]] = []
        """Model and domain of each search."""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        domain = orjson.loads(base64.urlsafe_b64decode(request.url.params["d"]))
        self.asked.append((request.url.path.rpartition("/")[2], domain))
        self.clock.advance(60)
        (_, _, last), _, (_, (stamp, _, _), _) = domain
        most = int(request.url.params["s"])
        if stamp.startswith("shipments."):
            shipment = {"create_date": moment(SINCE), "write_date": moment(SINCE + timedelta(minutes=30))}
            sales = [{"id": 2500, "web_id": "2500~2", "shipments": [shipment]}]
        else:
            stamps = {"create_date": moment(SINCE + timedelta(minutes=20)), "write_date": None}
            sales = [{"id": id_, "web_id": str(id_), **stamps} for id_ in range(1, 2501)]
        return httpx.Response(200, json=[sale for sale in sales if sale["id"] > last][:most])


def test_what_changed_is_read_by_pages_and_of_the_web_shop_alone() -> None:
    sales = Sales()
    found = asyncio.run(changes_since(client(sales), "acme", SINCE, sales.clock))
    assert found.orders == tuple(str(number) for number in range(1, 2501))
    since = moment(SINCE - OVERLAP)
    own = ["OR", ["create_date", ">=", since], ["write_date", ">=", since]]
    shipped = ["OR", ["shipments.create_date", ">=", since], ["shipments.write_date", ">=", since]]
    assert sales.asked == [
        ("sale.sale", [["id", ">", last], ["web_shop.name", "=", "acme"], written])
        for last, written in ((0, own), (1000, own), (2000, own), (0, shipped))
    ]


def test_what_is_written_in_a_page_that_was_read_comes_again() -> None:
    """The next poll looks back to when the first page was asked for; never behind where this one began."""
    sales = Sales()
    found = asyncio.run(changes_since(client(sales), "acme", SINCE, sales.clock))
    assert datetime.fromisoformat(found.cursor) == SINCE + timedelta(minutes=30 - 4)
    late = SINCE + timedelta(minutes=28)
    assert asyncio.run(changes_since(client(sales), "acme", late, sales.clock)).cursor == late.isoformat()


# --- answers of an odd shape


@pytest.mark.parametrize(
    ("body", "found"),
    [(b"", "nothing"), (b"7", "int"), (b'{"id": 1}', "an object of ['id']"), (b"[1, null]", "a list of NoneType, int")],
)
def test_a_list_of_an_odd_shape_is_said_as_it_is(body: bytes, found: str) -> None:
    odd = client(lambda _: httpx.Response(200, content=body))
    with pytest.raises(Incompatible) as refused:
        asyncio.run(odd.search("sale.sale", [], ["state"]))
    assert str(refused.value) == f"search of sale.sale: expected a list of records, found {found}"


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b'{"id": null}', b'{"state": 3}'])
def test_a_write_whose_answer_does_not_say_what_was_done_is_unclear(body: bytes) -> None:
    """The port looks before it writes again, as after an answer that was lost."""
    odd = client(lambda _: httpx.Response(200, content=body))
    with pytest.raises(TimedOut, match=r"create of sale\.sale: expected the record's id, found"):
        asyncio.run(odd.create("sale.sale", {}))
    with pytest.raises(TimedOut, match=r"quote of sale\.sale 1: expected its state, found"):
        asyncio.run(odd.act("sale.sale", 1, "quote", "draft"))
