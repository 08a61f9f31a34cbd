"""How an ERP is set up for a brand, over each ERP; what only the sandbox can be made to lack, over that alone."""

import asyncio

import httpx
import pytest

from connectors.erp.sandbox import SandboxErp
from connectors.erp.sandbox import setup as sandbox_setup
from connectors.erp.setup import Item
from connectors.erp.tryton import Shop, TrytonErp
from sandbox.erp import ErpWorld, create_app
from sandbox.tryton import TrytonServer
from tests.connectors.erp.conftest import Tell
from tests.connectors.erp.erps import ErpUnderTest
from tests.connectors.erp.wishes import ACME, BLACK_LAMP, LAMP, RUG
from tests.sandbox.step_clock import StepClock


def test_the_item_master_is_read_whole_and_nothing_is_lacking(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        setup = erp.port.setup(ACME)

        assert {LAMP, BLACK_LAMP, RUG} <= {item.code for item in await setup.items()}
        assert list(await setup.lacking()) == []
        assert list(await setup.automations()) == []

    tell(story)


def test_pages_barcodes_rights_and_what_is_switched_on() -> None:
    async def story() -> None:
        clock = StepClock()
        size = sandbox_setup.PAGE + 7
        world = ErpWorld(clock, {"acme": "acme-key"}, [f"SKU-{number:04}" for number in range(size)])
        assert world.items is not None
        world.items.change("SKU-0000", barcode="501")
        world.setup.rights.remove("fulfilments")
        world.setup.settings["back_orders"] = True
        erp = SandboxErp("http://erp.example/", {ACME: "acme-key"}, clock, httpx.ASGITransport(create_app(world)))
        setup = erp.setup(ACME)

        items = await setup.items()

        assert len(items) == size
        assert items[0] == Item("SKU-0000", ("501",))
        assert items[1] == Item("SKU-0001")
        assert list(await setup.lacking()) == ["our key lacks the right to enter fulfilments"]
        (on,) = await setup.automations()
        assert "back-order" in on
        await erp.aclose()

    asyncio.run(story())


@pytest.mark.tryton
@pytest.mark.timeout(600)
def test_what_finance_has_not_set_up_in_tryton_is_named(tryton: TrytonServer) -> None:
    async def lacking(key: str, shop: Shop) -> list[str]:
        erp = TrytonErp(tryton.base_url, key, {ACME: shop}, StepClock())
        try:
            return list(await erp.setup(ACME).lacking())
        finally:
            await erp.aclose()

    assert asyncio.run(lacking(tryton.key, Shop(web_shop="acme", customer="WEB-acme"))) == []
    assert asyncio.run(lacking(tryton.key, Shop(web_shop="nobody's", customer="NOBODY"))) == [
        'there is no web shop "nobody\'s"',
        "there is no party with the code 'NOBODY'",
    ]
    refused = asyncio.run(lacking("no key at all", Shop(web_shop="acme", customer="WEB-acme")))
    assert "sale.sale cannot be read (Unauthorised)" in refused
