"""Orders through the whole flow over counted stock: both systems agree by themselves, as the joint books see them.

Shopify lowers what it offers at the checkout, Clarus what it has at the despatch; an order on its way counts once.
"""

import asyncio

import pytest

from kernel.virtual_time import run_virtual
from lockstep.demo.scenario import MARK
from lockstep.simulation.house import House
from sandbox.clarus import Storekeeper
from sandbox.faults import Faults, Preset
from sandbox.shopify.shoppers import Habits
from sandbox.stock.books import StockBooks
from sandbox.stock.ledger import Spot

EACH = 6


def counted(house: House) -> StockBooks:
    """So many of everything, in both systems; bundles are computed by the shop."""
    outside, spots = house.outside, []
    for brand in outside.brands:
        shop = outside.shop(brand.brand)
        for variant in shop.setup.variants:
            variant.components = variant.sku in brand.bundles
        for location, warehouse in brand.warehouses.items():
            keeper = Storekeeper(outside.clarus, brand.brand, brand.account, warehouse)
            for sku in brand.skus:
                product = sku.replace(MARK, "")
                if product not in brand.bundles:
                    shop.inventory.stock(sku, location, EACH)
                    keeper.receive(product, EACH)
                    spots.append(Spot(shop.domain, sku, location, brand.brand, brand.account, product, (warehouse,)))
    return StockBooks(outside.shopify.shops.values(), outside.clarus, spots, known_within=0)


@pytest.mark.parametrize("preset", ["none", "many"])
def test_what_is_offered_is_what_can_be_shipped(preset: Preset) -> None:
    async def play() -> None:
        async with House(Faults.preset(preset), seed=5) as house:
            books = counted(house)
            floor = asyncio.get_running_loop().create_task(house.outside.pickers().run())
            await house.outside.shoppers(Habits(planted=(), mixed=0)).run(40, 2.0)
            await house.clock.sleep(900)
            floor.cancel()
            await asyncio.gather(floor, return_exceptions=True)
            dump = books.dump()
            assert (dump["units_sold"] > 40, dump["oversold"], dump["windows"]) == (True, 0, [])
            assert all(one["available"] == one["shippable"] for one in dump["at_rest"])
            assert {one["untold"] for one in dump["at_rest"]} == {0}
            left = [one for one in house.outside.clarus.stock.transactions if one.subtype == "DISP"]
            assert sum(int(one.quantity) for one in left) == dump["units_sold"]

    run_virtual(play())
