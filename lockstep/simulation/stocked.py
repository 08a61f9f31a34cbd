"""The counted stock of a history: what lies where and is offered, the rush for it, and how all of it is judged."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from lockstep.demo.outside import Outside
from lockstep.demo.sale import known_within
from lockstep.demo.scenario import MARK
from lockstep.demo.stock_report import compares_lost
from lockstep.simulation.oracle import Violation
from lockstep.simulation.shelves import HOT, Shelves
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.stock.books import OVERSOLD, StockBooks
from sandbox.stock.flash_sale import FlashSale
from sandbox.stock.ledger import Spot
from sandbox.stock.traffic import make_up
from schemas.base import Brand

DELIVERED = 6
"""Units of everything that come in when more is to be ordered."""
OTHER_OWNER = "OTHER"
"""Code of an account of each tenant that sells by no shop of ours."""


class Stocked:
    """Of one outside world; stock is counted from here on. `buffers`: of each brand, as it is configured now."""

    def __init__(self, outside: Outside, shelves: Shelves) -> None:
        self._outside, self._shelves = outside, shelves
        self._brands = [brand for brand in outside.brands if brand.brand in shelves.brands]
        self.keepers: dict[tuple[Brand, int], Storekeeper] = {}
        self.buffers = {brand.brand: shelves.buffer for brand in self._brands}
        outside.clarus.stock.includes = frozenset(shelves.gross_of)
        outside.count_bundles()
        for brand in self._brands:
            outside.clarus.master.add_account(brand.brand, OTHER_OWNER)
        self.spots = tuple(self._counted())
        self.books = StockBooks(
            outside.shopify.shops.values(), outside.clarus, self.spots, known_within=known_within(shelves.rules())
        )
        self._hurry = [
            FlashSale(
                outside.shop(brand.brand), HOT[brand.brand], shelves.buyers, shelves.window, outside.chance,
                tuple(brand.shipping),
            )
            for brand in self._brands[:1]
        ]  # fmt: skip

    def _counted(self) -> Iterator[Spot]:
        shelves = self._shelves
        for brand in self._brands:
            shop = self._outside.shop(brand.brand)
            for location, warehouse in brand.warehouses.items():
                keeper = self._outside.storekeeper(brand, warehouse)
                self.keepers[brand.brand, location] = keeper
                for sku in brand.skus:
                    product = sku.replace(MARK, "")
                    if sku in brand.bundles:
                        continue
                    hot = sku in HOT[brand.brand]
                    units = shelves.hot if hot else shelves.units
                    keeper.receive(product, units)
                    shop.inventory.stock(sku, location, max(0, units + hot * shelves.off_by))
                    yield Spot(shop.domain, sku, location, brand.brand, brand.account, product, (warehouse,))

    def spot(self, brand: str, place: str) -> Spot:
        """`place`: LOCATION/SKU."""
        location, _, sku = place.partition("/")
        return next(one for one in self.spots if (one.tenant, one.location, one.sku) == (brand, int(location), sku))

    async def rush(self) -> None:
        """Returns when the last buyer has come."""
        await asyncio.gather(*(one.run() for one in self._hurry))

    def deliver(self) -> None:
        """Some more of everything, for whoever orders next."""
        for spot in self.spots:
            self.keepers[Brand(spot.tenant), spot.location].receive(spot.product, DELIVERED)

    def make_up(self) -> None:
        """What was promised and does not lie there comes in at last."""
        make_up(self.books, lambda spot: self.keepers[Brand(spot.tenant), spot.location])

    # --- the verdict

    def never(self) -> Iterator[Violation]:
        """What may not be so at any moment."""
        for one in self.books.beyond:
            if one.why == OVERSOLD:
                where = f"{one.spot.sku} at {one.spot.location}"
                says = f"{one.units} of {one.sold} units of {where}: shippable then {one.shippable}"
                yield Violation(OVERSOLD, says, f"{one.spot.tenant}/{one.order}", one.at.isoformat())

    def unsettled(self) -> Iterator[Violation]:
        """What may be so for a while, and not at the end."""
        tenants = {spot.shop: spot.tenant for spot in self.spots}
        for one in self.books.at_rest():
            what = f"{one['sku']} at {one['location']}: offered {one['available']}, shippable {one['shippable']}"
            if min(one["beyond"], max(0, one["available"])):
                yield Violation("offered beyond", what)
            if one["undersold"] > self.buffers[Brand(tenants[one["shop"]])]:
                yield Violation("undersold", f"{what}, left and not told {one['untold']}")

    def struck(self) -> Counter[str]:
        """What came about, by name: windows, what was sold beyond, compares that were lost."""
        found = Counter(f"window: {one.cause}" for one in self.books.windows.all)
        for shop in self._outside.shopify.shops.values():
            found["compare lost"] += sum(map(compares_lost, shop.inventory.books.writes))
        for one in self.books.beyond:
            found[f"sold beyond: {one.why}"] += one.units
        return found
