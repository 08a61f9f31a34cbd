"""Shopify first, Clarus second, compare, write: what is asked for, in which order, and what it leads to."""

from datetime import timedelta

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.outcomes import OutcomeKind
from schemas.stock import Level
from tests.stock_story import QUIET, WAIT, StockStory, an_item, stock_brand

SHOPIFY, CLARUS = System.SHOPIFY, System.CLARUS


def test_an_item_never_seen_is_read_on_both_sides() -> None:
    story = StockStory().withheld(0)
    assert [system for system, _ in story.asked] == [SHOPIFY, CLARUS]
    assert story.written == []


def test_what_agrees_is_left_alone() -> None:
    assert StockStory().in_step(10).later(minutes=10).written == []


def test_a_difference_is_written_after_clarus_was_read_again_behind_shopify() -> None:
    story = StockStory().in_step(10)
    level_at = story.state.level_at
    story.shopify(12).later(seconds=QUIET)
    assert story.written == [], "Clarus was read before Shopify showed 12"
    assert story.asked[-1] == (CLARUS, story.state.level_at)
    assert story.state.level_at > level_at
    assert story.clarus(10).written == [(12, 10)]


def test_a_reading_that_was_asked_for_before_decides_nothing() -> None:
    story = StockStory().in_step(10).shopify(12).later(seconds=QUIET)
    assert story.clarus(9, token=0).later(seconds=QUIET).written == []
    assert story.clarus(9).written == [(12, 9)]


def test_sale_in_flight() -> None:
    """One is sold and its webhook is lost: Clarus still has ten, and ten on hand with one committed offers nine."""
    story = StockStory().in_step(10)
    story.shopify(an_item(10, committed=1)).later(minutes=1)
    assert story.written == []
    assert story.state.item is not None
    assert story.state.item.available == 9


def test_compare_lost_then_read() -> None:
    """A hand edit between read and write: read again, the cause named, written against the new figure."""
    story = StockStory().in_step(10).clarus(8).due()
    assert story.written == [(10, 8)]
    story.shopify(15).stale()
    story.later(seconds=1).clarus(8).due()
    assert story.written == [(10, 8), (15, 8)]
    assert story.commands[-1].why == "warehouse"


def test_a_lost_compare_without_a_new_reading_asks_for_one() -> None:
    story = StockStory().in_step(10).clarus(8).due()
    asked = len(story.asked)
    story.stale()
    assert story.asked[asked:] == [(SHOPIFY, -1)]


def test_despatch_between_reads() -> None:
    """Clarus ten; then one leaves and is fulfilled; Shopify shows nine: the old reading of Clarus writes nothing."""
    story = StockStory().in_step(10).shopify(9).later(seconds=QUIET)
    assert story.written == []
    assert story.clarus(9).later(minutes=5).written == []


def test_same_write_twice_in_a_day() -> None:
    """10 → 8, by hand back to 10, 10 → 8 again: two writes of the same figures with different ids."""
    story = StockStory().in_step(10).clarus(8).due().applied()
    story.shopify(10).due()
    assert story.written == [(10, 8), (10, 8)]
    assert len({one.id for one in story.commands}) == 2
    assert story.commands[-1].why == "by hand"


def test_wholesale_between_reads() -> None:
    """Balances that differ before and after the goods-outs were read decide nothing."""
    story = StockStory().in_step(10).clarus(8, steady=False).later(seconds=QUIET)
    assert story.written == []
    assert story.clarus(8).due().written == [(10, 8)]


def test_cancel_not_honoured() -> None:
    """Cancelled in Shopify, the warehouse still ships two: they are taken off, and offered again when it stops."""
    story = StockStory().in_step(10).withheld(2).due()
    assert story.written == [(10, 8)]
    assert story.commands[-1].why == "not honoured"
    story.applied().withheld(0).due()
    assert story.written == [(10, 8), (8, 10)]


def test_an_older_sum_of_the_same_partition_is_not_believed() -> None:
    story = StockStory().in_step(10).withheld(2, offset=50).withheld(7, offset=49)
    assert story.state.units_withheld == 2
    assert story.withheld(1, partition=1, offset=3).state.units_withheld == 3


def test_two_items_one_code() -> None:
    story = StockStory().in_step(10)
    story.shopify(an_item(10), an_item(4, id="802", sku=" 0042-A")).clarus(3).later(hours=1)
    assert story.written == []
    assert story.open_cases == {CaseCode.TWO_ITEMS_ONE_CODE}
    assert story.shopify(10).open_cases == set()


@pytest.mark.parametrize(
    "changes", [{"tracked": False}, {"stocked": False}, {"kit": True}], ids=["not counted", "not stocked", "a kit"]
)
def test_of_two_items_the_one_that_the_shop_counts_there_is_written(changes: dict[str, bool]) -> None:
    """As the case asks for: the other's tracking was set off."""
    other = an_item(0, id="802", **changes)
    story = StockStory().shopify(an_item(10), an_item(4, id="802")).clarus(3).later(hours=1)
    assert story.open_cases == {CaseCode.TWO_ITEMS_ONE_CODE}
    assert story.shopify(an_item(10), other).due().written == [(10, 3)]
    assert story.open_cases == set()
    assert story.applied().state.level == Level(items=(an_item(3), other))
    assert story.later(hours=1).written == [(10, 3)]


def test_of_two_items_that_the_shop_does_not_count_there_none_is_written() -> None:
    story = StockStory().shopify(an_item(10, tracked=False), an_item(4, id="802", stocked=False)).clarus(3)
    assert (story.later(hours=1).written, story.open_cases) == ([], set())


def test_a_write_says_nothing_of_another_item_that_has_the_code_by_now() -> None:
    story = StockStory().in_step(10).clarus(8).due().shopify(an_item(10, id="802"))
    assert story.applied().state.item == an_item(10, id="802")
    assert story.due().written == [(10, 8), (10, 8)]


@pytest.mark.parametrize(
    ("why", "changes"),
    [("not counted", {"tracked": False}), ("not stocked there", {"stocked": False}), ("a kit", {"kit": True})],
)
def test_what_shopify_does_not_count_is_left_alone_without_a_case(why: str, changes: dict[str, bool]) -> None:
    story = StockStory().shopify(an_item(10, **changes)).clarus(3).later(hours=2)
    assert (story.written, story.open_cases) == ([], set()), why


def test_a_bundle_the_warehouse_has_as_components_is_a_case() -> None:
    bundles = [{"sku": "0042-A", "components": [{"sku": "CUP", "quantity": 2}]}]
    story = StockStory().in_step(10).configured(bundles=bundles).later(minutes=2)
    assert story.open_cases == {CaseCode.STOCK_OF_KIT}


def test_a_product_clarus_does_not_know_is_not_written_and_becomes_a_case_when_it_lasts() -> None:
    story = StockStory().shopify(10).clarus(0, known=False)
    assert story.later(minutes=29).open_cases == set()
    assert story.later(minutes=2).open_cases == {CaseCode.STOCK_UNREAD}
    assert story.clarus(10).open_cases == set()
    assert story.written == []


def test_answers_that_are_not_complete_change_nothing() -> None:
    story = StockStory().in_step(10).clarus(0, complete=False).later(hours=1)
    assert story.written == []
    assert story.state.wanted == 10


def test_a_reading_that_does_not_come_is_asked_for_again() -> None:
    story = StockStory().in_step(10).shopify(12).later(seconds=QUIET)
    asked = story.asked.count((CLARUS, story.state.level_at))
    story.later(seconds=59)
    assert story.asked.count((CLARUS, story.state.level_at)) == asked
    story.later(seconds=2)
    assert story.asked.count((CLARUS, story.state.level_at)) == asked + 1


def test_an_older_owner_of_the_partition_is_not_believed() -> None:
    story = StockStory().in_step(10).shopify(10, epoch=5)
    asked = len(story.asked)
    story.shopify(3, epoch=4)
    assert story.state.item is not None
    assert story.state.item.on_hand == 10
    assert story.asked[asked:] == [(SHOPIFY, -1)]


# --- writing


def test_our_own_write_counts_as_read() -> None:
    story = StockStory().in_step(10).clarus(8).due().applied()
    assert story.state.item is not None
    assert (story.state.item.on_hand, story.state.item.available) == (8, 8)
    assert story.shopify(8).later(minutes=10).written == [(10, 8)]


def test_a_refusal_is_a_case_and_tried_again_less_and_less() -> None:
    story = StockStory().in_step(10).clarus(8).due()
    story.ended(OutcomeKind.REJECTED, code="invalid_inventory_item", text="no such item")
    assert story.open_cases == {CaseCode.STOCK_REFUSED}
    story.later(minutes=4)
    assert len(story.written) == 1
    story.later(minutes=2)
    assert len(story.written) == 2
    assert story.applied().open_cases == set()


def test_another_figure_does_not_wait_for_what_was_refused_before() -> None:
    """Refused often, so that the next try is hours away; then nothing is left, and the shop must hear of it."""
    story = StockStory().in_step(10).clarus(8).due()
    for _ in range(5):
        story.ended(OutcomeKind.REJECTED, code="odd").later(hours=2)
    story.ended(OutcomeKind.REJECTED, code="odd").later(minutes=30)
    assert len(story.written) == 6
    assert story.clarus(0).written[-1] == (10, 0)
    assert story.open_cases == {CaseCode.STOCK_REFUSED}
    story.ended(OutcomeKind.REJECTED, code="odd").later(hours=1).clarus(0)
    assert len(story.written) == 7, "this one was refused too, and waits"


def test_a_person_may_have_it_tried_at_once() -> None:
    story = StockStory().in_step(10).clarus(8).due().ended(OutcomeKind.REJECTED, code="refused")
    assert len(story.operator("retry").written) == 2


def test_a_delay_is_waited_for() -> None:
    story = StockStory().in_step(10).clarus(8).due()
    until = story.at.replace(microsecond=0)
    story.ended(OutcomeKind.DELAYED, code="ratelimited", until=until.replace(minute=until.minute + 1))
    story.later(seconds=40)
    assert len(story.written) == 1
    story.later(seconds=40)
    assert len(story.written) == 2


@pytest.mark.parametrize(
    ("kind", "after", "again"),
    [(OutcomeKind.SUPERSEDED, 0, 2), (OutcomeKind.EXPIRED, 61, 2), (OutcomeKind.EXPIRED, 0, 61)],
    ids=["superseded", "expired", "expired when just decided: the connector's clock is fast"],
)
def test_what_was_not_tried_is_decided_again(kind: OutcomeKind, after: int, again: int) -> None:
    story = StockStory().in_step(10).clarus(8).due().later(seconds=after).ended(kind)
    assert len(story.later(seconds=again - 2).written) == 1 or again == 2
    assert len(story.later(seconds=2).written) == 2


@pytest.mark.parametrize("ago", [90, 0])
def test_a_delay_that_is_over_when_it_is_told_is_no_reason_to_hurry(ago: int) -> None:
    """The connector's clock is slow."""
    story = StockStory().in_step(10).clarus(8).due()
    story.ended(OutcomeKind.DELAYED, code="unavailable", until=story.at - timedelta(seconds=ago))
    assert len(story.later(seconds=4).written) == 1
    assert len(story.later(seconds=2).written) == 2


def test_while_one_is_under_way_no_other_is_sent() -> None:
    story = StockStory().in_step(10).clarus(8).due().clarus(7).later(seconds=WAIT)
    assert story.written == [(10, 8)]
    assert story.applied().due().written == [(10, 8), (8, 7)]


@pytest.mark.parametrize("stopped", [{"stock": {"mode": "observe"}}, {"mode": "observe"}, {"paused": ["shopify"]}])
def test_a_brand_that_is_stopped_says_what_it_would_write(stopped: dict[str, object]) -> None:
    story = StockStory().configured(**stopped).in_step(10).clarus(8).due()
    assert story.written == []
    assert story.state.would_write == 8


def test_off_is_off() -> None:
    story = StockStory(stock_brand(mode="off")).in_step(10).clarus(3).later(hours=1)
    assert (story.written, story.asked, story.open_cases) == ([], [], set())


@pytest.mark.parametrize("rule", ["overrule", "respect"])
def test_a_figure_raised_by_hand(rule: str) -> None:
    story = StockStory(stock_brand(hand_edits=rule)).in_step(10).shopify(14).due()
    if rule == "overrule":
        assert story.written == [(14, 10)]
        assert story.commands[0].why == "by hand"
    else:
        assert story.written == []
        assert story.open_cases == {CaseCode.STOCK_BY_HAND}
        assert story.clarus(9).due().written == [(14, 9)], "until the warehouse's own figure changes"


def test_a_restart_anywhere_decides_the_same() -> None:
    story = StockStory().in_step(10).clarus(8).due()
    again = story.restarted()
    assert again.states() == story.fold.states()
    assert [one.topic for one in again.resend(0) if one.topic.startswith("commands")] == ["commands.shopify.stock"]


def test_a_second_delivery_changes_nothing() -> None:
    story = StockStory().in_step(10).clarus(8).due()
    for record in list(story.log[1:]):
        story.handle(record)
    assert story.written == [(10, 8)]
