"""The contract goes on: creating, and the codes that become ids."""

import pytest

from connectors.runtime.errors import RateLimited
from schemas.base import OrderId
from schemas.outcomes import OutcomeKind
from tests.connectors.clarus.commands import KETTLE, LAMP, RUG, create, reference, units
from tests.connectors.clarus.conftest import Tell
from tests.connectors.clarus.sides import Clarus

CREATE = "POST /api/goods_outs"
MASTER_DATA = {"Carriers", "Products"}


def test_a_goods_out_is_created_with_all_that_was_decided(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(create(units("1", LAMP, 2), units("2", RUG, 1, "RUG-RED")))
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        (reading,) = execution.readings
        assert b"ACME-5012-71-1" in reading.body
        assert clarus.network.names()[0] == "Look goods_outs", "it looks first"
        data = clarus.network.written()["data"]
        lines = data["attributes"].pop("lines_changes")
        assert data["attributes"] == {
            "goods_out_type": "sales_order",
            "account_id": 31,
            "warehouse_id": 401,
            "reference": "ACME-5012-71-1",
            "expected_date_of_dispatch": "2026-11-06T12:00:00+00:00",
            "carrier_id": 902,
            "carrier_service_id": 4402,
            "priority": 20,
            "external_system_reference1": "gid://shopify/Order/5012",
            "external_system_reference2": "gid://shopify/FulfillmentOrder/71",
            "external_system_reference3": "#1042",
            "packing_notes": "Ring twice",
        }
        assert lines[1] == {
            "type": "ADD",
            "attributes": {
                "product_id": 20002,
                "order_quantity": 1,
                "alt_line_number": "2",
                "alt_product_code": "RUG-RED",
                "external_system_reference1": "gid://shopify/LineItem/2",
            },
        }
        assert data["relationships"]["address"]["data"] == {
            "type": "addresses",
            "attributes": {
                "name": "Ida Marlow",
                "address_1": "4 Kiln Row",
                "address_2": "Flat 2",
                "address_3": "Leeds",
                "address_4": "West Yorkshire",
                "postcode": "LS1 4AB",
                "country_code": "GB",
                "email_address": "ida.marlow@example.test",
                "phone_number": "+441130000000",
            },
        }

    tell("nothing", story)


def test_one_that_is_there_is_not_created_again(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(create())
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.ALREADY_APPLIED, "90001")
        assert b"ACME-5012-71-1" in execution.readings[0].body
        assert clarus.network.writes() == []

    tell("already_there", story)


def test_a_goods_out_nobody_knew_of_refuses_the_create(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(create())
        outcome = execution.outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "unknown_goods_out")
        assert (outcome.field, outcome.text) == ("reference", "ACME-5012-71-2")
        assert b"ACME-5012-71-2" in execution.readings[0].body
        assert clarus.network.writes() == []

    tell("unknown_goods_out", story)


def test_one_the_decision_knew_of_does_not(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        known = (reference(generation=2),)
        execution = await clarus.port.execute(create(generation=3, known_goods_outs=known))
        assert execution.outcome.kind is OutcomeKind.APPLIED

    tell("unknown_goods_out", story)


def test_a_lost_answer_is_waited_out_and_looked_for(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(create())
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        assert clarus.network.writes() == [CREATE]
        assert clarus.seconds() > 30
        assert b"ACME-5012-71-1" in execution.readings[0].body

    tell("create_answer_lost", story)


def test_an_unclear_answer_to_what_was_not_done_is_left_to_the_next_try(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(create())
        outcome = execution.outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unclear")
        assert outcome.until is not None
        assert outcome.until > clarus.clock.now()
        assert clarus.network.writes() == [CREATE]
        assert (await clarus.port.execute(create())).outcome.kind is OutcomeKind.APPLIED

    tell("create_not_done", story)


def test_a_throttled_create_has_done_nothing(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        with pytest.raises(RateLimited) as caught:
            await clarus.port.execute(create())
        assert caught.value.retry_after == 1
        assert clarus.network.writes() == [CREATE]

    tell("create_throttled", story)


def test_what_clarus_refuses_is_told_by_code_and_field(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(create(units("1", LAMP, 1, "X" * 51)))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "too_long")
        assert outcome.field.endswith("alt_product_code")
        assert clarus.network.writes() == [CREATE]

    tell("nothing", story)


def test_ids_that_clarus_refuses_are_resolved_anew_once(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(create(units("1", KETTLE, 1)))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "invalid_ids_provided")
        assert outcome.field == "product_id"
        assert clarus.network.writes() == [CREATE]
        assert clarus.network.names().count("Products") == 2

    tell("product_of_another", story)


def test_unknown_skus_are_all_named(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (
            await clarus.port.execute(create(units("1", "42-LAMP", 1), units("2", LAMP, 1), units("3", "X", 1)))
        ).outcome
        assert (outcome.kind, outcome.code, outcome.field) == (OutcomeKind.REJECTED, "unknown_sku", "sku")
        assert outcome.text == "42-LAMP, X"
        assert clarus.network.writes() == []

    tell("nothing", story)


def test_an_unknown_carrier_is_named(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(create(carrier="PIGEON"))).outcome
        assert (outcome.code, outcome.field, outcome.text) == ("unknown_carrier", "carrier", "PIGEON")
        assert clarus.network.writes() == []

    tell("nothing", story)


def test_a_service_of_another_carrier_is_unknown(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(create(service="TRACKED48"))).outcome
        assert (outcome.code, outcome.field, outcome.text) == ("unknown_service", "carrier_service", "DPD/TRACKED48")
        assert clarus.network.writes() == []

    tell("nothing", story)


def test_a_warehouse_we_do_not_see_is_unknown(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(create(warehouse="LDS9"))).outcome
        assert (outcome.code, outcome.field, outcome.text) == ("unknown_warehouse", "warehouse", "LDS9")

    tell("nothing", story)


def test_ids_are_remembered(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        await clarus.port.execute(create())
        first = len(clarus.network.asked)
        await clarus.port.execute(create(order=OrderId("5013")))
        assert not MASTER_DATA & set(clarus.network.names()[first - 1 :])

    tell("nothing", story)


def test_ids_are_asked_again_after_a_while(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        await clarus.port.execute(create())
        await clarus.clock.sleep(600)
        await clarus.port.execute(create(order=OrderId("5013")))
        assert clarus.network.names().count("Products") == 2
        assert clarus.network.names().count("Carriers") == 2

    tell("nothing", story)
