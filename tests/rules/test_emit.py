"""What is wanted against what is under way, done, refused, delayed and stopped; what is read again meanwhile."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.base import OrderId, System
from schemas.commands import Command, PostFulfilment, UpsertErpOrder, Withdraw
from schemas.config import BrandConfig
from streams.rules.orders.emit import Decision, emit, forget_unwanted, retry_at
from streams.rules.orders.findings import Waiting, Wanted
from streams.rules.orders.state import DEAD, Delay, Done, OrderState, Refusal, Reread, Since, first
from streams.rules.orders.waits import kept_since, reads_of, spread, whole_milliseconds
from tests.builders import ACME, NOON, ORDER, a_brand, an_order
from tests.story import Story

DECISION = Decision(partition=3, offset=70, trace="t1")
SOON = NOON + timedelta(minutes=5)


def wanted(name: str = "erp-fulfilment:G1", units: int = 2, **changes: Any) -> Wanted:
    target = [{"line": "901", "quantity": units}]
    plain = Wanted(
        PostFulfilment, System.ERP, name, f"posting of {units}", fields={"goods_out": "G1", "target": target}
    )
    return plain._replace(**changes)


def bare(**changes: object) -> OrderState:
    return first(ACME, ORDER, NOON).model_copy(update=changes)


def emitted(
    state: OrderState, *wishes: Wanted, config: BrandConfig | None = None
) -> tuple[OrderState, tuple[Command, ...], list[datetime]]:
    wakes: list[datetime] = []
    after, commands = emit(state, config or a_brand(), list(wishes), DECISION, wakes)
    return after, commands, wakes


def sent(wish: Wanted | None = None) -> tuple[OrderState, Command]:
    state, (command,), _ = emitted(bare(), wish or wanted())
    return state, command


def test_a_command_says_where_it_was_decided() -> None:
    state, command = sent()
    assert state.in_flight == (command,)
    assert (command.brand, command.order, command.decided_at) == (ACME, ORDER, NOON)
    assert (command.decided_partition, command.decided_offset, command.trace) == (3, 70, "t1")
    assert (command.object, command.generation, len(command.fingerprint)) == ("erp-fulfilment:G1", 1, 16)


def test_what_is_left_alone_while_it_is_under_way_is_sent_when_it_is_not() -> None:
    _, commands, _ = emitted(bare(), wanted(keep_while_flying=True))
    assert [command.object for command in commands] == ["erp-fulfilment:G1"]


def test_what_is_under_way_as_it_is_wanted_is_left() -> None:
    state, command = sent()
    assert emitted(state, wanted()) == (state, (), [])
    after, (newer,), _ = emitted(state, wanted(units=3))
    assert after.in_flight == (newer,)
    assert newer.fingerprint != command.fingerprint
    assert emitted(state, wanted(units=3, keep_while_flying=True))[1] == ()


def test_several_are_numbered_and_keep_their_order() -> None:
    state, commands, _ = emitted(bare(), wanted("a"), wanted("b"), wanted("c"))
    assert [one.object for one in commands] == ["a", "b", "c"]
    assert len({one.id for one in commands}) == 3
    after, (changed,), _ = emitted(state, wanted("a"), wanted("b", units=9), wanted("c"))
    assert [one.object for one in after.in_flight] == ["a", "c", "b"]
    assert after.in_flight[-1] == changed


def fingerprint(wish: Wanted | None = None) -> str:
    return sent(wish)[1].fingerprint


@pytest.mark.parametrize(
    ("done", "again"),
    [
        (Done(object="erp-fulfilment:G1", fingerprint=fingerprint()), False),
        (Done(object="erp-fulfilment:G1", fingerprint="another"), True),
        (Done(object="erp-fulfilment:G2", fingerprint=fingerprint()), True),
    ],
)
def test_what_was_done_is_not_done_again(done: Done, again: bool) -> None:
    assert bool(emitted(bare(done=(done,)), wanted())[1]) == again


def delay(name: str = "erp-fulfilment:G1", until: datetime = SOON) -> Delay:
    return Delay(object=name, system=System.ERP, why="away", until=until)


@pytest.mark.parametrize(
    ("delays", "wakes"),
    [
        ((delay(),), [SOON]),
        ((delay("another"),), None),
        ((delay("another", NOON + DEAD), delay()), [SOON]),
        ((delay(until=NOON),), None),
        ((delay(until=NOON + timedelta(milliseconds=1)),), [NOON + timedelta(milliseconds=1)]),
    ],
)
def test_what_is_delayed_is_not_sent_before(delays: tuple[Delay, ...], wakes: list[datetime] | None) -> None:
    _, commands, woken = emitted(bare(delays=delays), wanted())
    assert bool(commands) == (wakes is None)
    assert woken == (wakes or [])


def refusal(**changes: object) -> Refusal:
    plain = Refusal(object="erp-fulfilment:G1", system=System.ERP, fingerprint=fingerprint(), code="odd", at=NOON)
    return plain.model_copy(update=changes)


@pytest.mark.parametrize(
    ("refusals", "waits"),
    [
        ((refusal(),), True),
        ((refusal(again=True),), False),
        ((refusal(fingerprint="another"),), False),
        ((refusal(object="another"),), False),
        ((refusal(object="another", again=True), refusal()), True),
        ((refusal(at=NOON - timedelta(days=3)),), False),
    ],
)
def test_what_was_refused_as_it_is_waits_for_its_back_off(refusals: tuple[Refusal, ...], waits: bool) -> None:
    _, commands, wakes = emitted(bare(refusals=refusals), wanted())
    assert bool(commands) != waits
    assert wakes == ([retry_at(refusal(), a_brand())] if waits else [])


@pytest.mark.parametrize(("tries", "seconds"), [(1, 60), (2, 120), (3, 240), (5, 960), (6, 1000), (99, 1000)])
def test_the_back_off_doubles_up_to_the_most(tries: int, seconds: int) -> None:
    config = a_brand(waits={"retry": 60, "retry_most": 1000})
    assert retry_at(refusal(tries=tries), config) == NOON + timedelta(seconds=seconds)


def test_a_paused_system_gets_nothing_and_an_observed_brand_says_what_it_would() -> None:
    assert emitted(bare(), wanted(), config=a_brand(paused=["erp"]))[1] == ()
    assert emitted(bare(), wanted(), config=a_brand(paused=["clarus"]))[1] != ()
    observed, commands, _ = emitted(bare(), wanted(), wanted("b", units=4), config=a_brand(mode="observe"))
    assert (observed.would_send, commands) == (("posting of 2", "posting of 4"), ())
    assert emitted(observed, config=a_brand(mode="observe"))[0].would_send == ()
    assert emitted(observed, wanted())[0].would_send == ()


def test_nothing_wanted_and_nothing_under_way_changes_nothing() -> None:
    state = bare(refusals=(refusal(),))
    assert emitted(state)[0] is state


def test_an_unwanted_one_that_ends_by_itself_is_kept_until_its_outcome_would_have_come() -> None:
    state, command = sent()
    assert emitted(state)[:2] == (state, ())
    for age, kept in ((DEAD - timedelta(milliseconds=1), (command,)), (DEAD, ())):
        assert emitted(state.model_copy(update={"now": NOON + age}))[0].in_flight == kept


def test_an_unwanted_create_is_withdrawn_once_and_kept() -> None:
    state = Story().shopify(an_order().with_line("MUG").routed("71")).state
    creates = state.creates_in_flight
    after, commands, _ = emitted(state)
    [withdrawal] = commands
    assert isinstance(withdrawal, Withdraw)
    assert (withdrawal.withdrawn, withdrawal.generation) == (creates[0].id, creates[0].generation)
    assert (withdrawal.object, withdrawal.system) == (creates[0].object, System.CLARUS)
    assert after.withdrawn == (withdrawal,)
    assert emitted(after)[1] == ()
    late = after.model_copy(update={"now": after.now + 2 * DEAD})
    assert creates[0] in emitted(late)[0].in_flight


def test_a_withdrawal_is_numbered_behind_the_commands_of_the_same_decision() -> None:
    state = Story().shopify(an_order().with_line("MUG").routed("71")).state
    _, commands, _ = emitted(state, wanted("a"), wanted("b"))
    assert len(commands) == 3
    assert len({one.id for one in commands}) == 3
    assert [one.id.rsplit(".", 1)[1] for one in commands] == ["0", "1", "2"]
    again = state.model_copy(
        update={"in_flight": tuple(one for one in state.in_flight if isinstance(one, UpsertErpOrder))}
    )
    assert emitted(again)[1] == ()


# --- forgetting


def test_what_is_wanted_no_more_is_forgotten_with_all_that_was_said_of_it() -> None:
    others = {"refusals": refusal(object="b"), "delays": delay("b"), "done": Done(object="b", fingerprint="f")}
    mine = {"refusals": refusal(), "delays": delay(), "done": Done(object="erp-fulfilment:G1", fingerprint="f")}
    state = bare(**{field: (mine[field], others[field]) for field in mine})
    kept = forget_unwanted(state, {"b"})
    assert (kept.refusals, kept.delays, kept.done) == ((others["refusals"],), (others["delays"],), (others["done"],))
    for field, said in mine.items():
        alone = bare(**{field: (said,)})
        assert getattr(forget_unwanted(alone, set()), field) == ()
        assert forget_unwanted(alone, {"erp-fulfilment:G1"}) == alone


@pytest.mark.parametrize(("until", "kept"), [(NOON, False), (NOON + timedelta(milliseconds=1), True)])
def test_a_delay_is_forgotten_when_it_is_over(until: datetime, kept: bool) -> None:
    state = bare(delays=(delay(until=until),))
    assert bool(forget_unwanted(state, {"erp-fulfilment:G1"}).delays) == kept


# --- waiting


def waiting(name: str, *read: System) -> Waiting:
    return Waiting(name=name, after=60, read=read)


def test_since_when_something_is_waited_for_is_kept_while_it_is() -> None:
    before = bare(since=(Since(name="a", at=NOON - timedelta(hours=1)), Since(name="b", at=NOON)), now=SOON)
    after = kept_since(before, [waiting("c"), waiting("a"), waiting("c")])
    assert [(one.name, one.at) for one in after.since] == [("a", NOON - timedelta(hours=1)), ("c", SOON)]
    assert kept_since(before, []).since == ()
    assert kept_since(bare(), []) == bare()


CONFIG = a_brand(waits={"reread": 100, "reread_most": 350})


def readings(state: OrderState, *waitings: Waiting) -> tuple[OrderState, tuple[System, ...], list[datetime]]:
    wakes: list[datetime] = []
    after, reads = reads_of(state, CONFIG, waitings, wakes)
    return after, reads, wakes


def test_what_is_waited_for_is_read_again_less_and_less_often() -> None:
    """A hundred seconds, doubling up to 350, and up to a tenth more so that not all come at once."""
    state, gaps = bare(), list[float]()
    for _ in range(5):
        state, reads, wakes = readings(state, waiting("a", System.ERP))
        assert reads == ((System.ERP,) if gaps else ())
        assert wakes == [state.rereads[0].next_at]
        early = state.model_copy(update={"now": wakes[0] - timedelta(milliseconds=1)})
        assert readings(early, waiting("a", System.ERP))[1] == ()
        gaps.append((wakes[0] - state.now) / timedelta(seconds=1))
        state = state.model_copy(update={"now": wakes[0]})
    spreads = [gap / usual for gap, usual in zip(gaps, (100, 200, 350, 350, 350), strict=True)]
    assert all(1 < one <= 1.1 for one in spreads)


def test_what_is_asked_for_is_read_at_once_and_once() -> None:
    after, reads, _ = readings(bare(ask=(System.CLARUS,)))
    assert (reads, after.ask) == ((System.CLARUS,), ())
    both = readings(bare(ask=(System.ERP, System.SHOPIFY)), waiting("a", System.CLARUS))
    assert both[1] == (System.SHOPIFY, System.ERP)
    assert [one.system for one in both[0].rereads] == [System.CLARUS]


def test_what_nobody_waits_for_any_more_is_not_read_again() -> None:
    reread = Reread(system=System.ERP, asked=2, next_at=NOON)
    after, reads, wakes = readings(bare(rereads=(reread,)))
    assert (after.rereads, reads, wakes) == ((), (), [])
    assert readings(bare())[0] == bare()
    other = readings(bare(rereads=(reread,)), waiting("a", System.CLARUS), waiting("b", System.SHOPIFY))[0]
    assert [one.system for one in other.rereads] == [System.SHOPIFY, System.CLARUS]


def test_moments_are_rounded_up_to_what_the_log_counts_in() -> None:
    assert whole_milliseconds(None) is None
    assert whole_milliseconds(NOON) == NOON
    assert whole_milliseconds(NOON + timedelta(microseconds=1)) == NOON + timedelta(milliseconds=1)
    assert whole_milliseconds(NOON + timedelta(microseconds=1999)) == NOON + timedelta(milliseconds=2)


def test_keys_are_spread_over_all_of_the_time_and_each_the_same_always() -> None:
    places = [spread(str(key), 9) for key in range(400)]
    assert set(places) == set(range(10))
    assert places == [spread(str(key), 9) for key in range(400)]
    assert {spread(str(key), 0) for key in range(9)} == {0}


def test_no_key_is_read_again_later_than_a_tenth_after_its_time() -> None:
    latest = max(readings(bare(order=OrderId(str(key))), waiting("a", System.ERP))[2][0] for key in range(400))
    assert NOON + timedelta(seconds=109) < latest <= NOON + timedelta(seconds=110)


def test_where_a_brand_waits_without_end_the_gap_still_doubles_only_so_often() -> None:
    """A second, doubled twenty times, is twelve days."""
    config = a_brand(waits={"reread": 1, "reread_most": 365 * 24 * 3600})
    for asked, seconds in ((19, 2**20), (20, 2**20), (30, 2**20)):
        state = bare(rereads=(Reread(system=System.ERP, asked=asked, next_at=NOON),))
        after, _ = reads_of(state, config, [waiting("a", System.ERP)], [])
        assert 1 <= (after.rereads[0].next_at - NOON) / timedelta(seconds=seconds) <= 1.1
