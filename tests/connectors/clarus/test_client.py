"""One request to Clarus, and every way in which it goes wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from connectors.clarus.client import ClarusClient
from connectors.clarus.lists import whole_list
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
from tests.connectors.clarus.sides import a_tenant
from tests.sandbox.step_clock import StepClock

TOKEN = httpx.Response(200, json={"access_token": "t", "expires_in": 600})
Answer = httpx.Response | Exception


class Answers:
    """Gives the answers in their order, the last one for ever; tokens are numbered."""

    def __init__(self, *answers: Answer, token: Answer | None = None) -> None:
        self._answers, self._token = list(answers), token
        self.requests: list[httpx.Request] = []
        self.tokens = 0
        self.clock = StepClock()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            self.tokens += 1
            return _given(
                self._token or httpx.Response(200, json={"access_token": f"t{self.tokens}", "expires_in": 600})
            )
        self.requests.append(request)
        return _given(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])

    def bearers(self) -> list[str]:
        return [request.headers["Authorization"] for request in self.requests]


def _given(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def asked(answers: Answers, call: Callable[[ClarusClient], Awaitable[Any]], **settings: Any) -> Any:
    async def whole() -> Any:
        client = ClarusClient(a_tenant(**settings), answers.clock, httpx.MockTransport(answers))
        try:
            return await call(client)
        finally:
            await client.aclose()

    return asyncio.run(whole())


def read(client: ClarusClient) -> Awaitable[Any]:
    return client.query("query Look { accounts }", {})


def write(client: ClarusClient) -> Awaitable[Any]:
    return client.write("POST", "/goods_outs", {"data": {}})


GOOD = httpx.Response(200, json={"data": {"id": 1}})
HTML = httpx.Response(200, text="<html>", headers={"Content-Type": "text/html"})
FAILURES: list[tuple[Answer, type[ConnectorError], type[ConnectorError]]] = [
    (httpx.ConnectError("refused"), Unavailable, Unavailable),
    (httpx.ConnectTimeout("slow"), Unavailable, Unavailable),
    (httpx.ReadTimeout("slow"), Unavailable, TimedOut),
    (httpx.RemoteProtocolError("dropped"), Unavailable, TimedOut),
    (httpx.DecodingError("it is not gzip"), Unavailable, TimedOut),
    (httpx.Response(500), Unavailable, TimedOut),
    (httpx.Response(502, text="<html>"), Unavailable, TimedOut),
    (httpx.Response(504), Unavailable, TimedOut),
    (httpx.Response(408), Unavailable, TimedOut),
    (httpx.Response(503), Unavailable, Unavailable),
    (httpx.Response(429, headers={"Retry-After": "7"}), RateLimited, RateLimited),
    (httpx.Response(401, json={"error": "expired"}), Unauthorised, Unauthorised),
    (httpx.Response(403, json={"errors": []}), Unauthorised, Unauthorised),
    (httpx.Response(404, json={"errors": []}), NotFound, NotFound),
    (HTML, Incompatible, Incompatible),
    (httpx.Response(200, json=[1]), Incompatible, Incompatible),
    (httpx.Response(302, headers={"Location": "/login"}), Incompatible, Incompatible),
]


@pytest.mark.parametrize(("answer", "when_reading", "when_writing"), FAILURES)
def test_failures_are_named_for_what_the_caller_can_do(
    answer: Answer, when_reading: type[ConnectorError], when_writing: type[ConnectorError]
) -> None:
    for call, error in ((read, when_reading), (write, when_writing)):
        with pytest.raises(ConnectorError) as caught:
            asked(Answers(answer), call)
        assert type(caught.value) is error


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "Field 'x' does not exist"}]},
        {"data": {"accounts": {}}, "errors": [{"message": "half of it"}]},
        {"data": None},
        {"errors": {"message": "no list"}},
        {"errors": ["text"]},
        {"error": "text"},
        {},
    ],
)
def test_a_graphql_answer_with_errors_or_without_data_is_none(body: dict[str, Any]) -> None:
    with pytest.raises(Incompatible):
        asked(Answers(httpx.Response(200, json=body)), read)


@pytest.mark.parametrize(
    ("status", "body", "code", "field"),
    [
        (
            422,
            {"errors": [{"code": 9, "symbol": "blank", "details": "x", "context": {"field": "name"}}]},
            "blank",
            "name",
        ),
        (
            422,
            {"errors": [{"code": 9, "symbol": "blank", "details": "x", "context": {"attribute": "a"}}]},
            "blank",
            "a",
        ),
        (422, {"errors": [{"code": 9, "symbol": "blank", "details": "x"}]}, "blank", ""),
        (422, {"errors": [{"symbol": "blank", "context": ["name"]}, {"symbol": "second"}]}, "blank", ""),
        (422, {"errors": []}, "refused_422", ""),
        (422, {"errors": ["name is missing"]}, "refused_422", ""),
        (409, {"error": "conflict"}, "refused_409", ""),
        (400, ["no"], "refused_400", ""),
    ],
)
def test_a_refusal_is_told_by_symbol_and_field(status: int, body: Any, code: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        asked(Answers(httpx.Response(status, json=body)), write)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_what_a_refusal_quotes_is_not_told() -> None:
    body = {"errors": [{"code": 9, "symbol": "invalid", "details": "Ida Marlow, 4 Kiln Row: no such place"}]}
    with pytest.raises(Rejected) as caught:
        asked(Answers(httpx.Response(422, json=body)), write)
    assert "Marlow" not in str(caught.value)


def test_a_refusal_that_is_no_json_is_one_all_the_same() -> None:
    with pytest.raises(Rejected) as caught:
        asked(Answers(httpx.Response(422, text="<html>")), write)
    assert caught.value.code == "refused_422"


def test_every_call_bears_token_tenant_and_content_type() -> None:
    answers = Answers(GOOD)
    asked(answers, read)
    asked(answers, write)
    asked(answers, lambda client: client.write("POST", "/goods_outs/1/cancel"))
    for request in answers.requests:
        assert request.headers["Authorization"].startswith("Bearer t")
        assert request.headers["X-Clarus-Subdomain"] == "acme"
        assert request.headers["Content-Type"] == "application/json"


def test_the_rest_prefix_is_a_setting() -> None:
    answers = Answers(httpx.Response(204))
    assert asked(answers, write, rest_prefix="/api/v1") == {}
    assert answers.requests[0].url.path == "/api/v1/goods_outs"


def test_a_refused_token_is_renewed_once_and_no_more() -> None:
    answers = Answers(httpx.Response(401, json={"error": "expired"}), GOOD)
    asked(answers, write)
    assert answers.bearers() == ["Bearer t1", "Bearer t2"]
    answers = Answers(httpx.Response(401, json={"error": "expired"}))
    with pytest.raises(Unauthorised):
        asked(answers, write)
    assert answers.bearers() == ["Bearer t1", "Bearer t2"]


def test_calls_refused_together_share_one_new_token() -> None:
    class Forgetful(Answers):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            old = request.headers.get("Authorization") == "Bearer t1"
            if old:
                await all_asked.wait()
            self._answers = [httpx.Response(401) if old else GOOD]
            return await super().__call__(request)

    all_asked, answers = asyncio.Barrier(3), Forgetful(GOOD)

    async def three(client: ClarusClient) -> None:
        await asyncio.gather(write(client), write(client), write(client))

    asked(answers, three)
    assert answers.tokens == 2
    assert sorted(answers.bearers()) == ["Bearer t1"] * 3 + ["Bearer t2"] * 3


def test_a_token_is_renewed_before_it_expires() -> None:
    answers = Answers(GOOD)

    async def later(client: ClarusClient) -> None:
        await write(client)
        answers.clock.advance(479)
        await write(client)
        answers.clock.advance(1)
        await write(client)

    asked(answers, later)
    assert answers.bearers() == ["Bearer t1", "Bearer t1", "Bearer t2"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), Unauthorised),
        (httpx.Response(400, json={"error": "unsupported_grant_type"}), Unauthorised),
        (httpx.Response(502), Unavailable),
        (httpx.Response(200, json={"token": "t"}), Incompatible),
        (httpx.Response(200, text="<html>"), Incompatible),
        (httpx.ReadTimeout("slow"), Unavailable),
    ],
)
def test_without_a_token_nothing_is_sent(answer: Answer, error: type[ConnectorError]) -> None:
    answers = Answers(GOOD, token=answer)
    with pytest.raises(error):
        asked(answers, write)
    assert answers.requests == []


def page(*ids: object, more: object = False, cursor: object = None) -> httpx.Response:
    listed = {"pageInfo": {"hasNextPage": more, "endCursor": cursor}, "edges": [{"node": {"id": id_}} for id_ in ids]}
    return httpx.Response(200, json={"data": {"products": {"all": listed}}})


def products(client: ClarusClient) -> Awaitable[Any]:
    return whole_list(client, "products", "products", {}, 2)


def test_a_list_is_read_to_its_end() -> None:
    answers = Answers(page("1", "2", more=True, cursor="a"), page("3", more=True, cursor="b"), page())
    assert [node["id"] for node in asked(answers, products)] == ["1", "2", "3"]
    assert [b'"after":null' in one.content for one in answers.requests] == [True, False, False]


@pytest.mark.parametrize(
    "answers",
    [
        Answers(page("1", more=True)),
        Answers(page("1", more=True, cursor="")),
        Answers(page("1", more="yes", cursor="a")),
        Answers(page("1", more=None)),
        Answers(httpx.Response(200, json={"data": {"products": {"all": {"edges": []}}}})),
        Answers(httpx.Response(200, json={"data": {"products": {"all": {"pageInfo": {"hasNextPage": False}}}}})),
        Answers(httpx.Response(200, json={"data": {"products": {"all": None}}})),
        Answers(httpx.Response(200, json={"data": {"products": None}})),
        Answers(httpx.Response(200, json={"data": {}})),
        Answers(
            httpx.Response(
                200,
                json={"data": {"products": {"all": {"pageInfo": {"hasNextPage": False}, "edges": [{"node": None}]}}}},
            )
        ),
    ],
)
def test_a_list_that_may_not_be_whole_is_none(answers: Answers) -> None:
    with pytest.raises(Incompatible):
        asked(answers, products)


def test_a_list_that_turns_in_circles_is_given_up_at_once() -> None:
    answers = Answers(page("1", more=True, cursor="a"))
    with pytest.raises(Incompatible, match="the same again"):
        asked(answers, products)
    assert len(answers.requests) == 2


def test_a_list_without_end_is_given_up() -> None:
    class Endless(Answers):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            self._answers = [page("1", more=True, cursor=str(len(self.requests)))]
            return await super().__call__(request)

    answers = Endless(GOOD)
    with pytest.raises(Incompatible, match="more than 200 pages"):
        asked(answers, products)
    assert len(answers.requests) == 200
