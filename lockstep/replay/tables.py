"""The tables that are folds of a log: whose each is, of what, and what becomes of one whose log is cut."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
    """`role` keeps `state`, the fold of `events`. `key` is what a key of it is; `anew` how it is made without a log."""

    role: str
    events: Topic
    state: Topic
    fold: type[KeyedFold[Any, Any]]
    key: str
    anew: str

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
    "The sweep makes the table anew from Shopify and Clarus: see docs/operate/stock.md",
)
ITEMS = FoldedTable(
    "items",
    ITEMS_EVENTS,
    ITEMS_STATE,
    ItemsFold,
    "the item",
    "The sweep makes the table anew from the ERP and Clarus: see docs/operate/items.md",
)
TABLES: Sequence[FoldedTable] = (ORDERS, STOCK, ITEMS)
