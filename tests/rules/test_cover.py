"""Coverage in units: what is on its way is never sent again, whatever becomes of its fulfilment order."""

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, CreateGoodsOut
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FulfilmentOrderStatus
from schemas.outcomes import OutcomeKind
from tests.builders import NOON, OrderBuilder, a_goods_out, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
TWO = an_order().with_line("MUG", 2)
G1_ONE = a_goods_out(G1).with_line("901", "MUG", 1)
G1_TWO = a_goods_out(G1).with_line("901", "MUG", 2)


def one_released(order: OrderBuilder) -> Story:
    """Fulfilment order 71 has one unit, and its goods-out stands in Clarus."""
    story = Story().shopify(order)
    return story.applied(story.sent(CreateGoodsOut)[0]).clarus(G1_ONE)


@pytest.mark.parametrize("other", ["held", "unmapped", "picked up", "scheduled"])
def test_a_unit_that_stays_back_makes_no_room_for_one_on_its_way(other: str) -> None:
    """One of two units is released; the other, on a fulfilment order of its own, may not go: nothing more is sent."""
    order = TWO.routed("71", L901=1).routed("72", to="99" if other == "unmapped" else "11", L901=1)
    match other:
        case "held":
            order = order.on_hold("72")
        case "picked up":
            order = order.fulfilment_order("72", method="PICK_UP")
        case "scheduled":
            order = order.fulfilment_order("72", status=FulfilmentOrderStatus.SCHEDULED)
    story = one_released(order)
    story.shopify(order.paid()).later(hours=1)
    assert story.quantities == [{"901": 1}]


def test_a_unit_that_stays_back_makes_no_room_after_a_move_either() -> None:
    order = TWO.routed("71", L901=1).routed("72", L901=1).on_hold("72")
    story = one_released(order)
    story.shopify(order.closed("71").routed("75", L901=1))
    assert story.quantities == [{"901": 1}]


def test_what_is_held_after_its_release_does_not_keep_others_back() -> None:
    story = one_released(TWO.routed("71", L901=1))
    story.shopify(TWO.routed("71", L901=1).on_hold("71").routed("72", L901=1))
    assert story.quantities == [{"901": 1}, {"901": 1}]
    assert story.sent(CreateGoodsOut)[-1].fulfilment_order == "72"


def test_a_split_counts_against_the_new_fulfilment_order() -> None:
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO)
    story.shopify(TWO.routed("71", L901=1).on_hold("71").routed("72", L901=1))
    assert story.quantities == [{"901": 2}]


def test_a_goods_out_cancelled_with_goods_in_totes_is_not_made_again() -> None:
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO)
    story.clarus(G1_TWO.picked(L901=1).status(GoodsOutStatus.CANCELLED))
    assert story.quantities == [{"901": 2}]
    assert story.open_cases == {CaseCode.SHORT_CLOSED}
    story.operator("release_again", G1)
    assert story.quantities == [{"901": 2}, {"901": 2}]
    assert story.open_cases == set()


def test_a_line_that_a_person_added_in_clarus_is_not_sent_again() -> None:
    """Under our reference stands a goods-out with a line that is nobody's: a case, and that SKU waits."""
    by_hand = a_goods_out("ACME-5012-71-9").with_line("", "MUG", 2)
    story = Story().shopify(TWO.with_line("HAT", 1).shipping_to(None).routed("71")).clarus(by_hand)
    story.shopify(TWO.with_line("HAT", 1).routed("71"))
    assert story.quantities == [{"902": 1}]
    assert CaseCode.UNKNOWN_GOODS_OUT in story.open_cases
    story.operator("release_again", "ACME-5012-71-9")
    assert CaseCode.UNKNOWN_GOODS_OUT not in story.open_cases


def test_two_goods_outs_under_one_reference_are_a_case() -> None:
    """Clarus keeps no reference unique; a connector that was frozen may have made it twice."""
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO, G1_TWO.as_id("9002"))
    assert story.open_cases == {CaseCode.UNKNOWN_GOODS_OUT}
    assert story.state.goods_outs[0].goods_out.id == "9001", "the one we know stays the one"
    story.clarus(G1_TWO, G1_TWO.as_id("9002").status(GoodsOutStatus.CANCELLED))
    assert story.open_cases == set()


def test_an_operator_gives_up_only_what_the_warehouse_does_not_work_on() -> None:
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO.picking())
    story.operator("release_again", G1)
    assert story.quantities == [{"901": 2}]


@pytest.mark.parametrize(("begun", "taken_back"), [(False, ["ACME-5012-71-2"]), (True, [])])
def test_one_given_up_that_reappears_counts_again(begun: bool, taken_back: list[str]) -> None:
    """Two units too many are on their way: the younger goes while nobody has begun it, else a person hears of it."""
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO).clarus().clarus()
    story.operator("release_again", G1)
    story.applied(story.sent(CreateGoodsOut)[-1], "9002")
    second = a_goods_out("ACME-5012-71-2", "9002").with_line("901", "MUG", 2)
    story.clarus(second.picking() if begun else second, G1_TWO.picking())
    assert len(story.sent(CreateGoodsOut)) == 2
    assert [cancel.reference for cancel in story.sent(CancelGoodsOut)] == taken_back
    assert story.open_cases == ({CaseCode.CHANGED_AFTER_RELEASE} if begun else set())


def test_a_missing_goods_out_of_a_cancelled_order_is_nobodys_case() -> None:
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO).clarus().clarus()
    assert story.open_cases == {CaseCode.GOODS_OUT_MISSING}
    story.shopify(TWO.routed("71").cancelled())
    assert story.open_cases == set()


def test_absence_is_not_counted_for_ever() -> None:
    story = Story().shopify(TWO.routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(G1_TWO).clarus().clarus()
    before = dict(story.changelog)
    story.clarus().clarus()
    assert story.changelog == before


def test_units_told_elsewhere_do_not_hide_what_went_astray() -> None:
    """G1 left and waits for the ERP, the rest was refunded while G2 works on it: a case at once."""
    order = TWO.routed("71", L901=1).routed("72", L901=1)
    story = Story().shopify(order)
    for create in story.sent(CreateGoodsOut):
        story.applied(create, create.fulfilment_order)
    second = a_goods_out("ACME-5012-72-1", "72").with_line("901", "MUG", 1).picking()
    story.clarus(G1_ONE.as_id("71").despatched(), second)
    story.shopify(TWO.routed("71", L901=1))
    assert CaseCode.CHANGED_AFTER_RELEASE in story.open_cases


@pytest.mark.parametrize("status", [FulfilmentOrderStatus.INCOMPLETE, FulfilmentOrderStatus.OTHER])
def test_a_fulfilment_order_that_cannot_go_does_not_wait_without_a_case(status: FulfilmentOrderStatus) -> None:
    story = Story().shopify(TWO.routed("71").fulfilment_order("71", status=status))
    story.later(hours=2)
    assert story.sent(CreateGoodsOut) == []
    assert story.open_cases == {CaseCode.NOT_ROUTED}


def test_a_scheduled_fulfilment_order_is_late_only_after_its_day() -> None:
    day = NOON.replace(day=20)
    ahead = TWO.routed("71").fulfilment_order("71", status=FulfilmentOrderStatus.SCHEDULED, fulfil_at=day)
    story = Story().shopify(ahead).later(days=16)
    assert story.open_cases == set()
    story.later(days=2)
    assert story.open_cases == {CaseCode.SCHEDULED}
    story.shopify(TWO.routed("71"))
    assert story.open_cases == set()


def test_what_is_scheduled_is_read_again_from_its_day_on() -> None:
    day = NOON.replace(day=20)
    ahead = TWO.routed("71").fulfilment_order("71", status=FulfilmentOrderStatus.SCHEDULED, fulfil_at=day)
    story = Story().shopify(ahead)
    story.reads.clear()
    assert story.later(days=16).reads == []
    assert set(story.later(days=2).later(hours=1).reads) == {System.SHOPIFY}


def test_of_two_days_the_first_is_not_waited_for_until_the_second() -> None:
    first, second = NOON.replace(day=20), NOON.replace(day=25)
    order = TWO.routed("71", L901=1).routed("72", L901=1).fulfilment_order("71", fulfil_at=first)
    story = Story().shopify(order.fulfilment_order("72", fulfil_at=second))
    story.later(days=17)
    assert [create.fulfilment_order for create in story.sent(CreateGoodsOut)] == ["71"]
    story.later(days=5)
    assert [create.fulfilment_order for create in story.sent(CreateGoodsOut)] == ["71", "72"]


def test_an_order_refunded_in_part_before_we_came_is_first_read_from_clarus_and_the_erp() -> None:
    story = Story().shopify(TWO.routed("71").refunded(L901=1))
    assert story.commands == []
    assert set(story.reads) == {System.CLARUS, System.ERP}
    story.later(hours=1)
    assert CaseCode.CLARUS_SLOW in story.open_cases, "it does not wait without a case"
    story.clarus().erp(None)
    assert story.quantities == [{"901": 1}]
    assert CaseCode.CLARUS_SLOW not in {case.code for case in story.state.cases}


def test_a_goods_out_seen_before_its_order_asks_for_the_order() -> None:
    """The state was lost: what one system shows is enough to read the others."""
    story = Story().clarus(G1_TWO)
    assert System.SHOPIFY in story.reads
    story.shopify(TWO.routed("71"))
    assert story.sent(CreateGoodsOut) == []


def test_a_fulfilment_order_without_a_number_is_a_case_and_does_not_stop_the_worker() -> None:
    story = Story().shopify(TWO.routed("made-up"))
    assert story.sent(CreateGoodsOut) == []
    assert CaseCode.CLARUS_REFUSED in story.open_cases


def test_a_create_refused_for_one_reason_and_then_another_counts_its_tries_anew() -> None:
    story = Story().shopify(TWO.routed("71"))
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unknown_sku", field="sku", text="MUG")
    story.shopify(TWO.sent_by("Standard", "standard").with_line("HAT", 1).routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 2, "other fields: sent at once"
    story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.REJECTED, code="unknown_sku", field="sku", text="HAT")
    assert story.state.refusals[0].tries == 1
