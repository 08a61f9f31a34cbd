"""The sandbox ERP's books and the rules by which they change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sandbox.erp import ErpTimings, ErpWorld, Refused
from tests.sandbox.step_clock import StepClock

TIMINGS = ErpTimings(commit_delay=timedelta(seconds=2), posting_delay=timedelta(seconds=30))


def a_world(clock: StepClock) -> ErpWorld:
    return ErpWorld(clock, {"acme": "acme-key", "borealis": "borealis-key"}, ["0042-A", "0007"], TIMINGS)


def an_order(**units: int) -> dict[str, Any]:
    """`an_order(_1=2)` is 2 of the lamp on line 1."""
    lines = [
        {"line": name.removeprefix("_"), "sku": "0042-A", "quantity": quantity, "unit_price": "49.90"}
        for name, quantity in units.items()
    ]
    return {"currency": "GBP", "lines": lines}


def parts(world: ErpWorld) -> dict[str, tuple[str, str | None]]:
    return {one["key"]: (one["state"], one["posted_at"]) for one in world.books()["fulfilments"]}


def test_an_order_is_a_draft_until_it_is_approved() -> None:
    clock = StepClock()
    world = a_world(clock)
    order, created = world.upsert_order("acme", "5001", an_order(_1=2))
    assert (created, order.state) == (True, "draft")
    clock.advance(3)
    order = world.order("acme", "5001")
    assert order.state == "committed"
    assert order.committed_at == datetime(2026, 5, 4, 12, 0, 2, tzinfo=UTC)


def test_the_same_order_again_is_no_change() -> None:
    clock = StepClock()
    world = a_world(clock)
    first, _ = world.upsert_order("acme", "5001", an_order(_1=2))
    change = first.change
    again, created = world.upsert_order("acme", "5001", an_order(_1=2))
    assert (created, again.change) == (False, change)


def test_a_shop_does_not_see_anothers_order_of_the_same_key() -> None:
    world = a_world(StepClock())
    world.upsert_order("acme", "5001", an_order(_1=2))
    with pytest.raises(Refused, match="no sales order"):
        world.order("borealis", "5001")
    assert world.upsert_order("borealis", "5001", an_order(_1=1))[1]


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"sku": "42-A"}, "unknown_item", "lines.0.sku"),
        ({"quantity": 1.5}, "invalid", "lines.0.quantity"),
        ({"quantity": True}, "invalid", "lines.0.quantity"),
        ({"quantity": -1}, "invalid", "lines.0.quantity"),
        ({"unit_price": 49.9}, "invalid", "lines.0.unit_price"),
        ({"unit_price": "dear"}, "invalid", "lines.0.unit_price"),
        ({"line": ""}, "invalid", "lines.0.line"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_its_place(change: dict[str, Any], code: str, field: str) -> None:
    body = an_order(_1=2)
    body["lines"][0].update(change)
    with pytest.raises(Refused) as refused:
        a_world(StepClock()).upsert_order("acme", "5001", body)
    assert (refused.value.status, refused.value.code, refused.value.field) == (422, code, field)


def test_a_fulfilment_is_posted_by_the_run_after_its_delay() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})
    clock.advance(29)
    assert parts(world) == {"G1#1": ("open", None)}
    clock.advance(100)
    assert parts(world) == {"G1#1": ("posted", "2026-05-04T12:00:32.000000Z")}
    assert world.order("acme", "5001").state == "committed"


def test_an_order_is_done_when_all_of_it_is_posted_and_not_when_it_grows_again() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2, _2=1))
    clock.advance(2)
    world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 2, "2": 1}})
    clock.advance(60)
    assert world.order("acme", "5001").state == "done"
    assert world.upsert_order("acme", "5001", an_order(_1=2, _2=2))[0].state == "committed"


def test_the_same_fulfilment_again_answers_what_is_there() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    assert world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})[1]
    assert not world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})[1]
    with pytest.raises(Refused) as refused:
        world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 2}})
    assert (refused.value.status, refused.value.code) == (409, "key_reused")


@pytest.mark.parametrize(
    ("lines", "code", "field"),
    [
        ({"9": 1}, "unknown_line", "lines.9"),
        ({"1": 3}, "more_than_ordered", "lines.1"),
        ({"1": 0}, "invalid", "lines.1"),
        ({}, "invalid", "lines"),
    ],
)
def test_a_fulfilment_that_does_not_fit_the_order_is_refused(lines: dict[str, int], code: str, field: str) -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    with pytest.raises(Refused) as refused:
        world.enter_fulfilment("acme", "5001", "G1#1", {"lines": lines})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert parts(world) == {}


def test_nothing_is_shipped_against_a_draft() -> None:
    world = a_world(StepClock())
    world.upsert_order("acme", "5001", an_order(_1=2))
    with pytest.raises(Refused) as refused:
        world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})
    assert (refused.value.status, refused.value.code) == (409, "order_not_committed")


def test_erp_refuses_closed_period() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    world.close_period()
    with pytest.raises(Refused) as refused:
        world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})
    assert (refused.value.code, refused.value.field) == ("period_closed", "posting_date")
    world.open_period()
    assert world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})[1]


def test_a_held_posting_waits_until_it_is_released() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    world.hold_posting("acme", "G1#1")
    world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})
    world.enter_fulfilment("acme", "5001", "G2#1", {"lines": {"1": 1}})
    clock.advance(3600)
    assert {key: state for key, (state, _) in parts(world).items()} == {"G1#1": "open", "G2#1": "posted"}
    world.release_posting("acme", "G1#1")
    assert parts(world)["G1#1"] == ("posted", "2026-05-04T13:00:02.000000Z")


def test_a_release_before_the_delay_is_over_still_waits_for_it() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    world.hold_posting("acme", "G1#1")
    world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})
    clock.advance(10)
    world.release_posting("acme", "G1#1")
    assert parts(world)["G1#1"][0] == "open"
    clock.advance(20)
    assert parts(world)["G1#1"][0] == "posted"


def test_somebody_posts_by_hand_before_the_run() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=2))
    clock.advance(2)
    world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 1}})
    world.post_now("acme", "G1#1")
    clock.advance(60)
    assert parts(world) == {"G1#1": ("posted", "2026-05-04T12:00:02.000000Z")}


def test_a_line_cannot_fall_below_what_is_shipped() -> None:
    clock = StepClock()
    world = a_world(clock)
    world.upsert_order("acme", "5001", an_order(_1=3))
    clock.advance(2)
    world.enter_fulfilment("acme", "5001", "G1#1", {"lines": {"1": 2}})
    with pytest.raises(Refused) as refused:
        world.upsert_order("acme", "5001", an_order(_1=1))
    assert (refused.value.status, refused.value.code, refused.value.field) == (409, "line_is_shipped", "lines.1")
    assert world.upsert_order("acme", "5001", an_order(_1=2))[0].lines["1"].quantity == 2


def test_changes_come_once_per_order_in_the_order_they_happened() -> None:
    clock = StepClock()
    world = a_world(clock)
    for key in ("5001", "5002", "5003"):
        world.upsert_order("acme", key, an_order(_1=1))
        clock.advance(10)
    world.upsert_order("borealis", "5001", an_order(_1=1))
    world.upsert_order("acme", "5001", an_order(_1=2))
    seen = world.changes("acme", after=0, since=None, limit=10)
    assert [order.key for order in seen] == ["5002", "5003", "5001"]
    assert [order.key for order in world.changes("acme", after=seen[0].change, since=None, limit=1)] == ["5003"]
    recent = datetime(2026, 5, 4, 12, 0, 20, tzinfo=UTC)
    assert [order.key for order in world.changes("acme", after=0, since=recent, limit=10)] == ["5003", "5001"]
