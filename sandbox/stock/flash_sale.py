"""A flash sale: many shoppers want a unit or two of a few hot items within a window. Each takes all, or goes away."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from sandbox.faults import Chance
from sandbox.shopify.records import Address, Order
from sandbox.shopify.shop import Shop, SoldOut
from sandbox.shopify.shoppers import NAMES, TOWNS


@dataclass(frozen=True, slots=True)
class Outcome:
    """`sold`: units by SKU. `turned_away`: shoppers who found too little; they bought nothing."""

    sold: Counter[str]
    buyers: int
    turned_away: int


@dataclass
class FlashSale:
    """`window`: seconds in which all of them come, evenly; `most` units each. `routing_delay`: seconds at most."""

    shop: Shop
    skus: tuple[str, ...]
    buyers: int
    window: float
    chance: Chance
    shipping: tuple[tuple[str, str], ...] = (("Standard", "standard"),)
    most: int = 2
    routing_delay: float = 1.0
    orders: list[Order] = field(default_factory=list)
    _routing: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self) -> Outcome:
        """Returns when the last has come and every order is routed."""
        draw = self.chance.of(f"flash_sale/{self.shop.domain}")
        sold: Counter[str] = Counter()
        past, away = 0.0, 0
        for at in sorted(draw.random() * self.window for _ in range(self.buyers)):
            await self.shop.clock.sleep(at - past)
            past = at
            sku, units = draw.choice(self.skus), draw.randint(1, self.most)
            (town, postcode), number = draw.choice(TOWNS), draw.randint(1, 99)
            address = Address(draw.choice(NAMES), f"{number} Mill Lane", town, postcode, "GB", phone="+441130000000")
            shipping, delay = draw.choice(self.shipping), draw.random() * self.routing_delay
            try:
                order = self.shop.place_order([(sku, units)], address=address, shipping=shipping)
            except SoldOut:
                away += 1
                continue
            sold[sku] += units
            self.orders.append(order)
            self._soon(order, delay)
        await asyncio.gather(*self._routing)
        return Outcome(sold, self.buyers, away)

    def _soon(self, order: Order, delay: float) -> None:
        async def route() -> None:
            await self.shop.clock.sleep(delay)
            if order.cancelled_at is None:
                self.shop.route(order)

        task = asyncio.get_running_loop().create_task(route())
        self._routing.add(task)
        task.add_done_callback(self._routing.discard)
