"""How a tenant is set up, read whole; every document against the published names of Clarus' schema."""

from decimal import Decimal
from importlib.resources import files

import pytest
from graphql import parse, validate

from connectors.clarus.documents import document
from connectors.clarus.setup import Balance, ClarusSetup, Product, Service
from kernel.virtual_time import run_virtual
from sandbox.clarus.reads import schema
from sandbox.clarus.records import Automation, Carrier
from tests.connectors.clarus.commands import ACME
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import NOON, a_port, to_sandbox

DOCUMENTS = sorted(
    one.name.removesuffix(".graphql") for one in files("connectors.clarus.documents").joinpath("setup").iterdir()
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid(name: str) -> None:
    assert validate(schema(), parse(document(f"setup/{name}"))) == []


def test_what_a_tenant_has() -> None:
    async def story() -> None:
        floor = Floor(NOON)
        async with a_port(to_sandbox(floor), page_size=2, per_second=1000.0) as clarus:
            setup: ClarusSetup = clarus.port.setup(ACME)
            accounts = await setup.accounts()
            account = floor.world.master.account("acme", "ACME")
            assert account is not None
            assert accounts["ACME"] == str(account.id)
            assert "LDS1" in await setup.warehouses()

            floor.world.master.add_carrier("acme", "SLOW", ["SNAIL"])
            snail = next(one for one in floor.world.master.carriers.values() if one.code == "SLOW")
            floor.world.master.carriers[snail.id] = Carrier(snail.id, "acme", "SLOW", "Slow", active=False)
            assert (await setup.carriers())["SLOW"] is False
            assert Service("SLOW", "SNAIL", active=True) in await setup.services()

            other = floor.world.master.add_account("acme", "OTHER")
            floor.world.master.add_product("acme", "THEIRS", "theirs", [other])
            mine = floor.world.master.add_product("acme", "0042", "mine", [account])
            mine.attributes |= {"barcode": "501", "stop": True}
            products = await setup.products(accounts["ACME"])
            assert Product("0042", "501") in products
            assert "THEIRS" not in {one.code for one in products}
            assert await setup.coded(["THEIRS", "NOBODYS", "0042"]) == {"THEIRS", "0042"}
            assert await setup.stopped(accounts["ACME"]) == {"0042"}

            place = floor.world.master.warehouse("acme", "LDS1")
            assert place is not None
            floor.world.stock.receive(account, place, mine, Decimal(5))
            assert Balance("0042", "LDS1", Decimal(5)) in await setup.balances(accounts["ACME"])

            assert await setup.automations() == frozenset()
            floor.world.add_automation(Automation(1, "acme", "goods_out", "completed", "https://x.example"))
            floor.world.add_automation(
                Automation(2, "acme", "goods_out", "updated", "https://x.example", enabled=False)
            )
            assert await setup.automations() == {"completed"}

            assert await setup.own_integrations() == ()
            floor.world.master.add_integration("acme", "Acme on Shopify", "shopify")
            floor.world.master.add_integration("acme", "Acme on eBay", "ebay")
            assert await setup.own_integrations() == ("Acme on Shopify",)

    run_virtual(story())
