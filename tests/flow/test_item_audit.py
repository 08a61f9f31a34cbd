"""The audit of items on its schedule: what Shopify sells and what lies in Clarus, beside the ERP; in virtual time."""

from typing import Any

from lockstep.deciding import Person
from lockstep.demo.scenario import BRANDS
from lockstep.publishing import publish
from lockstep.simulation.house import RUNTIME, House
from lockstep.simulation.log_oracle import cases_of
from sandbox.shopify.setup import Variant
from schemas.base import OrderId, Sku, order_key
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.item_rules import ItemRules
from schemas.mapping import Bundle, Component
from schemas.topics import CASES
from streams.agents.crowd import MOST_CASES
from tests.flow.items import master, play

ACME = BRANDS[0]
PREFIXES = ("0042", "42", "MUG", "TEE", "007", "NEW", "LAMP", "TRAY", "HERE", "VASE", "IMPORT")
"""The ERP keeps the items of both demo brands; these are acme's."""
RULES = ItemRules(mode="observe", prefixes=PREFIXES)
EVERY = 300.0
"""Seconds from one audit to the next."""
UNHURRIED = RUNTIME.model_copy(
    update={
        "items_every": EVERY,
        "items_per_second": 20.0,
        "poll_every": 60.0,
        "look_every": 30.0,
        "commit_every": 30.0,
    }
)
"""Between two audits hardly anything happens."""


def sell(house: House, sku: str, barcode: str | None = None, **how: Any) -> Variant:
    """The shop has it from now on, stocked in Leeds."""
    variants = house.outside.shop("acme").setup.variants
    made = Variant(len(variants) + 1, sku, barcode, locations={11}, **how)
    variants.append(made)
    return made


def product(house: House, code: str, barcode: str = "") -> None:
    """The warehouse has it from now on."""
    clarus = house.outside.clarus.master
    account = clarus.account("acme", ACME.account)
    assert account is not None
    made = clarus.add_product("acme", code, f"Product {code}", [account])
    made.attributes["barcode"] = barcode or None


def open_cases(house: House) -> dict[tuple[str, CaseCode], str]:
    ours = (case for case in cases_of(house.log) if case.brand == ACME.brand)
    return {(case.object, case.code): case.detail for case in ours if case.open}


async def audited(house: House) -> None:
    """One more audit is over."""
    await house.clock.sleep(EVERY + 60)


def test_each_gap_is_a_case_until_it_is_mended() -> None:
    async def story(house: House) -> None:
        keeper = house.outside.storekeeper(ACME, "LDS1")
        sell(house, "NEW-1")
        product(house, "NEW-1")
        sell(house, "NEW-2")
        master(house).enter("NEW-2")
        lamp = sell(house, "LAMP", barcode="05012345678917")
        master(house).enter("LAMP", barcode="5012345678900")
        product(house, "LAMP", barcode="5012345678900")
        product(house, "TRAY")
        master(house).enter("TRAY")
        keeper.receive("TRAY", 5)
        product(house, "HERE")
        master(house).enter("HERE")
        sell(house, "HERE")
        keeper.receive("HERE", 5)
        draft = sell(house, "VASE", status="DRAFT")
        product(house, "VASE")
        master(house).enter("VASE")
        keeper.receive("VASE", 1)

        expected = {
            ("item:NEW-1", CaseCode.SKU_UNKNOWN_TO_ERP),
            ("item:NEW-2", CaseCode.SKU_UNKNOWN_TO_CLARUS),
            ("item:LAMP", CaseCode.BARCODE_DIFFERS),
            ("item:TRAY", CaseCode.STOCK_STRANDED),
            ("item:VASE", CaseCode.STOCK_STRANDED),
        }
        await audited(house)
        found = open_cases(house)
        assert set(found) == expected
        assert found["item:TRAY", CaseCode.STOCK_STRANDED] == "in LDS1: Shopify has no such SKU"

        told = len(house.log.records(CASES.name))
        keeper.receive("TRAY", 7)
        await audited(house)
        assert len(house.log.records(CASES.name)) == told, "what is still so is not told again"

        master(house).enter("NEW-1")
        lamp.barcode = "05012345678900"
        draft.status = "ACTIVE"
        sell(house, "TRAY")
        await audited(house)
        assert set(open_cases(house)) == {("item:NEW-2", CaseCode.SKU_UNKNOWN_TO_CLARUS)}

        product(house, "NEW-2")  # Clarus tells nobody: the next day's audit would find it, or a person who asks
        await Person(house.log, "kim", house.clock.now).act(order_key(ACME.brand, OrderId("item:NEW-2")), "refresh")
        await house.until(lambda: open_cases(house) == {})

    play(story, RULES, UNHURRIED)


def test_a_bundle_is_packed_of_what_the_warehouse_knows() -> None:
    async def story(house: House) -> None:
        bundle = Bundle(sku=Sku("TEA-SET"), components=(Component(sku=Sku("SAUCER")),))

        def packed(before: BrandConfig | None) -> BrandConfig:
            assert before is not None
            return before.model_copy(update={"version": before.version + 1, "bundles": (bundle,)})

        await publish(house.log, ACME.brand, packed)
        await audited(house)
        assert open_cases(house) == {
            ("item:SAUCER", CaseCode.SKU_UNKNOWN_TO_CLARUS): "'SAUCER', a component of TEA-SET, is no product in Clarus"
        }
        product(house, "SAUCER")
        await audited(house)
        assert open_cases(house) == {}

    play(story, RULES, UNHURRIED)


def test_a_system_that_cannot_be_read_makes_no_gap() -> None:
    async def story(house: House) -> None:
        await house.until(lambda: bool(house.items()), within=900)
        house.outside.erp_faults.away = True
        sell(house, "MUG-RED")
        product(house, "MUG-RED")
        await audited(house)
        assert {code for _, code in open_cases(house)} == {CaseCode.CONNECTION_DOWN}

        house.outside.erp_faults.away = False
        await audited(house)
        assert set(open_cases(house)) == {("item:MUG-RED", CaseCode.SKU_UNKNOWN_TO_ERP)}

    play(story, RULES, UNHURRIED)


def test_without_the_scope_for_stock_nothing_is_said_and_orders_go_on() -> None:
    async def story(house: House) -> None:
        scopes = house.outside.shop("acme").setup.scopes
        scopes.discard("read_inventory")
        product(house, "TRAY")
        master(house).enter("TRAY")
        house.outside.storekeeper(ACME, "LDS1").receive("TRAY", 5)
        await audited(house)
        assert open_cases(house) == {}

        scopes.add("read_inventory")
        await audited(house)
        assert set(open_cases(house)) == {("item:TRAY", CaseCode.STOCK_STRANDED)}

    play(story, RULES, UNHURRIED)


def test_a_catalogue_that_nobody_knows_is_few_cases_and_one_that_counts() -> None:
    async def story(house: House) -> None:
        for number in range(300):
            sell(house, f"IMPORT-{number:03}")
        await audited(house)
        found = open_cases(house)
        single = [code for _, code in found if code is CaseCode.SKU_UNKNOWN_TO_ERP]
        partitions = 2
        assert len(single) == MOST_CASES * partitions
        many = ("item-gaps sku_unknown_to_erp", CaseCode.ITEM_GAPS_MANY)
        assert found[many].startswith("sku_unknown_to_erp: at least ")

    play(story, RULES, UNHURRIED)


def test_switched_off_shopify_is_not_asked_about_items() -> None:
    async def story(house: House) -> None:
        sell(house, "NEW-1")
        await audited(house)
        assert open_cases(house) == {}
        assert not [state for state in house.items().values() if state.offers_at is not None]

    play(story, RULES.model_copy(update={"audit": False}), UNHURRIED)
