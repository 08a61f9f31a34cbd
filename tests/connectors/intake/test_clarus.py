"""Clarus' automations: a token in the address is all that tells friend from foe, and only hints come of them."""

from typing import Any

import pytest

from schemas.base import System
from tests.connectors.intake.door import Door, at_the_door

OURS = {"id": 330912, "reference": "ACME-5012-73-1", "status": "Completed"}


@pytest.mark.parametrize("token", ["k7-path-toke", "k7-path-token-", "K7-PATH-TOKEN", "%C3%BC", "x" * 3000])
def test_a_wrong_token_is_refused_before_the_body_is_looked_at(token: str) -> None:
    async def story(door: Door) -> None:
        answer = await door.clarus(OURS, token=token)

        assert answer.status_code == 401
        assert (door.written(), door.refused("token")) == (0, 1)

    at_the_door(story)


@pytest.mark.parametrize(("subdomain", "status"), [("bella", 404), ("acme", 200), (None, 200)])
def test_an_automation_of_another_tenant_is_refused(subdomain: str | None, status: int) -> None:
    async def story(door: Door) -> None:
        answer = await door.clarus(OURS, subdomain=subdomain)

        assert answer.status_code == status
        assert (door.written(), door.refused("another_tenant")) == ((1, 0) if status == 200 else (0, 1))

    at_the_door(story)


@pytest.mark.parametrize(
    ("body", "order"),
    [
        pytest.param(OURS, "5012", id="the bare record"),
        pytest.param({"data": OURS}, "5012", id="in an envelope"),
        pytest.param({"data": {**OURS, "id": "330912"}}, "5012", id="its id as text"),
        pytest.param({"data": {"id": 330912, "reference": "WHOLESALE-7"}}, "~goods_out/330912", id="another channel's"),
        pytest.param(
            {"id": 330912, "reference": "BELLA-5012-73-1"}, "~goods_out/330912", id="shaped like ours, another brand's"
        ),
        pytest.param({"id": "330912", "reference": None}, "~goods_out/330912", id="without a reference"),
        pytest.param({"data": [], "id": 330912}, "~goods_out/330912", id="an envelope that is none"),
    ],
)
def test_a_record_becomes_a_hint_for_its_order_or_for_itself(body: dict[str, Any], order: str) -> None:
    async def story(door: Door) -> None:
        assert (await door.clarus(body)).status_code == 200

        ((key, hint),) = door.hints(System.CLARUS)
        assert (key, hint.order, hint.why) == (f"acme/{order}", order, "automation")
        assert hint.trace

    at_the_door(story)


def test_while_the_brand_is_not_configured_no_reference_is_taken_for_ours() -> None:
    async def story(door: Door) -> None:
        door.prefix = None
        assert (await door.clarus(OURS)).status_code == 200

        assert [key for key, _ in door.hints(System.CLARUS)] == ["acme/~goods_out/330912"]

    at_the_door(story)


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, {"id": "x"}, {"id": -3}, {"id": "٣"}, {"data": {"reference": "ACME-"}}]
)
def test_a_record_without_an_id_is_refused(body: dict[str, Any]) -> None:
    async def story(door: Door) -> None:
        assert (await door.clarus(body)).status_code == 400
        assert (door.written(), door.refused("no_order")) == (0, 1)

    at_the_door(story)


@pytest.mark.parametrize("event", ["/goods_out.completed", "/goods_out/cancelled", "/anything", ""])
def test_what_follows_the_token_may_name_the_automation(event: str) -> None:
    async def story(door: Door) -> None:
        assert (await door.clarus(OURS, event=event)).status_code == 200
        assert door.written() == 1

    at_the_door(story)


@pytest.mark.parametrize("event", ["/stock.received", "/stock_balance.updated", "/stock_balance"])
def test_an_automation_about_stock_names_warehouse_and_product(event: str) -> None:
    async def story(door: Door) -> None:
        record = {"id": 7, "warehouse": {"id": 401, "code": "LDS1"}, "product": {"id": 20001, "code": "0042-A"}}
        assert (await door.clarus({"data": record}, event=event)).status_code == 200
        ((key, hint),) = door.hints(System.CLARUS)
        assert (key, hint.order, hint.why) == ("acme/~balance/LDS1/0042-A", "~balance/LDS1/0042-A", "automation")

    at_the_door(story)


def test_an_automation_about_stock_that_names_none_is_refused() -> None:
    async def story(door: Door) -> None:
        answer = await door.clarus({"data": {"id": 7}}, event="/stock_balance.updated")
        assert (answer.status_code, door.written()) == (400, 0)
        assert "codes of warehouse and product" in answer.text

    at_the_door(story)


@pytest.mark.parametrize("event", ["/goods_in/completed", "/load_drop.dispatched"])
def test_an_automation_about_something_else_is_answered_and_left_alone(event: str) -> None:
    """Its `id` is no goods-out's: looked up as one it would name a stranger's order."""

    async def story(door: Door) -> None:
        assert (await door.clarus({"data": {"id": 330912}}, event=event)).status_code == 200
        assert door.written() == 0

    at_the_door(story)
