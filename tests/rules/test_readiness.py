"""Before the warehouse: held with every reason at once, or released. Each test is a complaint of the field."""

from datetime import timedelta

import pytest

from schemas.base import Sku, System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut, UpsertErpOrder
from schemas.mapping import ShippingRule
from schemas.orders import Address, FinancialStatus, FulfilmentOrderStatus, RiskAdvice
from schemas.outcomes import OutcomeKind
from tests.builders import LEEDS, NOON, OrderBuilder, a_brand, a_goods_out, an_order
from tests.story import Story

MUG = an_order().with_line("MUG", 1)
MIXED = an_order().with_line("MUG", 2).with_line("HAT", 1)


def held_by(story: Story) -> dict[str, str]:
    """After the brand's period: the open cases and what each names."""
    story.later(hours=2)
    return {case.code: case.detail for case in story.state.cases}


def test_every_reason_is_named_at_once() -> None:
    """Complaint: mend one thing, and the next one comes up a day later."""
    order = (
        an_order().with_line("").with_line("MUG").shipping_to(LEEDS.model_copy(update={"phone": "", "postcode": "LS1"}))
    )
    story = Story().shopify(
        order.sent_by("Carrier pigeon", "pigeon").paid(FinancialStatus.PENDING).routed("71", to="99")
    )
    assert story.commands == []
    assert held_by(story) == {
        CaseCode.ADDRESS_INCOMPLETE: "lacks phone, a postcode as GB writes them",
        CaseCode.PAYMENT_NOT_MET: "payment is PENDING",
        CaseCode.SKU_MISSING: "line 901",
        CaseCode.UNMAPPED_LOCATION: "'Location 99' (location 99)",
        CaseCode.UNMAPPED_SHIPPING_LINE: "'Carrier pigeon' (code 'pigeon')",
    }


def test_two_places_nobody_mapped_are_both_named() -> None:
    story = Story().shopify(MIXED.routed("71", to="98", L901=2).routed("72", to="99", L902=1))
    assert held_by(story) == {CaseCode.UNMAPPED_LOCATION: "'Location 98' (location 98); 'Location 99' (location 99)"}


def test_nothing_personal_is_in_a_case() -> None:
    secret = Address(name="Ida Marlow", line1="4 Kiln Row", city="Leeds", postcode="4711", country_code="GB")
    story = Story().shopify(MUG.shipping_to(secret).routed("71"))
    held_by(story)
    said = " ".join(case.model_dump_json() for case in story.state.cases)
    assert said
    assert not any(word in said for word in ("Ida", "Marlow", "Kiln", "Leeds", "4711"))


def test_accepted_and_paid_without_an_address() -> None:
    """Complaint: the order is paid, nobody has its address, and nobody is told."""
    story = Story().shopify(MUG.shipping_to(None).routed("71"))
    assert story.commands == []
    assert held_by(story) == {CaseCode.ADDRESS_INCOMPLETE: "lacks delivery address"}
    story.shopify(MUG.routed("71"))
    assert story.one(CreateGoodsOut).ship_to == LEEDS
    assert story.open_cases == set()


def test_an_unmapped_shipping_line_is_named_for_every_order_it_strands() -> None:
    """Complaint: an unmapped shipping line strands orders, and nobody knows which."""
    story = Story()
    for number in ("5012", "5013"):
        stranded = an_order(number).with_line("MUG").sent_by("Carrier pigeon", "pigeon").routed(f"7{number}")
        story.about(number).shopify(stranded)
    cases = [case for case in story.cases.values() if case.open]
    assert [(case.order, case.code) for case in cases] == [
        ("5012", CaseCode.UNMAPPED_SHIPPING_LINE),
        ("5013", CaseCode.UNMAPPED_SHIPPING_LINE),
    ]
    assert {case.detail for case in cases} == {"'Carrier pigeon' (code 'pigeon')"}


def test_one_bad_order_does_not_stop_the_rest() -> None:
    story = Story().shopify(an_order().with_line("").shipping_to(None).routed("71"))
    story.about("5013").shopify(an_order("5013").with_line("MUG").routed("73"))
    assert [create.order for create in story.sent(CreateGoodsOut)] == ["5013"]


def test_an_event_before_its_order() -> None:
    """Complaint: the warehouse's news came first and was lost. It is kept, and the order is read."""
    story = Story().clarus(a_goods_out("ACME-5012-71-1").with_line("901", "MUG"))
    story.shopify(MUG.routed("71"))
    assert story.sent(CreateGoodsOut) == [], "it is in the warehouse already"


def test_an_update_before_the_create() -> None:
    """What the webhooks said does not matter: the first snapshot is the whole order, with the update in it."""
    updated = MUG.shipping_to(LEEDS.model_copy(update={"line1": "9 Mill Lane"})).routed("71")
    story = Story().shopify(updated).appended_twice()
    assert story.one(CreateGoodsOut).ship_to.line1 == "9 Mill Lane"


def test_the_same_webhook_several_times_at_one_instant() -> None:
    story = Story()
    for _ in range(4):
        story.shopify(MUG.routed("71"))
    story.again(3)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert len(story.sent(UpsertErpOrder)) == 1


@pytest.mark.parametrize("advice", [RiskAdvice.CANCEL, RiskAdvice.INVESTIGATE])
def test_what_shopify_advises_against_waits_until_somebody_looked(advice: RiskAdvice) -> None:
    story = Story().shopify(MUG.advised(advice).routed("71"))
    assert story.commands == []
    assert held_by(story) == {CaseCode.RISK_NOT_CLEARED: f"Shopify advises {advice}"}
    story.shopify(MUG.advised(RiskAdvice.ACCEPT).routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 1
    assert story.open_cases == set()


def test_a_brand_says_which_advice_it_follows() -> None:
    story = (
        Story().configured(risk_holds=(RiskAdvice.CANCEL,)).shopify(MUG.advised(RiskAdvice.INVESTIGATE).routed("71"))
    )
    assert len(story.sent(CreateGoodsOut)) == 1


def test_a_fraud_hold_is_named_and_waits() -> None:
    story = Story().shopify(MUG.routed("71").on_hold("71", "HIGH_RISK_OF_FRAUD"))
    assert held_by(story) == {CaseCode.FULFILMENT_HOLD: "HIGH_RISK_OF_FRAUD"}
    story.shopify(MUG.routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 1


# --- scheduled


def test_a_date_ahead_keeps_an_open_fulfilment_order_back_and_lets_it_go_by_itself() -> None:
    ahead = MUG.routed("71").fulfilment_order("71", fulfil_at=NOON + timedelta(days=3))
    story = Story().shopify(ahead).later(days=2)
    assert story.commands == []
    assert story.open_cases == set()
    story.later(days=1, minutes=1)
    assert len(story.sent(CreateGoodsOut)) == 1, "time has come, and no message was needed"


def test_a_pre_order_without_a_date_is_a_case_only_after_the_brands_patience() -> None:
    ahead = MUG.routed("71").fulfilment_order("71", status=FulfilmentOrderStatus.SCHEDULED)
    story = Story().shopify(ahead).later(days=29)
    assert story.open_cases == set()
    story.later(days=2)
    assert story.open_cases == {CaseCode.SCHEDULED}


def test_what_is_in_stock_goes_before_the_pre_order() -> None:
    order = MIXED.routed("71", L901=2).routed("72", L902=1)
    story = Story().shopify(order.fulfilment_order("72", status=FulfilmentOrderStatus.SCHEDULED))
    assert story.quantities == [{"901": 2}]


# --- delivery methods


@pytest.mark.parametrize("method", ["PICK_UP", "LOCAL", "RETAIL", "NONE"])
def test_mixed_delivery_methods(method: str) -> None:
    """Complaint: goods that the shopper fetches were sent too. Only the shipping part goes, and nobody is asked."""
    story = Story().shopify(MIXED.routed("71", L901=2).routed("72", L902=1).fulfilment_order("72", method=method))
    assert story.quantities == [{"901": 2}]
    story.applied(story.one(CreateGoodsOut))
    story.later(hours=6)
    assert story.open_cases == {CaseCode.ERP_NOT_COMMITTED}, "the ERP has not answered in this story"


def test_an_order_that_is_only_fetched_needs_no_address() -> None:
    story = Story().shopify(MUG.shipping_to(None).routed("71").fulfilment_order("71", method="PICK_UP"))
    story.later(days=1)
    assert (story.commands, story.open_cases) == ([], set())


def test_what_a_store_sends_by_itself_neither_reaches_the_warehouse_nor_holds_the_rest() -> None:
    """Complaint: each order that a store packed became a case, and nobody could say that it was none."""
    story = Story(a_brand(elsewhere=("99",))).shopify(MIXED.routed("71", L901=2).routed("72", to="99", L902=1))
    assert story.quantities == [{"901": 2}]
    story.applied(story.one(CreateGoodsOut))
    story.later(hours=6)
    assert story.open_cases == {CaseCode.ERP_NOT_COMMITTED}, "the ERP has not answered in this story"


def test_what_a_store_has_sent_of_a_line_that_the_warehouse_has_too_is_not_done_by_hand() -> None:
    """One of two units from each. Whoever sends it there tells the shopper there."""
    one_each = an_order().with_line("MUG", 2).routed("71", L901=1).routed("72", to="99", L901=1)
    story = Story(a_brand(elsewhere=("99",))).shopify(one_each)
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out("ACME-5012-71-1").with_line("901", "MUG", 1).picking())
    sent = one_each.fulfilled("801", of="72", L901=1)
    assert story.shopify(sent).open_cases == set()
    assert story.configured(elsewhere=()).later(minutes=2).open_cases == {CaseCode.FULFILLED_BY_HAND}


def test_what_only_a_store_sends_is_left_alone_until_it_is_moved_to_the_warehouse() -> None:
    story = Story(a_brand(elsewhere=("99",))).shopify(MUG.routed("71", to="99"))
    story.later(days=1)
    assert (story.commands, story.open_cases) == ([], set())
    story.shopify(MUG.routed("71", to="99").closed("71").routed("72"))
    assert story.quantities == [{"901": 1}]


def test_a_store_that_is_named_later_ends_the_hold() -> None:
    story = Story().shopify(MUG.routed("71", to="99"))
    assert held_by(story) == {CaseCode.UNMAPPED_LOCATION: "'Location 99' (location 99)"}
    story.configured(elsewhere=("99",)).later(minutes=2)
    assert (story.commands, story.open_cases) == ([], set())


def test_a_method_that_nobody_serves_is_a_case_and_not_a_silence() -> None:
    story = Story().shopify(
        MIXED.routed("71", L901=2).routed("72", L902=1).fulfilment_order("72", method="PICKUP_POINT")
    )
    assert story.quantities == [{"901": 2}]
    assert story.open_cases == {CaseCode.METHOD_NOT_SERVED}


# --- lines


def test_a_deleted_products_line_is_not_dropped() -> None:
    """Complaint: the line's product was deleted, its SKU with it, and the rest was sent without a word."""
    order = an_order().with_line("MUG").with_line("")
    story = Story().shopify(order.routed("71"))
    assert story.commands == []
    assert {case.code: case.detail for case in story.state.cases} == {CaseCode.SKU_MISSING: "line 902"}


def test_a_line_that_shopify_put_into_no_fulfilment_order_is_not_dropped() -> None:
    order = MIXED.routed("71", L901=2)
    story = Story().shopify(order)
    assert story.quantities == [{"901": 2}], "what is routed goes"
    story.applied(story.one(CreateGoodsOut)).later(hours=2)
    assert CaseCode.NOT_ROUTED in story.open_cases
    assert [case.detail for case in story.state.cases if case.code is CaseCode.NOT_ROUTED] == [
        "line 902 in no fulfilment order"
    ]
    story.shopify(order.routed("72", L902=1))
    assert CaseCode.NOT_ROUTED not in story.open_cases


def test_leading_zeros_are_kept() -> None:
    """Complaint: 007 arrived in the warehouse as 7."""
    story = Story().shopify(an_order().with_line("007").with_line("7").routed("71"))
    assert [unit.sku for unit in story.one(CreateGoodsOut).lines] == [Sku("007"), Sku("7")]
    assert [line.sku for line in story.one(UpsertErpOrder).lines] == ["007", "7"]


def test_refused_by_the_packing_desk_is_never_sent_early() -> None:
    """An address that a later reading takes back stops what is under way."""
    story = Story().shopify(MUG.routed("71"))
    create = story.one(CreateGoodsOut)
    story.shopify(MUG.shipping_to(LEEDS.model_copy(update={"email": ""})).routed("71"))
    story.ended(create, OutcomeKind.SUPERSEDED)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert CaseCode.ADDRESS_INCOMPLETE.value in {name.removeprefix("hold:") for name in held_names(story)}


def held_names(story: Story) -> set[str]:
    return {since.name for since in story.state.since if since.name.startswith("hold:")}


# --- the edit window


def test_an_order_waits_for_the_edit_window_and_goes_with_the_last_wish() -> None:
    story = Story().waiting(edit_window=1800)
    story.shopify(MUG.routed("71")).later(minutes=10)
    story.shopify(MUG.shipping_to(LEEDS.model_copy(update={"line1": "9 Mill Lane"})).routed("71")).later(minutes=15)
    assert story.commands == []
    story.later(minutes=6)
    assert story.one(CreateGoodsOut).ship_to.line1 == "9 Mill Lane"
    assert len(story.sent(UpsertErpOrder)) == 1
    assert story.cases == {}


def test_an_old_order_does_not_wait_for_a_window() -> None:
    story = Story().waiting(edit_window=1800).shopify(MUG.placed(NOON - timedelta(hours=1)).routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 1


def test_expedited_shipping_skips_the_window() -> None:
    express = ShippingRule(code="express", carrier="DPD", service="AM12", expedited=True)
    story = Story().waiting(edit_window=1800).configured(shipping=(*Story().config.shipping, express))
    story.shopify(MUG.sent_by("Express", "express").routed("71"))
    assert story.one(CreateGoodsOut).service == "AM12"


# --- overridden by a person


OVERRIDABLE: tuple[tuple[CaseCode, OrderBuilder], ...] = (
    (CaseCode.PAYMENT_NOT_MET, MUG.paid(FinancialStatus.PENDING)),
    (CaseCode.RISK_NOT_CLEARED, MUG.advised(RiskAdvice.CANCEL)),
    (CaseCode.ADDRESS_INCOMPLETE, MUG.shipping_to(LEEDS.model_copy(update={"phone": ""}))),
    (CaseCode.EDIT_WINDOW, MUG),
)


@pytest.mark.parametrize(("code", "order"), OVERRIDABLE, ids=[code for code, _ in OVERRIDABLE])
def test_a_person_lets_it_go(code: CaseCode, order: OrderBuilder) -> None:
    story = Story().waiting(edit_window=1800 if code is CaseCode.EDIT_WINDOW else 0).shopify(order.routed("71"))
    assert story.commands == []
    story.operator("override", code)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert [(one.code, one.who, one.why) for one in story.state.overridden] == [(code, "kim", "asked")]
    story.shopify(order.routed("71")).operator("override", code)
    assert len(story.sent(CreateGoodsOut)) == 1


def test_one_reason_overridden_leaves_the_others() -> None:
    story = Story().shopify(MUG.paid(FinancialStatus.PENDING).advised(RiskAdvice.CANCEL).routed("71"))
    story.operator("override", CaseCode.PAYMENT_NOT_MET)
    assert story.commands == []
    assert held_names(story) == {"hold:risk_not_cleared"}


def test_an_address_that_is_not_there_cannot_be_overridden() -> None:
    story = Story().shopify(MUG.shipping_to(None).routed("71")).operator("override", CaseCode.ADDRESS_INCOMPLETE)
    assert story.commands == []
    story.shopify(MUG.shipping_to(LEEDS.model_copy(update={"phone": ""})).routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 1


def test_a_held_order_is_read_again_ever_more_seldom() -> None:
    story = Story().shopify(MUG.shipping_to(None).routed("71"))
    for _ in range(12):
        story.later(minutes=30)
    (reread,) = story.state.rereads
    assert reread.asked >= 4
    assert story.reads.count(System.SHOPIFY) == reread.asked
    assert reread.next_at - story.state.now <= timedelta(hours=1, minutes=7)


def test_a_hold_that_nobody_settles_goes_up() -> None:
    story = Story().shopify(MUG.shipping_to(None).routed("71")).later(hours=2).later(hours=9)
    (case,) = story.state.cases
    assert case.escalated_at is not None
    assert case.escalated_to is not None
