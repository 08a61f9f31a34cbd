"""Clarus over HTTP: REST for writing, GraphQL for reading, one token, one pace.

Source of shapes: Clarus' public API description 1.0.0 and its authentication and error pages.
"""

from collections.abc import Mapping
from typing import Any, cast

import httpx
import orjson

from connectors.clarus.pace import Pace
from connectors.clarus.settings import ClarusTenant
from connectors.runtime.errors import Incompatible, Rejected, Unauthorised
from connectors.runtime.http import HttpClient, read_patiently, send
from connectors.runtime.tokens import ClientCredentials
from kernel.clock import Clock


class TooLate(Exception):
    """What the write was decided on is too old: it had to wait for its turn, and was not sent."""


class ClarusClient:
    """Raises the ConnectorError tree; a GraphQL answer with `errors` is Incompatible, whatever its HTTP status: the
    query is ours, and a part of its answer proves nothing.
    """

    def __init__(self, tenant: ClarusTenant, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._tenant, self._clock = tenant, clock
        self._http = HttpClient(
            base_url=tenant.base_url,
            headers={"X-Clarus-Subdomain": tenant.subdomain},
            timeout=tenant.timeout,
            transport=transport,
            limits=httpx.Limits(max_connections=tenant.at_once * 2),
        )
        self._graphql = self._http.whole_url("/graphql")
        self._tokens = ClientCredentials(
            self._http, "/oauth/token", tenant.client_id, tenant.client_secret.get_secret_value(), clock
        )
        self._pace = Pace(tenant.per_second, tenant.at_once, clock)

    @property
    def pace_left(self) -> float:
        """See Pace.left."""
        return self._pace.left

    async def aclose(self) -> None:
        await self._http.aclose()

    async def query(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The `data` of a GraphQL answer."""
        body = {"query": document, "variables": dict(variables)}
        response = await read_patiently(lambda: self._send("POST", self._graphql, body, writing=False), self._clock)
        answer = _json(response, "POST /graphql")
        if answer.get("errors") or not isinstance(answer.get("data"), dict):
            raise Incompatible(f"POST /graphql: {_first_message(answer)}")
        return cast("dict[str, Any]", answer["data"])

    async def write(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, until: float | None = None
    ) -> dict[str, Any]:
        """The JSON answered, empty for 204. Raises Rejected with Clarus' symbol for 422, and TooLate when its turn
        comes only after `until`, by the clock's monotonic time.
        """
        response = await self._send(method, f"{self._tenant.rest_prefix}{path}", body, writing=True, until=until)
        if response.status_code >= 400:
            raise _refusal(response)
        if not response.is_success:
            raise Incompatible(f"{method} {path}: expected 200 or 204, found {response.status_code}")
        return _json(response, f"{method} {path}") if response.content else {}

    async def _send(
        self,
        method: str,
        url: httpx.URL | str,
        body: Mapping[str, Any] | None,
        *,
        writing: bool,
        until: float | None = None,
    ) -> httpx.Response:
        """With a token; with a new one, once, when the old is refused."""
        token = await self._tokens.get()
        try:
            return await self._once(method, url, body, token, writing=writing, until=until)
        except Unauthorised:
            self._tokens.forget(token)
            return await self._once(method, url, body, await self._tokens.get(), writing=writing, until=until)

    async def _once(
        self,
        method: str,
        url: httpx.URL | str,
        body: Mapping[str, Any] | None,
        token: str,
        *,
        writing: bool,
        until: float | None,
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}  # both on every call
        request = self._http.build_request(
            method, url, content=None if body is None else orjson.dumps(dict(body)), headers=headers
        )
        async with self._pace.turn():
            if until is not None and self._clock.monotonic() > until:
                raise TooLate
            return await send(self._http, request, writing=writing)


def _json(response: httpx.Response, what: str) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.content)
    except ValueError as error:
        raise Incompatible(f"{what}: expected JSON, found {response.headers.get('content-type', 'nothing')}") from error
    if not isinstance(answer, dict):
        raise Incompatible(f"{what}: expected a JSON object, found {type(answer).__name__}")
    return answer


def _first_message(answer: Mapping[str, Any]) -> str:
    return str(_first_error(answer).get("message") or "no data in the answer")


def _refusal(response: httpx.Response) -> Rejected:
    """Clarus' error list: `code`, `symbol`, `details`; the symbol is what to go by, details may hold what was sent."""
    try:
        first = _first_error(orjson.loads(response.content))
    except ValueError:
        first = {}
    context = first.get("context")
    field = (context.get("field") or context.get("attribute") or "") if isinstance(context, dict) else ""
    symbol = str(first.get("symbol") or f"refused_{response.status_code}")
    return Rejected(code=symbol, text=f"Clarus refused it ({response.status_code})", field=str(field))


def _first_error(answer: Any) -> Mapping[str, Any]:
    """The first of `errors`, empty where there is none."""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
