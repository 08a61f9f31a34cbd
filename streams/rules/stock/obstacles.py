"""Why an item's stock is not written. Some are as they should be, some are a person's to look at."""

from collections.abc import Iterator
from typing import NamedTuple

from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.stock import ShopItem
from streams.rules.orders.findings import Look, Waiting
from streams.rules.stock.state import StockState


class Obstacle(NamedTuple):
    """In words; `looks` is what people hear of it."""

    why: str
    looks: tuple[Look | Waiting, ...] = ()


def obstacle(state: StockState, config: BrandConfig) -> Obstacle | None:
    """The first thing in the way, or None: its figure is ours to write."""
    return next(_obstacles(state, config), None)


def _obstacles(state: StockState, config: BrandConfig) -> Iterator[Obstacle]:
    if config.warehouse_of(state.location) is None:
        yield Obstacle("no warehouse of Clarus serves this location")
    if state.level is None:
        yield _unread(state, config, "the item has not been read in Shopify")
    elif not state.level.items:
        yield Obstacle("the shop has no item with this code")
    elif state.item is not None:
        yield from _of_item(state, state.item, config)
    elif state.counted:
        skus = ", ".join(repr(one.sku) for one in state.counted)
        yield Obstacle("two items of the shop have this code", (_look(state, CaseCode.TWO_ITEMS_ONE_CODE, skus),))
    else:
        yield Obstacle("Shopify counts none of the items with this code here")
    if state.balance is None:
        yield _unread(state, config, "the item has not been read in Clarus")
    elif not state.balance.known:
        yield _unread(state, config, "Clarus has no such product")


def _of_item(state: StockState, item: ShopItem, config: BrandConfig) -> Iterator[Obstacle]:
    if item.kit:
        yield Obstacle("Shopify computes it from its components")
    elif not item.tracked:
        yield Obstacle("Shopify does not count it")
    elif not item.stocked:
        yield Obstacle("it is not stocked at this location")
    elif any(bundle.sku == item.sku for bundle in config.bundles):
        why = "the warehouse has it as components only"
        yield Obstacle(why, (_look(state, CaseCode.STOCK_OF_KIT, item.sku),))


def _unread(state: StockState, config: BrandConfig, why: str) -> Obstacle:
    waiting = Waiting("unread", config.stock.unread, CaseCode.STOCK_UNREAD, state.order, why)
    return Obstacle(why, (waiting,))


def _look(state: StockState, code: CaseCode, detail: str) -> Look:
    return Look(code, state.order, detail)
