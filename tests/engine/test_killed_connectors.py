"""Connectors killed around their write, on a real broker, before a system that does twice what it is told twice."""

import signal
from datetime import UTC, datetime

import pytest

from kernel.log import Record
from schemas.base import OrderId, System
from schemas.commands import CreateGoodsOut
from schemas.outcomes import Outcome, OutcomeKind
from schemas.topics import COMMANDS, CONFIG, HINTS, RAW
from streams.agents.emissions import RECORDS
from tests.builders import a_brand
from tests.engine.crash_points import CrashPoint
from tests.engine.events import wanting
from tests.engine.processes import KILLED, Process, until
from tests.engine.stage import Play, Stage
from tests.engine.warehouse import Warehouse
from tests.story import Story

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(90)]

GROUP = "lockstep.clarus"
ORDER = OrderId("5012")
KEY = f"acme/{ORDER}"


@pytest.mark.parametrize("point", [CrashPoint.EFFECT_BEFORE_OUTCOME, CrashPoint.OUTCOME_BEFORE_COMMIT])
def test_kill_between_effect_and_outcome(play: Play, point: CrashPoint) -> None:
    """Without an outcome the second looks, sees it and says so. With one it has nothing to say: what has become of the
    goods-out since, deleted by a person perhaps, is not for a command that has ended.
    """

    async def story(on: Stage) -> None:
        async with Warehouse().open() as warehouse:
            await configured(on)
            first = await connector(on, "first", warehouse, point)
            command = await asked(on)
            assert await first.ended() == KILLED
            assert warehouse.made == [command.reference]
            had_ended = point is CrashPoint.OUTCOME_BEFORE_COMMIT
            assert [outcome.kind for outcome in await outcomes(on)] == [OutcomeKind.APPLIED] * had_ended
            await on.processes.bury(GROUP, first)
            await (await connector(on, "second", warehouse)).says("assigned")
            await finished(on)
            assert warehouse.made == [command.reference]
            (outcome,) = await outcomes(on)
            assert outcome.kind is (OutcomeKind.APPLIED if had_ended else OutcomeKind.ALREADY_APPLIED)
            assert outcome.command == command.id

    play(story)


def test_killed_while_the_call_executes(play: Play) -> None:
    """Killed after sending; another is there before the system has finished, and waits before it looks: one effect."""

    async def story(on: Stage) -> None:
        async with Warehouse(slow=True).open() as warehouse:
            await configured(on)
            first = await connector(on, "first", warehouse)
            command = await asked(on)
            await until(lambda: warehouse.begun == [command.reference], "the warehouse has been asked")
            await first.kill()
            await on.processes.bury(GROUP, first)
            second = await connector(on, "second", warehouse)
            await second.says("assigned")
            assert warehouse.made == []
            warehouse.let_go()
            await finished(on)
            assert warehouse.begun == warehouse.made == [command.reference]
            assert [outcome.kind for outcome in await outcomes(on)] == [OutcomeKind.ALREADY_APPLIED]

    play(story)


def test_zombie_connector(play: Play) -> None:
    """Stopped while its call is out, until another has taken over, looked and told; it wakes with the half-done command
    and does nothing a second time. What it still says is of an old epoch.
    """

    async def story(on: Stage) -> None:
        async with Warehouse(slow=True).open() as warehouse:
            await configured(on)
            zombie = await connector(on, "first", warehouse)
            command = await asked(on)
            await until(lambda: warehouse.begun == [command.reference], "the warehouse has been asked")
            zombie.send(signal.SIGSTOP)
            await zombie.frozen()
            await on.processes.bury(GROUP, zombie)
            await (await connector(on, "second", warehouse)).says("assigned")
            warehouse.let_go()
            await finished(on)
            assert [outcome.kind for outcome in await outcomes(on)] == [OutcomeKind.ALREADY_APPLIED]
            zombie.send(signal.SIGCONT)
            await zombie.says("assigned", times=2)  # a member again, after what it held is abandoned
            await send(on, command)
            await finished(on)
            assert warehouse.begun == warehouse.made == [command.reference]

    play(story)


def test_a_command_sent_again_does_not_jump_the_wait_for_the_predecessor(play: Play) -> None:
    """The fold sends the same command once more, after the second has taken over: it waits as the first copy does."""

    async def story(on: Stage) -> None:
        async with Warehouse(slow=True).open() as warehouse:
            await configured(on)
            first = await connector(on, "first", warehouse)
            command = await asked(on)
            await until(lambda: warehouse.begun == [command.reference], "the warehouse has been asked")
            await first.kill()
            await on.processes.bury(GROUP, first)
            await (await connector(on, "second", warehouse)).says("assigned")
            await send(on, command)
            warehouse.let_go()
            await finished(on)
            assert warehouse.begun == warehouse.made == [command.reference]
            told = [(outcome.command, outcome.kind) for outcome in await outcomes(on)]
            assert told == [(command.id, OutcomeKind.ALREADY_APPLIED)], "one command ends once"

    play(story)


# --- how it is told


async def configured(on: Stage) -> None:
    body = a_brand().model_dump_json().encode()
    await (await on.producer.send(CONFIG.name, key=b"acme", value=body))


async def connector(on: Stage, name: str, warehouse: Warehouse, point: CrashPoint = CrashPoint.NEVER) -> Process:
    arguments = (point, KEY, str(warehouse.port), str(warehouse.longest_request))
    made = await on.processes.start("connector_process", name, *arguments)
    await made.says("assigned [0, 1, 2, 3]")
    return made


async def asked(on: Stage) -> CreateGoodsOut:
    """A command, as the fold decides it, decided now."""
    decided = Story(order=ORDER).shopify(wanting(ORDER)).one(CreateGoodsOut)
    command = decided.model_copy(update={"decided_at": datetime.now(UTC)})
    await send(on, command)
    return command


async def send(on: Stage, command: CreateGoodsOut) -> None:
    value, headers = RECORDS.encode(command)
    await (await on.producer.send(COMMANDS[System.CLARUS].name, key=KEY.encode(), value=value, headers=headers))


async def finished(on: Stage) -> None:
    await on.finished(GROUP, [COMMANDS[System.CLARUS].name, HINTS[System.CLARUS].name])


async def outcomes(on: Stage) -> list[Outcome]:
    def is_outcome(record: Record) -> bool:
        return record.headers["kind"] == b"outcome"

    records = filter(is_outcome, await on.records(RAW[System.CLARUS].name, KEY))
    return [Outcome.model_validate_json(record.value or b"") for record in records]
