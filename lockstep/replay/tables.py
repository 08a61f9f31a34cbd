"""The tables that are folds of a log: whose each is, of what, and what becomes of one whose log is cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from schemas.base import System
from schemas.topics import (
    ITEMS_EVENTS,
    ITEMS_STATE,
    ORDERS_EVENTS,
    ORDERS_STATE,
    STOCK_EVENTS,
    STOCK_STATE,
    Topic,
)
from streams.agents.items import ItemsFold
from streams.agents.keyed import KeyedFold
from streams.agents.orders import OrdersFold
from streams.agents.stock import StockFold


@dataclass(frozen=True, slots=True)
class FoldedTable:
    """`role` keeps `state`, the fold of `events`. `key` is what a key of it is; `anew` how it is made without a log.

    `swept_by`: the connectors whose sweeps read all there is to know of it; none where its log is kept for ever.
    """

    role: str
    events: Topic
    state: Topic
    fold: type[KeyedFold[Any, Any]]
    key: str
    anew: str
    swept_by: tuple[System, ...] = ()

    @property
    def group(self) -> str:
        return f"lockstep.{self.role}"

    @property
    def log_is_kept(self) -> bool:
        """Whether the log is there from its first record on; else a fold may have to begin at a table."""
        return self.events.retention_ms is None


ORDERS = FoldedTable(
    "orders",
    ORDERS_EVENTS,
    ORDERS_STATE,
    OrdersFold,
    "the order",
    "`lockstep rebuild --from-systems` makes the state from Shopify, Clarus and the ERP instead",
)
STOCK = FoldedTable(
    "stock",
    STOCK_EVENTS,
    STOCK_STATE,
    StockFold,
    "the stock item",
    "`lockstep rebuild --table stock` has it made anew from Shopify and Clarus",
    (System.SHOPIFY, System.CLARUS),
)
ITEMS = FoldedTable(
    "items",
    ITEMS_EVENTS,
    ITEMS_STATE,
    ItemsFold,
    "the item",
    "`lockstep rebuild --table items` has it made anew from the ERP and Clarus",
    (System.ERP, System.CLARUS),
)
TABLES: Sequence[FoldedTable] = (ORDERS, STOCK, ITEMS)
