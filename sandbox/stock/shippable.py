"""What Clarus could still ship of a product, in one place and as a pure function."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lying:
    """A balance in one of the mapped warehouses. `available` net of the others; what is held is in none."""

    available: int
    allocated: int = 0
    picked: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of an open goods-out, of ours or of another channel."""

    ordered: int
    shorted: int = 0
    despatched: int = 0

    @property
    def owed(self) -> int:
        return max(0, self.ordered - self.shorted - self.despatched)


@dataclass(frozen=True, slots=True)
class Sold:
    """An order line in Shopify, in units of the product."""

    committed: int
    """Still to be fulfilled there."""
    wanted: int
    """All that the shopper is to get, fulfilled or not."""
    covered: int = 0
    """Despatched for it, or owed by open goods-outs for it."""

    @property
    def without_goods_out(self) -> int:
        return max(0, min(self.committed, self.wanted - self.covered))


def shippable(lying: Iterable[Lying], asked: Iterable[Asked], sold: Iterable[Sold]) -> int:
    """Units nobody has been promised; below zero when more was promised than lies there."""
    return (
        sum(one.available + one.allocated + one.picked for one in lying)
        - sum(one.owed for one in asked)
        - sum(one.without_goods_out for one in sold)
    )
