"""Shoppers: they order at a rate, some without address or payment at first; a few orders are planted to stay stuck."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

from sandbox.clock import Clock
from sandbox.faults import Chance
from sandbox.shopify.records import Address, Order
from sandbox.shopify.shop import Shop

TOWNS = (("Leeds", "LS1 4AB"), ("York", "YO1 7HH"), ("Bath", "BA1 1SX"), ("Perth", "PH1 5EN"), ("Ely", "CB7 4DL"))
NAMES = ("R. Example", "S. Sample", "T. Test", "U. Invented", "V. Nobody")


@dataclass(frozen=True)
class Clientele:
    """What the shoppers of a shop choose. `stray`: a location without warehouse; `odd`: an unmapped shipping line."""

    shop: Shop
    skus: tuple[str, ...]
    locations: tuple[int, ...]
    shipping: tuple[tuple[str, str], ...]
    stray: int
    odd: tuple[str, str] = ("Carrier pigeon", "pigeon")


@dataclass(frozen=True)
class Habits:
    """Shares of orders. What is incomplete at first is completed within `mend_after` seconds, drawn evenly."""

    no_address: float = 0.08
    unpaid: float = 0.08
    mend_after: float = 10.0
    routing_delay: float = 1.0
    planted: tuple[str, ...] = ("unmapped_shipping_line", "unmapped_location", "unknown_sku", "address_incomplete")
    """One of each is placed, spread over the run."""


@dataclass
class Shoppers:
    """Place `count` orders, `rate` a second, over all shops. Everything is drawn from the seed."""

    clienteles: tuple[Clientele, ...]
    clock: Clock
    chance: Chance
    habits: Habits = field(default_factory=Habits)
    _later: set["asyncio.Task[None]"] = field(default_factory=set)

    async def run(self, count: int, rate: float) -> None:
        """Returns when every order is placed, routed and, where it was to be, completed."""
        every = max(1, count // (len(self.habits.planted) + 1)) if self.habits.planted else count + 1
        planted = list(self.habits.planted)
        for number in range(count):
            clientele = self.clienteles[number % len(self.clienteles)]
            plan = planted.pop(0) if planted and number and number % every == 0 else ""
            self._order(clientele, plan)
            await self.clock.sleep(1.0 / rate)
        while self._later:
            await asyncio.gather(*self._later)

    def _order(self, clientele: Clientele, planted: str) -> None:
        draw = self.chance.of("shoppers")
        chosen = draw.sample(clientele.skus, k=min(len(clientele.skus), draw.choice((1, 1, 2, 3))))
        lines: list[tuple[str | None, int]] = [(sku, draw.choice((1, 1, 1, 2, 3))) for sku in chosen]
        if planted == "unknown_sku":
            lines[0] = ("NO-SUCH-SKU", 1)
        town, postcode = draw.choice(TOWNS)
        address = Address(
            name=draw.choice(NAMES), address1=f"{draw.randint(1, 99)} Mill Lane", city=town, zip=postcode,
            country_code="GB", phone="+441130000000",
        )  # fmt: skip
        unaddressed = not planted and draw.random() < self.habits.no_address
        unpaid = not planted and not unaddressed and draw.random() < self.habits.unpaid
        order = clientele.shop.place_order(
            lines,
            address=None if unaddressed or planted == "address_incomplete" else address,
            shipping=clientele.odd if planted == "unmapped_shipping_line" else draw.choice(clientele.shipping),
            financial_status="PENDING" if unpaid else "PAID",
            planted=planted,
        )
        location = clientele.stray if planted == "unmapped_location" else draw.choice(clientele.locations)
        self._soon(self._route(clientele.shop, order, location, draw.random() * self.habits.routing_delay))
        if unaddressed or unpaid:
            seconds = 1.0 + draw.random() * self.habits.mend_after
            self._soon(self._mend(clientele.shop, order, address if unaddressed else None, seconds))

    async def _route(self, shop: Shop, order: Order, location: int, seconds: float) -> None:
        await self.clock.sleep(seconds)
        shop.route(order, [location])

    async def _mend(self, shop: Shop, order: Order, address: Address | None, seconds: float) -> None:
        await self.clock.sleep(seconds)
        shop.complete(order, address=address, paid=address is None)

    def _soon(self, happening: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(happening)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
