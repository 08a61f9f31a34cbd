"""Shopify's orders in our terms: recorded ones, and ones that are not what they should be."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.shopify.translate import translate_order
from schemas.base import Money, Units
from schemas.errors import Unreadable
from schemas.orders import (
    Address,
    FinancialStatus,
    Fulfilment,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    NoteAttribute,
    OrderLine,
    Personal,
    RiskAdvice,
    ShippingLine,
)
from tests.connectors.shopify.shops import order_body, order_node


def test_plain_order() -> None:
    order = translate_order(order_body("plain_order"))
    assert (order.id, order.name, order.test, order.tags) == ("6120034455667", "#1042", False, ("vip", "wholesale"))
    assert order.created_at == datetime(2026, 11, 3, 9, 14, 7, tzinfo=UTC)
    assert order.financial_status is FinancialStatus.PAID
    assert order.total == Money(amount=Decimal("57.95"), currency="GBP")
    assert order.lines[1] == OrderLine(
        id="15900011122234",
        sku="0042-A",
        quantity=1,
        current_quantity=1,
        unit_price=Money(amount=Decimal("0.0"), currency="GBP"),
    )
    assert order.shipping_lines == (ShippingLine(title="Next day", code="next-day"),)
    (routed,) = order.fulfilment_orders
    assert (routed.status, routed.location, routed.location_name) == (FulfilmentOrderStatus.OPEN, "70011", "Leeds")
    assert (routed.can_fulfil, routed.method, routed.holds) == (True, "SHIPPING", ())
    assert routed.lines[0] == FulfilmentOrderLine(
        id="18200112233", line="15900011122233", sku="MUG-BLUE", total=2, remaining=2
    )
    assert order.personal == Personal(
        ship_to=Address(
            name="Ida Marlow",
            line1="4 Kiln Row",
            line2="Flat 2",
            city="Leeds",
            region="England",
            postcode="LS1 1AA",
            country_code="GB",
            phone="+441130000000",
            email="ida@example.com",
        ),
        note="Ring the bell twice",
        attributes=(NoteAttribute(name="gift_message", value="Happy birthday"),),
    )
    assert (order.risk, order.weight) == (RiskAdvice.NONE, 750)


def test_a_body_of_before_risk_weight_and_attributes_were_asked_for_can_be_read() -> None:
    node = order_node("plain_order")
    for name in ("risk", "currentTotalWeight", "customAttributes"):
        del node[name]
    order = translate_order(orjson.dumps(node))
    assert (order.risk, order.weight, order.personal.attributes) == (RiskAdvice.NONE, 0, ())


def test_a_shipping_line_that_was_removed_is_not_how_it_is_sent() -> None:
    node = order_node("plain_order")
    (line,) = node["shippingLines"]["nodes"]
    node["shippingLines"]["nodes"] = [{**line, "title": "Standard", "isRemoved": True}, line]
    assert translate_order(orjson.dumps(node)).shipping_lines == (ShippingLine(title="Next day", code="next-day"),)


def test_advice_we_do_not_know_is_not_taken_for_good() -> None:
    node = order_node("plain_order") | {"risk": {"recommendation": "ASK_AN_ORACLE"}}
    assert translate_order(orjson.dumps(node)).risk is RiskAdvice.OTHER


def test_two_locations_one_held() -> None:
    order = translate_order(order_body("two_locations"))
    leeds, manchester, closed_shop = order.fulfilment_orders
    assert (leeds.location, leeds.can_fulfil) == ("70011", True)
    assert (manchester.status, manchester.holds) == (FulfilmentOrderStatus.ON_HOLD, ("HIGH_RISK_OF_FRAUD",))
    assert not manchester.can_fulfil
    assert manchester.lines[1].sku == "", "a custom line has no SKU"
    assert (closed_shop.location, closed_shop.method) == ("", "SHIPPING"), "a deleted location, no delivery method"
    assert [line.requires_shipping for line in order.lines] == [True, False, True]


def test_partly_fulfilled() -> None:
    order = translate_order(order_body("partly_fulfilled"))
    cancelled, told = order.fulfilments
    assert cancelled.cancelled
    assert cancelled.location is None, "it was deleted"
    assert told == Fulfilment(
        id="4400112402",
        name="#1044-F2",
        location="70011",
        company="DPD UK",
        tracking_numbers=("15501234567891", "15501234567892"),
        lines=(Units(line="15900011124001", quantity=1), Units(line="15900011124002", quantity=1)),
    )
    assert order.lines[0].quantity == 3
    assert order.lines[0].current_quantity == 2


def test_cancelled() -> None:
    order = translate_order(order_body("cancelled"))
    assert order.cancelled_at == datetime(2026, 11, 3, 10, tzinfo=UTC)
    assert [one.status for one in order.fulfilment_orders] == [FulfilmentOrderStatus.CLOSED]


def test_nothing_that_may_be_null_is_missed() -> None:
    order = translate_order(order_body("without_address"))
    assert order.personal == Personal()
    assert order.financial_status is FinancialStatus.OTHER
    assert order.shipping_lines == ()


def changed(change: Callable[[dict[str, Any]], None]) -> bytes:
    node = order_node("plain_order")
    change(node)
    return orjson.dumps(node)


def test_words_shopify_invents_later_are_other() -> None:
    def invent(node: dict[str, Any]) -> None:
        node["displayFinancialStatus"] = "PAID_IN_SHELLS"
        node["fulfillmentOrders"]["nodes"][0]["status"] = "ASLEEP"

    order = translate_order(changed(invent))
    assert order.financial_status is FinancialStatus.OTHER
    assert order.fulfilment_orders[0].status is FulfilmentOrderStatus.OTHER


def test_times_of_the_shops_zone_become_utc_and_big_ids_stay_whole() -> None:
    def move(node: dict[str, Any]) -> None:
        node["updatedAt"] = "2026-11-03T11:14:20+02:00"
        node["lineItems"]["nodes"][0]["id"] = "gid://shopify/LineItem/9223372036854775809?x=1"

    order = translate_order(changed(move))
    assert order.updated_at == datetime(2026, 11, 3, 9, 14, 20, tzinfo=UTC)
    assert order.lines[0].id == "9223372036854775809"


@dataclass(frozen=True)
class Wrong:
    where: str
    change: Callable[[dict[str, Any]], Any]
    expected: str
    found: str


def line(node: dict[str, Any]) -> dict[str, Any]:
    first: dict[str, Any] = node["lineItems"]["nodes"][0]
    return first


WRONG = (
    Wrong("order.name", lambda node: node.pop("name"), "text", "nothing"),
    Wrong("order.lineItems.nodes[0].quantity", lambda n: line(n).update(quantity=True), "a whole number", "bool"),
    Wrong("order.lineItems.nodes[0].quantity", lambda n: line(n).update(quantity=1.5), "a whole number", "float"),
    Wrong("order.lineItems.nodes[0].sku", lambda n: line(n).update(sku=42), "text", "int"),
    Wrong("order.updatedAt", lambda n: n.update(updatedAt="2026-11-03T09:14:20"), "zone", "2026-11-03T09:14:20"),
    Wrong("order.createdAt", lambda n: n.update(createdAt="yesterday"), "ISO 8601", "yesterday"),
    Wrong("order.id", lambda n: n.update(id="gid://shopify/Customer/1"), "gid://shopify/Order/NUMBER", "Customer"),
    Wrong("order.tags[1]", lambda n: n.update(tags=["a", None]), "text", "null"),
    Wrong(
        "order.lineItems",
        lambda n: n["lineItems"].update(pageInfo={"hasNextPage": True, "endCursor": "c"}),
        "all pages joined",
        "one page",
    ),
    Wrong(
        "order.currentTotalPriceSet.shopMoney.amount",
        lambda n: n["currentTotalPriceSet"]["shopMoney"].update(amount="many"),
        "a decimal",
        "many",
    ),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.where} {wrong.found}")
def test_what_is_wrong_is_named(wrong: Wrong) -> None:
    with pytest.raises(Unreadable) as caught:
        translate_order(changed(wrong.change))
    assert caught.value.where == wrong.where
    assert wrong.expected in caught.value.expected
    assert wrong.found in caught.value.found


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"id": 1}'])
def test_no_order_at_all(body: bytes) -> None:
    with pytest.raises(Unreadable):
        translate_order(body)
