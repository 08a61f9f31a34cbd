"""Partitions move while records flow, and an owner thought dead wakes: on a real broker, with real processes."""

import asyncio
import signal

import pytest

from kernel.clock import SystemClock
from kernel.metrics import Metrics
from lockstep.simulation.bulk_fold import bulk_fold
from schemas.base import OrderId
from schemas.cases import CaseCode
from schemas.topics import CASES, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.orders import orders_fold
from streams.engine.prefix import last_offset
from streams.engine.worker import Worker
from tests.builders import a_brand
from tests.engine.corner import PARTITIONS, Corner
from tests.engine.crash_points import CrashPoint
from tests.engine.events import orders_in, wanting
from tests.engine.oracle import agrees, everything
from tests.engine.processes import KILLED, until
from tests.engine.stage import ORDERS, Play, Stage, comes
from tests.engine.worker_process import SETTINGS

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(90)]

ALL = {0, 1, 2, 3}


def test_join_leave_under_load(play: Play) -> None:
    """Workers join and leave while records flow: none skipped, the first handled is the committed one.

    A worker that met a gap would have ended by itself, and not in order.
    """
    orders = orders_in(ALL, 24)

    async def load(on: Stage, enough: asyncio.Event) -> int:
        """New versions of every order, about a hundred a second, until there have been enough."""
        version = 0
        while not enough.is_set():
            version += 1
            for begin in range(0, len(orders), 4):
                await on.events.seen(*(wanting(order, version) for order in orders[begin : begin + 4]))
                await asyncio.sleep(0.04)
        return version

    async def story(on: Stage) -> None:
        await on.events.configure(a_brand())
        enough = asyncio.Event()
        first = await on.processes.worker("first")
        await first.says("assigned [0, 1, 2, 3]")
        loading = asyncio.create_task(load(on, enough))
        second = await on.processes.worker("second")
        await second.says("assigned")
        await first.says("assigned", times=2)
        third = await on.processes.worker("third")
        await third.says("assigned")
        await first.terminated()
        await second.says("assigned", times=3)
        await second.terminated()
        await third.says("assigned [0, 1, 2, 3]")
        enough.set()
        assert await loading > 3
        await on.finished()
        await third.terminated()
        folded = await agrees(on.corner)
        assert len(folded.states) > 3 * len(orders)

    play(story)


def test_partition_away_and_back(play: Play) -> None:
    """A partition moves to another worker and returns: no stale key fires, recovery reads what is new.

    Two orders are held. One gets its address while its partition is away: its first owner must not open a case when
    the time has come by which it would have. The other one's case tells that this time has come.
    """
    moved, control = orders_in({3}, 2)

    async def story(on: Stage) -> None:
        hold = 4
        await on.events.configure(a_brand(waits={**a_brand().waits.model_dump(), "hold": hold}))
        corners = [Corner(on.corner.bootstrap, on.corner.prefix, name) for name in ("a", "b")]  # dealt in this order
        stays, visits = (
            Worker(
                "orders", one, [ORDERS_EVENTS.name], orders_fold, ORDERS_STATE.name, SystemClock(), Metrics(), SETTINGS
            )
            for one in corners
        )
        staying = asyncio.create_task(stays.run())
        await until(lambda: set(stays.folds) == ALL, "the first has all")
        await on.events.seen(wanting(moved).shipping_to(None))
        await on.events.seen(wanting(control).shipping_to(None))
        await on.finished()
        visiting = asyncio.create_task(visits.run())
        await until(lambda: set(stays.folds) == {0, 1} and set(visits.folds) == {2, 3}, "each has half")
        assert not any(f"acme/{moved}" in fold.states() for fold in stays.folds.values())  # type: ignore[attr-defined]  # the folds here are OrdersFolds
        await on.events.seen(wanting(moved))
        await on.finished()
        await end(visiting)
        await until(lambda: set(stays.folds) == ALL, "the first has all again")

        async def the_control_is_late() -> bool:
            return any(CaseCode.ADDRESS_INCOMPLETE in (one.key or b"").decode() for one in await on.records(CASES.name))

        await comes(the_control_is_late, "a case for the control")
        await on.finished()
        mine, events = stays.folds[3], await everything(on.corner, ORDERS_EVENTS.name)
        bulk = bulk_fold(events, PARTITIONS).folds[3]
        assert mine.states() == bulk.states()  # type: ignore[attr-defined]  # the folds here are OrdersFolds
        await end(staying)
        folded = await agrees(on.corner)  # and so, that no case was opened which the log does not open
        assert any(key.startswith(f"acme/{control}/".encode()) for _, key, _ in folded.cases)

    play(story)


def a_worker(corner: Corner) -> Worker:
    sources, changelog = [ORDERS_EVENTS.name], ORDERS_STATE.name
    return Worker("orders", corner, sources, orders_fold, changelog, SystemClock(), Metrics(), SETTINGS)


async def end(work: "asyncio.Task[None]") -> None:
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work


@pytest.mark.parametrize("goes_on", [True, False])
def test_zombie_worker(play: Play, goes_on: bool) -> None:
    """Stopped past its session with a state in its hands; wakes and writes it behind the newer one of its successor.

    The newer wins on every restore, and what is stale in the changelog is written again: also when the zombie dies
    before it has noticed anything, and the successor has nothing of its own to write.
    """
    order = OrderId("5012")
    key = f"acme/{order}"
    point = CrashPoint.FREEZE_BEFORE_SECOND_STATE if goes_on else CrashPoint.FREEZE_BEFORE_SECOND_STATE_AND_DIE

    async def story(on: Stage) -> None:
        await on.events.configure(a_brand())
        zombie = await on.processes.worker("zombie", point, key)
        await zombie.says("assigned")
        await on.events.seen(wanting(order, 1))
        await on.finished()
        await on.events.seen(wanting(order, 2))
        await zombie.frozen()
        if not goes_on:
            await on.processes.bury(ORDERS, zombie)
        successor = await on.processes.worker("successor")
        await successor.says("assigned [0, 1, 2, 3]")  # the session of the frozen one is over
        for quantity in (3, 4):
            await on.events.seen(wanting(order, quantity))
        await on.finished()
        before = await on.records(ORDERS_STATE.name, key)
        zombie.send(signal.SIGCONT)

        async def the_zombie_has_written() -> bool:
            return len(await on.records(ORDERS_STATE.name, key)) > len(before)

        await comes(the_zombie_has_written, "the zombie writes what it held")
        late = (await on.records(ORDERS_STATE.name, key))[len(before)]
        assert late.value is not None
        assert before[-1].value is not None
        assert last_offset(late.value) < last_offset(before[-1].value), "an older state behind a newer one"

        async def it_is_mended() -> bool:
            return (await on.records(ORDERS_STATE.name, key))[-1].value == before[-1].value

        await comes(it_is_mended, "the newer state lies behind the older again")
        if goes_on:
            await zombie.says("assigned", times=2)
            await on.events.seen(wanting(order, 5))
            await on.finished()
            await zombie.terminated()
        else:
            assert await zombie.ended() == KILLED
        await successor.terminated()
        await agrees(on.corner)

    play(story)
