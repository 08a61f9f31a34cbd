"""Items from the ERP to the warehouse, and the orders that wait for them; in memory and virtual time."""

from decimal import Decimal

from lockstep.simulation.house import House
from lockstep.simulation.log_oracle import cases_of
from sandbox.clarus.records import Product
from sandbox.faults import Fault
from sandbox.shopify.records import Address
from schemas.cases import CaseCode
from schemas.item_rules import ItemRules
from tests.flow.items import master, play

LEEDS = Address(
    name="R. Example", address1="8 Mill Lane", city="Leeds", zip="LS1 4AB", country_code="GB", phone="+441130000000"
)
RULES = ItemRules(mode="create_and_amend", stock_unit="EACH", prefixes=("00",), patience=120)
"""The ERP keeps the items of both demo brands; those that begin with two zeros are new ones of acme's."""


def product(house: House, code: str) -> Product | None:
    return house.outside.clarus.master.product("acme", code)


def open_cases(house: House) -> set[CaseCode]:
    return {case.code for case in cases_of(house.log) if case.open}


def test_a_new_item_is_made_in_clarus_and_can_be_ordered_at_once() -> None:
    async def story(house: House) -> None:
        master(house).enter("00815-B", "Kettle, steel", barcode="05012345678900", weight="0.350")
        await house.until(lambda: product(house, "00815-B") is not None)
        made = product(house, "00815-B")
        assert made is not None
        await house.until(lambda: bool(made.accounts))
        assert made.code == "00815-B"
        assert made.description == "Kettle, steel"
        assert made.attributes["barcode"] == "05012345678900"

        shop = house.outside.shop("acme")
        order = shop.place_order([("00815-B", 2)], address=LEEDS)
        shop.route(order, [11])
        await house.until(lambda: bool(house.outside.clarus.goods_outs))
        (goods_out,) = house.outside.clarus.goods_outs.values()
        assert [(line.product.code, line.ordered) for line in goods_out.lines.values()] == [("00815-B", Decimal(2))]

    play(story, RULES)


def test_an_order_waits_for_its_item_and_leaves_by_itself_once_the_item_is_made() -> None:
    async def story(house: House) -> None:
        shop = house.outside.shop("acme")
        order = shop.place_order([("0077-NEW", 1), ("MUG-BLUE", 1)], address=LEEDS)
        shop.route(order, [11])
        state = f"acme/{order.id}"
        await house.until(lambda: state in house.states() and bool(house.states()[state].refusals))
        await house.clock.sleep(20)
        assert not house.outside.clarus.goods_outs
        waits = house.states()[state]
        assert [case.object for case in waits.cases] == [waits.order], "the ERP's refusal; Clarus' is waited for"
        assert any(since.name.startswith("item:") for since in waits.since)

        began = house.clock.monotonic()
        master(house).enter("0077-NEW", "Lamp")
        await house.until(lambda: bool(house.outside.clarus.goods_outs))
        assert house.clock.monotonic() - began < 30, "the poll's time and a few calls, not the back-off's"
        await house.until(lambda: not house.states()[state].refusals)
        await house.until(lambda: not open_cases(house))

    play(story, RULES)


def test_an_amended_item_is_amended_and_what_the_warehouse_owns_stays() -> None:
    async def story(house: House) -> None:
        master(house).enter("0042-B", "Kettle")
        await house.until(lambda: bool(getattr(product(house, "0042-B"), "accounts", ())))
        made = product(house, "0042-B")
        assert made is not None
        made.attributes |= {"barcode": "777", "shelf_life_min": 30}
        master(house).change("0042-B", description="Kettle, brushed steel")
        await house.until(lambda: made.description == "Kettle, brushed steel")
        assert made.attributes["barcode"] == "777", "the ERP says nothing of it"
        assert made.attributes["shelf_life_min"] == 30

        master(house).change("0042-B", active=False)
        await house.until(lambda: open_cases(house) == {CaseCode.ITEM_INACTIVE})
        made.attributes["stop"] = True
        await house.clock.sleep(5)
        assert product(house, "0042-B") is made, "nothing is deleted"

    play(story, RULES)


def test_bad_items_are_cases_and_hold_up_no_other() -> None:
    async def story(house: House) -> None:
        items = master(house)
        items.enter("00" + "8" * 60, "Too long for Clarus")
        items.enter("0001-A ", "Space at the end")
        items.enter("0002", "")
        items.enter("0003", "One of two")
        items.enter("0003", "The other")
        items.enter("0004", "Lamp", barcode="501")
        await house.until(lambda: bool(getattr(product(house, "0004"), "accounts", ())))
        items.enter("0005", "Another lamp", barcode="501")
        wrong = {CaseCode.ITEM_UNUSABLE, CaseCode.ITEM_CODES_COLLIDE, CaseCode.ITEM_BARCODE_TAKEN}
        await house.until(lambda: open_cases(house) == wrong)
        cases = [case for case in cases_of(house.log) if case.open]
        assert sorted(case.order for case in cases if case.code is CaseCode.ITEM_UNUSABLE) == [
            "item:0001-A ",
            "item:0002",
            "item:00" + "8" * 60,
        ]
        (twice,) = (case for case in cases if case.code is CaseCode.ITEM_BARCODE_TAKEN)
        assert (twice.order, "0004" in twice.detail) == ("item:0005", True)
        assert [code for code in ("0001-A", "0002", "0003", "0005") if product(house, code)] == []

        items.change("0005", barcode="502")
        items.change("0002", description="Cup")
        await house.until(lambda: bool(product(house, "0005")) and bool(product(house, "0002")))
        await house.until(lambda: CaseCode.ITEM_BARCODE_TAKEN not in open_cases(house))

    play(story, RULES)


def test_a_lost_answer_makes_one_product_and_a_worker_that_dies_forgets_nothing() -> None:
    async def story(house: House) -> None:
        faults = house.outside.clarus_faults
        faults.force("create_product", Fault.ANSWER_LOST)
        faults.force("assign_product", Fault.LATE_EXECUTION, seconds=3.0)
        master(house).enter("0006", "Bowl")
        await house.until(lambda: product(house, "0006") is not None)
        await house.kill("items")
        await house.clock.sleep(5)
        house.start("items")
        await house.until(lambda: any(state.product and state.product.ours for state in house.items().values()))
        same = [one for one in house.outside.clarus.master.products.values() if one.code == "0006"]
        assert len(same) == 1
        await house.until(lambda: all(not state.since for state in house.items().values()))

    play(story, RULES)


def test_switched_off_nothing_is_read_and_observing_nothing_is_written() -> None:
    async def story(house: House) -> None:
        master(house).enter("0007-X", "Spoon")
        await house.until(lambda: any(state.would_send for state in house.items().values()))
        (state,) = (one for one in house.items().values() if one.code == "0007-X")
        assert state.would_send == ("product 0007-X: Spoon",)
        await house.clock.sleep(120)
        assert product(house, "0007-X") is None
        assert not open_cases(house)

    async def off(house: House) -> None:
        master(house).enter("0007-X", "Spoon")
        await house.clock.sleep(120)
        assert not house.items()

    play(story, RULES.model_copy(update={"mode": "observe"}))
    play(off, ItemRules())
