"""The brands of the demo, audited while it runs: what is planted there, and nothing else."""

import random
from datetime import timedelta

import pytest

from kernel.virtual_time import run_virtual
from lockstep.audit.codes import Code
from lockstep.audit.judge import findings
from lockstep.audit.look import look, opened
from lockstep.demo.scenario import BRANDS, DemoBrand
from lockstep.simulation.house import START, House
from lockstep.simulation.wire import Wire
from schemas.base import System
from tests.lockstep.audit.estate import IDA

PLANTED = {
    "acme": {Code.LOCATION_UNMAPPED, Code.SKUS_COLLIDE},
    "brio": {Code.LOCATION_UNMAPPED},
}
"""The pop-up that no warehouse serves; 0042-A and 42-A."""


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: brand.brand)
def test_a_demo_brand(brand: DemoBrand) -> None:
    async def story() -> None:
        async with House() as house:
            outside, shop = house.outside, house.outside.shop(brand.brand)
            for line in brand.shipping:
                order = shop.place_order([(brand.skus[0], 1)], address=IDA, shipping=line)
                shop.route(order, [next(iter(brand.warehouses))])
            await house.clock.sleep(30)
            apps = {
                System.SHOPIFY: outside.shopify_app,
                System.CLARUS: outside.clarus_app,
                System.ERP: outside.erp_app,
            }
            wires = {system: Wire(app, random.Random(1)) for system, app in apps.items()}
            config = brand.config(START - timedelta(hours=1))

            async with opened(config, house.brands[brand.brand], house.clock, wires) as systems:
                seen = await look(systems, config, house.clock, 60, "http://intake.test")

            assert seen.unseen == ()
            assert {one.code for one in findings(seen)} == PLANTED[brand.brand]

    run_virtual(story())
