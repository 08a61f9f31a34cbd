"""What fails for one order alone is told apart from a connection that is away: neither takes the others with it."""

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from connectors.runtime.errors import ConnectorError, Incompatible, NotFound, TimedOut, Unavailable
from connectors.runtime.failing import WAIT_MOST, Failing
from schemas.events import ConnectionState
from schemas.outcomes import OutcomeKind
from schemas.raw import RawKind
from tests.builders import NOON
from tests.connectors.runtime.scripted import HINTS_TOPIC, Bench, bench

NO_ANSWERS = [NotFound("POST /graphql"), Incompatible("expected JSON, found text/html")]


def test_an_order_whose_read_always_fails_ends_in_the_dead_letters_and_holds_nobody_up() -> None:
    async def story(on: Bench) -> None:
        on.port.refuses["13"] = Incompatible("lines: expected a list, found a number")
        for order in ("11", "12", "13", "14"):
            await on.hint(order)
        on.start()
        await on.until(lambda: len(on.told(RawKind.SNAPSHOT)) == 3, within=10)
        assert on.letters == []
        await on.hint("15")
        await on.finished()
        assert {record.key for record in on.told(RawKind.SNAPSHOT)} == {b"acme/11", b"acme/12", b"acme/14", b"acme/15"}
        (letter,) = on.letters
        assert letter.key == b"acme/13"
        assert letter.headers["topic"] == HINTS_TOPIC.encode()
        assert b"Incompatible: lines" in letter.headers["reason"]
        assert on.connections == [ConnectionState.WELL]

    bench(story)


@pytest.mark.parametrize("error", NO_ANSWERS)
def test_while_nobody_is_answered_no_hint_is_given_up(error: ConnectorError) -> None:
    """A page of a proxy in its maintenance, for every request."""

    async def story(on: Bench) -> None:
        orders = [str(number) for number in range(30)]
        on.start()
        await on.hint("5012")
        await on.finished()
        on.port.refuses.update(dict.fromkeys(orders, error))
        for order in orders:
            await on.hint(order)
        await on.clock.sleep(600)
        assert on.letters == []
        assert on.connections == [ConnectionState.WELL, ConnectionState.DOWN]
        on.port.refuses.clear()
        calls = len(on.port.calls)
        await on.until(lambda: on.unfinished() == 0, within=60)
        assert on.letters == []
        assert len(on.told(RawKind.SNAPSHOT)) == 31
        assert on.connections == [ConnectionState.WELL, ConnectionState.DOWN, ConnectionState.WELL]
        assert len(on.port.calls) - calls < 12, "one by one first, then together again"

    bench(story)


def test_one_order_that_is_never_answered_waits_alone_and_the_connection_stays_well() -> None:
    async def story(on: Bench) -> None:
        on.port.refuses["13"] = Unavailable("answered 500")
        for order in ("13", "11", "12", "14"):
            await on.hint(order)
        on.start()
        await on.until(lambda: len(on.told(RawKind.SNAPSHOT)) == 3, within=30)
        for number in range(60):
            await on.hint(str(500 + number))
            await on.send(on.create(str(600 + number)))
            await on.clock.sleep(20)
        assert on.connections == [ConnectionState.WELL]
        assert Counter(outcome.kind for outcome in on.outcomes) == {OutcomeKind.APPLIED: 60}
        assert len(on.told(RawKind.SNAPSHOT)) == 3 + 60 + 60
        assert on.letters == []
        began = [call.began for call in on.port.calls if call.orders == ("13",)]
        gaps = [later - earlier for earlier, later in pairwise(began)]
        assert 5 < len(began) < 15
        assert gaps[-1] == pytest.approx(WAIT_MOST, abs=2.0)
        assert on.unfinished() >= 1, "it waits, and is seen to"
        del on.port.refuses["13"]
        await on.finished()
        assert b"acme/13" in {one.key for one in on.told(RawKind.SNAPSHOT)}

    bench(story)


def test_one_that_fails_again_while_nothing_else_is_to_be_read_is_not_taken_for_the_connection() -> None:
    async def story(on: Bench) -> None:
        on.port.refuses["13"] = TimedOut("no answer within 30 s")
        on.start()
        await on.hint("13")
        await on.until(lambda: len(on.port.calls) == 1)
        await on.hint("14")
        await on.clock.sleep(3600)
        assert ConnectionState.DOWN not in on.connections
        await on.send(on.create("5012"))
        await on.clock.sleep(2)
        assert [outcome.kind for outcome in on.outcomes] == [OutcomeKind.APPLIED]

    bench(story)


def test_different_orders_that_fail_in_a_row_are_the_connection() -> None:
    async def story(on: Bench) -> None:
        on.port.read_batch = 1
        orders = [str(number) for number in range(6)]
        on.port.refuses.update(dict.fromkeys(orders, Unavailable("away")))
        on.start()
        for order in orders:
            await on.hint(order)
        await on.until(lambda: on.connections == [ConnectionState.DOWN], within=10)
        on.port.refuses.clear()
        await on.finished()
        assert on.connections == [ConnectionState.DOWN, ConnectionState.WELL]
        assert on.letters == []

    bench(story)


def test_an_order_that_rests_is_not_taken_for_a_connector_that_is_stuck() -> None:
    async def story(on: Bench) -> None:
        on.port.refuses["13"] = Unavailable("answered 500")
        runtime = on.start()
        await on.hint("13")
        await on.until(lambda: len(on.port.calls) == 1)
        await on.hint("14")
        await on.clock.sleep(1200)
        for _ in range(60):
            await on.clock.sleep(10)
            assert runtime.stuck_for(on.clock.monotonic()) < 5

    bench(story)


def test_what_a_sweep_asks_is_read_while_an_order_rests() -> None:
    async def story(on: Bench) -> None:
        on.port.refuses["13"] = Unavailable("answered 500")
        on.start()
        await on.hint("13")
        await on.until(lambda: len(on.port.calls) == 1)
        await on.hint("14")
        await on.clock.sleep(1200)
        await on.hint("15", why="sweep")
        await on.until(lambda: b"acme/15" in {one.key for one in on.told(RawKind.SNAPSHOT)}, within=5)

    bench(story)


def test_a_key_rests_twice_as_long_each_time_up_to_minutes() -> None:
    failing = Failing(answers=5, shown=5)
    pauses = [failing.wait(NOON) for _ in range(12)]
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == WAIT_MOST
    assert failing.rests(NOON + timedelta(seconds=WAIT_MOST - 1))
    assert not failing.rests(NOON + timedelta(seconds=WAIT_MOST))


def test_failures_are_a_keys_own_only_where_others_were_answered_between_them() -> None:
    failing = Failing(answers=5, shown=5)
    failing.failed(5, certain=True, same_again=False)
    assert (failing.own, failing.doubtful) == (0, False)
    failing.failed(9, certain=False, same_again=False)
    assert (failing.own, failing.doubtful) == (0, True), "of several read together it may be another"
    failing.failed(9, certain=True, same_again=False)
    assert failing.own == 0
    failing.failed(10, certain=True, same_again=False)
    assert failing.own == 1


def test_one_command_that_always_fails_waits_ever_longer_and_the_connection_stays_well() -> None:
    """Where little happens polls are all that is answered meanwhile."""

    async def story(on: Bench) -> None:
        on.start()
        await on.hint("1")
        await on.finished()
        waits = []
        for _ in range(14):
            on.port.failures["execute"].append(Unavailable("answered 500"))
            await on.send(on.create("13"))
            await on.finished()
            (*_, outcome) = on.outcomes
            assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unavailable")
            assert outcome.until is not None
            waits.append((outcome.until - on.clock.now()).total_seconds())
            await on.hint("1")
            await on.finished()
            await on.clock.sleep(waits[-1])
        assert all(9 < wait <= 10 for wait in waits[:5])
        assert waits[8] > 2 * waits[6] > 2 * waits[5]
        assert WAIT_MOST - 1 < waits[-1] <= WAIT_MOST
        assert on.connections == [ConnectionState.WELL]
        await on.send(on.create("13"))
        await on.finished()
        assert on.outcomes[-1].kind is OutcomeKind.APPLIED

        on.port.failures["execute"].append(Unavailable("answered 500"))
        await on.send(on.create("13"))
        await on.finished()
        assert on.outcomes[-1].until is not None
        assert (on.outcomes[-1].until - on.clock.now()).total_seconds() <= 10, "it begins anew"

    bench(story)


def test_of_a_connection_that_is_away_no_command_is_to_blame() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.hint("1")
        await on.finished()
        for _ in range(6):
            on.port.failures["execute"].append(Unavailable("away"))
            await on.send(on.create("13"))
            await on.finished()
            assert on.outcomes[-1].until is not None
            assert (on.outcomes[-1].until - on.clock.now()).total_seconds() <= 10
            await on.clock.sleep(10)
        assert on.connections == [ConnectionState.WELL, ConnectionState.DOWN]

    bench(story)
