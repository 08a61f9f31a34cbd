"""HTTP to an ERP: a bound on requests at a time, and every way it can fail named for what the caller can do."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from connectors.runtime.errors import Incompatible, Rejected
from connectors.runtime.http import HttpClient, read_patiently, send
from kernel.clock import Clock

Parameters = Sequence[tuple[str, str]]


class ErpHttp:
    """One connection. Reads that go wrong executed nothing and so are Unavailable; unclear writes are TimedOut."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        timeout: float,
        max_in_flight: int,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._clock = clock
        self._client = HttpClient(
            base_url=base_url, headers=dict(headers), timeout=httpx.Timeout(timeout, pool=None), transport=transport
        )
        self._slots = asyncio.Semaphore(max_in_flight)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, parameters: Parameters = ()) -> Any:
        """The JSON answered. Raises NotFound, Unavailable, RateLimited, Unauthorised, Rejected, Incompatible."""
        return await read_patiently(lambda: self._request("GET", path, parameters, None, writing=False), self._clock)

    async def write(self, method: str, path: str, body: Any) -> Any:
        """As `get`, once, and TimedOut when it may have been executed."""
        return await self._request(method, path, (), body, writing=True)

    async def _request(self, method: str, path: str, parameters: Parameters, body: Any, *, writing: bool) -> Any:
        # A GET must not carry a JSON content type: Tryton answers 400 (measured, series 8.0).
        request = self._client.build_request(method, path, params=list(parameters) or None, json=body)
        async with self._slots:
            answer = await send(self._client, request, writing=writing)
        if answer.status_code >= 400:
            raise _refusal(answer)
        if not answer.is_success:
            raise Incompatible(f"{method} {path}: expected 200, found {answer.status_code}; is base_url right?")
        return _json(answer, f"{method} {path}")


def _json(answer: httpx.Response, what: str) -> Any:
    if not answer.content:
        return None
    try:
        return orjson.loads(answer.content)
    except ValueError as error:
        raise Incompatible(f"{what}: expected JSON, found {answer.headers.get('content-type', 'nothing')}") from error


def _refusal(answer: httpx.Response) -> Rejected:
    """A refusal in the shape of either ERP: `{"message"}` of Tryton, `{"error": {code, field, message}}` of ours."""
    try:
        body = orjson.loads(answer.content)
    except ValueError:
        body = {}
    error = body.get("error", body) if isinstance(body, dict) else {}
    return Rejected(
        code=str(error.get("code") or f"refused_{answer.status_code}"),
        text=str(error.get("message") or "no reason given"),
        field=str(error.get("field") or ""),
    )
