"""The comparison names each difference and its cause; a sweep is asked for at its hour, and again until it ends."""

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, UpsertErpOrder
from schemas.events import ConnectionState, OrderListed, SystemSwept
from schemas.goods_outs import GoodsOutStatus
from schemas.sweep import Cause, Difference, Stray
from tests.builders import ACME, a_goods_out, an_erp_order, an_order
from tests.story import Story

ORDER = an_order().with_line("MUG", 2).routed("71")
REFERENCE = "ACME-5012-71-1"


def named(story: Story, by: System = System.SHOPIFY) -> Story:
    """The sweep of the story's present moment names the order."""
    return story._event(OrderListed(**story._head(f"raw.{by}"), system=by, sweep=story.at))


def found(story: Story) -> dict[Difference, tuple[int, Cause]]:
    comparison = story.state.comparison
    assert comparison is not None
    assert comparison.at is not None, f"{comparison.awaited} have not answered"
    return {one.what: (one.count, one.cause) for one in comparison.drifts}


def test_each_order_is_read_once_a_sweep_however_many_lists_name_it() -> None:
    story = Story().shopify(ORDER)
    story.reads.clear()
    moment = story.at
    for system in System:
        story._event(OrderListed(**story._head(f"raw.{system}"), system=system, sweep=moment))

    assert story.reads == list(System)


def test_nothing_is_compared_before_all_three_have_answered() -> None:
    story = named(Story().shopify(ORDER)).shopify(ORDER).erp(None)

    assert story.state.comparison is not None
    assert story.state.comparison.awaited == (System.CLARUS,)
    assert story.clarus(complete=False).state.comparison.awaited == (System.CLARUS,)  # type: ignore[union-attr]  # as above
    assert found(story.clarus()) == {Difference.WAREHOUSE_LACKS: (2, Cause.IN_FLIGHT)}


def test_what_is_missing_and_what_is_held_is_named_so() -> None:
    released = Story().shopify(ORDER)
    released.applied(released.one(CreateGoodsOut)).clarus(a_goods_out(REFERENCE).with_line("901", "MUG", 2))
    gone = named(released.clarus().clarus()).shopify(ORDER).clarus().erp(None)
    held = named(Story().shopify(ORDER.on_hold("71"))).shopify(ORDER.on_hold("71")).clarus().erp(None)

    assert found(gone)[Difference.WAREHOUSE_LACKS] == (2, Cause.MISSING)
    assert found(held) == {Difference.WAREHOUSE_LACKS: (2, Cause.HELD)}


RELEASED = a_goods_out(REFERENCE).with_line("901", "MUG", 2)


def released() -> Story:
    story = Story().shopify(ORDER)
    return story.applied(story.one(CreateGoodsOut)).clarus(RELEASED)


def test_what_somebody_changed_in_clarus_is_named_so_until_it_is_as_it_was_made() -> None:
    story = released()
    raised = a_goods_out(REFERENCE).with_line("901", "MUG", 5)
    named(story.clarus(raised)).shopify(ORDER).clarus(raised).erp(None)
    assert found(story)[Difference.WAREHOUSE_HAS_MORE] == (3, Cause.HAND_CLARUS)

    named(story.clarus(RELEASED)).shopify(ORDER).clarus(RELEASED).erp(None)
    assert Difference.WAREHOUSE_HAS_MORE not in found(story)


def test_what_was_changed_before_it_was_first_read_is_known_by_the_command() -> None:
    story = Story().shopify(ORDER)
    raised = a_goods_out(REFERENCE).with_line("901", "MUG", 4)
    story.clarus(raised).applied(story.one(CreateGoodsOut))
    named(story).shopify(ORDER).clarus(raised).erp(None)
    assert found(story)[Difference.WAREHOUSE_HAS_MORE] == (2, Cause.HAND_CLARUS)


def test_what_the_shop_changed_is_no_hand_in_clarus() -> None:
    story = released().clarus(RELEASED.picking())
    fewer = ORDER.refunded(L901=1)
    named(story).shopify(fewer).clarus(RELEASED.picking()).erp(None)
    assert found(story)[Difference.WAREHOUSE_HAS_MORE] == (1, Cause.EDITED)


def test_what_was_cancelled_in_clarus_and_not_by_us_is_named_so() -> None:
    ended = a_goods_out(REFERENCE).with_line("901", "MUG", 2).status(GoodsOutStatus.CANCELLED)
    story = named(released()).shopify(ORDER).clarus(ended).erp(None)
    assert found(story) == {Difference.WAREHOUSE_LACKS: (2, Cause.HAND_CLARUS)}


def test_a_number_that_was_told_and_is_gone_from_clarus_was_taken_off_by_hand() -> None:
    sold = an_erp_order().with_line("901", "MUG", 2)
    posted = sold.fulfilment(REFERENCE, L901=2)
    told = ORDER.fulfilled("801", numbers=("T1",), L901=2)
    story = released()
    story.applied(story.one(UpsertErpOrder), "77").clarus(RELEASED.despatched()).erp(posted)
    story.applied(story.one(CreateFulfilment), "801").shopify(told)
    bare = RELEASED.despatched(tracking=("",))
    named(story).shopify(told).clarus(bare).erp(posted)
    assert found(story) == {Difference.NO_TRACKING: (1, Cause.HAND_CLARUS)}


def test_an_order_of_which_only_the_erp_knows_is_an_orphan() -> None:
    story = named(Story(), System.ERP).shopify(None).clarus().erp(an_erp_order().with_line("901", "MUG", 2))

    assert found(story) == {Difference.NO_ORDER: (1, Cause.NO_COUNTERPART)}
    assert story.open_cases == {CaseCode.ORPHAN_ERP_ORDER}


def swept(story: Story, *strays: Stray) -> Story:
    head = story._head("raw.clarus") | {"order": "~clarus"}
    return story._event(SystemSwept(**head, system=System.CLARUS, sweep=story.at, orders=3, strays=strays))


def test_a_stray_is_a_case_until_a_sweep_finds_it_no_more() -> None:
    astray = Stray(code=CaseCode.PACKAGE_ASTRAY, object="package 7101", detail="no such goods-out")
    story = swept(Story().connection(System.CLARUS, ConnectionState.WELL), astray)
    assert story.open_cases == {CaseCode.PACKAGE_ASTRAY}

    assert swept(story).open_cases == set()


def test_a_sweep_is_asked_for_at_its_hour_and_is_late_when_it_does_not_end() -> None:
    """The story begins at noon; the sweep is at two."""
    story = Story().connection(System.CLARUS, ConnectionState.WELL)
    assert story.later(hours=13).reads == []

    assert story.later(hours=1.1).reads == [System.CLARUS]
    assert story.open_cases == set()
    story.later(hours=4.1)
    assert story.open_cases == {CaseCode.SWEEP_LATE}
    assert len(story.reads) > 1, "it is asked for again"
    assert swept(story).open_cases == set()


@pytest.mark.parametrize("says", ["", "tonight", "2026-11-03T12:00:00", "2099-01-01T00:00:00+00:00"])
def test_a_sweep_asked_for_without_a_moment_we_can_take_changes_nothing(says: str) -> None:
    story = Story().connection(System.CLARUS, ConnectionState.WELL).about("~clarus").operator("sweep", says=says)

    assert story.reads == []
    assert story.brand() == ACME
