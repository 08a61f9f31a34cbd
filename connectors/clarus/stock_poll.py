"""Finds stock that moved and no automation told of: by Clarus' movements since the last look, or by all balances."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient
from connectors.clarus.lists import Node, text, whole_list
from connectors.clarus.read import warehouses_of
from connectors.runtime.errors import Incompatible
from connectors.runtime.port import Changes
from kernel.clock import Clock
from schemas.aggregates import stock_id
from schemas.base import OrderId, Sku
from schemas.config import BrandConfig

OVERLAP = timedelta(seconds=120)
"""Each look goes back so far behind the newest movement seen: those of one moment need not be shown together."""
FIRST_LOOK = timedelta(hours=1)
"""How far the first look goes back; what is older is the sweep's."""


class Movements:
    """Of one tenant. Balances have no changed-since filter, transactions have `created_at` (API description 1.0.0)."""

    def __init__(self, client: ClarusClient, catalogue: Catalogue, clock: Clock, page_size: int) -> None:
        self._client, self._catalogue, self._clock, self._page = client, catalogue, clock, page_size

    async def moved(self, config: BrandConfig, cursor: str) -> Changes:
        """Stock items of products that moved. The cursor is ours: when we looked last, by the newest movement seen.

        Raises ConnectorError; Blind when we do not see our account.
        """
        account = await self._catalogue.own_account(config.account, warehouses_of(config))
        since = datetime.fromisoformat(cursor) if cursor else self._clock.now() - FIRST_LOOK
        filter_ = {"account_id": {"eq": account}, "created_at": {"from": (since - OVERLAP).isoformat()}}
        found = await whole_list(self._client, "transactions", "transactions", filter_, self._page)
        newest = max((_moment(text(node, "created_at")) for node in found), default=since)
        codes = dict.fromkeys(Sku(text(node, "product", "code")) for node in found)
        return Changes(tuple(_items(config, codes)), max(newest, since).isoformat(), proven=True)

    async def all(self, config: BrandConfig) -> tuple[OrderId, ...]:
        """Every stock item of which Clarus has a balance in a warehouse that serves a location."""
        found = await self._balances(config)
        return tuple(
            dict.fromkeys(
                stock_id(Sku(text(node, "product", "code")), rule.location)
                for node in found
                for rule in config.warehouses
                if rule.warehouse == text(node, "warehouse", "code")
            )
        )

    async def codes(self, config: BrandConfig) -> tuple[Sku, ...]:
        """Every product of which Clarus has a balance of the account."""
        return tuple(dict.fromkeys(Sku(text(node, "product", "code")) for node in await self._balances(config)))

    async def _balances(self, config: BrandConfig) -> list[Node]:
        account = await self._catalogue.own_account(config.account, warehouses_of(config))
        return await whole_list(self._client, "balances", "stock_balances", {"account_id": {"eq": account}}, self._page)


def _items(config: BrandConfig, codes: Iterable[Sku]) -> Iterator[OrderId]:
    for code in codes:
        for rule in config.warehouses:
            yield stock_id(code, rule.location)


def _moment(said: str) -> datetime:
    try:
        return datetime.fromisoformat(said)
    except ValueError as wrong:
        raise Incompatible(f"transactions.created_at: expected a moment, found {said!r}") from wrong
