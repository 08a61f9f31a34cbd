"""The engine's small parts, each alone: fuse, prefix, changelog, barrier, pulse, lag."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.lag import Lag
from kernel.log import Appended, LogUnavailable, Partition, Record
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from kernel.pulse import Pulse
from schemas.errors import Unreadable
from schemas.topics import ORDERS_STATE
from streams.engine.barrier import Barrier, Ended, Sent, Written
from streams.engine.changelog import OwnWrites, mend, restore
from streams.engine.fuse import Fuse, dead_letter
from streams.engine.prefix import SIZE, Prefix, last_offset, pack, unpack
from tests.builders import NOON
from tests.engine.memory import SetClock, in_memory
from tests.kernel.worlds import running

STATE = ORDERS_STATE.name
EVENTS_0, EVENTS_1 = Partition("orders.events", 0), Partition("orders.events", 1)


# --- fuse


def test_a_fuse_lets_so_many_pass_and_no_more() -> None:
    fuse = Fuse(most=3, window=10)
    assert [fuse.rejected(key) for key in (b"a", b"b", b"c", b"d", b"e")] == [True, True, True, False, False]


def test_one_key_that_nobody_can_read_blows_no_fuse_however_often_it_is_read_again() -> None:
    fuse = Fuse(most=2, window=10)
    assert all(fuse.rejected(b"stock:11/FABRIC") for _ in range(50))
    assert [fuse.rejected(key) for key in (b"a", b"b")] == [True, False], "it counts as one, and as no less"


def test_each_record_without_a_key_counts() -> None:
    fuse = Fuse(most=2, window=10)
    assert [fuse.rejected(None) for _ in range(3)] == [True, True, False]


def test_a_fuse_forgets_what_lies_behind_its_window() -> None:
    fuse = Fuse(most=2, window=10)
    for number in range(50):
        assert fuse.rejected(b"%d" % number)
        for _ in range(4):
            fuse.passed()


def test_a_key_is_forgotten_when_none_of_its_records_lies_in_the_window() -> None:
    fuse = Fuse(most=1, window=4)
    assert [fuse.rejected(b"a"), fuse.rejected(b"a")] == [True, True]
    for _ in range(2):
        fuse.passed()
    assert not fuse.rejected(b"b"), "its second is still there"
    assert fuse.rejected(b"b"), "and now is not"


def test_a_dead_letter_holds_the_bytes_and_says_where_and_why() -> None:
    record = Record(EVENTS_1, 7, b"acme/1", b"?", NOON, {"kind": b"x"})
    letter = dead_letter(record, "orders", Unreadable("lines.0", "a number", "text"))
    assert (letter.key, letter.value) == (b"acme/1", b"?")
    said = {name: value.decode() for name, value in letter.headers.items()}
    assert (said["topic"], said["partition"], said["offset"], said["stage"]) == ("orders.events", "1", "7", "orders")
    assert "lines.0" in said["reason"]


# --- prefix


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - with a zone beside
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


@given(
    offset=st.integers(-1, 1 << 62),
    wake=st.none() | MOMENTS,
    version=st.integers(0, 1 << 62),
    body=st.binary(max_size=50),
)
def test_a_prefix_comes_back_as_it_was(offset: int, wake: datetime | None, version: int, body: bytes) -> None:
    value = pack(Prefix(offset, wake, version), body)
    assert unpack(value) == (Prefix(offset, wake, version), body)
    assert last_offset(value) == offset
    assert len(value) == SIZE + len(body)


def test_a_value_without_a_prefix_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a changelog value of at least 24 bytes, found 3"):
        unpack(b"abc")


# --- changelog


def state(offset: int) -> bytes:
    return pack(Prefix(offset, None, 1), f"state {offset}".encode())


async def write(log: MemoryLog, number: int, *states: tuple[bytes, int]) -> None:
    async with running(log.producer()) as producer:
        for key, offset in states:
            await (await producer.send(STATE, key=key, value=state(offset), partition=number))


def test_the_highest_last_offset_wins_on_restore_not_the_last_record() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        await write(log, 0, (b"a", 1), (b"b", 2), (b"a", 5), (b"a", 3), (b"c", 4))
        await write(log, 1, (b"a", 9), (b"a", 8), (b"a", 9))
        steps: list[int] = []
        found = await restore(log, STATE, [0, 1, 3], progress=lambda: steps.append(1))
        assert {key: last_offset(value) for key, value in found[0].newest.items()} == {b"a": 5, b"b": 2, b"c": 4}
        assert found[0].stale == {b"a"}
        assert (found[0].end, found[0].records) == (5, 5)
        assert found[1].stale == set(), "the newest was written again already"
        assert (found[3].end, found[3].newest) == (0, {})
        assert steps

    in_memory(story)


def test_restore_reads_behind_holes_of_compaction() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        await write(log, 0, (b"a", 1), (b"a", 2), (b"b", 3), (b"a", 4))
        log.compact(STATE)
        found = (await restore(log, STATE, [0]))[0]
        assert (found.end, found.records) == (4, 2)
        assert {key: last_offset(value) for key, value in found.newest.items()} == {b"a": 4, b"b": 3}

    in_memory(story)


def test_mending_writes_the_newest_of_stale_keys_and_only_those() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        await write(log, 0, (b"a", 5), (b"b", 6), (b"a", 3))
        async with running(log.producer()) as producer:
            writes = await mend(log, producer, STATE, 0, (await restore(log, STATE, [0]))[0])
            assert writes.next == 4
            last = log.records(STATE)[-1]
            assert (last.key, last.value) == (b"a", state(5))
            again = (await restore(log, STATE, [0]))[0]
            assert again.stale == set()
            assert (await mend(log, producer, STATE, 0, again)).next == 4

    in_memory(story)


def test_own_writes_notice_a_hole_once_and_where_it_began() -> None:
    writes = OwnWrites(10)
    assert writes.hole([10, 11]) is None
    assert writes.hole([]) is None
    assert writes.hole([14, 15]) == 12
    assert writes.hole([16]) is None


# --- barrier


Acknowledged = asyncio.Future[Sequence[Appended]]


def sent(clock: SetClock, offset: int, *changes: tuple[int, int]) -> tuple[Sent, Acknowledged]:
    acknowledged: Acknowledged = asyncio.get_running_loop().create_future()
    return Sent({EVENTS_0: offset}, acknowledged, changes, clock.monotonic()), acknowledged


def test_nothing_is_committed_past_what_is_not_acknowledged() -> None:
    async def story(_: MemoryLog, clock: SetClock) -> None:
        barrier = Barrier(clock, 30.0)
        (one, first), (two, second) = sent(clock, 5, (0, 3)), sent(clock, 9)
        barrier.add(one)
        barrier.add(two)
        second.set_result([])
        assert await barrier.settle() == []
        assert barrier.take() == {}
        first.set_result([Appended(Partition(STATE, 3), 77, NOON)])
        assert await barrier.settle() == [Written(3, 77)]
        assert barrier.take() == {EVENTS_0: 9}
        assert barrier.take() == {}
        assert len(barrier) == 0

    in_memory(story)


def test_a_failed_send_ends_it_and_stays_in_the_way() -> None:
    async def story(_: MemoryLog, clock: SetClock) -> None:
        barrier = Barrier(clock, 30.0)
        (one, first), (two, second) = sent(clock, 5), sent(clock, 9)
        barrier.add(one)
        barrier.add(two)
        first.set_exception(LogUnavailable("refused"))
        second.set_result([])
        for _again in range(2):
            with pytest.raises(Ended, match="a send failed: refused"):
                await barrier.settle(wait=True)
            assert barrier.take() == {}

    in_memory(story)


def test_silence_ends_it_when_it_has_lasted_since_the_send() -> None:
    async def story(_: MemoryLog, clock: SetClock) -> None:
        barrier = Barrier(clock, 30.0)
        one, _first = sent(clock, 5)
        barrier.add(one)
        await clock.sleep(20)
        assert await barrier.settle() == []
        assert barrier.waited() == pytest.approx(20)
        with pytest.raises(Ended, match="no acknowledgement for 30 s"):
            await barrier.settle(wait=True)
        assert clock.monotonic() == pytest.approx(30, abs=0.1)

    in_memory(story)


# --- pulse and lag


def test_standing_still_counts_only_while_something_waits() -> None:
    pulse = Pulse()
    assert pulse.stuck_for(100.0, waiting=True) == 0.0, "not begun"
    pulse.turned(100.0, waiting=False)
    pulse.turned(200.0, waiting=False)
    assert pulse.stuck_for(200.1, waiting=False) == pytest.approx(0.1)
    pulse.turned(300.0, waiting=True)
    assert pulse.stuck_for(300.0, waiting=True) == pytest.approx(100.0), "it turns and nothing moves"
    pulse.moved(290.0)
    assert pulse.stuck_for(300.0, waiting=True) == pytest.approx(10.0)
    assert pulse.stuck_for(400.0, waiting=False) == pytest.approx(100.0), "it does not even turn"


def test_lag_is_told_for_what_is_held_and_no_longer() -> None:
    metrics = Metrics()
    lag = Lag("orders", metrics)
    labels = {"role": "orders", "topic": "orders.events", "partition": "0"}
    assert not lag
    lag.note(EVENTS_0, 7)
    assert lag
    lag.note(EVENTS_0, 7, stands=True)
    assert not lag
    assert metrics.registry.get_sample_value("lockstep_lag_records", labels) == 7
    lag.forget([EVENTS_0, EVENTS_1])
    assert metrics.registry.get_sample_value("lockstep_lag_records", labels) is None


def test_a_lag_that_cannot_be_measured_ends_nothing() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        consumer = log.consumer("g", ["orders.events"])
        lag = Lag("orders", Metrics())
        assert await lag.ends(consumer, [EVENTS_0]) == {EVENTS_0: 0}
        log.available = False
        assert await lag.ends(consumer, [EVENTS_0]) == {}

    in_memory(story)
