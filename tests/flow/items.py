"""What the stories of items share: a house that keeps one brand's, played to its end; the ERP's master in it."""

from collections.abc import Callable, Coroutine
from typing import Any

from connectors.runtime.settings import RuntimeSettings
from kernel.virtual_time import run_virtual
from lockstep.demo.scenario import BRANDS
from lockstep.simulation.house import RUNTIME, House
from sandbox.erp.items import ItemMaster
from schemas.item_rules import ItemRules
from schemas.topics import DLQ

ACME = BRANDS[0].brand


def play(
    story: Callable[[House], Coroutine[Any, Any, None]], rules: ItemRules, runtime: RuntimeSettings = RUNTIME
) -> None:
    async def whole() -> None:
        async with House(items={ACME: rules}, runtime=runtime) as house:
            await story(house)
            house.raise_what_ended()
            assert not house.log.records(DLQ.name)

    run_virtual(whole())


def master(house: House) -> ItemMaster:
    erp = house.outside.erp_world
    assert erp is not None
    assert erp.items is not None
    return erp.items
