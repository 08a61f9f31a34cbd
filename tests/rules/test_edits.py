"""Edits after the release: taken back and replaced while nobody has begun, a person's from then on."""

from datetime import timedelta

import pytest

from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, CreateGoodsOut
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FulfilmentOrderStatus
from schemas.outcomes import OutcomeKind
from streams.rules.orders.edits import sent_otherwise
from tests.builders import LEEDS, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
ROUTED = an_order().with_line("MUG", 3).routed("71")
EXPRESS = ROUTED.sent_by("Express", "express")
TWO_WAYS = a_brand(
    shipping=[
        {"code": "standard", "carrier": "DPD", "service": "NEXTDAY"},
        {"code": "express", "carrier": "COURIER", "service": "2H"},
    ]
)
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3)
MOVED_HOUSE = LEEDS.model_copy(update={"line1": "9 Mill Lane"})


def released(goods_out: GoodsOutBuilder = IN_CLARUS) -> Story:
    story = Story().shopify(ROUTED)
    return story.applied(story.one(CreateGoodsOut)).clarus(goods_out)


def to_moved_house(order: OrderBuilder = ROUTED) -> OrderBuilder:
    return order.shipping_to(MOVED_HOUSE)


def test_edit_before_pick() -> None:
    """Three become one while pending: cancelled, and replaced only when the cancel is seen."""
    story = released().shopify(ROUTED.refunded(L901=2))
    cancel = story.one(CancelGoodsOut)
    assert cancel.only_if == (GoodsOutStatus.DRAFT, GoodsOutStatus.PENDING)
    story.applied(cancel).later(minutes=2)
    assert story.quantities == [{"901": 3}], "not seen yet"
    story.clarus()
    assert story.quantities == [{"901": 3}, {"901": 1}]
    assert story.sent(CreateGoodsOut)[-1].reference == "ACME-5012-71-2"
    assert story.open_cases == set()


def test_edit_races_pick() -> None:
    """The floor was faster: refused by `only_if`, a case, nothing twice."""
    story = released().shopify(ROUTED.refunded(L901=2))
    story.clarus(IN_CLARUS.picking())
    story.ended(story.one(CancelGoodsOut), OutcomeKind.REJECTED, code="state_not_allowed", field="status", text="PICK")
    story.later(hours=3)
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE, CaseCode.ERP_NOT_COMMITTED}
    assert len(story.sent(CancelGoodsOut)) == 1
    assert len(story.sent(CreateGoodsOut)) == 1


def test_cancel_deletes_pending() -> None:
    """After our own cancel later reads find nothing: ended, not missing."""
    story = released().shopify(ROUTED.cancelled())
    story.applied(story.one(CancelGoodsOut)).clarus().clarus().later(hours=9)
    assert story.open_cases == set()


def test_cancel_after_pick_started() -> None:
    story = released(IN_CLARUS.picking()).shopify(ROUTED.cancelled()).later(hours=1)
    assert CaseCode.CANCELLED_AFTER_RELEASE in story.open_cases
    assert story.sent(CancelGoodsOut) == []
    assert len(story.sent(CreateGoodsOut)) == 1


def test_what_becomes_of_a_cancelled_order_is_asked_once_however_far_the_floor_is() -> None:
    story = released(IN_CLARUS.status(GoodsOutStatus.ALLOCATED)).shopify(ROUTED.cancelled())
    story.operator("answer", "cancelled_after_release", says="treat-as-return")
    for floor in (GoodsOutStatus.PICK, GoodsOutStatus.PART):
        assert CaseCode.CANCELLED_AFTER_RELEASE not in story.clarus(IN_CLARUS.status(floor)).open_cases


def test_cancel_outcome_lost() -> None:
    """The cancel was done and its answer lost: what is read shows it, then comes the replacement."""
    story = released().shopify(ROUTED.refunded(L901=2))
    story.clarus(IN_CLARUS.status(GoodsOutStatus.CANCELLED))
    assert story.quantities == [{"901": 3}, {"901": 1}]


def test_a_cancel_without_a_clear_answer_is_tried_until_its_look_shows_that_it_was_done() -> None:
    """Clarus cancelled, its answer was lost and no look came through. Read before the next try, the goods-out is gone:
    nobody is asked who deleted it, and the replacement follows.
    """
    story = released().shopify(ROUTED.refunded(L901=2))
    cancel, until = story.one(CancelGoodsOut), story.at + timedelta(minutes=1)
    story.ended(cancel, OutcomeKind.DELAYED, code="unclear", text="no look since", until=until).clarus().clarus()
    assert story.open_cases == set()
    story.later(minutes=2)
    again = story.sent(CancelGoodsOut)[-1]
    assert again.id != cancel.id
    story.ended(again, OutcomeKind.ALREADY_APPLIED, external_id="9001")
    assert story.quantities == [{"901": 3}, {"901": 1}]
    assert story.open_cases == set()


def test_a_goods_out_that_vanishes_while_its_cancel_is_out_is_waited_for() -> None:
    story = released().shopify(ROUTED.refunded(L901=2)).clarus().clarus().later(minutes=5)
    assert story.open_cases == set()
    story.later(minutes=15)
    assert CaseCode.CHANGED_AFTER_RELEASE in story.open_cases, "and not for ever"
    story.applied(story.one(CancelGoodsOut))
    assert story.quantities == [{"901": 3}, {"901": 1}]
    assert CaseCode.CHANGED_AFTER_RELEASE not in story.open_cases


def test_one_whose_cancel_was_refused_and_that_vanished_is_missing() -> None:
    story = released().shopify(ROUTED.refunded(L901=2))
    story.ended(story.one(CancelGoodsOut), OutcomeKind.REJECTED, code="state_not_allowed", field="status", text="PICK")
    story.clarus().clarus()
    assert story.open_cases == {CaseCode.GOODS_OUT_MISSING}
    assert story.quantities == [{"901": 3}]


def test_one_that_the_floor_had_begun_when_it_vanished_is_missing_whatever_our_cancel_says() -> None:
    story = released().shopify(ROUTED.refunded(L901=2)).clarus(IN_CLARUS.picking())
    until = story.at + timedelta(minutes=1)
    story.ended(story.one(CancelGoodsOut), OutcomeKind.DELAYED, code="unclear", text="no look since", until=until)
    story.clarus().clarus()
    assert CaseCode.GOODS_OUT_MISSING in story.open_cases


def test_one_that_the_floor_had_begun_when_it_vanished_is_missing_while_our_cancel_is_still_out() -> None:
    story = released().shopify(ROUTED.refunded(L901=2)).clarus(IN_CLARUS.picking()).clarus().clarus()
    assert CaseCode.GOODS_OUT_MISSING in story.open_cases


def test_one_that_a_person_had_sent_again_is_not_cancelled_any_more() -> None:
    story = released().shopify(ROUTED.refunded(L901=2))
    cancel, until = story.one(CancelGoodsOut), story.at + timedelta(minutes=1)
    story.ended(cancel, OutcomeKind.DELAYED, code="unclear", text="no look since", until=until).clarus().clarus()
    story.operator("release_again", G1).later(minutes=5)
    assert story.sent(CancelGoodsOut) == [cancel]
    assert story.quantities == [{"901": 3}, {"901": 1}]


def test_second_edit_during_replacement() -> None:
    """Another edit while the second generation is being made: it ends with exactly the last wish."""
    story = released().shopify(ROUTED.refunded(L901=1))
    story.applied(story.one(CancelGoodsOut)).clarus()
    story.shopify(ROUTED.refunded(L901=2))
    second = story.sent(CreateGoodsOut)[-1]
    made = a_goods_out("ACME-5012-71-2", "9002").with_line("901", "MUG", 2)
    story.clarus(made).applied(second, "9002")
    again = story.sent(CancelGoodsOut)[-1]
    assert again.reference == "ACME-5012-71-2"
    story.clarus().applied(again).clarus()
    assert story.quantities == [{"901": 3}, {"901": 2}, {"901": 1}]


def test_an_address_corrected_before_the_pick_goes_with_the_replacement() -> None:
    story = released().shopify(to_moved_house())
    story.applied(story.one(CancelGoodsOut)).clarus()
    assert [create.ship_to.line1 for create in story.sent(CreateGoodsOut)] == ["8 Mill Lane", "9 Mill Lane"]
    assert story.open_cases == set()


def test_address_changed_after_label() -> None:
    """Someone works on it: a case, never a second parcel; over when the address is the old one again."""
    story = released(IN_CLARUS.picking()).shopify(to_moved_house())
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE}
    assert story.sent(CancelGoodsOut) == []
    story.shopify(ROUTED)
    assert story.open_cases == set()


def test_an_address_that_lacks_something_cancels_nothing() -> None:
    story = released().shopify(ROUTED.shipping_to(LEEDS.model_copy(update={"postcode": ""})))
    assert story.sent(CancelGoodsOut) == []
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE}


def test_a_hold_or_a_move_cancels_nothing_by_itself() -> None:
    story = released().shopify(ROUTED.on_hold("71")).shopify(ROUTED.closed("71").routed("75", to="12"))
    assert story.sent(CancelGoodsOut) == []
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE}


NEW_HALL = [{"location": "11", "warehouse": "LDS2"}, {"location": "12", "warehouse": "MAN1"}]


def test_what_a_warehouse_has_that_another_took_the_place_of_leaves_from_there() -> None:
    """The configuration changed, not what Shopify wants: nobody need stop anything."""
    story = released(IN_CLARUS.picking()).configured(warehouses=NEW_HALL).later(minutes=2)
    assert story.open_cases == set()
    story.shopify(ROUTED.refunded(L901=1))
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE}, "one unit is wanted no more"


def test_what_moved_from_a_warehouse_that_another_took_the_place_of_is_a_persons() -> None:
    story = released().configured(warehouses=NEW_HALL).later(minutes=2)
    story.shopify(ROUTED.closed("71").routed("75", to="12"))
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE}


def test_price_only_edit() -> None:
    dearer = ROUTED.order.lines[0].model_copy(update={"sku": "MUG"})
    story = released().shopify(OrderBuilder(ROUTED.order.model_copy(update={"lines": (dearer,), "tags": ("edited",)})))
    assert story.sent(CancelGoodsOut) == []
    assert story.open_cases == set()


# --- which of them


def test_what_is_missing_is_not_cancelled() -> None:
    """Nobody knows what became of it: a person looks first."""
    story = released().clarus().clarus().shopify(ROUTED.refunded(L901=2))
    assert story.sent(CancelGoodsOut) == []


FOUR = an_order().with_line("MUG", 4)
HALVES = FOUR.routed("71", L901=2).routed("72", L901=2)


def in_halves() -> Story:
    story = Story().shopify(HALVES)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    one, two = (a_goods_out(create.reference, f"900{number}").with_line("901", "MUG", 2)
                for number, create in enumerate(story.sent(CreateGoodsOut), start=1))  # fmt: skip
    return story.clarus(one, two)


def taken_back(story: Story) -> list[str]:
    return [cancel.reference for cancel in story.sent(CancelGoodsOut)]


def test_the_one_goes_whose_own_fulfilment_order_was_refunded() -> None:
    line = HALVES.order.fulfilment_orders[1].lines[0].model_copy(update={"remaining": 0})
    bought = FOUR.order.lines[0].model_copy(update={"current_quantity": 2})
    order = OrderBuilder(HALVES.order.model_copy(update={"lines": (bought,)})).fulfilment_order("72", lines=(line,))
    assert taken_back(in_halves().shopify(order)) == ["ACME-5012-72-1"]


SHORT = IN_CLARUS.despatched(L901=2)


def sent_again() -> Story:
    """Two of three left, the ERP has not posted them yet, and a person had the third sent again."""
    story = released(SHORT).operator("release_again", G1)
    second = a_goods_out("ACME-5012-71-2", "9002").with_line("901", "MUG", 1)
    return story.applied(story.sent(CreateGoodsOut)[-1], "9002").clarus(SHORT, second)


def test_what_was_sent_again_goes_when_it_is_refunded_before_the_first_parcel_is_told() -> None:
    story = sent_again().shopify(ROUTED.refunded(L901=1))
    assert taken_back(story) == ["ACME-5012-71-2"]
    story.applied(story.one(CancelGoodsOut)).clarus(SHORT).clarus(SHORT).later(hours=1)
    assert story.quantities == [{"901": 3}, {"901": 1}]
    assert CaseCode.CHANGED_AFTER_RELEASE not in story.open_cases


def test_nothing_goes_of_what_was_sent_again_and_is_wanted() -> None:
    assert taken_back(sent_again().shopify(ROUTED.paid())) == []


def with_one_more(first: GoodsOutBuilder = IN_CLARUS) -> Story:
    """A fourth unit was put into the same fulfilment order after its goods-out was made."""
    story = released(first).shopify(an_order().with_line("MUG", 4).routed("71"))
    second = a_goods_out("ACME-5012-71-2", "9002").with_line("901", "MUG", 1)
    return story.applied(story.sent(CreateGoodsOut)[-1], "9002").clarus(first, second)


def test_of_two_goods_outs_of_one_fulfilment_order_the_younger_goes() -> None:
    assert taken_back(with_one_more().shopify(ROUTED)) == ["ACME-5012-71-2"]
    assert taken_back(with_one_more(IN_CLARUS.picking()).shopify(ROUTED)) == ["ACME-5012-71-2"]


def test_of_ten_generations_the_tenth_is_the_youngest() -> None:
    """As text its reference comes before that of the second."""
    order, made = ROUTED, [IN_CLARUS]
    story = released()
    for generation in range(2, 11):
        order = an_order().with_line("MUG", 2 + generation).routed("71")
        story.shopify(order)
        made.append(a_goods_out(f"ACME-5012-71-{generation}", f"90{generation:02}").with_line("901", "MUG", 1))
        story.applied(story.sent(CreateGoodsOut)[-1], f"90{generation:02}").clarus(*made)
    assert taken_back(story.shopify(an_order().with_line("MUG", 11).routed("71"))) == ["ACME-5012-71-10"]


def test_when_all_moved_elsewhere_only_as_many_go_as_are_too_many() -> None:
    order = FOUR.refunded(L901=2).routed("75", L901=2)
    closed = tuple(HALVES.closed(one).order.fulfilment_orders[at] for at, one in enumerate(("71", "72")))
    order = OrderBuilder(
        order.order.model_copy(update={"fulfilment_orders": (*closed, *order.order.fulfilment_orders)})
    )
    assert taken_back(in_halves().shopify(order)) == [G1]


def test_what_a_cancelled_fulfilment_order_still_lists_is_wanted_by_nobody() -> None:
    """Shopify put another in its place, for one of the three units."""
    order = ROUTED.refunded(L901=2)
    listed = ROUTED.fulfilment_order("71", status=FulfilmentOrderStatus.CANCELLED).order.fulfilment_orders
    replaced = order.routed("75", L901=1).order.fulfilment_orders[-1:]
    order = OrderBuilder(order.order.model_copy(update={"fulfilment_orders": (*listed, *replaced)}))
    assert taken_back(released().shopify(order)) == [G1]


# --- the shopper chooses to have it sent otherwise


def test_an_upgrade_to_express_is_followed_while_nobody_has_begun() -> None:
    """Complaint: paid for express after the order was released, and it went by standard."""
    story = Story(TWO_WAYS).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS).shopify(EXPRESS)
    story.applied(story.one(CancelGoodsOut)).clarus()
    assert [(one.carrier, one.service) for one in story.sent(CreateGoodsOut)] == [("DPD", "NEXTDAY"), ("COURIER", "2H")]
    again = a_goods_out("ACME-5012-71-2").with_line("901", "MUG", 3)
    story.applied(story.sent(CreateGoodsOut)[-1]).clarus(again).later(minutes=20)
    assert len(story.sent(CancelGoodsOut)) == 1
    assert story.open_cases == set()


def test_an_upgrade_that_comes_too_late_is_a_case_until_it_has_left() -> None:
    story = Story(TWO_WAYS).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS.picking()).shopify(EXPRESS)
    (case,) = story.cases.values()
    assert (case.code, case.object) == (CaseCode.CHANGED_AFTER_RELEASE, f"{G1} shipping")
    assert case.detail == "to go by 'Express' (code 'express') now, COURIER/2H; the warehouse has DPD/NEXTDAY"
    assert story.sent(CancelGoodsOut) == []
    assert story.clarus(IN_CLARUS.despatched()).open_cases == set()


def test_a_shipping_line_that_nobody_knows_is_asked_about_and_nothing_is_taken_back_for_it() -> None:
    story = Story(TWO_WAYS).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS).shopify(ROUTED.sent_by("Carrier pigeon"))
    assert story.open_cases == {CaseCode.CHANGED_AFTER_RELEASE}
    assert story.sent(CancelGoodsOut) == []
    assert "now, which no rule knows; the" in next(iter(story.cases.values())).detail


@pytest.mark.parametrize("order", [ROUTED, ROUTED.sent_by("Standard delivery", "standard")], ids=["same", "renamed"])
def test_what_means_the_same_service_changes_nothing(order: OrderBuilder) -> None:
    story = Story(TWO_WAYS).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS.picking()).shopify(order)
    assert (story.sent(CancelGoodsOut), story.open_cases) == ([], set())


def test_another_rule_for_the_same_line_changes_nothing_that_was_released() -> None:
    story = Story(TWO_WAYS).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    story.configured(shipping=[{"code": "standard", "carrier": "COURIER", "service": "2H"}]).later(minutes=2)
    assert (story.sent(CancelGoodsOut), story.open_cases) == ([], set())


def test_an_order_that_lost_its_shipping_line_keeps_its_goods_out() -> None:
    story = Story(TWO_WAYS).shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS.picking()).shopify(ROUTED._with(shipping_lines=()))
    assert (story.sent(CancelGoodsOut), story.open_cases) == ([], set())


def test_of_one_made_before_anybody_noted_the_shipping_line_nothing_is_said() -> None:
    story = Story(TWO_WAYS).shopify(ROUTED)
    (known,) = story.applied(story.one(CreateGoodsOut)).state.goods_outs
    assert known.sent_by is not None
    unnoted = known.model_copy(update={"sent_by": known.sent_by.model_copy(update={"shipping_line": ""})})
    assert sent_otherwise(known, EXPRESS.order, TWO_WAYS)
    assert not sent_otherwise(unnoted, EXPRESS.order, TWO_WAYS)
    assert not sent_otherwise(known.model_copy(update={"sent_by": None}), EXPRESS.order, TWO_WAYS)
