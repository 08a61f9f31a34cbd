"""Units of order lines in the warehouse's book, where a bundle stands as its components. Reads the books alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

Recipes = Mapping[str, Mapping[str, int]]
"""Order line id → of a bundle, how many of each product make one."""


def recipes_of(order: Mapping[str, Any]) -> Recipes:
    """As the shop's book has them."""
    return {line["id"]: line["kit"] for line in order["lines"] if line["kit"]}


def order_line(external_reference: object) -> str:
    """The order line's id in the mark on a goods-out's line."""
    return str(external_reference).rpartition("/")[2].partition("?")[0]


def in_order_lines(parts: Iterable[tuple[str, str, int]], recipes: Recipes, *, begun: bool) -> Counter[str]:
    """Units per order line of (order line, product, units). Of a bundle whole ones count; `begun`: each begun one."""
    units: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {}
    for line, product, quantity in parts:
        if line in recipes:
            found.setdefault(line, Counter())[product] += quantity
        else:
            units[line] += quantity
    for line, there in found.items():
        each = recipes[line]
        counts = [-(-there[part] // many) if begun else there[part] // many for part, many in each.items()]
        units[line] += max(counts) if begun else min(counts)
    return units
