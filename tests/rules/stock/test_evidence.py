"""What is known of a stock item, and from what; what is in the way of writing it; why it differs: literal cases."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from schemas.base import OrderId, System
from schemas.cases import CaseCode
from schemas.commands import command_id
from schemas.config import BrandConfig
from schemas.events import CommandEnded, DemandSeen, SnapshotUnreadable
from schemas.outcomes import Outcome, OutcomeKind
from schemas.stock import InventoryItemId, ShopItem
from streams.rules.orders.emit import Decision
from streams.rules.orders.endings import YOUNG
from streams.rules.orders.state import DEAD
from streams.rules.stock.absorb import absorb
from streams.rules.stock.causes import Cause, basis, cause
from streams.rules.stock.obstacles import obstacle
from streams.rules.stock.state import Asked, StockState, first
from streams.rules.stock.step import step, wake
from tests.builders import ACME, NOON
from tests.stock_story import ITEM, LEEDS, MUG, QUIET, StockStory, an_item, stock_brand

SHOPIFY, CLARUS = System.SHOPIFY, System.CLARUS


def changed(**changes: object) -> BrandConfig:
    return BrandConfig.model_validate({**stock_brand().model_dump(), **changes})


def differing() -> StockStory:
    """Shopify has ten, the warehouse eight; the write of eight is on its way."""
    story = StockStory().in_step(10).clarus(8).due()
    assert story.written == [(10, 8)]
    return story


# --- in the way


def knows(*items: ShopItem) -> StockStory:
    return StockStory().shopify(*items).clarus(10)


@pytest.mark.parametrize(
    ("told", "why", "case"),
    [
        (
            lambda: StockStory(changed(warehouses=[{"location": "12", "warehouse": "MAN1"}])).in_step(10),
            "no warehouse of Clarus serves",
            None,
        ),
        (lambda: StockStory().withheld(0), "not been read in Shopify", CaseCode.STOCK_UNREAD),
        (lambda: StockStory().clarus(10), "not been read in Shopify", CaseCode.STOCK_UNREAD),
        (lambda: StockStory().shopify().clarus(10), "no item with this code", None),
        (lambda: knows(an_item(10), an_item(3)), "two items of the shop", CaseCode.TWO_ITEMS_ONE_CODE),
        (lambda: knows(an_item(10, kit=True)), "computes it from its components", None),
        (lambda: knows(an_item(10, tracked=False)), "does not count it", None),
        (lambda: knows(an_item(10, stocked=False)), "not stocked at this location", None),
        (lambda: StockStory().shopify(10), "not been read in Clarus", CaseCode.STOCK_UNREAD),
        (lambda: StockStory().shopify(10).clarus(0, known=False), "no such product", CaseCode.STOCK_UNREAD),
        (lambda: StockStory().in_step(10), "", None),
    ],
)
def test_what_is_in_the_way(told: Callable[[], StockStory], why: str, case: CaseCode | None) -> None:
    story = told()
    found = obstacle(story.state, story.config)
    assert (found is None) == (why == "")
    if found is not None:
        assert why in found.why
        assert [look.code for look in found.looks] == ([case] if case else [])
    story.later(hours=1)
    assert story.open_cases == ({case} if case else set())
    assert story.written == []


def test_a_case_says_which_items_have_the_code_and_what_was_not_read() -> None:
    two = knows(an_item(10), an_item(3).model_copy(update={"sku": type(MUG)("0042 -A")}))
    [case] = two.cases.values()
    assert (case.object, case.detail) == (ITEM, "'0042-A', '0042 -A'")
    [unread] = StockStory().shopify(10).later(hours=1).cases.values()
    assert "Clarus" in unread.detail


def test_what_is_not_read_is_a_case_only_after_a_while() -> None:
    story = StockStory(stock_brand(unread=600)).shopify(10)
    assert story.later(minutes=9).open_cases == set()
    assert story.later(minutes=2).open_cases == {CaseCode.STOCK_UNREAD}
    assert story.clarus(10).open_cases == set()


def test_a_bundle_is_named_by_its_sku() -> None:
    bundle = {"sku": "0042-A", "components": [{"sku": "CUP", "quantity": 2}]}
    story = StockStory(changed(bundles=[bundle])).in_step(10)
    [case] = story.cases.values()
    assert (case.code, case.detail) == (CaseCode.STOCK_OF_KIT, "0042-A")
    other = {"sku": "MUG-SET", "components": [{"sku": "0042-A", "quantity": 2}]}
    plain = StockStory(changed(bundles=[other])).in_step(10)
    assert plain.cases == {}


# --- reading


def test_where_in_the_log_a_figure_was_first_known_moves_only_with_the_figure() -> None:
    story = StockStory().in_step(10)
    known = story.state.level_at
    assert story.shopify(an_item(10, committed=2)).state.level_at == known, "a sale"
    for changed in (
        an_item(11),
        an_item(11, id=InventoryItemId("802")),
        an_item(11, id=InventoryItemId("802"), updated_at=NOON),
        an_item(11, id=InventoryItemId("802"), updated_at=NOON, tracked=False),
        an_item(11, id=InventoryItemId("802"), updated_at=NOON, tracked=False, stocked=False),
    ):
        before = story.state.level_at
        assert story.shopify(changed).state.level_at > before, changed


def test_a_reading_of_clarus_is_as_new_as_what_it_was_asked_after() -> None:
    story = StockStory().in_step(10)
    token = story.state.token
    assert story.clarus(9, token=token - 1).state.token == token
    assert story.clarus(9, token=token + 5).state.token == token + 5


@pytest.mark.parametrize(("steady", "complete"), [(False, True), (True, False)])
def test_a_reading_that_moved_or_is_not_whole_changes_nothing(steady: bool, complete: bool) -> None:
    story = StockStory().in_step(10).clarus(3, steady=steady, complete=complete)
    assert story.state.balance is not None
    assert story.state.balance.warehouses[0].available == 10


def test_sums_stand_in_the_order_of_their_partitions() -> None:
    story = StockStory().withheld(1, partition=3).withheld(2, partition=1).withheld(4, partition=2)
    assert [one.partition for one in story.state.withheld] == [1, 2, 3]
    assert story.state.units_withheld == 7
    assert story.withheld(9, partition=2, offset=0).state.units_withheld == 7


def test_the_same_offset_again_is_no_newer_sum() -> None:
    assert StockStory().withheld(2, offset=50).withheld(7, offset=50).state.units_withheld == 2


def test_a_reading_that_does_not_come_is_asked_for_again_and_not_before() -> None:
    story = StockStory(stock_brand(ask_again=60)).withheld(0)
    asked = len(story.asked)
    assert len(story.withheld(1).later(seconds=58).asked) == asked
    assert story.state.wake_at is not None
    assert story.state.wake_at > story.state.now
    assert [system for system, _ in story.later(seconds=3).asked[asked:]] == [SHOPIFY, CLARUS]
    answered = len(story.shopify(10).clarus(10).asked)
    assert len(story.later(hours=2).asked) == answered
    assert story.state.asked == ()


def test_a_reading_that_never_comes_is_asked_for_ever_more_rarely_up_to_once_an_hour() -> None:
    story = StockStory(stock_brand(ask_again=600, unread=86_400)).withheld(0).shopify(10)
    story.asked.clear()
    waits = []
    for _ in range(4):
        (asked,) = story.state.asked
        waits.append(asked.wait)
        assert story.state.wake_at is not None
        assert timedelta() <= story.state.wake_at - asked.at - timedelta(seconds=asked.wait) < timedelta(milliseconds=1)
        story.later(seconds=asked.wait)
    assert waits == [600, 1200, 2400, 3600]
    assert story.asked == [(CLARUS, story.state.level_at)] * 4
    assert [one.wait for one in story.state.asked] == [3600]


def test_an_answer_that_cannot_be_understood_is_no_answer() -> None:
    """It is asked for again at the wait that runs, and that is not begun anew."""
    story = StockStory(stock_brand(ask_again=60)).shopify(10)
    story.asked.clear()
    minutes = []
    for minute in range(1, 61):
        story._event(SnapshotUnreadable(**story._head("raw.clarus"), system=CLARUS, reason="available: 12.5"))
        asked = len(story.asked)
        minutes += [minute] * (len(story.later(minutes=1).asked) - asked)
    assert minutes == [1, 3, 7, 15, 31]


def test_an_answer_or_a_newer_question_begins_the_waits_anew() -> None:
    story = StockStory(stock_brand(ask_again=60)).withheld(0).shopify(10).later(minutes=1)
    assert [one.wait for one in story.state.asked] == [120]
    story.shopify(11)
    assert [(one.system, one.token, one.wait) for one in story.state.asked] == [(CLARUS, story.state.level_at, 60)]
    answered = story.later(minutes=1).clarus(10).shopify(12).later(seconds=QUIET)
    assert [one.wait for one in answered.state.asked] == [60]


def test_a_reading_that_an_earlier_release_asked_for_is_waited_for_as_before() -> None:
    story = StockStory(stock_brand(ask_again=60)).withheld(0).shopify(10)
    (now,) = story.state.asked
    earlier = Asked.model_validate(now.model_dump(exclude={"wait"}))
    state = story.state.model_copy(update={"asked": (earlier,)})
    decision = Decision(partition=0, offset=99)
    early = wake(state, story.config, now.at + timedelta(seconds=59), decision)
    assert (early.asks, early.state.wake_at) == ((), story.state.wake_at)
    late = wake(state, story.config, now.at + timedelta(seconds=60), decision)
    assert [(one.system, one.wait) for one in late.state.asked] == [(CLARUS, 120)]
    assert [one.system for one in late.asks] == [CLARUS]


@pytest.mark.parametrize("action", ["retry", "refresh"])
def test_a_person_does_not_wait_until_it_is_asked_again(action: str) -> None:
    story = StockStory(stock_brand(ask_again=600)).withheld(0).later(seconds=600)
    story.asked.clear()
    assert [system for system, _ in story.operator(action).asked] == [SHOPIFY, CLARUS]
    assert [one.wait for one in story.state.asked] == [600, 600]


def test_what_one_system_answers_is_still_asked_of_the_other() -> None:
    story = StockStory().withheld(0).shopify(10)
    assert [one.system for one in story.state.asked] == [CLARUS]
    other = StockStory().withheld(0).clarus(10)
    assert [one.system for one in other.state.asked] == [SHOPIFY]
    assert [system for system, _ in other.asked].count(SHOPIFY) == 1, "its answer is on its way"


def test_an_answer_that_was_asked_for_too_early_has_clarus_asked_again_at_once() -> None:
    story = StockStory().in_step(10).shopify(12).later(seconds=QUIET)
    again = story.asked[-1]
    asked = len(story.asked)
    assert story.clarus(10, token=0).asked[asked:] == [again]


def test_while_an_answer_is_on_its_way_other_news_do_not_have_it_asked_again() -> None:
    story = StockStory().in_step(10).shopify(12).later(seconds=QUIET)
    asked = len(story.asked)
    assert len(story.shopify(an_item(12, committed=1)).asked) == asked


def test_what_did_not_come_is_asked_again_when_its_time_is_up_to_the_second() -> None:
    """The wake-up comes then, and no second one."""
    story = StockStory(stock_brand(ask_again=60)).withheld(0)
    (shopify, clarus) = story.state.asked
    made = wake(story.state, story.config, shopify.at + timedelta(seconds=60), Decision(partition=0, offset=99))
    assert [one.system for one in made.asks] == [shopify.system, clarus.system]


def test_what_was_asked_for_stays_asked_when_more_is() -> None:
    assert first(ACME, ITEM, MUG, LEEDS, NOON).asking(CLARUS).asking(SHOPIFY).ask == (SHOPIFY, CLARUS)


def test_a_reading_that_was_appended_twice_counts_once() -> None:
    """Normalise may append an event a second time, behind others; where it came from tells."""
    story = StockStory().in_step(10).shopify(12)
    older = story.log[-2]
    story.clarus(9)
    story._append(older.key or b"", older.value or b"", dict(older.headers))
    assert story.state.balance is not None
    assert story.state.balance.warehouses[0].available == 9


@pytest.mark.parametrize("again", ["the same offset", "a sum that says nothing new"])
def test_what_is_known_already_is_not_written_again(again: str) -> None:
    story = StockStory().in_step(10).withheld(2, offset=50)
    state = story.state
    event = DemandSeen(brand=ACME, order=ITEM, partition=0, decided_offset=51, units=2)
    if again == "the same offset":
        offset = state.last_offset
    else:
        offset, event = state.last_offset + 1, event.model_copy(update={"decided_offset": 50})
    assert step(state, event, story.config, state.now, Decision(partition=0, offset=offset)) is None


def test_an_order_of_events_that_is_no_stock_items_is_refused() -> None:
    wrong = DemandSeen(brand=ACME, order=OrderId("item:0042-A"), partition=0, decided_offset=1, units=2)
    with pytest.raises(ValueError, match=r"expected stock:LOCATION/CODE, found 'item:0042-A'"):
        step(None, wrong, None, NOON, Decision(partition=0, offset=7, trace=""))


# --- how a write ends


@pytest.mark.parametrize("kind", [OutcomeKind.APPLIED, OutcomeKind.ALREADY_APPLIED])
def test_a_write_that_was_done_is_the_shops_figure(kind: OutcomeKind) -> None:
    story = differing().shopify(an_item(10, committed=3, updated_at=NOON))
    level_at = story.state.level_at
    story.ended(kind)
    item, written = story.state.item, story.state.written
    assert item is not None
    assert (item.on_hand, item.available, item.committed, item.updated_at) == (8, 5, 3, None)
    assert story.state.level_at > level_at
    assert written is not None
    assert (written.quantity, written.instead_of, written.why, written.at) == (8, 10, "warehouse", story.state.now)
    assert (story.state.in_flight, story.state.differs_since) == (None, None)
    assert story.later(hours=1).written == [(10, 8)]


def test_a_write_into_what_is_not_one_item_any_more_leaves_the_reading() -> None:
    story = differing().shopify(an_item(10), an_item(3)).applied()
    assert story.state.item is None
    assert story.state.level is not None
    assert len(story.state.level.items) == 2


def test_the_outcome_of_another_command_has_shopify_read() -> None:
    story = differing()
    other = story.commands[0].model_copy(update={"id": "another"})
    story.asked.clear()
    assert story.ended(OutcomeKind.APPLIED, other).state.in_flight is not None
    assert [system for system, _ in story.asked] == [SHOPIFY]
    story.applied().asked.clear()
    assert [system for system, _ in story.ended(OutcomeKind.APPLIED).asked] == [SHOPIFY], "ended twice"


def test_what_a_predecessor_read_before_our_write_was_done_is_not_believed() -> None:
    story = differing().ended(OutcomeKind.APPLIED, epoch=5)
    story.asked.clear()
    story.shopify(10, epoch=4)
    assert story.state.item is not None
    assert story.state.item.on_hand == 8
    assert [system for system, _ in story.asked] == [SHOPIFY]


def test_a_lost_compare_of_what_is_not_one_item_any_more_has_shopify_read() -> None:
    story = differing().shopify(an_item(10), an_item(3))
    story.asked.clear()
    assert [system for system, _ in story.stale().asked] == [SHOPIFY]


def test_what_was_written_ends_refusals_and_lost_compares_though_it_must_be_written_again() -> None:
    refused = differing().ended(OutcomeKind.REJECTED, code="odd").operator("retry").clarus(8).clarus(7).applied()
    assert (refused.state.wanted, refused.state.refusal, refused.open_cases) == (7, None, set())
    lost = differing().stale().shopify(12).clarus(8).due().clarus(7).applied()
    assert (lost.state.wanted, lost.state.compares_lost) == (7, 0)


def test_lost_compares_are_counted_in_a_row() -> None:
    story = differing().stale()
    assert story.state.compares_lost == 1
    story.shopify(12).clarus(8).due().stale()
    assert story.state.compares_lost == 2
    story.shopify(13).clarus(8).due().applied()
    assert story.state.compares_lost == 0


def test_a_lost_compare_asks_for_no_reading_when_one_has_come_since() -> None:
    story = differing().shopify(15)
    story.asked.clear()
    story.stale()
    assert SHOPIFY not in [system for system, _ in story.asked]


@pytest.mark.parametrize("kind", [OutcomeKind.SUPERSEDED, OutcomeKind.EXPIRED])
def test_what_was_not_tried_has_shopify_read(kind: OutcomeKind) -> None:
    story = differing()
    story.asked.clear()
    assert SHOPIFY in [system for system, _ in story.ended(kind).asked]


@pytest.mark.parametrize(("after", "why"), [(YOUNG - timedelta(milliseconds=1), "expired although"), (YOUNG, "")])
def test_what_expires_when_just_decided_waits_and_says_why(after: timedelta, why: str) -> None:
    story = differing()
    command, state = story.commands[0], story.state
    outcome = Outcome(command=command.id, object=command.object, generation=1, kind=OutcomeKind.EXPIRED)
    event = CommandEnded(brand=ACME, order=ITEM, system=SHOPIFY, epoch=1, outcome=outcome)
    known = absorb(state, event, command.decided_at + after, state.last_offset + 1)
    assert (known.delayed_until is not None, known.ask) == (bool(why), (SHOPIFY,))
    assert known.delayed_why.startswith(why)
    assert bool(known.delayed_why) is bool(why)


@pytest.mark.parametrize(
    ("until", "waits"),
    [(timedelta(minutes=5), timedelta(minutes=5)), (timedelta(hours=9), timedelta(hours=1))],
    ids=["as long as it says", "an hour at most"],
)
def test_a_delay_is_waited_for(until: timedelta, waits: timedelta) -> None:
    story = differing()
    story.ended(OutcomeKind.DELAYED, code="throttled", text="too many", until=story.at + until)
    assert story.state.delayed_until is not None
    assert abs(story.state.delayed_until - story.state.now - waits) < timedelta(seconds=1)
    assert story.state.delayed_why == "too many"
    story.later(seconds=waits.total_seconds() - 2).clarus(8)
    assert len(story.written) == 1
    story.later(seconds=4).clarus(8)
    assert len(story.written) == 2
    assert story.state.delayed_until is None or story.applied().state.delayed_until is None
    assert story.state.delayed_why == ""


def test_a_delay_without_a_text_says_its_code() -> None:
    assert differing().ended(OutcomeKind.DELAYED, code="throttled").state.delayed_why == "throttled"


def test_a_refusal_keeps_what_was_said_and_counts() -> None:
    story = differing().ended(OutcomeKind.REJECTED, code="odd", field="quantity", text="too high")
    refusal = story.state.refusal
    assert refusal is not None
    assert (refusal.code, refusal.field, refusal.text, refusal.tries) == ("odd", "quantity", "too high", 1)
    assert (refusal.system, refusal.object, refusal.at, refusal.again) == (SHOPIFY, "on-hand", story.state.now, False)
    assert refusal.fingerprint == story.commands[0].fingerprint
    [case] = story.cases.values()
    assert (case.code, case.detail) == (CaseCode.STOCK_REFUSED, "odd")
    story.operator("retry").clarus(8)
    assert len(story.written) == 2
    story.ended(OutcomeKind.REJECTED, code="odd")
    assert story.state.refusal is not None
    assert story.state.refusal.tries == 2
    story.operator("retry").clarus(8).applied()
    assert story.state.refusal is None
    assert story.open_cases == set()


@pytest.mark.parametrize("action", ["retry", "refresh"])
def test_a_person_has_both_sides_read_anew(action: str) -> None:
    story = StockStory().in_step(10)
    story.asked.clear()
    assert [system for system, _ in story.operator(action).asked] == [SHOPIFY, CLARUS]


def test_who_has_the_case_is_kept_and_freed() -> None:
    story = StockStory().shopify(an_item(10), an_item(3)).clarus(10)
    code = CaseCode.TWO_ITEMS_ONE_CODE
    story.operator("assign", code, says="kim")
    assert [(one.code, one.object, one.by) for one in story.state.taken] == [(code, ITEM, "kim")]
    assert story.state.cases[0].assignee == "kim"
    story.operator("assign", CaseCode.STOCK_UNREAD, says="ola")
    assert story.state.cases[0].assignee == "kim"
    assert [one.by for one in story.state.taken] == ["kim"]
    story.operator("assign", code, says="ola")
    assert story.state.cases[0].assignee == "ola"
    story.operator("assign", code)
    assert story.state.taken == ()


def test_what_is_asked_of_orders_says_nothing_of_stock() -> None:
    story = StockStory().in_step(10)
    story.asked.clear()
    assert story.operator("release_again", "ACME-5012-71-1").asked == []


def test_a_write_without_an_outcome_is_given_up_and_written_again() -> None:
    story = differing()
    story.later(seconds=DEAD.total_seconds() - 5).clarus(8)
    assert len(story.written) == 1
    story.later(seconds=10).clarus(8).due()
    assert len(story.written) == 2


def test_a_write_without_an_outcome_is_given_up_when_its_time_is_up_to_the_second() -> None:
    """The wake-up comes then, and no second one."""
    story = differing()
    decision = Decision(partition=0, offset=99, trace="00-ab")
    made = wake(story.state, story.config, story.commands[0].decided_at + DEAD, decision)
    (command,) = made.commands
    assert (command.compare, command.quantity, command.trace) == (10, 8, "00-ab")


def test_a_write_that_was_given_up_is_under_way_no_more() -> None:
    story = differing().shopify(12).later(seconds=DEAD.total_seconds())
    assert (story.written, story.state.in_flight) == ([(10, 8)], None)
    assert story.asked[-1] == (CLARUS, story.state.level_at), "Clarus is to be read after Shopify first"


# --- why


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("first", lambda: StockStory().shopify(10).clarus(8)),
        ("warehouse", lambda: StockStory().in_step(10).clarus(8)),
        ("warehouse", lambda: StockStory().in_step(10).clarus(12, others=1)),
        ("other channel", lambda: StockStory().in_step(10).clarus(10, others=3)),
        ("not honoured", lambda: StockStory().in_step(10).withheld(2)),
        ("told", lambda: StockStory().in_step(10).shopify(9)),
        ("by hand", lambda: StockStory().in_step(10).shopify(11)),
    ],
)
def test_why_it_differs(why: str, told: Callable[[], StockStory]) -> None:
    story = told()
    assert story.state.drift == why
    assert story.due().commands[-1].why == why


def test_what_is_in_step_has_no_cause() -> None:
    story = StockStory().in_step(10)
    assert cause(story.state, story.config.stock) is Cause.UNKNOWN


def test_a_changed_buffer_is_why() -> None:
    story = StockStory().in_step(10)
    story.configured(stock=stock_brand(buffer=2).stock.model_dump()).later(minutes=2).due()
    assert story.commands[-1].why == "buffer"
    assert story.written == [(10, 8)]


def test_a_figure_known_on_one_side_only_has_no_basis() -> None:
    assert StockStory().shopify(10).state.basis is None
    assert StockStory().clarus(10).state.basis is None
    for story in (StockStory().shopify(10), StockStory().clarus(10)):
        assert basis(story.state, story.config.stock) is None
    known = StockStory(stock_brand(buffer=1)).shopify(9).withheld(1).clarus(7, 2, 3, others=1).state.basis
    assert known is not None
    assert (known.on_hand, known.physical, known.others, known.withheld, known.buffer) == (9, 12, 1, 1, 1)


# --- respecting what people typed


def test_a_figure_raised_by_hand_is_told_where_it_is_respected() -> None:
    story = StockStory(stock_brand(hand_edits="respect")).in_step(10).shopify(12).due()
    assert story.written == []
    [case] = story.cases.values()
    assert (case.code, case.detail) == (CaseCode.STOCK_BY_HAND, "12 in Shopify, 10 by the warehouse")
    story.clarus(9).due()
    assert story.written == [(12, 9)]


def test_the_command_says_all_it_was_decided_by() -> None:
    story = differing()
    command = story.commands[0]
    assert command.model_dump(mode="json", exclude={"id", "fingerprint", "decided_at", "decided_offset"}) == {
        "brand": "acme", "order": ITEM, "object": "on-hand", "generation": 1, "trace": "", "decided_partition": 0,
        "kind": "SetOnHand", "item": "801", "location": "11", "quantity": 8, "compare": 10, "why": "warehouse",
    }  # fmt: skip
    assert command.id == command_id(ACME, ITEM, 0, command.decided_offset, 0)
    assert len(command.fingerprint) == 16
    again = StockStory().in_step(10).clarus(7).due().commands[0]
    assert again.fingerprint != command.fingerprint


def test_what_was_never_seen_is_empty() -> None:
    state = first(ACME, ITEM, MUG, LEEDS, NOON)
    assert state == StockState(brand=ACME, order=ITEM, code=MUG, location=LEEDS, now=NOON)
    assert (state.level_at, state.token, state.last_offset, state.compares_lost) == (-1, -1, -1, 0)
    assert (state.item, state.units_withheld) == (None, 0)
    unread = StockStory().withheld(0).state
    assert unread.since_of("unread") is not None
    assert unread.since_of("another") is None


# --- planning


def test_what_was_planned_with_which_configuration_and_when_it_wakes_is_kept() -> None:
    story = StockStory().in_step(10).clarus(8)
    assert story.state.config_version == story.config.version
    assert story.state.wanted == 8
    assert story.state.differs_since == story.state.now
    assert story.state.wake_at is not None
    assert timedelta(seconds=QUIET) <= story.state.wake_at - story.state.now < timedelta(seconds=QUIET + 1)
    story.configured(stock=stock_brand(buffer=1).stock.model_dump()).later(minutes=2)
    assert story.state.config_version == story.config.version
    assert StockStory().in_step(10).state.wake_at is None


def test_a_difference_that_is_over_is_forgotten() -> None:
    story = StockStory().in_step(10).clarus(8)
    assert story.state.drift == "warehouse"
    story.clarus(10)
    assert (story.state.wanted, story.state.differs_since, story.state.changed_at) == (10, None, None)
    assert story.state.drift == "", "nor does anybody see a reason where nothing differs"


@pytest.mark.parametrize("written", [False, True])
def test_switched_off_it_knows_and_wants_nothing(written: bool) -> None:
    nothing = differing() if written else StockStory().in_step(10).clarus(8)
    nothing.configured(stock={"mode": "off"}).later(minutes=2)
    state = nothing.state
    assert (state.wanted, state.differs_since, state.changed_at, state.ask) == (None, None, None, ())
    count = len(nothing.written)
    nothing.asked.clear()
    assert nothing.clarus(5).shopify(7).later(hours=1).asked == []
    assert nothing.operator("refresh").state.ask == (), "nor later, when it is switched on again"
    assert len(nothing.written) == count


def test_what_cannot_be_believed_any_more_is_not_wanted() -> None:
    story = StockStory().in_step(10).clarus(8)
    story.shopify(an_item(10), an_item(3))
    assert (story.state.wanted, story.state.differs_since, story.state.changed_at) == (None, None, None)


@pytest.mark.parametrize(
    "stopped", [{"mode": "observe"}, {"paused": ["shopify"]}], ids=["the brand observed", "Shopify paused"]
)
def test_stopped_it_says_what_it_would_write_and_only_while_it_would(stopped: dict[str, object]) -> None:
    story = StockStory(changed(**stopped)).in_step(10).clarus(8).due()
    assert (story.written, story.state.would_write) == ([], 8)
    assert story.clarus(10).state.would_write is None


def test_a_pause_of_another_system_stops_nothing() -> None:
    assert StockStory(changed(paused=["erp"])).in_step(10).clarus(8).due().written == [(10, 8)]


def test_while_a_write_is_under_way_its_end_is_waited_for() -> None:
    story = differing()
    command = story.commands[0]
    assert story.state.in_flight == command
    assert story.state.wake_at is not None
    story.clarus(7)
    assert story.state.wake_at is not None
    assert story.state.wake_at <= command.decided_at + DEAD
    assert len(story.later(seconds=QUIET).written) == 1


def test_a_refused_write_waits_for_its_back_off_and_wakes_then() -> None:
    story = differing().ended(OutcomeKind.REJECTED, code="odd").clarus(8)
    assert story.state.wake_at is not None
    assert story.later(seconds=200).clarus(8).written == [(10, 8)]
    assert story.later(seconds=200).clarus(8).written == [(10, 8), (10, 8)]


def test_in_step_a_refusal_and_lost_compares_are_over() -> None:
    story = differing().stale().shopify(8)
    assert story.state.compares_lost == 0
    refused = differing().ended(OutcomeKind.REJECTED, code="odd").shopify(8).clarus(8)
    assert (refused.state.refusal, refused.open_cases) == (None, set())


def test_nothing_left_to_offer_does_not_wait_for_quiet_nor_while_it_moves() -> None:
    story = StockStory().in_step(10).clarus(3).later(seconds=2).clarus(0)
    assert story.clarus(0).written == [(10, 0)]


def test_a_request_that_is_newer_than_the_one_under_way_is_asked_at_once() -> None:
    """Shopify's figure moved again before Clarus answered: what is asked for now must be newer."""
    story = StockStory().in_step(10).shopify(12).later(seconds=QUIET)
    first = story.asked[-1]
    story.shopify(14).later(seconds=QUIET)
    assert story.asked[-1][0] is CLARUS
    assert story.asked[-1][1] > first[1]
    assert story.clarus(10, token=first[1]).written == []
    assert story.clarus(10).written == [(14, 10)]
