"""One request to a shop, and every way it goes wrong, by recorded answers."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from pydantic import SecretStr

from connectors.runtime.errors import (
    ConnectorError,
    Incompatible,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from connectors.shopify.client import ShopifyClient
from connectors.shopify.settings import ClientCredentials
from tests.connectors.shopify.shops import RecordedShop, StepClock, a_client, a_shop, recorded


def ask(client: ShopifyClient) -> Awaitable[object]:
    return client.query("ReadOrders", {})


async def write(client: ShopifyClient) -> object:
    return await client.mutate("CreateFulfilment", {}, await client.reserve("CreateFulfilment"))


def fails(call: Callable[[ShopifyClient], Awaitable[object]], shop: RecordedShop) -> ConnectorError:
    async def story() -> None:
        client = a_client(shop)
        try:
            await call(client)
        finally:
            await client.aclose()

    with pytest.raises(ConnectorError) as caught:
        asyncio.run(story())
    return caught.value


def test_a_throttled_read_waits_as_long_as_the_bucket_needs() -> None:
    shop = RecordedShop(None, "throttled", "plain_order")
    answer = asyncio.run(a_client(shop).query("ReadOrders", {}))
    assert answer.data["nodes"][0]["name"] == "#1042"
    assert sum(shop.clock.slept) == pytest.approx(2.2)


def test_a_read_that_stays_throttled_is_told_after_the_shops_patience() -> None:
    shop = RecordedShop(None, "throttled")
    error = fails(ask, shop)
    assert isinstance(error, RateLimited)
    assert error.retry_after == pytest.approx(2.2)
    assert sum(shop.clock.slept) <= 20


def test_a_throttled_write_is_not_repeated() -> None:
    shop = RecordedShop()
    shop.will_answer("CreateFulfilment", httpx.Response(200, json=recorded("throttled")["answer"]))
    assert isinstance(fails(write, shop), RateLimited)
    assert len(shop.asked) == 1


HTTP = [
    (500, Unavailable, TimedOut),
    (502, Unavailable, TimedOut),
    (423, Unavailable, TimedOut),
    (503, Unavailable, Unavailable),
    (401, Unauthorised, Unauthorised),
    (402, Unauthorised, Unauthorised),
    (403, Unauthorised, Unauthorised),
    (404, Unauthorised, Unauthorised),
    (400, Incompatible, Incompatible),
    (301, Incompatible, Incompatible),
]


@pytest.mark.parametrize(("status", "reading", "writing"), HTTP)
def test_http_statuses(status: int, reading: type[ConnectorError], writing: type[ConnectorError]) -> None:
    def shop() -> RecordedShop:
        answer = httpx.Response(status, text="?")
        return RecordedShop().will_answer("ReadOrders", answer).will_answer("CreateFulfilment", answer)

    assert type(fails(ask, shop())) is reading
    assert type(fails(write, shop())) is writing


def test_429_is_waited_for_as_told() -> None:
    shop = RecordedShop()
    shop.will_answer("ReadOrders", httpx.Response(429, headers={"Retry-After": "4"})).will("plain_order")
    asyncio.run(a_client(shop).query("ReadOrders", {}))
    assert sum(shop.clock.slept) == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("error", "reading", "writing"),
    [
        (httpx.ConnectError("refused"), Unavailable, Unavailable),
        (httpx.ReadTimeout("late"), Unavailable, TimedOut),
        (httpx.RemoteProtocolError("gone"), Unavailable, TimedOut),
    ],
)
def test_no_answer(error: Exception, reading: type[ConnectorError], writing: type[ConnectorError]) -> None:
    shop = RecordedShop().will_answer("ReadOrders", error).will_answer("CreateFulfilment", error)
    assert type(fails(ask, shop)) is reading
    assert type(fails(write, shop)) is writing


def test_an_answer_that_takes_too_long() -> None:
    class Slow(RecordedShop):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.Event().wait()
            return await super().handle_async_request(request)

    async def story() -> None:
        await write(ShopifyClient(a_shop(answer_within=0.01), StepClock(), Slow()))

    with pytest.raises(TimedOut, match=r"within 0\.01 s"):
        asyncio.run(story())


GRAPHQL = [
    ("internal_error", Unavailable, TimedOut),
    ("max_cost_exceeded", Rejected, Rejected),
]


@pytest.mark.parametrize(("name", "reading", "writing"), GRAPHQL)
def test_graphql_errors(name: str, reading: type[ConnectorError], writing: type[ConnectorError]) -> None:
    answer = httpx.Response(200, json=recorded(name)["answer"])
    shop = RecordedShop().will_answer("ReadOrders", answer).will_answer("CreateFulfilment", answer)
    assert type(fails(ask, shop)) is reading
    assert type(fails(write, shop)) is writing


@pytest.mark.parametrize("text", ["<html>", "[]", '{"errors": 3}', ""])
def test_an_answer_that_is_no_graphql(text: str) -> None:
    answer = httpx.Response(200, text=text)
    shop = RecordedShop().will_answer("ReadOrders", answer).will_answer("CreateFulfilment", answer)
    assert isinstance(fails(ask, shop), Incompatible)
    assert isinstance(fails(write, shop), TimedOut), "a write may have been executed behind it"


def test_a_closed_shop_and_a_plain_sentence() -> None:
    closed = {"errors": [{"message": "closed", "extensions": {"code": "SHOP_INACTIVE"}}]}
    assert isinstance(
        fails(ask, RecordedShop().will_answer("ReadOrders", httpx.Response(200, json=closed))), Unauthorised
    )
    plain = RecordedShop().will_answer("ReadOrders", httpx.Response(200, json={"errors": "Not today"}))
    error = fails(ask, plain)
    assert isinstance(error, Rejected)
    assert error.text == "Not today"


def test_denied_fields_leave_the_rest_of_the_answer() -> None:
    shop = RecordedShop(None, "access_denied_beside_data")
    answer = asyncio.run(a_client(shop).query("ReadOrders", {}))
    assert [node["name"] for node in answer.data["nodes"]] == ["#1042", "#1047"]
    assert answer.denied[0].path == ("nodes", "1", "shippingAddress")


def test_another_version_is_seen_and_told() -> None:
    shop = RecordedShop()
    old = httpx.Response(200, headers={"X-Shopify-API-Version": "2027-01"}, json=recorded("plain_order")["answer"])
    client = a_client(shop.will_answer("ReadOrders", old))
    answer = asyncio.run(client.query("ReadOrders", {}))
    assert answer.api_version == "2027-01"
    assert client.other_versions == {"2027-01"}


def test_a_refused_token_is_renewed_once() -> None:
    """The client credentials grant: the first token was revoked early."""

    class Granting(RecordedShop):
        granted = 0

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/admin/oauth/access_token"):
                self.granted += 1
                assert b"grant_type=client_credentials" in await request.aread()
                return httpx.Response(200, json={"access_token": f"t{self.granted}", "expires_in": 86399})
            return await super().handle_async_request(request)

    shop = Granting().will_answer("ReadOrders", httpx.Response(401)).will("plain_order")
    credentials = ClientCredentials(client_id="id", client_secret=SecretStr("secret"))
    client = a_client(shop, a_shop(token=None, credentials=credentials))
    asyncio.run(client.query("ReadOrders", {}))
    assert shop.tokens == ["t1", "t2"]


def test_a_fixed_token_that_is_refused_is_not_tried_again() -> None:
    shop = RecordedShop().will_answer("ReadOrders", httpx.Response(401))
    assert isinstance(fails(ask, shop), Unauthorised)
    assert len(shop.asked) == 1
