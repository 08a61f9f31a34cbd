"""A release of the rules that decides otherwise, on the log and the table of the one before, on a real broker."""

import pytest

from kernel.kafka_log import KafkaLog
from kernel.log import Partition
from schemas.base import System
from schemas.topics import COMMANDS, ORDERS_EVENTS
from tests.builders import a_brand
from tests.engine.corner import PARTITIONS
from tests.engine.crash_points import CrashPoint
from tests.engine.events import orders_in, wanting
from tests.engine.stage import ORDERS, Play, Stage

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(90)]

CLARUS = COMMANDS[System.CLARUS].name


def test_old_log_new_release(play: Play) -> None:
    """The group's commits are lost, so the whole log comes again, to rules that call every goods-out otherwise: no old
    command is sent, neither as it was nor as it would be now. What is new is decided by the new rules.
    """

    async def story(on: Stage) -> None:
        await on.events.configure(a_brand())
        last_release = await on.processes.worker("old")
        await last_release.says("assigned")
        old = orders_in({0, 1, 2, 3}, 12)
        await on.events.seen(*(wanting(order) for order in old))
        await on.finished()
        await last_release.terminated()
        before = await on.records(CLARUS)
        assert len(before) == len(old)
        await from_the_beginning(on)
        new_release = await on.processes.start("other_release_process", "new", CrashPoint.NEVER, "")
        await on.finished()
        assert await on.records(CLARUS) == before
        (later,) = orders_in({0}, 1, first=7000)
        await on.events.seen(wanting(later))
        await on.finished()
        await new_release.terminated()
        (made,) = await on.records(CLARUS, f"acme/{later}")
        assert made.value is not None
        assert b"NEW-RELEASE" in made.value

    play(story)


async def from_the_beginning(on: Stage) -> None:
    log = KafkaLog(on.corner.bootstrap, client_id="test")
    wheres = [on.corner.place(Partition(ORDERS_EVENTS.name, number)) for number in range(PARTITIONS)]
    await log.place_group(on.corner.name(ORDERS), dict.fromkeys(wheres, 0))
