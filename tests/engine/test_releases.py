"""A release of the rules that decides otherwise, on the log and the table of the one before, on a real broker."""

import pytest

from kernel.kafka_log import KafkaLog
from kernel.log import Partition, Record
from schemas.base import System
from schemas.commands import Command, system_of
from schemas.events import CommandEnded, Source
from schemas.outcomes import Outcome, OutcomeKind
from schemas.topics import COMMANDS, ORDERS_EVENTS
from streams.agents.orders import decode_command
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
        await on.events.append(*(carried_out(command) for command in await commands(on)))
        await on.finished()
        await last_release.terminated()
        before = await sent(on)
        assert len(before) == 2 * len(old)
        await from_the_beginning(on)
        new_release = await on.processes.start("other_release_process", "new", CrashPoint.NEVER, "")
        await on.finished()
        assert await sent(on) == before
        (later,) = orders_in({0}, 1, first=7000)
        await on.events.seen(wanting(later))
        await on.finished()
        await new_release.terminated()
        (made,) = await on.records(CLARUS, f"acme/{later}")
        assert made.value is not None
        assert b"NEW-RELEASE" in made.value

    play(story)


async def sent(on: Stage) -> list[Record]:
    """Every command record, in one order."""
    records = [record for topic in COMMANDS.values() for record in await on.records(topic.name)]
    return sorted(records, key=lambda record: (record.partition, record.offset))


async def commands(on: Stage) -> list[Command]:
    return [decode_command(record.value or b"", dict(record.headers)) for record in await sent(on)]


def carried_out(command: Command) -> CommandEnded:
    system = system_of(command)
    outcome = Outcome(
        command=command.id,
        object=command.object,
        generation=command.generation,
        kind=OutcomeKind.APPLIED,
        external_id=f"9{command.order}",
    )
    source = Source(topic=f"raw.{system}", cluster="test", partition=0, offset=command.decided_offset)
    return CommandEnded(
        brand=command.brand, order=command.order, source=source, system=system, epoch=1, outcome=outcome
    )


async def from_the_beginning(on: Stage) -> None:
    log = KafkaLog(on.corner.bootstrap, client_id="test")
    wheres = [on.corner.place(Partition(ORDERS_EVENTS.name, number)) for number in range(PARTITIONS)]
    await log.place_group(on.corner.name(ORDERS), dict.fromkeys(wheres, 0))
