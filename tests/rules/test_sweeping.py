"""When a system is swept, how a sweep ends, and what it found astray: moments and reports, case by case."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.base import OrderId, System
from schemas.cases import CaseCode
from schemas.events import ConnectionState, OperatorActed, OrderListed, Source, SystemSwept
from schemas.sweep import Stray
from streams.rules.orders.findings import Look, Waiting, Wake
from streams.rules.orders.state import OrderState, Sweeping, first
from streams.rules.orders.sweeping import asked_for, due, known, sweep, swept, system_of
from tests.builders import ACME, NOON, a_brand, an_order
from tests.story import Story

TWO = datetime(2026, 11, 4, 2, 0, tzinfo=UTC)
"""The first sweep after the story's noon."""
CLARUS = OrderId("~clarus")


def connection(**changes: object) -> OrderState:
    return first(ACME, CLARUS, NOON).model_copy(update={"sweeping": Sweeping(newest=NOON), **changes})


def report(moment: datetime, *strays: Stray, orders: int = 3, more: int = 0) -> SystemSwept:
    source = Source(topic="raw.clarus", cluster="test", partition=0, offset=1)
    return SystemSwept(
        brand=ACME,
        order=CLARUS,
        source=source,
        system=System.CLARUS,
        sweep=moment,
        orders=orders,
        strays=strays,
        more=more,
    )


def asking(says: str) -> OperatorActed:
    source = Source(topic="operator.actions", cluster="test", partition=0, offset=1)
    return OperatorActed(
        brand=ACME, order=CLARUS, source=source, action="sweep", target="", object="", says=says, who="kim", why="asked"
    )


def test_each_connection_stands_for_its_system() -> None:
    assert {system_of(OrderId(f"~{system}")) for system in System} == set(System)
    assert system_of(OrderId("5012")) is None
    assert system_of(OrderId("~missing-0")) is None


def test_what_was_to_be_swept_before_we_knew_the_connection_is_not_made_up_for() -> None:
    fresh = known(first(ACME, CLARUS, NOON))
    assert fresh.sweeping == Sweeping(newest=NOON)
    assert known(connection(now=TWO)).sweeping == Sweeping(newest=NOON), "known already"
    order = first(ACME, OrderId("5012"), NOON)
    assert known(order) == order


@pytest.mark.parametrize(
    ("case", "now", "sweeping", "wanted"),
    [
        ("before its hour", TWO - timedelta(seconds=1), Sweeping(newest=NOON), None),
        ("at its hour", TWO, Sweeping(newest=NOON), TWO),
        ("later", TWO + timedelta(hours=3), Sweeping(newest=NOON), TWO),
        ("it has ended", TWO + timedelta(hours=3), Sweeping(newest=TWO), None),
        ("it is wanted already", TWO + timedelta(hours=3), Sweeping(newest=NOON, wanted=TWO), TWO),
        ("a person's later one is wanted", TWO + timedelta(hours=3),
         Sweeping(newest=NOON, wanted=TWO + timedelta(hours=1)), TWO + timedelta(hours=1)),
        ("a day on", TWO + timedelta(days=1), Sweeping(newest=TWO), TWO + timedelta(days=1)),
    ],
)  # fmt: skip
def test_a_sweep_is_wanted_at_its_hour(case: str, now: datetime, sweeping: Sweeping, wanted: datetime | None) -> None:
    state = due(connection(now=now, sweeping=sweeping), a_brand())
    assert state.sweeping is not None
    assert state.sweeping.wanted == wanted, case
    assert state.ask == ((System.CLARUS,) if wanted not in (None, sweeping.wanted) else ())


def test_where_no_hour_is_set_none_is_wanted_by_itself() -> None:
    config = a_brand(sweep={"every": 0})
    state = connection(now=TWO + timedelta(days=3))
    assert due(state, config) == state
    assert [one for one in sweep(state, config) if isinstance(one, Wake)] == []


def test_a_connection_nobody_has_heard_of_is_not_swept() -> None:
    bare = first(ACME, CLARUS, NOON).model_copy(update={"now": TWO})
    assert due(bare, a_brand()) == bare
    assert list(sweep(bare, a_brand())) == []


def test_an_order_is_not_swept() -> None:
    order = Story().shopify(an_order().with_line("MUG").routed("71")).state
    assert due(order, a_brand()) == order
    assert list(sweep(order, a_brand())) == []


# --- a person asks


@pytest.mark.parametrize(
    ("says", "taken"),
    [
        ("2026-11-03T12:30:00+00:00", True),
        ("2026-11-03T12:05:00+00:00", True),
        ("2026-11-03T12:35:00+00:00", True),
        ("2026-11-03T12:35:01+00:00", False),
        ("2026-11-03T14:30:00+02:00", True),
        ("2026-11-03T12:30:00", False),
        ("tonight", False),
        ("", False),
    ],
)
def test_a_person_may_ask_for_one_by_its_moment(says: str, taken: bool) -> None:
    """It is half past twelve. Five minutes ahead a machine's clock may be."""
    state = asked_for(connection(now=NOON + timedelta(minutes=30)), asking(says))
    assert state.sweeping is not None
    assert (state.sweeping.wanted is not None) == taken
    assert state.ask == ((System.CLARUS,) if taken else ())


def test_an_older_one_than_the_newest_is_not_taken() -> None:
    state = connection(now=NOON + timedelta(hours=1), sweeping=Sweeping(newest=NOON + timedelta(minutes=50)))
    for minutes in (40, 50):
        assert asked_for(state, asking((NOON + timedelta(minutes=minutes)).isoformat())) == state
    assert asked_for(state, asking((NOON + timedelta(minutes=51)).isoformat())) != state


def test_one_may_be_asked_for_of_a_connection_nobody_has_heard_of() -> None:
    bare = first(ACME, CLARUS, NOON)
    state = asked_for(bare, asking((NOON + timedelta(minutes=1)).isoformat()))
    assert state.sweeping == Sweeping(newest=NOON, wanted=NOON + timedelta(minutes=1))


# --- a report


STRAY = Stray(code=CaseCode.PACKAGE_ASTRAY, object="package 7101", detail="no goods-out")


def test_a_report_ends_the_sweep_and_says_what_it_found() -> None:
    now = TWO + timedelta(minutes=20)
    after = swept(connection(now=now, sweeping=Sweeping(newest=NOON, wanted=TWO)), report(TWO, STRAY, orders=9, more=4))
    assert after.sweeping == Sweeping(newest=TWO, wanted=None, ended=now, orders=9, strays=(STRAY,), more=4)


def test_the_first_report_counts_whatever_it_is_for() -> None:
    """Since when there are any is no sweep that ended."""
    earlier = NOON - timedelta(hours=1)
    after = swept(connection(), report(earlier))
    assert after.sweeping is not None
    assert (after.sweeping.newest, after.sweeping.ended) == (earlier, NOON)
    bare = swept(first(ACME, CLARUS, NOON), report(earlier))
    assert bare.sweeping is not None
    assert bare.sweeping.wanted is None


@pytest.mark.parametrize(("hours", "counts"), [(-1, False), (0, True), (1, True)])
def test_an_older_report_than_the_newest_says_nothing(hours: int, counts: bool) -> None:
    ended = connection(sweeping=Sweeping(newest=TWO, ended=TWO, strays=(STRAY,)))
    assert (swept(ended, report(TWO + timedelta(hours=hours))) != ended) == counts


@pytest.mark.parametrize(("hours", "still"), [(-1, True), (0, False), (1, False)])
def test_a_newer_one_that_is_wanted_stays_wanted(hours: int, still: bool) -> None:
    after = swept(connection(sweeping=Sweeping(newest=NOON, wanted=TWO)), report(TWO + timedelta(hours=hours)))
    assert after.sweeping is not None
    assert after.sweeping.wanted == (TWO if still else None)


# --- what is said of it


def test_while_one_is_wanted_it_is_waited_for_and_the_next_hour_wakes() -> None:
    config = a_brand(waits={"sweep": 7200})
    state = connection(now=TWO + timedelta(minutes=5), sweeping=Sweeping(newest=NOON, wanted=TWO))
    wake, waiting = sweep(state, config)
    assert wake == Wake(TWO + timedelta(days=1))
    assert waiting == Waiting(
        name="sweep:2026-11-04T02:00:00", after=7200, code=CaseCode.SWEEP_LATE, object="clarus sweep",
        detail="the sweep of 2026-11-04 02:00 UTC", read=(System.CLARUS,),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "late"),
    [
        (None, True),
        (ConnectionState.WELL, True),
        (ConnectionState.DOWN, False),
        (ConnectionState.UNAUTHORISED, False),
        (ConnectionState.RIGHTS_LOST, False),
    ],
)
def test_while_the_connection_is_down_nobody_is_late(state: ConnectionState | None, late: bool) -> None:
    found = sweep(connection(connection=state, sweeping=Sweeping(newest=NOON, wanted=TWO)), a_brand())
    [waiting] = [one for one in found if isinstance(one, Waiting)]
    assert (waiting.code is not None) == late


def test_each_stray_is_a_case() -> None:
    other = Stray(code=CaseCode.ORPHAN_ERP_ORDER, object="sales order 9")
    found = list(sweep(connection(sweeping=Sweeping(newest=TWO, strays=(STRAY, other))), a_brand()))
    assert [one for one in found if isinstance(one, Look)] == [
        Look(CaseCode.PACKAGE_ASTRAY, "package 7101", "no goods-out"),
        Look(CaseCode.ORPHAN_ERP_ORDER, "sales order 9"),
    ]  # fmt: skip
    assert not [one for one in found if isinstance(one, Waiting)]


def test_an_order_that_a_sweep_names_is_read_behind_all_that_orders_need() -> None:
    story = Story().shopify(an_order().with_line("MUG").routed("71").on_hold("71"))
    story._event(OrderListed(**story._head("raw.clarus"), system=System.CLARUS, sweep=story.at))
    assert story.state.ask_gently == ()
    assert story.state.comparison is not None
    assert set(story.state.comparison.awaited) == set(System)
