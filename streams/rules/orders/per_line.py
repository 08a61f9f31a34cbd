"""Units per order line, and how parts of bundles are counted in them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from schemas.base import LineId, Units


class PerLine(Counter[LineId]):
    """Units per line: a Counter, made and reckoned with at the price of a dict; rules do little else.

    As in a Counter, what `-`, `&`, `|` and `+` make holds only what is more than zero.
    """

    if TYPE_CHECKING:

        def __init__(self, units: Mapping[LineId, int] = ...) -> None: ...

    else:
        __init__ = dict.__init__

    def __sub__(self, other: Mapping[LineId, int]) -> "PerLine":
        less = other.get
        left = PerLine({line: rest for line, quantity in self.items() if (rest := quantity - less(line, 0)) > 0})
        for line, quantity in other.items():
            if quantity < 0 and line not in self:
                left[line] = -quantity
        return left

    def __and__(self, other: Mapping[LineId, int]) -> "PerLine":
        also = other.get
        return PerLine({line: both for line, quantity in self.items() if (both := min(quantity, also(line, 0))) > 0})

    def __or__(self, other: Mapping[LineId, int]) -> "PerLine":  # type: ignore[override]  # of lines only
        either = {line: max(quantity, other.get(line, 0)) for line, quantity in self.items()}
        either.update((line, quantity) for line, quantity in other.items() if line not in self)
        return +PerLine(either)

    def __pos__(self) -> "PerLine":
        return PerLine({line: quantity for line, quantity in self.items() if quantity > 0})

    def update(self, more: Mapping[LineId, int]) -> None:  # type: ignore[override]  # of mappings only
        """Add."""
        for line, quantity in more.items():
            self[line] = self.get(line, 0) + quantity

    def subtract(self, less: Mapping[LineId, int]) -> None:  # type: ignore[override]  # of mappings only
        for line, quantity in less.items():
            self[line] = self.get(line, 0) - quantity


def summed(units: Iterable[Units]) -> PerLine:
    total = PerLine()
    for unit in units:
        total[unit.line] += unit.quantity
    return total


def in_lines(parts: Iterable[tuple[LineId, int, int]], *, begun: bool) -> PerLine:
    """Units per order line, of parts as (line, how many of it make one unit, how many there are).

    Of a bundle only whole ones count or, with `begun`, every one of which there is any component.
    """
    total = PerLine()
    kits: dict[LineId, list[int]] = {}
    for line, each, quantity in parts:
        if not line:
            continue
        if each:
            kits.setdefault(line, []).append(-(-quantity // each) if begun else quantity // each)
        else:
            total[line] += quantity
    for line, counts in kits.items():
        total[line] += max(counts) if begun else min(counts)
    return total
