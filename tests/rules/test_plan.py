"""What a plan makes of what the rules say: readings of either kind, rest, wake-ups, and what is kept for stock."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.base import System
from schemas.commands import CreateFulfilment, Decided, Withdraw
from schemas.config import BrandConfig
from streams.rules.orders.emit import Decision
from streams.rules.orders.plan import AT_REST, Plan, plan
from streams.rules.orders.state import DEAD, OrderState
from tests.builders import NOON, a_brand, a_goods_out, an_order
from tests.rules.test_rest import in_step
from tests.story import Story

ROUTED = an_order().with_line("MUG", 2).routed("71")
HERE = Decision(partition=0, offset=9)


def planned(state: OrderState, config: BrandConfig | None = None, **changes: Any) -> Plan:
    return plan(state.model_copy(update=changes), config or a_brand(), HERE)


def test_what_is_read_at_once_is_not_read_gently_as_well() -> None:
    made = planned(Story().shopify(ROUTED).state, ask=(System.ERP,), ask_gently=tuple(System))
    assert made.reads == (System.ERP,)
    assert made.gentle_reads == (System.SHOPIFY, System.CLARUS)
    assert (made.state.ask, made.state.ask_gently) == ((), ())


def test_units_for_stock_are_reckoned_where_stock_is_kept_and_the_warehouse_has_something() -> None:
    cancelled = Story().shopify(ROUTED).shopify(ROUTED.cancelled()).state
    kept = a_brand(stock={"mode": "observe"})
    assert [one.units for one in planned(cancelled, kept).state.withheld] == [2]
    assert planned(cancelled, a_brand()).state.withheld == ()
    in_warehouse = Story().clarus(a_goods_out("ACME-5012-71-1").with_line("901", "MUG", 2)).shopify(ROUTED.cancelled())
    assert [one.units for one in planned(in_warehouse.state, kept).state.withheld] == [2]
    over = planned(cancelled, kept).state
    assert [one.units for one in planned(over, kept, in_flight=(), goods_outs=()).state.withheld] == [0]


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("something is to be read", {"ask": (System.ERP,)}),
        ("a sweep has it read", {"ask_gently": (System.ERP,)}),
    ],
)
def test_what_is_about_to_be_read_is_not_read_in_vain(case: str, changes: dict[str, Any]) -> None:
    made = planned(in_step().state, **changes)
    assert (*made.reads, *made.gentle_reads) == (System.ERP,), case


def test_an_order_in_step_leaves_when_its_time_is_over_and_not_before() -> None:
    state = in_step().state
    since = state.at_rest_since
    assert since is not None
    leaves = since + timedelta(seconds=a_brand().waits.kept)
    assert planned(state, now=leaves - timedelta(milliseconds=1)).state.shopify is not None
    gone = planned(state, now=leaves).state
    assert (gone.shopify, gone.at_rest_since) == (None, None)


def test_one_that_is_wanted_again_rests_no_more() -> None:
    state = in_step().state
    assert planned(state, shopify=ROUTED.order, tellings=(), goods_outs=()).state.at_rest_since is None


def test_one_with_commands_nobody_wants_any_more_rests_when_the_last_is_over() -> None:
    _, upsert = Story().shopify(ROUTED).state.in_flight
    late = upsert.model_copy(update={"object": "another", "decided_at": upsert.decided_at + timedelta(minutes=3)})
    made = planned(in_step().state, in_flight=(late, upsert), now=late.decided_at)
    assert made.state.at_rest_since is None
    assert made.state.wake_at == late.decided_at + DEAD


def test_a_state_never_wakes_in_the_past() -> None:
    story = Story().shopify(ROUTED.fulfilment_order("71", fulfil_at=NOON + timedelta(minutes=2)))
    made = planned(story.state, now=NOON + timedelta(minutes=2))
    assert made.state.wake_at is not None
    assert made.state.wake_at > made.state.now


def test_one_whose_withdrawn_telling_was_never_answered_does_not_wake_for_it_again_and_again() -> None:
    story = in_step()
    telling = story.one(CreateFulfilment).model_copy(update={"object": "fulfilment:another"})
    decided = {**telling.model_dump(include=set(Decided.model_fields)), "kind": "Withdraw"}
    withdrawal = Withdraw.model_validate({**decided, "system": System.SHOPIFY, "withdrawn": telling.id})
    over = telling.decided_at + DEAD
    before = planned(story.state, in_flight=(telling,), withdrawn=(withdrawal,), now=over - timedelta(seconds=1))
    assert before.state.wake_at == over
    after = planned(story.state, in_flight=(telling,), withdrawn=(withdrawal,), now=over + timedelta(seconds=1))
    assert after.state.wake_at is None


def test_whom_a_newer_configuration_may_concern() -> None:
    config = a_brand(version=7)
    assert planned(Story().shopify(ROUTED).state, config).state.config_version == 7
    assert (
        planned(Story().shopify(ROUTED.placed(NOON - timedelta(days=99))).state, config).state.config_version == AT_REST
    )
