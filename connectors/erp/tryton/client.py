"""Tryton's REST interface, series 8.0 (read in the package trytond 8.0.12, `trytond/protocols/rest`)."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import orjson

from connectors.erp.http import ErpHttp
from connectors.runtime.errors import Incompatible, Rejected, TimedOut
from kernel.clock import Clock

Record = dict[str, Any]

PAGE = 1000
"""Records one answer holds at most where there may be any number."""


class TrytonClient:
    """Search, read, create, change and act, for one company of one database.

    All methods raise ConnectorError; a refusal (400) is Rejected with Tryton's sentence as its text.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        company: int,
        timeout: float,
        max_in_flight: int,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`base_url` is `http://HOST:PORT/DATABASE/rest/`, `key` a validated application key of a real user."""
        headers = {"Authorization": f"Bearer {key}", "X-Tryton-Context": encoded({"company": company})}
        self._http = ErpHttp(base_url, headers, timeout, max_in_flight, clock, transport)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def search(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], most: int | None = None
    ) -> list[Record]:
        """All records the domain finds, by id, or the first `most`. Dotted fields answer nested objects."""
        parameters = [("d", encoded(domain)), ("o", encoded([["id", "ASC"]])), *(("f", field) for field in fields)]
        if most is not None:
            parameters.append(("s", str(most)))
        found = await self._http.get(f"model/{model}", parameters)
        if not isinstance(found, list) or not all(isinstance(record, dict) and "id" in record for record in found):
            raise Incompatible(f"search of {model}: expected a list of records, found {_shape(found)}")
        return found

    async def every(self, model: str, domain: Sequence[Any], fields: Sequence[str]) -> AsyncIterator[Record]:
        """As `search`, however many they are, a page at a time."""
        last = 0
        while True:
            page = await self.search(model, [["id", ">", last], *domain], fields, most=PAGE)
            for record in page:
                yield record
            if len(page) < PAGE:
                return
            last = int(page[-1]["id"])

    async def create(self, model: str, values: Mapping[str, Any]) -> int:
        """The new record's id. Raises TimedOut also for an answer that does not say it: it may stand there."""
        record = await self._http.write("POST", f"model/{model}", values)
        match record:
            case {"id": int(id_)}:
                return id_
            case _:
                raise TimedOut(f"create of {model}: expected the record's id, found {_shape(record)}")

    async def change(self, model: str, record: int, values: Mapping[str, Any]) -> None:
        await self._http.write("PUT", f"model/{model}/{record}", values)

    async def act(self, model: str, record: int, action: str, state: str) -> str:
        """Run an action on a record last seen in `state`; its state afterwards.

        A refused action is checked against the state: Tryton refuses to repeat what was done (measured), so a record
        that has moved on meanwhile is no failure. Raises Rejected only when it still stands where it stood, and
        TimedOut also for an answer that does not say the state.
        """
        try:
            after = await self._http.write("POST", f"model/{model}/{record}/{action}?f=state", {})
        except Rejected:
            now = await self.search(model, [["id", "=", record]], ["state"])
            if not now or now[0]["state"] == state:
                raise
            return str(now[0]["state"])
        match after:
            case {"state": str(reached)}:
                return reached
            case _:
                raise TimedOut(f"{action} of {model} {record}: expected its state, found {_shape(after)}")


def _shape(answer: Any) -> str:
    """What came instead, without its values."""
    match answer:
        case dict():
            return f"an object of {sorted(answer)}"
        case list():
            return f"a list of {', '.join(sorted({type(one).__name__ for one in answer}))}"
        case _:
            return "nothing" if answer is None else type(answer).__name__


def encoded(value: Any) -> str:
    """Domains, orders and the context travel as URL-safe base64 of JSON."""
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode()


def decimal(value: Decimal) -> dict[str, str]:
    """A decimal as Tryton takes it."""
    return {"__class__": "Decimal", "decimal": str(value)}


def as_decimal(value: Mapping[str, str]) -> Decimal:
    return Decimal(value["decimal"])


def day(value: datetime) -> dict[str, int | str]:
    """The UTC day of a moment as Tryton takes it."""
    at = value.astimezone(UTC)
    return {"__class__": "date", "year": at.year, "month": at.month, "day": at.day}


def moment(value: datetime) -> dict[str, int | str]:
    """A moment as Tryton takes it; the server keeps UTC."""
    at = value.astimezone(UTC)
    return {
        "__class__": "datetime",
        "year": at.year,
        "month": at.month,
        "day": at.day,
        "hour": at.hour,
        "minute": at.minute,
        "second": at.second,
        "microsecond": at.microsecond,
    }


def as_moment(value: Mapping[str, int]) -> datetime:
    """An aware moment from Tryton's object."""
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
