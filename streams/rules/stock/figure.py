"""How many units Shopify should have on hand: what is physically there and nobody else has a claim on."""

from collections.abc import Collection

from schemas.stock import Balance
from schemas.stock_rules import Column, StockRules
from streams.rules.stock.state import StockState


def physical(balance: Balance, taken_out: Collection[Column]) -> int:
    """Units in the warehouses that are not on hold: Clarus' `available`, and what it has taken out of it already."""
    return sum(
        one.available
        + (one.allocated if "allocated" in taken_out else 0)
        + (one.picked if "picked" in taken_out else 0)
        for one in balance.warehouses
    )


def figure(balance: Balance, withheld: int, rules: StockRules, buffer: int) -> int:
    """Shopify's `on_hand`. Never negative.

    Shopify takes its own committed units out of it itself, in the transaction that takes an order: so an order on its
    way to the warehouse is never forgotten. `withheld` are units that goods-outs under our references still want
    though Shopify commits none for them.
    """
    return max(0, physical(balance, rules.taken_out) - balance.others - withheld - buffer)


def wanted(state: StockState, rules: StockRules) -> int | None:
    """The figure of what is known; None without a reading of Clarus."""
    if state.balance is None or not state.balance.known:
        return None
    return figure(state.balance, state.units_withheld, rules, rules.buffer_of(state.code, state.location))
