"""Time is a record: two who tick, a clock that is set back, a tick that got lost; real workers on virtual time."""

from datetime import timedelta

from kernel.log import Partition
from kernel.memory_group import MemoryConsumer
from kernel.memory_log import MemoryLog
from lockstep.simulation.bulk_fold import bulk_fold
from schemas.base import OrderId
from schemas.topics import CASES, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.keyed import TICK_KEY
from streams.agents.orders import OrdersFold
from streams.engine.worker import Worker
from streams.rules.orders.state import OrderState
from tests.builders import NOON, a_brand
from tests.engine.corner import PARTITIONS
from tests.engine.events import Events, wanting
from tests.engine.memory import Running, SetClock, in_memory, orders_worker
from tests.engine.oracle import agrees
from tests.kernel.worlds import running

ORDER, OTHER = OrderId("5012"), OrderId("5013")
HOLD = 10.0
PARTITIONS_OF_EVENTS = tuple(Partition(ORDERS_EVENTS.name, number) for number in range(PARTITIONS))
BRAND = a_brand(waits={**a_brand().waits.model_dump(), "hold": HOLD})


def test_tick_twice() -> None:
    """Two workers tick for the same keys, one of them not knowing that its session is over: same state, one case."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            events, old = Events(producer), orders_worker(log, clock)
            await events.configure(BRAND)
            task = work.start(old.run())
            await events.seen(wanting(ORDER).shipping_to(None))
            await work.until(lambda: ORDER in states(old), "the order is held")
            assert isinstance(old._consumer, MemoryConsumer)
            await old._consumer.expire()
            fresh = orders_worker(log, clock)
            work.start(fresh.run())
            await work.until(lambda: ORDER in states(fresh), "the other has taken over")
            for worker in (old, fresh):  # the other's tick reaches each after it has ticked itself
                worker._consumer.pause(*PARTITIONS_OF_EVENTS)
            await work.until(lambda: len(ticks(log)) == 2, "both have ticked")
            for worker in (old, fresh):
                worker._consumer.resume(*PARTITIONS_OF_EVENTS)
            await work.until(lambda: bool(log.records(CASES.name)), "the case is open")
            await work.until(lambda: states(old) == states(fresh) != {}, "both have folded both")
            await work.end(task)
            await clock.sleep(5)
            assert len({record.value for record in log.records(CASES.name)}) == 1
            assert len(ticks(log)) == 2
        await agrees(log)

    in_memory(story)


def test_clock_runs_back() -> None:
    """The wall clock is set back by an hour: `now` of a key does not go back, and what is due comes an hour later."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            events, worker = Events(producer), orders_worker(log, clock)
            await events.configure(BRAND)
            work.start(worker.run())
            await clock.sleep(2)
            await events.seen(wanting(ORDER).shipping_to(None), wanting(OTHER).shipping_to(None))
            await work.until(lambda: {ORDER, OTHER} <= states(worker).keys(), "both are held")
            before = states(worker)[ORDER].now
            clock.set_by = timedelta(hours=-1)
            await events.seen(wanting(ORDER))
            await work.until(lambda: bool(states(worker)[ORDER].in_flight), "the order is released")
            appended = [one.at for one in log.records(ORDERS_EVENTS.name) if one.key == f"acme/{ORDER}".encode()]
            assert appended == sorted(appended, reverse=True)
            assert states(worker)[ORDER].now == before
            (command,) = states(worker)[ORDER].in_flight[:1]
            assert command.decided_at == before
            await clock.sleep(HOLD * 6)
            assert log.records(CASES.name) == [], "not due by the clock there is now"
            await work.until(lambda: bool(log.records(CASES.name)), "the other is late", within=3700)
            assert clock.now() - NOON < timedelta(seconds=2 + HOLD + 5)
        await agrees(log)

    in_memory(story)


def test_a_tick_that_got_lost_is_forgotten_even_when_the_clock_was_set_back() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            events, worker = Events(producer), orders_worker(log, clock)
            await events.configure(BRAND)
            work.start(worker.run())
            await events.seen(wanting(ORDER).shipping_to(None))
            await work.until(lambda: ORDER in states(worker), "the order is held")
            (owned,) = (one for one in worker._owned.values() if one.fold.next_due() is not None)
            clock.set_by = timedelta(hours=1)
            owned.ticked_at = clock.monotonic()  # sent by a broker that lost it
            clock.set_by = timedelta(minutes=30)
            began = clock.monotonic()
            await work.until(lambda: bool(log.records(CASES.name)), "the case is open")
            assert 29 < clock.monotonic() - began < 32

    in_memory(story)


def test_a_worker_whose_clock_is_fast_does_not_tick_until_it_is_time() -> None:
    """Its first tick comes too early and shows by how much; the second is in time. The log is kept for ever."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        fast = SetClock()
        fast.set_by = timedelta(seconds=60)
        async with running(log.producer()) as producer, Running(clock) as work:
            events, worker = Events(producer), orders_worker(log, fast)
            await events.configure(BRAND)
            work.start(worker.run())
            await events.seen(wanting(ORDER).shipping_to(None))
            await work.until(lambda: bool(log.records(CASES.name)), "the case is open")
            assert len(ticks(log)) == 2
            fast.set_by = timedelta(0)  # somebody puts it right
            await events.seen(wanting(OTHER).shipping_to(None))
            await work.until(lambda: len(log.records(CASES.name)) == 2, "the next case is open", within=120)
            assert len(ticks(log)) == 3
        await agrees(log)

    in_memory(story)


def test_idle_partitions_get_no_ticks() -> None:
    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            await Events(producer).configure(BRAND)
            worker = orders_worker(log, clock)
            work.start(worker.run())
            await clock.sleep(3600)
            assert ticks(log) == []

    in_memory(story)


def test_after_an_outage_one_tick_is_enough() -> None:
    """Three hours without a worker: every key that is due is planned by one tick, and the table is the bulk fold's."""

    async def story(log: MemoryLog, clock: SetClock) -> None:
        async with running(log.producer()) as producer, Running(clock) as work:
            events = Events(producer)
            await events.configure(BRAND)
            first = work.start(orders_worker(log, clock).run())
            await events.seen(*(wanting(OrderId("5012"), version).shipping_to(None) for version in (1, 2)))
            await work.until(lambda: bool(log.records(ORDERS_STATE.name)), "the order is known")
            await work.end(first)
            await clock.sleep(3 * 3600)
            work.start(orders_worker(log, clock).run())
            await work.until(lambda: bool(log.records(CASES.name)), "the case is open")
            assert len(ticks(log)) == 1
        folded = bulk_fold(log.records(ORDERS_EVENTS.name), PARTITIONS)
        await agrees(log)
        folds = [fold for fold in folded.folds.values() if isinstance(fold, OrdersFold)]
        assert any(state.cases for fold in folds for state in fold.states().values())

    in_memory(story)


def states(worker: Worker) -> dict[str, OrderState]:
    """By order id, from all partitions of the worker."""
    found: dict[str, OrderState] = {}
    for fold in worker.folds.values():
        assert isinstance(fold, OrdersFold)
        found |= {state.order: state for state in fold.states().values()}
    return found


def ticks(log: MemoryLog) -> list[int]:
    return [record.offset for record in log.records(ORDERS_EVENTS.name) if record.key == TICK_KEY]
