"""Time is a record, and the log alone decides: ticks twice, clocks that run back, restarts anywhere."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.log import Record
from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut, UpsertErpOrder
from streams.agents.orders import OrdersFold
from streams.engine.contract import Verdict
from streams.rules.orders.emit import Decision
from streams.rules.orders.plan import Plan, plan
from tests.builders import NOON, a_goods_out, an_erp_order, an_order
from tests.story import Story, refold

ORDER = an_order().with_line("0042-A", 2)
G1 = "ACME-5012-71-1"


def a_long_story() -> Story:
    story = Story().shopify(ORDER).shopify(ORDER.routed("71"))
    story.applied(story.one(CreateGoodsOut)).applied(story.one(UpsertErpOrder), "77")
    goods_out = a_goods_out(G1).with_line("901", "0042-A", 2)
    erp = an_erp_order().with_line("901", "0042-A", 2)
    story.clarus(goods_out).erp(erp).clarus(goods_out.despatched()).later(minutes=20)
    story.clarus(goods_out.despatched(), complete=False).configured(require_phone=False).later(minutes=5)
    story.erp(erp.fulfilment(G1, L901=2)).shopify(ORDER.routed("71").fulfilled("801", L901=2, numbers=("T1",)))
    return story.later(hours=2).unreadable(System.CLARUS).operator("refresh")


def test_folding_the_same_log_twice_gives_the_same_bytes() -> None:
    log = a_long_story().log
    assert refold(log) == refold(log)


def test_tick_twice() -> None:
    """Two workers tick during a rebalance: the second changes nothing."""
    story = Story().shopify(ORDER.shipping_to(None).routed("71"))
    story.later(hours=2)
    assert story.open_cases == {CaseCode.ADDRESS_INCOMPLETE}
    before = dict(story.changelog)
    tick = story.log[-1]
    assert tick.value is not None
    story._append(tick.key or b"", tick.value, dict(tick.headers))
    assert story.changelog == before


def test_a_redelivered_tick_leaves_what_it_wrote_before() -> None:
    story = Story().shopify(ORDER.shipping_to(None).routed("71")).later(hours=2)
    before = dict(story.changelog)
    story.again()
    assert story.changelog == before


def test_clock_runs_back() -> None:
    """A record older than the key's `now` does not take `now` back."""
    story = Story().shopify(ORDER.shipping_to(None).routed("71"))
    now = story.state.now
    story.at -= timedelta(hours=1)
    story.shopify(ORDER.routed("71"))
    assert story.state.now == now


def test_future_timestamp() -> None:
    """A record of an outside system is dated next year: it is a fact about the order, and no time of ours moves."""
    year = timedelta(days=365)
    held = ORDER.shipping_to(None).routed("71").placed(NOON + year)
    dated = replace(held, order=held.order.model_copy(update={"updated_at": NOON + year}))
    story = Story().shopify(dated).erp(an_erp_order().with_line("901", "0042-A", 2))
    assert story.state.now == story.at
    assert story.state.wake_at is not None
    assert story.state.wake_at < NOON + timedelta(hours=2)
    assert story.open_cases == set()
    story.later(hours=2)
    assert story.open_cases == {CaseCode.ADDRESS_INCOMPLETE}


def test_an_event_appended_twice_is_a_duplicate_and_writes_nothing() -> None:
    story = Story().shopify(ORDER.routed("71"))
    before = dict(story.changelog)
    story.appended_twice()
    assert story.verdicts[-1] is Verdict.DUPLICATE
    assert story.changelog == before
    assert len(story.sent(CreateGoodsOut)) == 1


def test_equal_content_is_a_duplicate_and_writes_nothing() -> None:
    story = Story().shopify(ORDER.routed("71"))
    before = dict(story.changelog)
    story.shopify(ORDER.routed("71"))
    assert story.verdicts[-1] is Verdict.DUPLICATE
    assert story.changelog == before


def test_planning_again_wants_nothing_new() -> None:
    """A plan is at rest: asked again at the same moment, it sends nothing and writes nothing."""
    story = Story()
    for order in (ORDER, ORDER.routed("71"), ORDER.shipping_to(None).routed("71"), ORDER.routed("71").cancelled()):
        story.shopify(order)
        before = story.state
        again = plan(before, story.config, Decision(0, 99))
        assert again == Plan(before)


def test_a_restart_sends_again_what_may_not_have_been_sent() -> None:
    """Killed between the state and the command: the command goes out after the restart, with the same id."""
    story = Story().shopify(ORDER.routed("71"))
    event = story.log[-1]
    fold = restarted(story)
    resent = [emission for emission in fold.resend(event.offset) if emission.topic == "commands.clarus"]
    assert len(resent) == 1
    again = Story()
    again.receive(resent[0])
    assert again.one(CreateGoodsOut) == story.one(CreateGoodsOut)
    assert fold.handle(event).verdict is Verdict.DUPLICATE
    assert fold.resend(event.offset + 1) == []


def test_what_said_nothing_new_says_nothing_when_it_comes_again_behind_a_newer_configuration() -> None:
    """Killed before the commit: the restored table knows a configuration that stands later in the log."""
    story = Story().shopify(ORDER.routed("71")).shopify(ORDER.routed("71"))
    repeated = story.log[-1]
    story.configured(paused=["clarus"])
    step = restarted(story).handle(repeated)
    assert step.verdict is Verdict.DUPLICATE
    assert step.changes == []
    assert step.emissions == []


def restarted(story: Story) -> OrdersFold:
    fold = OrdersFold(0)
    for key, value in story.changelog.items():
        fold.restore(key, value)
    fold.restored()
    return fold


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(min_value=1, max_value=17), back=st.integers(min_value=0, max_value=4))
def test_a_restart_anywhere_ends_the_same(cut: int, back: int) -> None:
    """Restore from the changelog after any record, redeliver some: the end is the same, byte for byte."""
    log = a_long_story().log
    cut = min(cut, len(log))
    straight, _ = refold(log)
    changelog: dict[bytes, bytes] = {}
    first = OrdersFold(0)
    _into(changelog, first, log[:cut])
    second = OrdersFold(0)
    for key, value in changelog.items():
        second.restore(key, value)
    second.restored()
    _into(changelog, second, log[max(0, cut - back) :])
    assert changelog == {change.key: change.value for change in straight}


def _into(changelog: dict[bytes, bytes], fold: OrdersFold, records: list[Record]) -> None:
    for record in records:
        for change in fold.handle(record).changes:
            assert change.value is not None
            changelog[change.key] = change.value


def test_a_config_change_plans_open_orders_again_within_its_window() -> None:
    story = Story().shopify(ORDER.sent_by("Drone").routed("71"))
    assert story.open_cases == {CaseCode.UNMAPPED_SHIPPING_LINE}
    mapped = [*story.config.model_dump()["shipping"], {"title": "drone", "carrier": "DPD", "service": "AIR"}]
    story.configured(shipping=mapped).later(seconds=61)
    assert story.one(CreateGoodsOut).service == "AIR"
    assert story.open_cases == set()


def test_observe_decides_and_sends_nothing() -> None:
    story = Story().configured(mode="observe").shopify(ORDER.routed("71"))
    assert story.commands == []
    assert any(G1 in said for said in story.state.would_send)
    assert story.later(days=2).open_cases == set(), "what is not sent is not late"
    story.configured(mode="live").later(seconds=61)
    assert story.one(CreateGoodsOut).reference == G1
    assert story.later(minutes=5).open_cases == set(), "its time counts from when it is sent"
    assert story.later(hours=1).open_cases == {CaseCode.CLARUS_SLOW, CaseCode.ERP_NOT_COMMITTED}


def test_an_order_that_the_warehouse_has_is_late_in_the_erp_also_while_the_brand_is_observed() -> None:
    story = Story().shopify(ORDER.routed("71"))
    story.applied(story.one(CreateGoodsOut)).configured(mode="observe").later(minutes=2).later(hours=1)
    assert CaseCode.ERP_NOT_COMMITTED in story.open_cases


def test_an_older_order_is_read_and_never_released() -> None:
    story = Story()
    story.shopify(ORDER.placed(story.at - timedelta(days=2)).routed("71")).later(hours=9)
    assert story.commands == []
    assert story.cases == {}


def test_a_paused_system_gets_nothing_until_resumed() -> None:
    story = Story().configured(paused=["clarus"]).shopify(ORDER.routed("71"))
    assert story.sent(CreateGoodsOut) == []
    assert len(story.sent(UpsertErpOrder)) == 1
    story.configured(paused=[]).later(seconds=61)
    assert len(story.sent(CreateGoodsOut)) == 1
