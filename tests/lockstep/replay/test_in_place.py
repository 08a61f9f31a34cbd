"""A rebuilt table put in place in memory: interrupted and done again, where workers go on, what is refused."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kernel.log import LogError, Partition
from kernel.memory_log import MemoryLog
from lockstep.replay.asked import ask
from lockstep.replay.checkpoint import Checkpoints
from lockstep.replay.in_place import WorkersRunError, commits, put_in_place
from lockstep.replay.pool import Quiet
from lockstep.replay.rebuild import Order, Rebuilt, Run, rebuild_partition
from lockstep.replay.tables import ORDERS as ORDERS_TABLE
from lockstep.replay.verify import Plan
from lockstep.replay.wanted import Was
from schemas.base import Brand
from schemas.topics import COMMANDS, ORDERS_EVENTS, ORDERS_STATE
from streams.engine.changelog import restore
from tests.builders import NOON
from tests.engine.corner import PARTITIONS
from tests.engine.events import Events, wanting
from tests.engine.memory import Running, SetClock, orders_worker
from tests.lockstep.replay.small_logs import ORDERS, after_a_day, committed, compared, ends, newest_of, worked

KEY = f"acme/{ORDERS[0]}"


async def made(log: MemoryLog, folder: Path, *, without: tuple[Brand, ...] = (), at: datetime = NOON) -> Rebuilt:
    asked, run = await ask(log), Run.going_on(folder, "memory", at)
    await log.create_like(run.topic, ORDERS_STATE.name)
    saved, goals = Checkpoints(folder, "memory", without), ends(log)
    orders = [
        Order(number, goals[number], asked.committed.get(number), run.topic, run.stamp, saved, 1000)
        for number in range(PARTITIONS)
    ]
    parts = await asyncio.gather(*(rebuild_partition(log, order, Quiet()) for order in orders))
    wanted = tuple(one for part in parts for one in part.beside.wanted)
    return Rebuilt(run, asked, tuple(parts), (), wanted=wanted)


async def put(log: MemoryLog, folder: Path, *, send_unsent: bool = False, said: list[str] | None = None) -> Rebuilt:
    """`said` gets every step; one that stands in it already raises."""

    def say(step: str) -> None:
        if said is not None:
            if said and said[-1] in step:
                raise RuntimeError(step)
            said.insert(0, step)

    one = await made(log, folder)
    await put_in_place(log, one, Plan(folder, 1), send_unsent=send_unsent, say=say)
    return one


async def lose_a_key(log: MemoryLog) -> None:
    lost = newest_of(log, KEY)
    stored = log._stored[lost.partition]
    stored.records = [record for record in stored.records if record.key != lost.key]


def test_an_end_in_the_middle_does_no_harm_and_the_same_again_makes_it_whole(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        await lose_a_key(log)
        before = log.records(ORDERS_STATE.name)
        with pytest.raises(RuntimeError):
            await put(log, tmp_path, said=["partition 2 in place"])
        whole = await restore(log, ORDERS_STATE.name, range(PARTITIONS))
        assert sum(len(one.newest) for one in whole.values()) >= len(ORDERS), "each partition is the old or the new one"

        one = await put(log, tmp_path)

        kept = log.records(one.run.kept_topic)
        assert [(record.key, record.value) for record in kept] == [(record.key, record.value) for record in before]
        assert all(part.equal for part in await compared(log, tmp_path / "verify"))
        assert Run.going_on(tmp_path, "memory", NOON.replace(year=2030)).stamp != one.run.stamp

    after_a_day(story)
    assert not list(tmp_path.glob("*.fold"))


def test_a_table_that_was_worked_on_after_the_last_step_failed_is_kept_before_it_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever saw the error late had the workers running by then: what they wrote was overwritten without a copy."""

    async def story(log: MemoryLog, events: Events) -> None:
        with monkeypatch.context() as away:
            away.setattr(log, "place_group", _away)
            with pytest.raises(LogError, match="away"):
                await put(log, tmp_path)
        await events.seen(wanting("5998"))
        await worked(log, SetClock())
        before = log.records(ORDERS_STATE.name)

        one = await made(log, tmp_path, at=NOON + timedelta(days=1))
        await put_in_place(log, one, Plan(tmp_path, 1), send_unsent=False, say=lambda _: None)

        kept = log.records(one.run.kept_topic)
        assert [(record.key, record.value) for record in kept] == [(record.key, record.value) for record in before]

    after_a_day(story)


async def _away(_group: str, _offsets: Mapping[Partition, int]) -> None:
    raise LogError("away")


def test_the_commit_stays_where_it_was_and_is_never_past_what_was_rebuilt(tmp_path: Path) -> None:
    async def story(log: MemoryLog, events: Events) -> None:
        reached = committed(log)
        await events.seen(wanting("5998"))
        await put(log, tmp_path)
        assert committed(log) == reached
        log._groups[ORDERS_TABLE.group].committed.clear()
        one = await made(log, tmp_path)
        assert commits(one, send_unsent=False) == ends(log)

    after_a_day(story)


def test_commands_that_were_never_sent_are_sent_by_a_worker_only_when_asked_for(tmp_path: Path) -> None:
    """The table has lost an order, and its commands never came to their topics."""

    async def story(log: MemoryLog, _: Events) -> None:
        number = newest_of(log, KEY).partition.number
        await lose_a_key(log)
        one = await made(log, tmp_path)
        one = replace(one, wanted=tuple(replace(command, was=Was.NEVER_SENT) for command in one.wanted))
        assert {command.key for command in one.never_sent} == {KEY}
        assert commits(one, send_unsent=False) == committed(log)
        before = {topic.name: len(log.records(topic.name)) for topic in COMMANDS.values()}
        await put_in_place(log, one, Plan(tmp_path, 1), send_unsent=True, say=lambda _: None)
        assert committed(log)[number] < ends(log)[number]
        await worked(log, SetClock())
        again = [record.key for topic in COMMANDS.values() for record in log.records(topic.name)[before[topic.name] :]]
        assert KEY.encode() in again
        assert all(part.equal for part in await compared(log, tmp_path / "verify"))

    after_a_day(story)


def test_nothing_is_put_in_place_while_a_worker_is_there(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        clock = SetClock()
        async with Running(clock) as work:
            worker = orders_worker(log, clock)
            work.start(worker.run())
            await work.until(worker.assigned_once.is_set, "a worker is there")
            before = log.records(ORDERS_STATE.name)
            with pytest.raises(WorkersRunError, match="stop every `lockstep run orders`"):
                await put(log, tmp_path)
            assert log.records(ORDERS_STATE.name) == before

    after_a_day(story)


def test_a_table_in_which_somebody_else_writes_is_not_taken_for_whole(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        one = await made(log, tmp_path)
        parts = tuple(replace(part, digest="0" * 64) for part in one.parts)
        with pytest.raises(LogError, match="expected the rebuilt table, digest 000000000000, found"):
            await put_in_place(log, replace(one, parts=parts), Plan(tmp_path, 1), send_unsent=False, say=lambda _: None)
        where = Partition(ORDERS_EVENTS.name, 0)
        assert log.committed()[ORDERS_TABLE.group][where] == committed(log)[0], "the commit is set last"

    after_a_day(story)


def test_a_brand_that_is_left_out_is_gone_from_the_table_also_when_it_is_compacted(tmp_path: Path) -> None:
    async def story(log: MemoryLog, _: Events) -> None:
        one = await made(log, tmp_path, without=(Brand("acme"),))
        await put_in_place(log, one, Plan(tmp_path, 1), send_unsent=False, say=lambda _: None)
        log.compact(ORDERS_STATE.name)
        left = await restore(log, ORDERS_STATE.name, range(PARTITIONS))
        assert all(not restored.newest for restored in left.values())

    after_a_day(story)
