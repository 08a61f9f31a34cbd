"""Hints become reads: joined, one call per order, never lost, and none held up for ever by another's."""

from itertools import pairwise

import pytest

from connectors.runtime.errors import RateLimited, Unauthorised, Unavailable
from schemas.base import Brand
from schemas.events import ConnectionState
from schemas.raw import RawKind
from tests.connectors.runtime.scripted import HINTS_TOPIC, SYSTEM, Bench, bench


def test_an_idle_order_is_read_at_once_and_hints_meanwhile_share_the_next_call() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.hint("5012")
        await on.until(lambda: len(on.port.calls) == 1, within=0.5)
        for _ in range(5):
            await on.hint("5012")
        await on.finished()
        assert [call.orders for call in on.port.calls] == [("5012",), ("5012",)]
        assert len(on.told(RawKind.SNAPSHOT)) == 2

    bench(story)


def test_many_orders_share_a_call_up_to_the_batch_of_the_system() -> None:
    async def story(on: Bench) -> None:
        on.port.read_batch = 3
        for number in range(7):
            await on.hint(str(number))
        on.start()
        await on.finished()
        assert sorted(len(call.orders) for call in on.port.calls) == [1, 3, 3]
        assert len(on.told(RawKind.SNAPSHOT)) == 7

    bench(story)


def test_a_failed_read_keeps_its_hints_and_waits_longer_each_time() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 0.0
        on.port.failures["read"].extend(Unavailable("away") for _ in range(3))
        on.start()
        await on.hint("5012")
        await on.finished()
        began = [call.began for call in on.port.calls]
        gaps = [later - earlier for earlier, later in pairwise(began)]
        assert len(began) == 4
        assert gaps == sorted(gaps)
        assert gaps[0] >= 0.5
        assert len(on.told(RawKind.SNAPSHOT)) == 1
        assert on.connections == [ConnectionState.WELL], "three failures do not open a breaker"

    bench(story)


def test_a_system_that_is_away_lets_no_hints_of_an_order_heap_up() -> None:
    """The older ones are finished with the newest, which comes again after a restart."""

    async def story(on: Bench) -> None:
        on.port.refuses["77"] = Unauthorised("answered 401")
        runtime = on.start()
        for _ in range(300):
            await on.hint("77", why="orders/updated", evidence="x" * 20_000)
        await on.clock.sleep(60)
        assert on.unfinished() == 1
        (lane,) = runtime._lanes
        (waiting,) = lane.hints
        assert len(waiting.record.value or b"") + len(waiting.hint.evidence) < 500
        await on.stop(runtime)
        on.port.refuses.clear()
        on.start()
        await on.finished()
        assert len(on.told(RawKind.SNAPSHOT)) == 1

    bench(story)


def test_hints_that_were_joined_bear_the_trace_and_the_token_of_theirs() -> None:
    async def story(on: Bench) -> None:
        on.port.failures["read"].append(Unavailable("away"))
        on.start()
        await on.hint("77")
        await on.until(lambda: len(on.port.calls) == 1)
        await on.hint("77", trace="a", token=7)
        await on.hint("77", trace="b")
        await on.finished()
        (snapshot,) = on.told(RawKind.SNAPSHOT)
        assert (snapshot.headers["trace"], snapshot.headers["token"]) == (b"a", b"7")
        seen = on.metrics.registry.get_sample_value(
            "lockstep_hint_to_snapshot_seconds_sum", {"brand": "acme", "system": "clarus"}
        )
        assert seen == pytest.approx(on.clock.monotonic(), abs=1.0), "since the first of them"

    bench(story)


def test_a_busy_system_is_left_alone_as_long_as_it_asks() -> None:
    async def story(on: Bench) -> None:
        on.port.failures["read"].append(RateLimited("busy", 42.0))
        on.start()
        await on.hint("5012")
        await on.finished()
        first, second = on.port.calls
        assert second.began - first.began == pytest.approx(43.0, abs=0.3)

    bench(story)


def test_the_breaker_opens_once_and_closes_with_the_first_answer() -> None:
    async def story(on: Bench) -> None:
        on.port.takes = 0.0
        on.port.failures["read"].extend(Unavailable("away") for _ in range(10))
        on.start()
        await on.hint("5012")
        await on.finished()
        assert on.connections == [ConnectionState.DOWN, ConnectionState.WELL]
        assert len(on.port.calls) == 11

    bench(story)


def test_a_successor_tells_that_all_is_well_when_its_predecessor_said_otherwise() -> None:
    """Or the case that the predecessor's word opened would never close."""

    async def story(on: Bench) -> None:
        on.port.takes = 0.0
        on.port.failures["read"].extend(Unavailable("away") for _ in range(1000))
        runtime = on.start()
        await on.hint("5012")
        await on.until(lambda: on.connections == [ConnectionState.DOWN])
        await on.stop(runtime)
        on.port.failures["read"].clear()
        on.start()
        await on.finished()
        assert on.connections == [ConnectionState.DOWN, ConnectionState.WELL]
        await on.hint("5012")
        await on.finished()
        assert on.connections == [ConnectionState.DOWN, ConnectionState.WELL], "once is enough"

    bench(story)


def test_answers_that_do_not_show_what_is_ours_are_told_and_open_the_breaker() -> None:
    async def story(on: Bench) -> None:
        on.port.incomplete = True
        on.start()
        await on.hint("5012")
        await on.until(lambda: len(on.port.calls) == 3)
        assert on.connections == [ConnectionState.RIGHTS_LOST]
        (snapshot,) = on.told(RawKind.SNAPSHOT)
        assert snapshot.headers["complete"] == b"0", "told once, and asked again"
        on.port.incomplete = False
        await on.finished()
        assert on.connections == [ConnectionState.RIGHTS_LOST, ConnectionState.WELL]
        assert [one.headers["complete"] for one in on.told(RawKind.SNAPSHOT)] == [b"0", b"1"]

    bench(story)


def test_a_hint_nobody_can_read_is_a_dead_letter() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await (await on.producer.send(HINTS_TOPIC, key=b"acme/5012", value=b"{"))
        await on.finished()
        (letter,) = on.letters
        assert letter.value == b"{"
        assert letter.headers["stage"] == b"clarus connector"
        assert on.port.calls == []

    bench(story)


def test_hints_of_brands_without_a_connection_and_of_the_connection_itself_are_finished_unread() -> None:
    async def story(on: Bench) -> None:
        on.start()
        await on.hint("5012", brand=Brand("other"))
        await on.hint(f"~{SYSTEM}")
        await on.finished()
        assert on.port.calls == []

    bench(story)
