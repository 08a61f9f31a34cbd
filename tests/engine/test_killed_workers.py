"""Workers killed at every point between a record and its commit, on a real broker: what the log says comes out."""

import pytest

from kernel.partitioner import partition_of
from schemas.base import OrderId, System
from schemas.commands import CreateGoodsOut
from schemas.topics import CASES, COMMANDS, ORDERS_EVENTS, ORDERS_STATE
from streams.agents.emissions import RECORDS
from tests.builders import a_brand, an_order
from tests.engine.corner import PARTITIONS
from tests.engine.crash_points import CrashPoint
from tests.engine.events import orders_in, wanting
from tests.engine.oracle import agrees
from tests.engine.processes import KILLED
from tests.engine.stage import ORDERS, Play, Stage, comes
from tests.engine.worker_process import ENDED_BY_ENGINE

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(90)]

ORDER = OrderId("5012")
KEY = f"acme/{ORDER}"
CLARUS = COMMANDS[System.CLARUS].name


@pytest.mark.parametrize("point", [CrashPoint.STATE_BEFORE_COMMAND, CrashPoint.COMMAND_BEFORE_COMMIT])
def test_kill_between_state_and_command(play: Play, point: CrashPoint) -> None:
    """Also between command and commit."""

    async def story(on: Stage) -> None:
        await on.events.configure(a_brand())
        worker = await on.processes.worker("first", point, KEY)
        await worker.says("assigned")
        await on.events.seen(*(wanting(order) for order in orders_in({0, 1, 2, 3}, 8)))
        await on.finished()
        await on.events.seen(wanting(ORDER))
        assert await worker.ended() == KILLED
        assert len(await on.records(ORDERS_STATE.name, KEY)) == 1
        assert len(await on.records(CLARUS, KEY)) == (0 if point is CrashPoint.STATE_BEFORE_COMMAND else 1)
        await on.processes.bury(ORDERS, worker)
        successor = await on.processes.worker("second")
        await on.finished()
        await successor.terminated()
        folded = await agrees(on.corner)
        assert len({command for command in folded.commands if command[:2] == (CLARUS, KEY.encode())}) == 1

    play(story)


def test_config_changes_in_flight(play: Play) -> None:
    """How it ships is changed between the emission and the re-send: sent as decided; the next release uses the new."""

    async def story(on: Stage) -> None:
        await on.events.configure(a_brand())
        worker = await on.processes.worker("first", CrashPoint.COMMAND_BEFORE_COMMIT, KEY)
        await worker.says("assigned")
        await on.events.seen(wanting(ORDER))
        assert await worker.ended() == KILLED
        carriers = [{"carrier": "RM", "company": "Royal Mail"}]
        shipping = [{"code": "standard", "carrier": "RM", "service": "TRACKED48"}]
        await on.events.configure(a_brand(version=2, carriers=carriers, shipping=shipping))
        (later,) = orders_in({partition_of(KEY.encode(), PARTITIONS)}, 1, first=6000)
        await on.events.seen(wanting(later))
        await on.processes.bury(ORDERS, worker)
        successor = await on.processes.worker("second")
        await on.finished()
        await successor.terminated()  # a tick may lie in the log that nobody has come to: tables are not compared
        assert await carriers_of(on, ORDER) == ["DPD", "DPD"], "sent, and sent again as it was"
        assert await carriers_of(on, later) == ["RM"]

    play(story)


async def carriers_of(on: Stage, order: str) -> list[str]:
    """Of every create in the topic, in order."""
    commands = [RECORDS.decode(one.value or b"", one.headers) for one in await on.records(CLARUS, f"acme/{order}")]
    return [one.carrier for one in commands if isinstance(one, CreateGoodsOut)]


def test_changelog_send_fails(play: Play) -> None:
    """The broker refuses one changelog record, for its size: the process ends before the commit; nothing is lost."""

    async def story(on: Stage) -> None:
        await on.events.configure(a_brand())
        worker = await on.processes.worker("first")
        await worker.says("assigned")
        await on.events.seen(wanting(ORDER))
        await on.finished()
        before = await on.corner.commits(ORDERS)
        big = an_order(ORDER)
        for number in range(150):
            big = big.with_line(f"SKU-{number}", 2)
        await on.events.seen(big.routed("71"))
        assert await worker.ended() == ENDED_BY_ENGINE
        assert "a send failed" in await worker.says("ended by the engine")
        assert await on.corner.commits(ORDERS) == before
        assert len(await on.records(ORDERS_STATE.name, KEY)) == 1
        await on.corner.allow(ORDERS_STATE.name, cleanup_policy="compact")
        successor = await on.processes.worker("second")
        await on.finished()
        await successor.terminated()
        await agrees(on.corner)
        assert len(await on.records(ORDERS_STATE.name, KEY)) == 2

    play(story, orders_state={"max.message.bytes": "20000"})


def test_crash_in_the_middle_of_a_tick(play: Play) -> None:
    """Half the due keys written: the replay gives the same bytes, and every case opens."""

    async def story(on: Stage) -> None:
        waits = {**a_brand().waits.model_dump(), "hold": 2}
        await on.events.configure(a_brand(waits=waits))
        worker = await on.processes.worker("first", CrashPoint.HALF_A_TICK)
        await worker.says("assigned")
        held = orders_in({1}, 30)
        await on.events.seen(*(wanting(order).shipping_to(None) for order in held))
        assert await worker.ended() == KILLED
        written = await on.records(ORDERS_STATE.name)
        states = {order: sum(record.key == f"acme/{order}".encode() for record in written) for order in held}
        assert set(states.values()) == {1, 2}, "the tick was to be cut in the middle"
        assert await on.records(CASES.name) == []
        await on.processes.bury(ORDERS, worker)
        successor = await on.processes.worker("second")

        async def every_case_is_open() -> bool:
            return len({record.key for record in await on.records(CASES.name)}) == len(held)

        await comes(every_case_is_open, "a case for each held order")
        await on.finished()
        await successor.terminated()
        await agrees(on.corner)
        assert any(record.key == b"~tick/~tick" for record in await on.records(ORDERS_EVENTS.name))

    play(story)
