"""Sums over goods-outs and order lines, kept as they change: a hot item has thousands of either."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sandbox.clarus.records import GoodsOut, Line
from sandbox.clarus.stock import Balance
from sandbox.clarus.world import ClarusWorld
from sandbox.shopify.records import Line as OrderLine
from sandbox.shopify.records import Order
from sandbox.shopify.shop import Shop
from sandbox.shopify.views import number_of
from sandbox.stock.shippable import Asked, Lying, Sold, shippable

K = TypeVar("K")

Claim = Callable[[GoodsOut, Line], int]
"""The id of the order line that a goods-out's line is for; 0 for another channel's."""


def by_external_reference(_: GoodsOut, line: Line) -> int:
    """`external_system_reference1` of the line is the gid of the order line."""
    return number_of(str(line.attributes.get("external_system_reference1") or ""))


@dataclass(frozen=True, slots=True)
class Spot:
    """A product at a location, and the warehouses that serve it. `sku` is Shopify's, `product` Clarus' code."""

    shop: str
    sku: str
    location: int
    tenant: str
    account: str
    product: str
    warehouses: tuple[str, ...]


class Ledger:
    """`spots` are those of one shop each on one tenant."""

    def __init__(self, shops: Iterable[Shop], clarus: ClarusWorld, spots: Iterable[Spot], claim: Claim) -> None:
        self._shops = {shop.domain: shop for shop in shops}
        self._clarus, self._claim = clarus, claim
        self.spots = tuple(spots)
        self._shop_of = {spot.tenant: spot.shop for spot in self.spots}
        self._products = {
            shop: {spot.product: spot.sku for spot in self.spots if spot.shop == shop} for shop in self._shops
        }
        self._owed: dict[int, Counter[tuple[str, str, str, str]]] = {}
        self._covers: dict[int, Counter[tuple[str, int, str]]] = {}
        self._despatched: dict[int, Counter[tuple[str, int, str]]] = {}
        self._demand: Counter[tuple[str, str, str, str]] = Counter()
        """Tenant, account, warehouse, product → owed by open goods-outs."""
        self._covered: Counter[tuple[str, int, str]] = Counter()
        """Shop, order line, product → units."""
        self._left: Counter[tuple[str, int, str]] = Counter()
        self._lines: dict[tuple[str, int], tuple[OrderLine, dict[int, int]]] = {}
        """Shop, order line → the line and its committed units per location."""
        self._unsent: dict[tuple[str, int], Counter[tuple[int, str]]] = {}
        self._sold: Counter[tuple[str, int, str]] = Counter()
        """Shop, location, product → sold and without goods-out."""

    # --- changes

    def goods_out(self, number: int) -> set[tuple[str, str]]:
        """It was made, changed or is gone. Tenant and code of the products it has or had."""
        before, had = self._covers.get(number, Counter()), self._owed.get(number, Counter())
        found = self._clarus.goods_outs.get(number)
        owed: Counter[tuple[str, str, str, str]] = Counter()
        covers: Counter[tuple[str, int, str]] = Counter()
        despatched: Counter[tuple[str, int, str]] = Counter()
        if found is not None:
            shop, place = self._shop_of.get(found.tenant, ""), self._warehouse(found)
            for line in found.lines.values():
                units = 0 if found.status.ended else self._asked(line).owed
                owed[found.tenant, found.account.code, place, line.product.code] += units
                if order_line := self._claim(found, line):
                    covers[shop, order_line, line.product.code] += units + int(line.despatched)
                    despatched[shop, order_line, line.product.code] += int(line.despatched)
        _replace(self._demand, self._owed, number, owed)
        _replace(self._covered, self._covers, number, covers)
        _replace(self._left, self._despatched, number, despatched)
        for shop, order_line in {(shop, line) for shop, line, _ in before.keys() | covers.keys()}:
            self._count(shop, order_line)
        return {(tenant, product) for tenant, _, _, product in had.keys() | owed.keys()}

    def order(self, shop: str, order: Order) -> None:
        """It was placed or changed."""
        committed: dict[int, dict[int, int]] = {line.id: {} for line in order.lines}
        for line, units, location in self._shops[shop].inventory.outstanding(order):
            committed[line.id][location] = committed[line.id].get(location, 0) + units
        for line in order.lines:
            if line.requires_shipping:
                self._lines[shop, line.id] = (line, committed[line.id])
                self._count(shop, line.id)

    def _count(self, shop: str, order_line: int) -> None:
        """Its units without goods-out anew; the last location gives up first what is covered."""
        for (location, product), units in self._unsent.pop((shop, order_line), Counter()).items():
            self._sold[shop, location, product] -= units
        known = self._lines.get((shop, order_line))
        if known is None:
            return
        line, places = known
        counted: Counter[tuple[int, str]] = Counter()
        for product, each in self._recipe(shop, line).items():
            sold = Sold(
                committed=sum(places.values()) * each,
                wanted=line.current_quantity * each,
                covered=self._covered[shop, order_line, product],
            )
            rest = sold.without_goods_out
            for location, units in reversed(places.items()):
                here = min(rest, units * each)
                counted[location, product] += here
                self._sold[shop, location, product] += here
                rest -= here
        self._unsent[shop, order_line] = counted

    def _recipe(self, shop: str, line: OrderLine) -> dict[str, int]:
        """Product code → units per unit of the line, of the products that are watched."""
        if line.kit:
            return {product: each for product, each in line.kit.items() if product in self._products[shop]}
        return {product: 1 for product, sku in self._products[shop].items() if sku == line.sku}

    # --- figures

    def shippable(self, spot: Spot) -> int:
        asked = (Asked(self._demand[spot.tenant, spot.account, place, spot.product]) for place in spot.warehouses)
        unsent = self._sold[spot.shop, spot.location, spot.product]
        return shippable(self._lying(spot), asked, [Sold(unsent, unsent)])

    def _lying(self, spot: Spot) -> list[Lying]:
        return [Lying(int(one.available), int(one.allocated), int(one.picked)) for one in self.balances(spot)]

    def balances(self, spot: Spot) -> list[Balance]:
        master = self._clarus.master
        account, product = master.account(spot.tenant, spot.account), master.product(spot.tenant, spot.product)
        places = [master.warehouse(spot.tenant, code) for code in spot.warehouses]
        if account is None or product is None:
            return []
        found = [self._clarus.stock.of(account, place, product) for place in places if place is not None]
        return [one for one in found if one is not None]

    def untold(self, spot: Spot) -> int:
        """Units that left and that Shopify still commits at this location."""
        total = 0
        for (shop, order_line), (line, places) in self._lines.items():
            each = self._recipe(shop, line).get(spot.product, 0) if shop == spot.shop else 0
            here = places.get(spot.location, 0) * each
            if here:
                fulfilled = line.current_quantity * each - sum(places.values()) * each
                total += min(here, max(0, self._left[shop, order_line, spot.product] - fulfilled))
        return total

    def _asked(self, line: Line) -> Asked:
        return Asked(int(line.ordered), int(line.shorted), int(line.despatched))

    def _warehouse(self, goods_out: GoodsOut) -> str:
        """Its own, or the tenant's first, where Clarus here takes stock from."""
        if goods_out.warehouse is not None:
            return goods_out.warehouse.code
        places = (one for one in self._clarus.master.warehouses.values() if one.tenant == goods_out.tenant)
        return next((one.code for one in places), "")


def _replace(sums: Counter[K], kept: dict[int, Counter[K]], number: int, now: Counter[K]) -> None:
    """What this goods-out adds to the sums is now this."""
    sums.subtract(kept.get(number, Counter()))
    sums.update(now)
    kept[number] = now
