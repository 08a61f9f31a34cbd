"""Every window ends in time: what others moved is put right within `max_wait` and two reads of a working connection.

Stock keeps moving meanwhile, so that no figure is ever quiet: only `max_wait` brings a write about.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kernel.virtual_time import run_virtual
from lockstep.simulation.house import House
from sandbox.clarus.storekeeper import Storekeeper
from sandbox.shopify.records import Address, Order
from sandbox.shopify.shop import Shop
from sandbox.stock.books import StockBooks
from sandbox.stock.ledger import Spot
from schemas.stock_rules import StockRules

SKU, PLACE, EACH = "0042-A", 11, 40
RULES = StockRules(mode="write", quiet_for=5, max_wait=10)
A_READ = 1.0
"""Seconds from a hint to the fold of what was read: some requests of at most 0.12 s, and the log in between."""
ROUNDS = 3

LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)


class Place:
    """One item at one place, in both systems, and the books over it."""

    def __init__(self, house: House) -> None:
        house.outside.stock_up(EACH)
        brand = house.outside.brands[0]
        self.house = house
        self.shop: Shop = house.outside.shop("acme")
        self.keeper: Storekeeper = house.outside.storekeeper(brand, "LDS1")
        spot = Spot(self.shop.domain, SKU, PLACE, "acme", brand.account, SKU, ("LDS1",))
        self.books = StockBooks([self.shop], house.outside.clarus, [spot], known_within=0)

    async def picked(self, units: int) -> Order:
        """An order whose goods lie in totes: the warehouse will ship it whatever Shopify does."""
        order = self.shop.place_order([(SKU, units)], address=LEEDS)
        self.shop.route(order, [PLACE])
        clarus = self.house.outside.clarus
        before = set(clarus.goods_outs)
        await self.house.until(lambda: bool(set(clarus.goods_outs) - before))
        (number,) = set(clarus.goods_outs) - before
        clarus.allocate(number)
        clarus.pick(number)
        return order


async def restocked(place: Place, units: int) -> None:
    """Shopify gives back what the warehouse ships all the same."""
    place.shop.cancel(await place.picked(units))


async def raised(place: Place, units: int) -> None:
    offered = place.shop.inventory.available(SKU, PLACE)
    place.shop.inventory.set_by_hand(SKU, PLACE, available=offered + units)


async def lost(place: Place, units: int) -> None:
    place.keeper.adjust(SKU, -units)


async def held(place: Place, units: int) -> None:
    place.keeper.hold(SKU, units)


async def sold_by_others(place: Place, units: int) -> None:
    """Another channel's order, that nobody in the warehouse has touched."""
    place.keeper.wholesale(f"W-{place.house.clock.monotonic()}", {SKU: units})


async def never_quiet(place: Place) -> None:
    """A unit is found, and lost again."""
    while True:
        for units in (1, -1):
            place.keeper.adjust(SKU, units)
            await place.house.clock.sleep(1.5)


CAUSES = {"restock": restocked, "hand_edit": raised, "adjusted": lost, "held": held, "wholesale": sold_by_others}


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("cause", CAUSES)
def test_it_ends_in_time(cause: str, seed: int) -> None:
    draw = random.Random(f"{cause}/{seed}")
    lasted = play(CAUSES[cause], draw, seed)

    assert cause in lasted
    assert lasted[cause] <= RULES.max_wait + 2 * A_READ
    assert lasted[cause] > RULES.quiet_for, "it was never quiet"


def play(
    happens: Callable[[Place, int], Coroutine[Any, Any, None]], draw: random.Random, seed: int
) -> dict[str, float]:
    """The longest window by cause."""

    async def whole() -> dict[str, float]:
        async with House(seed=seed, stock=RULES) as house:
            place = Place(house)
            await house.clock.sleep(30)
            moving = asyncio.get_running_loop().create_task(never_quiet(place))
            for _ in range(ROUNDS):
                await happens(place, draw.randint(2, 6))
                await house.clock.sleep(draw.uniform(20, 30))
            moving.cancel()
            await asyncio.gather(moving, return_exceptions=True)
            house.raise_what_ended()
            return place.books.longest()

    return run_virtual(whole())
