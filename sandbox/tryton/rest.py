"""Just enough of Tryton's REST interface (series 8.0) for the clerk and the books."""

import base64
import json
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 60.0
"""SQLite has one writer; under load a write waits its turn."""


class TrytonRest:
    """Searches and actions of the one company. Close it, or use it as a context manager."""

    def __init__(self, base_url: str, key: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`base_url` is `http://HOST:PORT/DATABASE/rest/`, `key` a validated application key."""
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}", "X-Tryton-Context": encoded({"company": 1})},
            timeout=TIMEOUT_SECONDS,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._client.aclose()

    async def search(self, model: str, domain: list[Any], fields: list[str]) -> list[dict[str, Any]]:
        """All records the domain finds, by id, with these fields; dotted ones answer nested objects.

        Raises httpx.HTTPError.
        """
        parameters = httpx.QueryParams({"d": encoded(domain), "o": encoded([["id", "ASC"]]), "f": fields})
        answer = await self._client.get(f"model/{model}", params=parameters)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    async def act(self, model: str, record: int, action: str) -> bool:
        """Run an action. False when Tryton refuses it (400), as it does an action repeated. Raises httpx.HTTPError."""
        answer = await self._client.post(f"model/{model}/{record}/{action}", json={})
        if answer.status_code == 400:
            return False
        answer.raise_for_status()
        return True


def encoded(value: Any) -> str:
    """Domains, orders and the context travel as URL-safe base64 of JSON."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def moment(value: dict[str, int] | None) -> datetime | None:
    """Tryton's time object as an aware moment; the server keeps UTC."""
    if value is None:
        return None
    return datetime(
        value["year"],
        value["month"],
        value["day"],
        value["hour"],
        value["minute"],
        value["second"],
        value["microsecond"],
        tzinfo=UTC,
    )
