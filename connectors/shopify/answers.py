"""What a GraphQL answer of Shopify says: data, errors beside it, its cost, the version that answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.runtime.errors import Incompatible, RateLimited, Rejected, TimedOut, Unauthorised, Unavailable

LEAST_WAIT = 1.0
"""Seconds to wait at least when throttled (Admin API 2026-10, rate limits)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`extensions.cost`, in points; `rate` is points a second."""

    requested: float
    maximum: float
    available: float
    rate: float

    @property
    def wait(self) -> float:
        """Seconds until the bucket holds the requested cost again."""
        return max(LEAST_WAIT, (self.requested - self.available) / max(self.rate, 1.0))


@dataclass(frozen=True, slots=True)
class GraphqlError:
    """One of `errors`. `path` leads to the field it is about, empty when it is about the whole request."""

    code: str
    text: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """`denied` are the fields our scopes do not show, while the rest of the data, and of a mutation, stands."""

    data: Mapping[str, Any]
    denied: tuple[GraphqlError, ...] = ()
    warnings: tuple[str, ...] = ()
    """Of `extensions.search`: parts of a search that Shopify ignored."""
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class Parsed:
    """An answer as it came, before its errors are judged."""

    data: Mapping[str, Any] | None
    errors: tuple[GraphqlError, ...] = ()
    cost: Cost | None = None
    warnings: tuple[str, ...] = field(default=())


def parse(body: bytes) -> Parsed:
    """Raises Incompatible when it is not the JSON of a GraphQL answer."""
    try:
        answer = orjson.loads(body)
        extensions = answer.get("extensions") or {}
        return Parsed(
            data=answer.get("data"),
            errors=_errors(answer.get("errors") or ()),
            cost=_cost(extensions.get("cost")),
            warnings=tuple(
                f"{warning.get('field')}: {warning.get('code')}"
                for search in extensions.get("search") or ()
                for warning in search.get("warnings") or ()
            ),
        )
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise Incompatible(f"expected the JSON of a GraphQL answer, found {body[:60]!r}") from error


def judge(parsed: Parsed, operation: str, api_version: str, *, writing: bool) -> Answer:
    """The answer's data, or the ConnectorError its errors mean.

    Raises RateLimited when it was throttled (nothing executed), Unauthorised, Rejected when the request itself is
    refused, and TimedOut or, for a read, Unavailable when it is unclear what was done.
    """
    others = []
    denied = []
    for error in parsed.errors:
        match error.code:
            case "THROTTLED":
                wait = parsed.cost.wait if parsed.cost is not None else LEAST_WAIT
                raise RateLimited(f"{operation}: throttled", wait)
            case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
                unclear = TimedOut if writing else Unavailable
                raise unclear(f"{operation}: {error.code}")
            case "SHOP_INACTIVE":
                raise Unauthorised(f"{operation}: the shop is closed ({error.code})")
            case "ACCESS_DENIED":
                denied.append(error)
            case _:
                others.append(error)
    if others:
        first = others[0]
        raise Rejected(first.code or "refused", first.text, ".".join(first.path))
    if parsed.data is None and not writing:
        if denied:
            raise Unauthorised(f"{operation}: {denied[0].text}")
        raise Incompatible(f"{operation}: expected data or errors, found neither")
    # Of a mutation, ACCESS_DENIED may concern one field of the answer while the mutation itself was executed.
    return Answer(parsed.data or {}, tuple(denied), parsed.warnings, api_version)


def _errors(errors: Sequence[Any]) -> tuple[GraphqlError, ...]:
    """The shape `errors: "sentence"` comes from in front of the GraphQL engine."""
    if isinstance(errors, str):
        return (GraphqlError("", errors),)
    return tuple(
        GraphqlError(
            code=str((error.get("extensions") or {}).get("code") or ""),
            text=str(error.get("message") or ""),
            path=tuple(str(step) for step in error.get("path") or ()),
        )
        for error in errors
    )


def _cost(cost: Mapping[str, Any] | None) -> Cost | None:
    if not cost or not cost.get("throttleStatus"):
        return None
    bucket = cost["throttleStatus"]
    return Cost(
        requested=float(cost.get("requestedQueryCost") or 0),
        maximum=float(bucket["maximumAvailable"]),
        available=float(bucket["currentlyAvailable"]),
        rate=float(bucket["restoreRate"]),
    )
