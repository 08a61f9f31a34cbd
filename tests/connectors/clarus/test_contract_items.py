"""The contract goes on: items, which are products made and changed after a look."""

from typing import Any

import orjson
import pytest

from connectors.clarus.translate_items import translate_product
from connectors.runtime.errors import Blind
from schemas.aggregates import item_id
from schemas.base import OrderId, Sku
from schemas.errors import Unreadable
from schemas.items import Product
from schemas.outcomes import OutcomeKind
from tests.connectors.clarus.commands import ACME, BOWL, KETTLE, LAMP, RUG, amend, make
from tests.connectors.clarus.conftest import Tell
from tests.connectors.clarus.sides import Clarus

CREATE = "POST /api/products"
NO_BARCODE: dict[str, Any] = {"barcode": ""}


async def product(clarus: Clarus, code: str) -> Product | None:
    (reading,) = await clarus.port.read(ACME, [item_id(Sku(code))])
    assert reading.complete
    return None if reading.absent else translate_product(reading.body)


def test_products_are_read_by_their_very_code(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        keys = [item_id(Sku(code)) for code in (LAMP, KETTLE, "42-LAMP")]
        lamp, kettle, none = await clarus.port.read(ACME, [*keys])
        assert (none.absent, none.complete, none.body) == (True, True, b"")
        shown = translate_product(lamp.body)
        assert shown is not None
        assert (shown.id, shown.code, shown.description, shown.ours) == ("20001", LAMP, f"Product {LAMP}", True)
        theirs = translate_product(kettle.body)
        assert theirs is not None
        assert (theirs.ours, theirs.shared) == (False, True)

    tell("nothing", story)


def test_where_stock_lies_is_what_has_units_free() -> None:
    node = {"id": "20001", "code": LAMP}

    def balance(warehouse: str, available: float | None) -> dict[str, Any]:
        return {"id": warehouse, "warehouse": {"code": warehouse}, "available": available}

    def stocked(**balances: Any) -> tuple[bool, tuple[str, ...]]:
        body = {"account": "ACME", "products": [node], "assigned": [], **balances}
        shown = translate_product(orjson.dumps(body))
        assert shown is not None
        return shown.stock_read, shown.stocked_in

    assert stocked() == (False, ())
    lists = [balance("MAN1", 3.0), balance("LDS1", 1), balance("OLD", 0), balance("HELD", None), balance("OVER", -2.0)]
    assert stocked(balances=lists) == (True, ("LDS1", "MAN1"))
    with pytest.raises(Unreadable, match="balances"):
        stocked(balances=[{"id": "1"}])


def test_an_uncoded_item_is_not_in_clarus(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        (reading,) = await clarus.port.read(ACME, [OrderId("uncoded-item:31")])
        assert reading.absent

    tell("nothing", story)


def test_a_product_is_made_with_all_that_was_decided_and_assigned(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(make())
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.APPLIED, "20004")
        assert clarus.network.names()[0] == "Items products", "it looks first"
        first, second = (one for one in clarus.network.asked if one["path"].startswith("/api/"))
        assert first["body"]["data"] == {
            "type": "products",
            "attributes": {
                "code": BOWL,
                "description": "Bowl, blue",
                "barcode": "0501",
                "stock_unit_type_id": 1,
                "external_system_reference1": "erp-item:31",
            },
        }
        assert second["path"] == "/api/products/20004/account_products"
        assert second["body"]["data"] == {"type": "account_products", "attributes": {"account_id": 31}}
        (reading,) = execution.readings
        made = translate_product(reading.body)
        assert made is not None
        assert (made.ours, made.description, made.barcode) == (True, "Bowl, blue", "0501")

    tell("nothing", story)


def test_a_product_that_is_there_is_not_made_again(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(make(LAMP))
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.ALREADY_APPLIED, "20001")
        assert clarus.network.writes() == []

    tell("nothing", story)


def test_a_code_of_another_account_is_refused(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(make(KETTLE))
        assert (execution.outcome.kind, execution.outcome.code) == (OutcomeKind.REJECTED, "code_taken")
        assert clarus.network.writes() == []

    tell("nothing", story)


def test_a_product_of_ours_that_was_cut_short_is_assigned(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(make(**NO_BARCODE))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        assert clarus.network.writes() == [f"POST /api/products/{execution.outcome.external_id}/account_products"]
        found = await product(clarus, BOWL)
        assert found is not None
        assert found.ours

    tell("cut_short", story)


def test_a_lost_answer_to_a_product_is_waited_out_and_the_next_try_goes_on(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        first = await clarus.port.execute(make(**NO_BARCODE))
        assert (first.outcome.kind, first.outcome.code) == (OutcomeKind.DELAYED, "unclear")
        assert clarus.seconds() >= 30, "longer than Clarus may go on with it"
        second = await clarus.port.execute(make(**NO_BARCODE))
        assert second.outcome.kind is OutcomeKind.APPLIED
        assert [name for name in clarus.network.writes() if name == CREATE] == [CREATE]

    tell("product_answer_lost", story)


def test_a_product_somebody_made_meanwhile_is_found(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        clarus.network.before = lambda name: clarus.move("made") if name == CREATE else None
        execution = await clarus.port.execute(make(**NO_BARCODE))
        assert execution.outcome.kind is OutcomeKind.ALREADY_APPLIED

    tell("product_made_meanwhile", story)


def test_a_barcode_of_another_product_of_the_account_is_refused(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        for command in (make(), amend(barcode="0501")):
            execution = await clarus.port.execute(command)
            outcome = execution.outcome
            assert (outcome.kind, outcome.code, outcome.field) == (OutcomeKind.REJECTED, "barcode_taken", "barcode")
            assert RUG in outcome.text
            assert KETTLE not in outcome.text, "another account may sell the same goods"
        assert clarus.network.writes() == []

    tell("barcode_of_the_rug", story)


def test_an_unknown_stock_unit_is_named(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(make(stock_unit="PALLET", **NO_BARCODE))).outcome
        assert (outcome.kind, outcome.code, outcome.text) == (OutcomeKind.REJECTED, "unknown_stock_unit", "PALLET")

    tell("nothing", story)


def test_a_product_is_amended_in_what_changes_alone(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(amend())).outcome
        assert (outcome.kind, outcome.external_id) == (OutcomeKind.APPLIED, "20001")
        assert clarus.network.writes() == ["PATCH /api/products/20001"]
        body = clarus.network.written()
        assert body == {"data": {"type": "products", "id": 20001, "attributes": {"description": "Lamp, brass"}}}
        again = (await clarus.port.execute(amend())).outcome
        assert again.kind is OutcomeKind.ALREADY_APPLIED

    tell("nothing", story)


def test_a_product_that_serves_another_account_is_not_amended(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(amend())).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "shared_product")
        assert clarus.network.writes() == []

    tell("lamp_shared", story)


def test_another_product_under_the_code_is_not_amended(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(amend(product="29999"))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "not_found")

    tell("nothing", story)


def test_without_rights_no_product_is_taken_for_absent(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        (reading,) = await clarus.port.read(ACME, [item_id(Sku(LAMP))])
        assert (reading.absent, reading.complete) == (True, False)
        with pytest.raises(Blind):
            await clarus.port.execute(make())
        assert clarus.network.writes() == []

    tell("no_rights", story)
