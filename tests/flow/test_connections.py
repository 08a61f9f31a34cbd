"""A connection that was down is told well again by whatever answers first, also where no order waits to be read."""

import pytest

from kernel.virtual_time import run_virtual
from lockstep.simulation.house import House
from lockstep.simulation.log_oracle import cases_of
from schemas.base import System
from schemas.cases import CaseCode


def down(house: House) -> set[str]:
    """Brands with an open case of it."""
    return {case.brand for case in cases_of(house.log) if case.open and case.code is CaseCode.CONNECTION_DOWN}


@pytest.mark.parametrize("system", list(System))
def test_an_outage_that_no_order_met_ends_with_the_next_poll(system: System) -> None:
    async def story() -> None:
        async with House() as house:
            outside = house.outside
            plans = {
                System.SHOPIFY: outside.shopify.faults,
                System.CLARUS: outside.clarus_faults,
                System.ERP: outside.erp_faults,
            }
            await house.clock.sleep(60)
            plans[system].away = True
            await house.until(lambda: down(house) == {"acme", "brio"})
            plans[system].away = False
            await house.until(lambda: not down(house))

    run_virtual(story())
