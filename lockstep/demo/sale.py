"""A flash sale, as the outside world sees it: few things, many shoppers, people's hands at the stock meanwhile."""

import asyncio

from lockstep.demo.outside import Outside
from sandbox.shopify.records import Order
from sandbox.shopify.shop import Shop
from sandbox.stock.books import StockBooks
from sandbox.stock.flash_sale import FlashSale
from sandbox.stock.ledger import Spot
from sandbox.stock.traffic import ShopHand, StaffHabits, WarehouseHabits, WarehouseHand, make_up
from schemas.stock_rules import StockRules

SALE_RULES = StockRules(mode="write", quiet_for=2, max_wait=10)
HOT = ("0042-A", "MUG-BLUE")
"""What everybody wants, of the first brand's; the first one's zeros matter."""
ON_ITS_WAY = 10.0
"""Seconds a figure that is decided may take to arrive: its batch, a slow call, some repeats."""
LOOK_EVERY = 2.0


def known_within(rules: StockRules) -> float:
    """Seconds from a reading until the last write decided without it has arrived."""
    return rules.max_wait + ON_ITS_WAY


class NeverAtRestError(AssertionError):
    """Figures still move long after the last shopper has gone."""


class SaleDay:
    """Stock is counted from its creation on: `units` of the hot items in all, in the first warehouse, and offered."""

    def __init__(
        self,
        outside: Outside,
        buyers: int,
        units: int,
        window: float,
        hands: int = 0,
        rules: StockRules = SALE_RULES,
    ) -> None:
        """`window`: seconds in which all buyers come. `hands`: turns of people at the stock in each system, spread over
        the same time.
        """
        self._outside, self._hands = outside, hands
        outside.count_bundles()
        brand = outside.brands[0]
        self._shop = outside.shop(str(brand.brand))
        self._location, warehouse = next(iter(brand.warehouses.items()))
        self._keeper = outside.storekeeper(brand, warehouse)
        for number, sku in enumerate(HOT):
            share = units // len(HOT) + (number < units % len(HOT))
            self._keeper.receive(sku, share)
            for location in brand.warehouses:
                self._shop.inventory.stock(sku, location, share if location == self._location else 0)
        self.spots = [
            Spot(self._shop.domain, sku, self._location, str(brand.brand), brand.account, sku, (warehouse,))
            for sku in HOT
        ]
        self.books = StockBooks([self._shop], outside.clarus, self.spots, known_within=known_within(rules))
        outside.shopify.judged = self.books.dump
        shipping = tuple(brand.shipping)
        self.sale = FlashSale(self._shop, HOT, buyers, window, outside.chance, shipping)

    async def run(self) -> None:
        """Returns when the last shopper has come and people's hands rest."""
        clock, chance = self._outside.clock, self._outside.chance
        each = self.sale.window / max(1, self._hands)
        every = (0.5 * each, 1.5 * each)
        floor = WarehouseHand([(self._keeper, HOT)], chance, WarehouseHabits(every))
        staff = ShopHand(self._shop, [(sku, self._location) for sku in HOT], chance, StaffHabits(every))
        await asyncio.gather(self.sale.run(), floor.run(clock, self._hands), staff.run(clock, self._hands))

    def make_up(self) -> None:
        """What people's hands made the shop sell too many of comes in at last, so that nobody waits for good."""
        make_up(self.books, lambda _: self._keeper)

    async def rests(self, *, quiet_for: float, within: float, whole: bool = True) -> None:
        """Returns when nothing has moved for so many seconds and, if `whole`, nobody is owed anything; what lacks for
        that comes in. Raises NeverAtRestError after `within` seconds.
        """
        loop = asyncio.get_running_loop()
        last, since, began = "", loop.time(), loop.time()
        while loop.time() - began < within:
            await self._outside.clock.sleep(LOOK_EVERY)
            if whole:
                self.make_up()
            now = self.said()
            if now != last:
                last, since = now, loop.time()
            elif loop.time() - since >= quiet_for and not (whole and self.open_orders()):
                return
        owed = [order.name for order in self.open_orders()]
        raise NeverAtRestError(f"owed: {owed}; figures: {self.books.at_rest()}")

    @property
    def shops(self) -> tuple[Shop, ...]:
        return (self._shop,)

    def open_orders(self) -> list[Order]:
        """Those of which something is still owed to a shopper."""
        return [
            order
            for order in self._shop.orders.values()
            if order.cancelled_at is None
            and any(line.remaining for one in order.fulfillment_orders for line in one.lines if one.status != "CLOSED")
        ]

    def said(self) -> str:
        """Everything that may still move; the same for a while means that nothing does."""
        levels = [level.kept for level in self._shop.inventory.levels.values()]
        return f"{levels} {len(self._shop.made)} {self.books.at_rest()}"
