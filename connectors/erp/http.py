"""HTTP to an ERP: a bound on requests at a time, and every way it can fail named for what the caller can do."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from connectors.runtime.errors import (
    Incompatible,
    NotFound,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorised,
    Unavailable,
)

Parameters = Sequence[tuple[str, str]]

RETRY_AFTER_SECONDS = 5.0
"""How long to wait when an ERP that is busy does not say."""


class ErpHttp:
    """One connection. Reads that go wrong executed nothing and so are Unavailable; unclear writes are TimedOut."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        timeout: float,
        max_in_flight: int,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url, headers=dict(headers), timeout=httpx.Timeout(timeout, pool=None), transport=transport
        )
        self._slots = asyncio.Semaphore(max_in_flight)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def get(self, path: str, parameters: Parameters = ()) -> Any:
        """The JSON answered. Raises NotFound, Unavailable, RateLimited, Unauthorised, Rejected, Incompatible."""
        return await self._request("GET", path, parameters, None, writes=False)

    async def write(self, method: str, path: str, body: Any) -> Any:
        """As `get`, and TimedOut when it may have been executed."""
        return await self._request(method, path, (), body, writes=True)

    async def _request(self, method: str, path: str, parameters: Parameters, body: Any, *, writes: bool) -> Any:
        what = f"{method} {path}"
        unclear = TimedOut if writes else Unavailable
        async with self._slots:
            try:
                # A GET must not carry a JSON content type: Tryton answers 400 (measured, series 8.0).
                answer = await self._client.request(method, path, params=list(parameters) or None, json=body)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise Unavailable(f"{what}: no connection ({type(error).__name__})") from error
            except httpx.TransportError as error:
                raise unclear(f"{what}: no answer ({type(error).__name__})") from error
        status = answer.status_code
        if status == 429:
            raise RateLimited(f"{what}: busy", _retry_after(answer))
        if status == 503:
            raise Unavailable(f"{what}: away (503)")
        if status >= 500:
            raise unclear(f"{what}: answered {status}")
        if status in {401, 403}:
            raise Unauthorised(f"{what}: answered {status}")
        if status == 404:
            raise NotFound(what)
        if status >= 400:
            raise _refusal(answer)
        return _json(answer, what)


def _json(answer: httpx.Response, what: str) -> Any:
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise Incompatible(f"{what}: expected JSON, found {answer.headers.get('content-type', 'nothing')}") from error


def _refusal(answer: httpx.Response) -> Rejected:
    """A refusal in the shape of either ERP: `{"message"}` of Tryton, `{"error": {code, field, message}}` of ours."""
    try:
        body = answer.json()
    except ValueError:
        body = {}
    error = body.get("error", body) if isinstance(body, dict) else {}
    return Rejected(
        code=str(error.get("code") or f"refused_{answer.status_code}"),
        text=str(error.get("message") or "no reason given"),
        field=str(error.get("field") or ""),
    )


def _retry_after(answer: httpx.Response) -> float:
    try:
        return float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return RETRY_AFTER_SECONDS
