"""What the worker promises, on the log in memory, with a fold one can see through."""

from collections.abc import Sequence
from functools import partial
from typing import cast

import pytest

from kernel.log import Appended, Log, LogUnavailable, Partition, Record
from kernel.memory_group import MemoryConsumer
from kernel.memory_log import MemoryLog
from kernel.metrics import Metrics
from lockstep.doctor.catalogue import CATALOGUE
from lockstep.doctor.codes import Code
from schemas.topics import DLQ, ORDERS_STATE
from streams.agents.orders import OrdersFold
from streams.engine.prefix import Prefix, pack
from streams.engine.settings import EngineSettings
from streams.engine.worker import Ended, Worker
from tests.builders import a_brand
from tests.engine.corner import PARTITIONS
from tests.engine.counting import EVENTS, STATE, TOLD, SilentReader, SlowAcks, counter, counts, newest_is_last, write
from tests.engine.events import Events, orders_in, wanting
from tests.engine.memory import Running, SetClock, in_memory, orders_worker
from tests.engine.oracle import agrees
from tests.kernel.worlds import running

GROUP = "lockstep.orders"
EVENTS_0 = Partition(EVENTS, 0)


def committed(log: MemoryLog) -> int:
    return log._groups[GROUP].committed.get(EVENTS_0, 0)


# --- the commit barrier


def test_what_is_folded_is_told_written_and_committed() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock)
            work.start(worker.run())
            await write(producer, "1", "2", "3")
            await work.until(lambda: committed(log) == 3, "all is committed")
            assert counts(worker) == {"a": 3}
            assert [record.value for record in log.records(TOLD)] == [b"1", b"2", b"3"]
            assert len(log.records(STATE)) == 3

    in_memory(story)


@pytest.mark.parametrize("topic", [STATE, TOLD])
def test_a_refused_send_ends_the_process_before_the_commit(topic: str) -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            task = work.start(counter(log, clock).run())
            await write(producer, "1")
            await work.until(lambda: committed(log) == 1, "the first is committed")
            log.refuse(topic)
            await write(producer, "2", "3")
            assert isinstance(await work.ended(task), Ended)
            assert committed(log) == 1
            successor = counter(log, clock)
            work.start(successor.run())
            await work.until(lambda: committed(log) == 3, "its successor commits all")
            assert counts(successor) == {"a": 3}
            told = {record.value for record in log.records(TOLD)}
            assert {b"1", b"3"} <= told, "of one key in one batch the newest is what is sent again"

    in_memory(story)


def test_no_batch_is_committed_past_another_that_fails_while_partitions_are_given_up() -> None:
    """Three batches are out, the worker waits for the first, and so does a rebalance. The second is refused."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        slow = SlowAcks(log)
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(cast("Log", slow), clock, EngineSettings(batches_under_way=2))
            task = work.start(worker.run())
            await write(producer, "1")
            await work.until(lambda: committed(log) == 1, "the first is committed")
            slow.holding = True
            for number, value in enumerate(("2", "3", "4"), start=1):
                await write(producer, value)
                await work.until(partial(slow.holds, number), "it is out")
            joining = work.start(log.consumer(GROUP, [EVENTS]).start())
            await clock.sleep(1)
            assert committed(log) == 1
            slow.holding = False
            first, second, third = slow.held
            where = Partition(STATE, 0)
            third.set_result([Appended(where, 3, clock.now())] * 2)
            first.set_result([Appended(where, 1, clock.now())] * 2)
            second.set_exception(LogUnavailable("refused"))
            assert isinstance(await work.ended(task), Ended)
            await work.ended(joining)
            assert committed(log) <= 2

    in_memory(story)


def test_silence_ends_the_process() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        slow = SlowAcks(log)
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(cast("Log", slow), clock)
            task = work.start(worker.run())
            await clock.sleep(1)
            slow.holding = True
            await write(producer, "1")
            await clock.sleep(20)
            assert worker.stuck_for(clock.monotonic()) > 19
            assert not task.done()
            await clock.sleep(11)
            assert isinstance(await work.ended(task), Ended)
            assert committed(log) == 0

    in_memory(story)


def test_a_defect_of_the_fold_ends_the_process_and_nothing_of_its_batch_is_committed() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            await write(producer, "1", "2", "!", "4")
            task = work.start(counter(log, clock).run())
            assert isinstance(await work.ended(task), ZeroDivisionError)
            assert committed(log) == 0
            assert log.records(STATE) == []

    in_memory(story)


# --- no gap, no stranger's batch


def test_a_gap_ends_the_process() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock)
            task = work.start(worker.run())
            await write(producer, "1", "2")
            await work.until(lambda: committed(log) == 2, "both are committed")
            consumer_of(worker)._positions[EVENTS_0] = 3
            await write(producer, "3", "4")
            said = str(await work.ended(task))
            assert said.startswith(f"{EVENTS_0}: expected offset 2, found 3: records were skipped")
            assert committed(log) == 2

    in_memory(story)


def test_what_was_deleted_unread_is_passed_when_somebody_says_so_and_not_before() -> None:
    """A role that stood still for longer than its log is kept; the doctor says to delete the commit."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            await write(producer, "1")
            first = work.start(counter(log, clock).run())
            await work.until(lambda: committed(log) == 1, "it is committed")
            await work.end(first)
            await write(producer, "2", "3", "4")
            log.delete_before(EVENTS_0, 2)
            for _ in range(2):
                said = str(await work.ended(work.start(counter(log, clock).run())))
                assert said.endswith("`lockstep doctor` says what to do")
            assert "*records were skipped* at every start" in CATALOGUE[Code.UNREAD_DELETED].do
            del log._groups[GROUP].committed[EVENTS_0]
            work.start(counter(log, clock).run())
            await work.until(lambda: committed(log) == 4, "it goes on")

    in_memory(story)


def test_the_first_record_after_an_assignment_must_be_the_committed_one() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            await write(producer, "1", "2", "3")
            first = work.start(counter(log, clock, EngineSettings(batch=1)).run())
            await work.until(lambda: committed(log) == 3, "all is committed")
            await work.end(first)
            log._groups[GROUP].committed[EVENTS_0] = 1
            worker = counter(log, clock)
            take = MemoryConsumer.take

            async def skipping(self: MemoryConsumer, partitions: frozenset[Partition]) -> None:
                await take(self, partitions)
                self._positions[EVENTS_0] += 1

            consumer_of(worker).take = skipping.__get__(consumer_of(worker))  # type: ignore[method-assign]  # skips one
            assert isinstance(await work.ended(work.start(worker.run())), Ended)

    in_memory(story)


def test_a_batch_that_a_rebalance_overtook_is_dropped_and_comes_again() -> None:
    """Handed over, and before it is folded all is taken away and given back: folded once, from the commit on."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock)
            overtaken: list[int] = []

            async def deliver(records: Sequence[Record]) -> None:
                if not overtaken:
                    overtaken.append(len(records))
                    await another_comes_and_goes(log, clock)
                await worker.finish(records)

            await write(producer, "1", "2", "3")
            work.start(worker.run(deliver))
            await work.until(lambda: committed(log) == 3, "all is committed")
            assert overtaken == [3]
            assert counts(worker) == {"a": 3}
            assert [record.value for record in log.records(TOLD)] == [b"1", b"2", b"3"]

    in_memory(story)


async def another_comes_and_goes(log: MemoryLog, clock: SetClock) -> None:
    """A member that reads nothing: two rebalances."""
    async with running(log.consumer(GROUP, [EVENTS])):
        await clock.sleep(0.1)


def test_a_member_that_was_fenced_goes_on_with_what_it_is_dealt_next() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock)
            task = work.start(worker.run())
            await write(producer, "1")
            await work.until(lambda: committed(log) == 1, "it is committed")
            await consumer_of(worker).expire()
            await write(producer, "2")
            await clock.sleep(2)
            assert not task.done(), "a refused commit is not the end"
            assert committed(log) == 1
            await log._groups[GROUP].join(consumer_of(worker))
            await work.until(lambda: committed(log) == 2, "it is committed as a member again")
            assert counts(worker) == {"a": 2}

    in_memory(story)


# --- another's writes


def test_a_stale_write_over_a_key_written_long_ago_is_mended() -> None:
    """The zombie hides a state that lies before the place from which our own writes have a hole."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            work.start(counter(log, clock).run())
            await write(producer, "1", "2", key="old")
            await write(producer, "1", "2", "3", key="busy")
            await work.until(lambda: committed(log) == 5, "all is committed")
            await write_state(log, "old", last=0, count=1)
            assert not newest_is_last(log, "old")
            await write(producer, "4", key="busy")
            await work.until(lambda: newest_is_last(log, "old"), "it is mended", within=2)
            states = len(log.records(STATE))
            await write(producer, "5", "6", key="busy")
            await work.until(lambda: committed(log) == 8, "all is committed")
            assert len(log.records(STATE)) == states + 2, "mended once"

    in_memory(story)


def test_a_stale_write_is_found_though_nothing_of_ours_follows() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            work.start(counter(log, clock).run())
            await write(producer, "1", "2", key="old")
            await work.until(lambda: committed(log) == 2, "all is committed")
            await write_state(log, "old", last=0, count=1)
            await work.until(lambda: newest_is_last(log, "old"), "it is mended", within=12)

    in_memory(story)


def test_what_is_stale_at_an_assignment_is_written_again() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            first = work.start(counter(log, clock).run())
            await write(producer, "1", "2")
            await work.until(lambda: committed(log) == 2, "all is committed")
            await work.end(first)
            await write_state(log, "a", last=0, count=1)
            worker = counter(log, clock)
            work.start(worker.run())
            await work.until(lambda: counts(worker) == {"a": 2}, "the newer wins")
            assert newest_is_last(log, "a")

    in_memory(story)


async def write_state(log: MemoryLog, key: str, *, last: int, count: int) -> None:
    async with running(log.producer()) as zombie:
        value = pack(Prefix(last, None, 1), str(count).encode())
        await (await zombie.send(STATE, key=key.encode(), value=value, partition=0))


# --- after an assignment


def test_what_may_not_have_been_sent_is_sent_again_before_the_first_record() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            await write(producer, "1", key="a")
            await write(producer, "1", key="b")
            await write_state(log, "b", last=1, count=1)
            worker = counter(log, clock)
            work.start(worker.run())
            await work.until(lambda: committed(log) == 2, "all is committed")
            assert [(record.key, record.value) for record in log.records(TOLD)] == [(b"b", b"1"), (b"a", b"1")]

    in_memory(story)


def test_nothing_is_sent_again_for_what_is_committed() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            first = work.start(counter(log, clock).run())
            await write(producer, "1", "2")
            await work.until(lambda: committed(log) == 2, "all is committed")
            await work.end(first)
            worker = counter(log, clock)
            work.start(worker.run())
            await clock.sleep(2)
            assert len(log.records(TOLD)) == 2
            assert counts(worker) == {"a": 2}

    in_memory(story)


# --- fuse, figures, health


def test_a_fuse_stops_its_partition_alone() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            metrics = Metrics()
            worker = counter(log, clock, EngineSettings(fuse_most=2), metrics)
            task = work.start(worker.run())
            for key in "cde":
                await write(producer, "?", key=key)
            await write(producer, "4")
            await work.until(lambda: worker.fused, "the fuse has blown")
            await write(producer, "1", key="b", number=1)
            await work.until(lambda: counts(worker) == {"b": 1}, "the other partition goes on")
            await clock.sleep(11)
            assert committed(log) == 2, "it stands before the record that was one too many"
            assert len(log.records(DLQ.name)) == 2
            assert not worker.ready
            assert sample(metrics, "lockstep_fused_partitions") == 1
            assert sample(metrics, "lockstep_lag_records", topic=EVENTS, partition="0") == 2
            assert worker.stuck_for(clock.monotonic()) < 1
            await work.end(task)
            assert sample(metrics, "lockstep_fused_partitions") == 0, "what is not ours is not told"
            assert sample(metrics, "lockstep_lag_records", topic=EVENTS, partition="0") is None

    in_memory(story)


def test_a_blown_fuse_stays_blown_when_its_partition_is_dealt_anew() -> None:
    """Another worker comes and goes, as in a rolling restart: what cannot be read is not set aside meanwhile."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock, EngineSettings(fuse_most=2))
            work.start(worker.run())
            for key in "cdefg":
                await write(producer, "?", key=key)
            await work.until(lambda: worker.fused, "the fuse has blown")
            async with running(log.consumer(GROUP, [EVENTS])):
                await work.until(lambda: len(worker.folds) == PARTITIONS // 2, "another has the other half")
            await work.until(lambda: len(worker.folds) == PARTITIONS, "all is this one's again")
            await work.until(lambda: worker.fused, "it has met the record again")
            await clock.sleep(11)
            assert committed(log) == len(log.records(DLQ.name)) == 2

    in_memory(story)


def test_what_just_fits_and_cannot_be_read_is_a_dead_letter_without_its_body() -> None:
    """What is said of it takes room too. It ends nobody, and not the next one either."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        log._largest_record = 200
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock)
            await write(producer, "?" * 199, "1")
            work.start(worker.run())
            await work.until(lambda: committed(log) == 2, "both are finished")
            assert counts(worker) == {"a": 1}
            (letter,) = log.records(DLQ.name)
            assert letter.value == b""
            assert (letter.headers["partition"], letter.headers["offset"]) == (b"0", b"0")
            assert letter.headers["reason"].endswith(b"found ? (a body of 199 bytes, left where it lies)")

    in_memory(story)


def test_one_key_that_nobody_can_read_stops_nobody() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock, EngineSettings(fuse_most=2))
            work.start(worker.run())
            await write(producer, *["?"] * 10, key="poison")
            await write(producer, "1", key="b")
            await work.until(lambda: counts(worker) == {"b": 1}, "the others of its partition go on")
            assert len(log.records(DLQ.name)) == 10
            assert worker.ready

    in_memory(story)


def test_lag_and_keys_are_measured() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            metrics = Metrics()
            work.start(counter(log, clock, EngineSettings(measure_every=1.0), metrics).run())
            for key in "abc":
                await write(producer, "1", key=key)
            await clock.sleep(3)
            assert sample(metrics, "lockstep_keys") == 3
            assert sample(metrics, "lockstep_lag_records", topic=EVENTS, partition="0") == 0

    in_memory(story)


def test_stuck_is_a_fold_that_never_ends_and_not_an_idle_worker() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            worker = counter(log, clock)

            async def hanging(records: Sequence[Record]) -> None:
                await clock.sleep(1e6)

            assert worker.stuck_for(50.0) == 0
            work.start(worker.run(hanging))
            await clock.sleep(1000)
            assert worker.ready
            assert worker.stuck_for(clock.monotonic()) < 1
            await write(producer, "1")
            await clock.sleep(100)
            assert worker.stuck_for(clock.monotonic()) == pytest.approx(100, abs=1)

    in_memory(story)


def test_stuck_is_a_restore_to_which_nothing_comes_any_more() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            first = work.start(counter(log, clock).run())
            await write(producer, "1")
            await work.until(lambda: committed(log) == 1, "it is committed")
            await work.end(first)
            silent = SilentReader(log)
            worker = counter(cast("Log", silent), clock)
            work.start(worker.run())
            await clock.sleep(100)
            assert not worker.ready
            assert worker.stuck_for(clock.monotonic()) == pytest.approx(100, abs=1)
            silent.silent = False
            await work.until(lambda: worker.ready, "it is restored")
            assert worker.stuck_for(clock.monotonic()) < 1

    in_memory(story)


def test_a_consumer_that_cannot_start_leaves_no_producer_behind() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        worker = counter(log, clock)
        log.available = False
        with pytest.raises(LogUnavailable):
            await worker.run()
        log.available = True
        with pytest.raises(LogUnavailable, match="expected a started producer"):
            await worker._producer.send(TOLD, key=b"a", value=b"1")

    in_memory(story)


def consumer_of(worker: Worker) -> MemoryConsumer:
    assert isinstance(worker._consumer, MemoryConsumer)
    return worker._consumer


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    role = {} if name == "lockstep_fused_partitions" else {"role": "orders"}
    return metrics.registry.get_sample_value(name, {**role, **labels})


# --- a configuration


def test_what_came_before_a_configuration_is_never_decided_by_it() -> None:
    """An order and a new configuration in one batch; the order's state does not get into the log. When the order comes
    again the configuration must not be known yet, or the table is not what the log makes it.
    """

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            events = Events(producer)
            await events.configure(a_brand())
            first = work.start(orders_worker(log, clock).run())
            await work.until(lambda: len(log.records(ORDERS_STATE.name)) == PARTITIONS, "it is configured")
            await work.end(first)
            await events.seen(*(wanting(order) for order in orders_in({0}, 1)))
            await events.configure(a_brand(version=2))
            log.refuse(ORDERS_STATE.name)
            assert isinstance(await work.ended(work.start(orders_worker(log, clock).run())), Ended)
            last = orders_worker(log, clock)
            work.start(last.run())
            await work.until(lambda: planned_with(last) == 2, "the order is planned with the new one", within=600)
        await agrees(log)

    in_memory(story)


def planned_with(worker: Worker) -> int:
    """The version of the configuration that the order was planned with last."""
    found = [state for fold in worker.folds.values() for state in cast("OrdersFold", fold).states().values()]
    return max((state.config_version for state in found), default=0)
