"""The connector runtime's small parts, each alone: breaker, lanes, progress, publisher, view of the configuration."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from connectors.runtime.breaker import FAILURES, WAIT_MOST, Breaker
from connectors.runtime.config_view import ConfigView
from connectors.runtime.lanes import Lane, WaitingCommand
from connectors.runtime.port import Reading
from connectors.runtime.progress import Progress
from connectors.runtime.publisher import Publisher
from kernel.clock import LoopClock
from kernel.log import LogUnavailable, Partition, Record
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.virtual_time import run_virtual
from schemas.base import CommandId, OrderId, OrderKey, System
from schemas.events import ConnectionState
from schemas.outcomes import Outcome, OutcomeKind
from schemas.raw import RawHeaders, RawKind
from schemas.topics import ALL, CONFIG, HINTS, RAW
from tests.builders import ACME, NOON, a_brand
from tests.connectors.runtime.scripted import Bench
from tests.kernel.worlds import running

HINTS_0, COMMANDS_0 = Partition("hints.clarus", 0), Partition("commands.clarus", 0)
ORDER = OrderId("5012")


# --- breaker


def test_a_breaker_waits_longer_with_each_failure_and_opens_at_the_fourth() -> None:
    breaker, waits, changed = Breaker(), [], []
    for _ in range(12):
        changed.append(breaker.failed(NOON, "away"))
        until = breaker.closed_until(NOON)
        assert until is not None
        waits.append((until - NOON).total_seconds())
    assert waits == sorted(waits)
    assert waits[0] == 0.5
    assert waits[-1] == WAIT_MOST
    assert changed.index(True) == FAILURES - 1
    assert sum(changed) == 1
    assert breaker.open
    assert breaker.closed_until(NOON + timedelta(seconds=WAIT_MOST)) is None


def test_one_success_makes_a_breaker_well() -> None:
    breaker = Breaker()
    assert not breaker.succeeded()
    assert breaker.refused(NOON, "401")
    assert breaker.state is ConnectionState.UNAUTHORISED
    assert breaker.blinded(NOON, "empty lists")
    assert (breaker.state, breaker.text) == (ConnectionState.RIGHTS_LOST, "empty lists")
    assert breaker.succeeded()
    assert not breaker.open
    assert breaker.closed_until(NOON) is None
    assert breaker.text == ""


def test_a_breaker_waits_as_long_as_it_is_told() -> None:
    breaker = Breaker()
    assert not breaker.failed(NOON, "busy", wait=42.0)
    assert breaker.closed_until(NOON) == NOON + timedelta(seconds=42)


# --- lanes


def test_of_the_commands_for_one_object_the_last_stays() -> None:
    lane = Lane(OrderKey("acme/5012"), ACME, ORDER, 0)
    assert lane.idle
    bench = Bench.__new__(Bench)
    bench.clock, bench._decided = FixedClock(), 0
    for offset, reference in enumerate(("A", "B", "A", "C", "A")):
        lane.commands.append(
            WaitingCommand(Record(COMMANDS_0, offset, b"", b"", NOON), bench.create(reference=reference))
        )
    assert [waiting.offset for waiting in lane.superseded()] == [0, 2]
    assert [waiting.offset for waiting in lane.commands] == [1, 3, 4]
    assert lane.superseded() == []
    assert not lane.idle


def test_a_lane_stays_closed_until_the_latest_moment_it_was_told() -> None:
    lane = Lane(OrderKey("acme/5012"), ACME, ORDER, 0)
    assert not lane.perhaps_written(NOON)
    lane.stays_closed(NOON + timedelta(seconds=30))
    lane.stays_closed(NOON + timedelta(seconds=10))
    assert lane.perhaps_written(NOON + timedelta(seconds=29))
    assert not lane.perhaps_written(NOON + timedelta(seconds=30))


class FixedClock(LoopClock):
    def __init__(self) -> None:
        super().__init__(NOON)

    def monotonic(self) -> float:
        return 0.0


# --- progress


def test_only_what_lies_before_the_oldest_open_record_is_committed() -> None:
    progress = Progress()
    for offset in (5, 6, 7):
        progress.take(HINTS_0, offset)
    progress.take(COMMANDS_0, 1)
    assert progress.committable() == {HINTS_0: 5, COMMANDS_0: 1}
    progress.committed(progress.committable())
    progress.finish(HINTS_0, 6)
    assert progress.committable() == {}
    progress.finish(HINTS_0, 5)
    assert progress.committable() == {HINTS_0: 7}
    progress.finish(HINTS_0, 7)
    progress.finish(HINTS_0, 7)
    assert progress.positions() == {HINTS_0: 8, COMMANDS_0: 1}
    assert progress.waiting == 1


def test_a_partition_that_was_given_up_is_forgotten() -> None:
    progress = Progress()
    progress.take(HINTS_0, 5)
    progress.drop(HINTS_0)
    progress.finish(HINTS_0, 5)
    assert progress.committable() == progress.positions() == {}
    progress.take(HINTS_0, 3)
    assert progress.committable() == {HINTS_0: 3}, "begins where the next assignment begins"


# --- publisher


def in_memory(story: Callable[[MemoryLog, LoopClock], Coroutine[Any, Any, None]]) -> None:
    clock = LoopClock(NOON)
    run_virtual(story(MemoryLog(clock, {topic.name: 2 for topic in ALL}), clock))


def test_everything_is_published_under_the_epoch_of_its_partition() -> None:
    async def story(log: MemoryLog, clock: LoopClock) -> None:
        async with running(log.producer()) as producer:
            publisher = Publisher(System.CLARUS, producer, clock, Metrics())
            await publisher.own(1)
            await publisher.own(1)
            started = NOON - timedelta(seconds=3)
            seen = [
                Reading(ACME, OrderId("1"), b"[1]", started),
                Reading(ACME, OrderId("2"), b"", started, absent=True),
            ]
            await publisher.readings(seen, 1, "trace-1")
            outcome = Outcome(command=CommandId("c1"), object="a", generation=1, kind=OutcomeKind.APPLIED)
            await publisher.outcome(ACME, OrderId("1"), outcome, 1, "trace-1")
        first, second, one, two, ended = log.records(RAW[System.CLARUS].name)
        assert {record.partition.number for record in (first, second, one, two, ended)} == {1}
        heads = [RawHeaders.load(record.headers) for record in (one, two, ended)]
        assert [head.epoch for head in heads] == [second.offset] * 3
        assert [head.kind for head in heads] == [RawKind.SNAPSHOT, RawKind.SNAPSHOT, RawKind.OUTCOME]
        assert [head.absent for head in heads] == [False, True, False]
        assert heads[0].read_started_at == started
        assert {head.trace for head in heads} == {"trace-1"}
        assert Outcome.model_validate_json(ended.value or b"") == outcome

    in_memory(story)


def test_hints_of_our_own_go_to_our_own_topic() -> None:
    async def story(log: MemoryLog, clock: LoopClock) -> None:
        async with running(log.producer()) as producer:
            await Publisher(System.ERP, producer, clock, Metrics()).hints(ACME, [OrderId("1"), OrderId("2")], "poll")
        assert {record.key for record in log.records(HINTS[System.ERP].name)} == {b"acme/1", b"acme/2"}

    in_memory(story)


def test_what_is_not_acknowledged_is_not_told() -> None:
    async def story(log: MemoryLog, clock: LoopClock) -> None:
        async with running(log.producer()) as producer:
            log.refuse(RAW[System.CLARUS].name)
            with pytest.raises(LogUnavailable):
                await Publisher(System.CLARUS, producer, clock, Metrics()).own(0)

    in_memory(story)


# --- the view of the configuration


async def put(log: MemoryLog, key: bytes, value: bytes | None) -> None:
    async with running(log.producer()) as producer:
        await (await producer.send(CONFIG.name, key=key, value=value))


def test_the_newest_valid_configuration_is_followed() -> None:
    async def story(log: MemoryLog, clock: LoopClock) -> None:
        await put(log, b"acme", a_brand().model_dump_json().encode())
        async with ConfigView(log, clock) as view:
            assert view.brands == {ACME}
            assert view.why_not(ACME, System.CLARUS) is None
            await put(log, b"acme", a_brand(version=2, paused=(System.CLARUS,)).model_dump_json().encode())
            await clock.sleep(1.5)
            assert view.why_not(ACME, System.CLARUS) == "clarus is paused for brand acme"
            assert view.why_not(ACME, System.ERP) is None
            await put(log, b"acme", b'{"brand": "acme"}')
            await clock.sleep(1.5)
            kept = view.of(ACME)
            assert kept is not None
            assert kept.version == 2, "the last good one stays"
            await put(log, b"acme", None)
            await clock.sleep(1.5)
            assert view.why_not(ACME, System.ERP) == "brand acme is not configured"

    in_memory(story)


def test_a_view_waits_for_a_log_that_is_away() -> None:
    async def story(log: MemoryLog, clock: LoopClock) -> None:
        async with ConfigView(log, clock) as view:
            tries: list[float] = []
            reader = view._reader
            poll = reader.poll

            async def away(*, timeout: float, most: int = 500) -> object:
                if len(tries) < 3:
                    tries.append(clock.monotonic())
                    raise LogUnavailable("no broker")
                return await poll(timeout=timeout, most=most)

            reader.poll = away  # type: ignore[method-assign,assignment]  # the log is away
            await put(log, b"acme", a_brand().model_dump_json().encode())
            await clock.sleep(10)
            assert len(tries) == 3
            assert tries[2] - tries[0] == pytest.approx(2.0)
            assert view.brands == {ACME}

    in_memory(story)


def test_a_view_that_does_not_follow_any_more_lets_nothing_pass() -> None:
    async def story(log: MemoryLog, clock: LoopClock) -> None:
        await put(log, b"acme", a_brand().model_dump_json().encode())
        await put(log, b"\xff", b"{}")
        view = ConfigView(log, clock)
        await view.__aenter__()
        assert view.why_not(ACME, System.CLARUS) is None

        async def broken(*, timeout: float, most: int = 500) -> object:
            raise RuntimeError("a defect")

        view._reader.poll = broken  # type: ignore[method-assign,assignment]  # a defect
        await clock.sleep(1.5)
        with pytest.raises(RuntimeError, match="a defect"):
            view.why_not(ACME, System.CLARUS)
        with pytest.raises(RuntimeError, match="a defect"):
            await view.__aexit__()

    in_memory(story)
