"""Finds orders that changed, for what no webhook told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from connectors.runtime.errors import Incompatible
from connectors.runtime.port import Changes
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import number_of
from connectors.shopify.limiter import Purpose
from connectors.shopify.settings import ShopifyShop
from kernel.clock import Clock
from schemas.base import OrderId


class OrderPoll:
    """Searches one shop's orders by `updated_at`.

    The cursor is ours, not Shopify's: the newest `updatedAt` seen and, for the overlap, what was told already. The
    search index lags a little behind the orders, so every poll looks back by the overlap and leaves out what it knows.
    """

    def __init__(self, shop: ShopifyShop, client: ShopifyClient, clock: Clock) -> None:
        self._shop, self._client, self._clock = shop, client, clock

    async def changes(self, cursor: str) -> Changes:
        """All pages. Raises Incompatible for a cursor that is not ours and for a search that Shopify did not take."""
        newest, told = self._read_cursor(cursor)
        overlap = timedelta(seconds=self._shop.poll_overlap)
        found = await self._search(_updated_since(newest - overlap))
        changed = tuple(order for order, at in found.items() if told.get(order) != at)
        newest = max((_moment(at) for at in found.values()), default=newest)
        kept = {order: at for order, at in {**told, **found}.items() if _moment(at) >= newest - overlap}
        return Changes(changed, orjson.dumps({"newest": newest.isoformat(), "told": kept}).decode(), proven=True)

    async def listed(self, since: datetime) -> tuple[OrderId, ...]:
        """Orders neither archived nor cancelled, and those updated since. Older than 60 days: only with the scope
        `read_all_orders` (Admin API 2026-10).
        """
        return tuple({**await self._search("status:open"), **await self._search(_updated_since(since))})

    async def _search(self, query: str) -> dict[OrderId, str]:
        """Orders and their `updatedAt`."""
        found: dict[OrderId, str] = {}
        after: str | None = None
        while True:
            variables = {"first": self._shop.pages.changes, "after": after, "query": query}
            answer = await self._client.query("ChangedOrders", variables, Purpose.POLL)
            if answer.warnings:
                # Shopify drops a part of a search it does not know, and would answer every order there is.
                raise Incompatible(f"ChangedOrders: expected the search to be taken, found {answer.warnings[0]}")
            try:
                page: dict[str, Any] = answer.data["orders"]
                found.update({OrderId(number_of(node["id"])): node["updatedAt"] for node in page["nodes"]})
                more, after = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
            except (KeyError, TypeError) as error:
                raise Incompatible(f"ChangedOrders: expected orders, found {error!r}") from error
            if not more:
                return found

    def _read_cursor(self, cursor: str) -> tuple[datetime, dict[OrderId, str]]:
        if not cursor:
            return self._clock.now() - timedelta(seconds=self._shop.first_poll - self._shop.poll_overlap), {}
        try:
            read = orjson.loads(cursor)
            return _moment(read["newest"]), read["told"]
        except (ValueError, KeyError, TypeError) as error:
            raise Incompatible("expected the cursor of the last poll, found another text") from error


def _updated_since(moment: datetime) -> str:
    """The quotes matter: without them Shopify ignores the time of day."""
    return f"updated_at:>='{moment.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%SZ')}'"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
