"""Release: by fulfilment order, covered by units per order line. Each test is one history of the field."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, CreateGoodsOut, Withdraw
from schemas.events import ConnectionState
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from tests.builders import LEEDS, a_goods_out, an_order
from tests.story import Story

TWO_LINES = an_order().with_line("0042-A", 1).with_line("MUG", 1)
G1 = "ACME-5012-71-1"


def test_a_ready_order_becomes_one_goods_out() -> None:
    story = Story().shopify(TWO_LINES.routed("71"))
    create = story.one(CreateGoodsOut)
    assert create.reference == G1
    assert (create.warehouse, create.carrier, create.service) == ("LDS1", "DPD", "NEXTDAY")
    assert [(unit.line, unit.sku, unit.quantity) for unit in create.lines] == [("901", "0042-A", 1), ("902", "MUG", 1)]
    assert create.ship_to == LEEDS


def test_routing_late() -> None:
    """The first snapshot has no fulfilment order; the next has the same `updatedAt` and an open one."""
    story = Story().shopify(TWO_LINES)
    assert story.commands == []
    assert story.shopify(TWO_LINES.routed("71")).one(CreateGoodsOut).reference == G1


def test_split_while_picking() -> None:
    """FO1{A,B} is being picked; a hold on A splits the rest into FO2{B}: nothing new, a case for A."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.applied(story.one(CreateGoodsOut))
    picking = a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG").picking()
    story.clarus(picking)
    story.shopify(TWO_LINES.routed("71", L901=1).on_hold("71").routed("72", L902=1))
    assert len(story.sent(CreateGoodsOut)) == 1
    assert CaseCode.CHANGED_AFTER_RELEASE in story.open_cases
    story.shopify(TWO_LINES.routed("71", L901=1).routed("72", L902=1))
    assert story.open_cases == set()


def test_split_while_create_in_flight() -> None:
    """The create for FO1{A,B} is out; a hold splits off FO2{B}: B goes once."""
    story = Story().shopify(TWO_LINES.routed("71"))
    create = story.one(CreateGoodsOut)
    story.shopify(TWO_LINES.routed("71", L901=1).on_hold("71").routed("72", L902=1))
    assert story.one(Withdraw).withdrawn == create.id
    assert len(story.sent(CreateGoodsOut)) == 1, "B is under way until the create's outcome says otherwise"
    story.applied(create)
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    assert len(story.sent(CreateGoodsOut)) == 1


def test_split_while_create_in_flight_and_withdrawn_in_time() -> None:
    story = Story().shopify(TWO_LINES.routed("71"))
    create = story.one(CreateGoodsOut)
    story.shopify(TWO_LINES.routed("71", L901=1).on_hold("71").routed("72", L902=1))
    story.ended(create, OutcomeKind.SUPERSEDED)
    second = story.sent(CreateGoodsOut)[-1]
    assert [(unit.line, unit.quantity) for unit in second.lines] == [("902", 1)]
    assert second.reference == "ACME-5012-72-1"


@pytest.mark.parametrize("released", [False, True], ids=["before the release", "after the release"])
def test_moved_while_open(released: bool) -> None:
    """Moved to another location: before the release it is released from there, after it that is a person's."""
    story = Story().shopify((TWO_LINES if released else TWO_LINES.shipping_to(None)).routed("71"))
    if released:
        story.applied(story.one(CreateGoodsOut))
        story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    story.shopify(TWO_LINES.routed("71").closed("71").routed("75", to="12"))
    assert story.one(CreateGoodsOut).warehouse == ("LDS1" if released else "MAN1")
    assert story.open_cases == ({CaseCode.CHANGED_AFTER_RELEASE} if released else set())


def test_warehouse_deletes_pending() -> None:
    """A person deletes the pending goods-out: missing after two complete answers, a case, no second create."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.applied(story.one(CreateGoodsOut))
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    story.clarus()
    assert story.open_cases == set(), "one answer proves nothing"
    assert story.reads[-1] is System.CLARUS
    story.clarus()
    assert story.open_cases == {CaseCode.GOODS_OUT_MISSING}
    story.shopify(TWO_LINES.routed("71").paid())
    story.later(hours=1)
    assert len(story.sent(CreateGoodsOut)) == 1
    story.operator("release_again", G1)
    assert story.sent(CreateGoodsOut)[-1].reference == "ACME-5012-71-2"
    assert CaseCode.GOODS_OUT_MISSING not in story.open_cases


def test_rights_lost() -> None:
    """Clarus answers emptily and does not show our account either: absence proves nothing; one case in all."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.applied(story.one(CreateGoodsOut))
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    story.connection(System.CLARUS, ConnectionState.RIGHTS_LOST)
    for _ in range(5):
        story.clarus(complete=False).later(minutes=2)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert story.open_cases == {CaseCode.CLARUS_RIGHTS_LOST}
    story.connection(System.CLARUS, ConnectionState.WELL)
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    assert story.open_cases == set()


def test_hold_without_update() -> None:
    """A fraud hold appears and no date of the order moves: nothing is released; after the release it is a case."""
    held = TWO_LINES.routed("71").on_hold("71", "HIGH_RISK_OF_FRAUD")
    assert held.order.updated_at == TWO_LINES.routed("71").order.updated_at

    before = Story().shopify(held).later(hours=1)
    assert before.sent(CreateGoodsOut) == []
    after = Story().shopify(TWO_LINES.routed("71"))
    after.applied(after.one(CreateGoodsOut))
    after.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG")).shopify(held).later(hours=1)

    assert len(after.sent(CreateGoodsOut)) == 1
    assert after.sent(CancelGoodsOut) or after.open_cases, "stopped, or a person's"


def test_clarus_down_two_hours_then_cancel() -> None:
    """The create waits, the shopper cancels meanwhile, Clarus comes back: nothing is created, then or later."""
    story = Story().shopify(TWO_LINES.routed("71"))
    for _ in range(8):
        create = story.sent(CreateGoodsOut)[-1]
        story.ended(create, OutcomeKind.DELAYED, code="unavailable", until=story.at + timedelta(minutes=15))
        story.later(minutes=15)
    tried = len(story.sent(CreateGoodsOut))
    story.shopify(TWO_LINES.routed("71").cancelled())

    (withdrawal,) = story.sent(Withdraw)
    assert withdrawal.withdrawn == story.sent(CreateGoodsOut)[-1].id, "what waits in front of Clarus does not go"
    story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.SUPERSEDED).clarus().later(hours=3)
    assert len(story.sent(CreateGoodsOut)) == tried
    assert story.open_cases == set()


def test_answer_lost_on_create() -> None:
    """The create was done, its answer lost; the look found it: already applied, one goods-out."""
    story = Story().shopify(TWO_LINES.routed("71"))
    create = story.one(CreateGoodsOut)
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    story.ended(create, OutcomeKind.ALREADY_APPLIED, external_id="9001")
    story.shopify(TWO_LINES.routed("71").paid()).later(hours=2)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert len(story.state.goods_outs) == 1


def test_answer_lost_and_connector_gone_before_its_outcome() -> None:
    """The create's outcome was never published, but the goods-out is seen: its units are covered."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    story.later(hours=2)
    assert len(story.sent(CreateGoodsOut)) == 1


def test_snapshot_overtaken() -> None:
    """A read of Clarus begins, the create happens, then the read arrives, from a connector that was replaced."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.ended(story.one(CreateGoodsOut), OutcomeKind.APPLIED, epoch=7, external_id="9001")
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"), epoch=7)
    before = len(story.reads)
    story.clarus(epoch=3).clarus(epoch=3).clarus(epoch=3)
    assert story.reads[before:] == [System.CLARUS] * 3, "dropped by epoch, read again"
    assert story.open_cases == set()
    assert len(story.sent(CreateGoodsOut)) == 1


def test_stale_owner_publishes() -> None:
    """An old owner of the partition publishes its read after the new owner's: dropped by epoch, read again."""
    story = Story().shopify(TWO_LINES.routed("71"), epoch=20)
    story.shopify(TWO_LINES.cancelled(), epoch=12)
    assert story.reads == [System.SHOPIFY]
    assert story.state.shopify is not None
    assert story.state.shopify.cancelled_at is None


def test_rejected_422() -> None:
    """Clarus refuses an address line: one attempt, one case; a corrected address is sent at once."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="invalid", field="address_1", text="too long")
    assert story.open_cases == {CaseCode.CLARUS_REFUSED}
    story.later(minutes=2)
    assert len(story.sent(CreateGoodsOut)) == 1
    corrected = LEEDS.model_copy(update={"line1": "8 Mill Ln"})
    story.shopify(TWO_LINES.shipping_to(corrected).routed("71"))
    assert len(story.sent(CreateGoodsOut)) == 2
    assert story.sent(CreateGoodsOut)[-1].ship_to.line1 == "8 Mill Ln"
    story.applied(story.sent(CreateGoodsOut)[-1])
    assert story.open_cases == set()


def test_a_rejection_is_tried_again_after_its_back_off_and_by_an_operator() -> None:
    story = Story().shopify(TWO_LINES.routed("71"))
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unknown_sku", field="sku", text="MUG")
    assert story.open_cases == {CaseCode.UNKNOWN_SKU}
    story.later(seconds=301)
    assert len(story.sent(CreateGoodsOut)) == 2
    story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.REJECTED, code="unknown_sku", field="sku", text="MUG")
    story.later(seconds=301)
    assert len(story.sent(CreateGoodsOut)) == 2, "the back-off doubles"
    story.operator("retry")
    assert len(story.sent(CreateGoodsOut)) == 3


def test_same_item_two_lines() -> None:
    """Two lines with one SKU, one of them refunded before the release: the right quantity."""
    twice = an_order().with_line("MUG", 2).with_line("MUG", 3)
    story = Story().shopify(twice.routed("71", L901=2, L902=0))
    assert [(unit.line, unit.quantity) for unit in story.one(CreateGoodsOut).lines] == [("901", 2)]


def test_edit_adds_line() -> None:
    """After the release a line is added, on a new fulfilment order: a second goods-out for that line alone."""
    story = Story().shopify(TWO_LINES.routed("71"))
    story.applied(story.one(CreateGoodsOut))
    story.clarus(a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG"))
    story.shopify(TWO_LINES.routed("71").with_line("HAT", 1).routed("73", L903=1))
    second = story.sent(CreateGoodsOut)[-1]
    assert second.reference == "ACME-5012-73-1"
    assert [(unit.line, unit.quantity) for unit in second.lines] == [("903", 1)]


def test_a_delay_is_waited_out() -> None:
    story = Story().shopify(TWO_LINES.routed("71"))
    create = story.one(CreateGoodsOut)
    story.ended(create, OutcomeKind.DELAYED, text="API limit reached", until=story.at.replace(minute=5))
    assert len(story.sent(CreateGoodsOut)) == 1
    story.later(minutes=6)
    assert len(story.sent(CreateGoodsOut)) == 2
    assert story.sent(CreateGoodsOut)[-1].id != create.id


def test_an_expired_command_is_decided_again_at_once() -> None:
    story = Story().shopify(TWO_LINES.routed("71"))
    story.later(minutes=6)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.EXPIRED)
    assert len(story.sent(CreateGoodsOut)) == 2


def test_an_order_that_was_fulfilled_in_part_before_we_came_is_first_read_from_clarus_and_the_erp() -> None:
    began = TWO_LINES.routed("71").fulfilled("801", L901=1, numbers=("T9",))
    story = Story().shopify(began)
    assert story.sent(CreateGoodsOut) == []
    assert set(story.reads) == {System.CLARUS, System.ERP}
    story.clarus()
    assert story.sent(CreateGoodsOut) == [], "the ERP has not said what it has"
    story.erp(None)
    assert story.quantities == [{"902": 1}]


def test_a_cancelled_goods_out_frees_its_units() -> None:
    story = Story().shopify(TWO_LINES.routed("71"))
    story.applied(story.one(CreateGoodsOut))
    ended = a_goods_out(G1).with_line("901", "0042-A").with_line("902", "MUG").status(GoodsOutStatus.CANCELLED)
    story.clarus(ended)
    assert story.sent(CreateGoodsOut)[-1].reference == "ACME-5012-71-2"


def test_three_hundred_lines() -> None:
    """300 lines, half of them split off onto 59 fulfilment orders while the first create is out: each unit once."""
    order = an_order()
    for number in range(300):
        order = order.with_line(f"SKU-{number:04d}", 2)
    story = Story().shopify(order.routed("71"))
    assert len(story.one(CreateGoodsOut).lines) == 300
    ids = [line.id for line in order.order.lines]
    split = order.routed("71", **two_of(ids[118:]))
    for number in range(59):
        split = split.routed(str(100 + number), **two_of(ids[2 * number : 2 * number + 2]))
    story.shopify(split)
    assert len(story.sent(CreateGoodsOut)) == 1, "all of it is under way"
    story.shopify(split.on_hold("71"))
    story.ended(story.one(CreateGoodsOut), OutcomeKind.SUPERSEDED)
    story.shopify(split)
    told: dict[str, int] = {}
    for create in story.sent(CreateGoodsOut)[1:]:
        for unit in create.lines:
            told[unit.line] = told.get(unit.line, 0) + unit.quantity
    assert told == dict.fromkeys(ids, 2)
    assert len(story.sent(CreateGoodsOut)) == 1 + 60


def two_of(lines: Sequence[str]) -> dict[str, Any]:
    """Two units of each, as the builders take them."""
    return {f"L{line}": 2 for line in lines}
