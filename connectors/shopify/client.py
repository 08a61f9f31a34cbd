"""GraphQL to one shop: budget, token, every way it fails named for what the caller can do.

The Admin API takes `POST {shop}/admin/api/{version}/graphql.json` with the header `X-Shopify-Access-Token`.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import orjson
import structlog

from connectors.runtime.errors import Incompatible, NotFound, RateLimited, TimedOut, Unauthorised, Unavailable
from connectors.runtime.http import HttpClient, read_patiently, send
from connectors.runtime.tokens import ClientCredentials, FixedToken, Tokens
from connectors.shopify.answers import Answer, Parsed, judge, parse
from connectors.shopify.documents import document
from connectors.shopify.limiter import Limiter, Purpose
from connectors.shopify.settings import ShopifyShop
from kernel.clock import Clock

_log = structlog.get_logger(__name__)

TOKEN_PATH = "/admin/oauth/access_token"  # noqa: S105 - a path


class ShopifyClient:
    """One pooled connection to one shop. Every method raises ConnectorError only."""

    def __init__(
        self,
        shop: ShopifyShop,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives seconds added to a throttled wait, so that workers on one shop do not return together."""
        self._shop, self._clock, self._jitter = shop, clock, jitter
        self._http = HttpClient(
            base_url=shop.base_url,
            timeout=httpx.Timeout(shop.answer_within, connect=shop.connect_within),
            limits=httpx.Limits(max_connections=shop.connections),
            transport=transport,
        )
        self._graphql = self._http.whole_url(f"/admin/api/{shop.api_version}/graphql.json")
        self._tokens = self._token_source()
        self.limiter = Limiter(clock, shop.poll_head_room, shop.lists_head_room)
        self.other_versions: set[str] = set()
        """Versions that answered although another is pinned: a pinned one that ended falls forward silently."""

    async def aclose(self) -> None:
        await self._http.aclose()

    async def query(
        self, operation: str, variables: Mapping[str, Any], purpose: Purpose = Purpose.ORDERS, kind: str = ""
    ) -> Answer:
        """Read. `kind` tells apart requests of one operation that cost differently.

        Waits for budget; tries again while throttled, for as long as the shop's `patience`; then RateLimited.
        """

        async def once() -> Answer:
            reserved = await self.limiter.reserve(kind or operation, purpose)
            return await self._call(operation, variables, reserved, kind or operation, writing=False)

        until = self._clock.monotonic() + self._shop.patience
        while True:
            try:
                return await read_patiently(once, self._clock)
            except RateLimited as throttled:
                wait = throttled.retry_after + self._jitter()
                if self._clock.monotonic() + wait > until:
                    raise
                self.limiter.pause(wait)

    async def reserve(self, operation: str, purpose: Purpose = Purpose.ORDERS) -> float:
        """Wait for the budget of a mutation. It must go into `mutate` or `unused`."""
        return await self.limiter.reserve(operation, purpose)

    def unused(self, reserved: float) -> None:
        self.limiter.unused(reserved)

    async def mutate(self, operation: str, variables: Mapping[str, Any], reserved: float) -> Answer:
        """Write, once. RateLimited and Unauthorised: nothing was executed. Any other Transient: look before the next.

        A caller must not assume that an answer is a success: look for `userErrors`, `denied` and missing data.
        """
        try:
            return await self._call(operation, variables, reserved, operation, writing=True)
        except RateLimited as throttled:
            self.limiter.pause(throttled.retry_after + self._jitter())
            raise

    async def lines(self, url: str) -> list[dict[str, Any]]:
        """Of a bulk query's file, which lies elsewhere and bears its own permission: our token is not sent along.

        Raises ConnectorError.
        """

        async def once() -> httpx.Response:
            return await send(self._http, self._http.build_request("GET", url), writing=False)

        response = await read_patiently(once, self._clock)
        try:
            return [orjson.loads(line) for line in response.content.splitlines() if line]
        except orjson.JSONDecodeError as error:
            raise Incompatible(f"a bulk query's file: expected a line of JSON per object, found {error}") from error

    async def _call(
        self, operation: str, variables: Mapping[str, Any], reserved: float, kind: str, *, writing: bool
    ) -> Answer:
        body = orjson.dumps({"query": document(operation), "operationName": operation, "variables": variables})
        parsed: Parsed | None = None
        try:
            response = await self._send(operation, body, writing=writing)
            parsed = self._parsed(operation, response, writing=writing)
        finally:
            if parsed is None:
                self.limiter.lost(reserved)
            else:
                self.limiter.answered(kind, reserved, parsed.cost)
        return judge(parsed, operation, self._version_of(response), writing=writing)

    async def _send(self, operation: str, body: bytes, *, writing: bool) -> httpx.Response:
        """With a renewed token once more when the first is refused: a refused token executes nothing."""
        token = await self._tokens.get()
        try:
            return await self._send_with(token, operation, body, writing=writing)
        except Unauthorised:
            self._tokens.forget(token)
            renewed = await self._tokens.get()
            if renewed == token:
                raise
            return await self._send_with(renewed, operation, body, writing=writing)

    async def _send_with(self, token: str, operation: str, body: bytes, *, writing: bool) -> httpx.Response:
        headers = {"X-Shopify-Access-Token": token, "Content-Type": "application/json"}
        request = self._http.build_request("POST", self._graphql, content=body, headers=headers)
        unclear = TimedOut if writing else Unavailable
        try:
            async with asyncio.timeout(self._shop.answer_within):
                response = await send(self._http, request, writing=writing)
        except TimeoutError as error:
            raise unclear(f"{operation}: no answer within {self._shop.answer_within:g} s") from error
        except NotFound as error:
            text = f"{operation}: no such shop or API version ({self._shop.api_version})"
            raise Unauthorised(text) from error
        if response.status_code == 402:
            raise Unauthorised(f"{operation}: the shop is frozen (402)")
        if response.status_code >= 300:
            raise Incompatible(f"{operation}: expected 200, found {response.status_code}")
        return response

    @staticmethod
    def _parsed(operation: str, response: httpx.Response, *, writing: bool) -> Parsed:
        try:
            return parse(response.content)
        except Incompatible as error:
            if writing:
                raise TimedOut(f"{operation}: an answer that cannot be read") from error
            raise

    def _version_of(self, response: httpx.Response) -> str:
        version = str(response.headers.get("X-Shopify-API-Version", ""))
        if version and version != self._shop.api_version and version not in self.other_versions:
            self.other_versions.add(version)
            _log.warning(
                "shopify.other_version", brand=self._shop.brand, pinned=self._shop.api_version, answered=version
            )
        return version

    def _token_source(self) -> Tokens:
        if self._shop.token is not None:
            return FixedToken(self._shop.token.get_secret_value())
        credentials = self._shop.credentials
        assert credentials is not None  # the settings hold one of the two
        return ClientCredentials(
            self._http, TOKEN_PATH, credentials.client_id, credentials.client_secret.get_secret_value(), self._clock
        )
