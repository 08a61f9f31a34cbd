"""Finds stock that moved and no automation told of: by Clarus' movements since the last look, or by all balances."""

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson
import structlog

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient
from connectors.clarus.lists import asking, each_page, one_page, text
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
MOST_AT_ONCE = 50
"""Pages of one look; the next goes on behind them: a stock count moves everything at once."""

_log = structlog.get_logger(__name__)


class _Cursor(NamedTuple):
    """`since`: where the look began, `newest`: the newest movement it has seen, `after`: the page it goes on behind."""

    since: datetime
    newest: datetime
    after: str | None = None

    def next(self, newest: datetime, after: str | None) -> "_Cursor":
        """At the end of the list the next look begins at the newest."""
        return _Cursor(self.since if after is not None else newest, newest, after)


class Movements:
    """Of one tenant. Balances have no changed-since filter, transactions have `created_at` (API description 1.0.0)."""

    def __init__(self, client: ClarusClient, catalogue: Catalogue, clock: Clock, page_size: int) -> None:
        self._client, self._catalogue, self._clock, self._page = client, catalogue, clock, page_size

    async def moved(self, config: BrandConfig, cursor: str) -> Changes:
        """Stock items of products that moved, of no more than `MOST_AT_ONCE` pages. The cursor is ours: when we looked
        last, by the newest movement seen, and how far that look came.

        Raises ConnectorError; Blind when we do not see our account.
        """
        account = await self._catalogue.own_account(config.account, warehouses_of(config))
        at = _read_cursor(cursor) if cursor else _begun(self._clock.now() - FIRST_LOOK)
        filter_ = {"account_id": {"eq": account}, "created_at": {"from": (at.since - OVERLAP).isoformat()}}
        page = asking(self._client, "transactions", "transactions", filter_, self._page)
        codes: dict[Sku, None] = {}
        for _ in range(MOST_AT_ONCE):
            try:
                nodes, after = await one_page("transactions", page, at.after)
            except Incompatible as refused:
                if at.after is None:
                    raise
                # The cursor of a page is not documented to last. What lies behind it is the sweep's.
                _log.warning("clarus.movements_cut_short", brand=config.brand, error=str(refused))
                nodes, after = [], None
            moments = [_moment(text(node, "created_at")) for node in nodes]
            codes |= dict.fromkeys(Sku(text(node, "product", "code")) for node in nodes)
            at = at.next(max([at.newest, *moments]), after)
            if after is None:
                break
        return Changes(tuple(_items(config, codes)), _written(at), proven=True)

    async def all(self, config: BrandConfig) -> tuple[OrderId, ...]:
        """Every stock item of which Clarus has a balance in a warehouse that serves a location."""
        items: dict[OrderId, None] = {}
        async for code, warehouse in self._balances(config):
            here = (rule.location for rule in config.warehouses if rule.warehouse == warehouse)
            items |= dict.fromkeys(stock_id(code, location) for location in here)
        return tuple(items)

    async def codes(self, config: BrandConfig) -> tuple[Sku, ...]:
        """Every product of which Clarus has a balance of the account."""
        return tuple({code: None async for code, _ in self._balances(config)})

    async def _balances(self, config: BrandConfig) -> AsyncIterator[tuple[Sku, str]]:
        """Product and warehouse of each."""
        account = await self._catalogue.own_account(config.account, warehouses_of(config))
        page = asking(self._client, "balances", "stock_balances", {"account_id": {"eq": account}}, self._page)
        async for nodes in each_page("stock_balances", page):
            for node in nodes:
                yield Sku(text(node, "product", "code")), text(node, "warehouse", "code")


def _items(config: BrandConfig, codes: Iterable[Sku]) -> Iterator[OrderId]:
    for code in codes:
        for rule in config.warehouses:
            yield stock_id(code, rule.location)


def _moment(said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError as wrong:
        raise Incompatible(f"transactions.created_at: expected a moment, found {said!r}") from wrong
    if moment.tzinfo is None:
        raise Incompatible(f"transactions.created_at: expected a moment with a zone, found {said!r}")
    return moment


def _begun(since: datetime) -> _Cursor:
    return _Cursor(since, since)


def _read_cursor(cursor: str) -> _Cursor:
    since, newest, after = orjson.loads(cursor)
    return _Cursor(datetime.fromisoformat(since), datetime.fromisoformat(newest), after)


def _written(at: _Cursor) -> str:
    return orjson.dumps([at.since.isoformat(), at.newest.isoformat(), at.after]).decode()
