"""`verify` and `rebuild` as an operator types them, against a real Kafka and real workers."""

import asyncio
import os
import re
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kernel.clock import SystemClock
from kernel.kafka_log import KafkaLog
from kernel.log import LogUnavailable, Outgoing, Record
from kernel.metrics import Metrics
from lockstep.cli.app import program
from lockstep.cli.common import out
from lockstep.reading import everything
from lockstep.replay.fold import Interrupted
from lockstep.replay.in_place import WorkersRunError
from lockstep.replay.tables import ORDERS as ORDERS_TABLE
from lockstep.replay.verify import Plan, verify
from lockstep.settings import SettingsError
from lockstep.topic_specs import specs
from sandbox.kafka import Broker
from schemas.config import BrandConfig
from schemas.topics import COMMANDS, CONFIG, ORDERS_EVENTS, ORDERS_STATE, STOCK_STATE
from streams.agents.orders import decode_command, orders_fold
from streams.engine.changelog import MARKS, restore
from streams.engine.prefix import Prefix, pack, unpack
from streams.engine.settings import EngineSettings
from streams.engine.worker import Worker
from tests.builders import a_brand
from tests.engine.corner import PARTITIONS
from tests.engine.events import Events, orders_in, wanting
from tests.engine.stage import comes
from tests.kernel.worlds import running

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(170)]

ORDERS = orders_in({0, 1, 2, 3}, 12)
LOST = f"acme/{ORDERS[3]}"


@dataclass(frozen=True)
class House:
    """A broker of one test's own with a day in it: our topics have fixed names."""

    bootstrap: str
    work: Path

    @property
    def log(self) -> KafkaLog:
        return KafkaLog(self.bootstrap, client_id="test")

    def types(self, line: str) -> Result:
        arguments = [*line.split(), "--work", str(self.work), "--processes", "2"]
        return CliRunner().invoke(program(), arguments, env={"LOCKSTEP_KAFKA_BOOTSTRAP": self.bootstrap})

    def does(self, story: Callable[[KafkaLog], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(story(self.log))

    def records(self, *topics: str) -> list[Record]:
        async def all_of_it() -> list[Record]:
            async with everything(self.log, topics) as records:
                return sorted([record async for record in records], key=lambda one: (one.partition, one.offset))

        return asyncio.run(all_of_it())

    def commands(self) -> list[str]:
        found = self.records(*(topic.name for topic in COMMANDS.values()))
        return [decode_command(one.value or b"", dict(one.headers)).id for one in found]


def a_worker(log: KafkaLog) -> Worker:
    settings = EngineSettings(commit_every=0.1, tick_every=0.1)
    sources, clock = [ORDERS_EVENTS.name], SystemClock()
    return Worker("orders", log, sources, orders_fold, ORDERS_STATE.name, clock, Metrics(), settings)


async def worked(log: KafkaLog) -> None:
    """A worker comes, finishes all there is, and leaves in order."""
    worker = a_worker(log)
    running_ = asyncio.create_task(worker.run())

    async def nothing_is_left() -> bool:
        if running_.done():
            running_.result()
        try:
            spans = await log.spans([ORDERS_EVENTS.name])
            group = (await log.describe_groups([ORDERS_TABLE.group]))[ORDERS_TABLE.group]
        except LogUnavailable:  # the first group of a new broker has no coordinator yet
            return False
        return worker.assigned_once.is_set() and all(
            group.committed.get(where, 0) == span.end for where, span in spans.items()
        )

    try:
        await comes(nothing_is_left, "all is committed")
    finally:
        running_.cancel()
        await asyncio.gather(running_, return_exceptions=True)


async def day(log: KafkaLog) -> None:
    await log.create_topics(specs(PARTITIONS, 1))
    async with running(log.producer()) as producer:
        events = Events(producer)
        await events.configure(a_brand())
        await (await producer.send(CONFIG.name, key=b"acme", value=a_brand().model_dump_json().encode()))
        await events.seen(*(wanting(order) for order in ORDERS))
        await events.seen(*(wanting(order).shipping_to(None) for order in ORDERS[:3]))
    await worked(log)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is folded, however wide the real terminal is."""
    monkeypatch.setattr(out, "_width", 250)


@pytest.fixture(scope="module")
def quiet_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """For tests that change nothing in it."""
    with Broker() as broker:
        made = House(broker.bootstrap, tmp_path_factory.mktemp("replay") / "work")
        made.does(day)
        yield made


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with Broker() as broker:
        made = House(broker.bootstrap, tmp_path / "work")
        made.does(day)
        yield made


async def _append(log: KafkaLog, *records: Outgoing) -> None:
    async with running(log.producer()) as producer:
        await (await producer.send_many(records))


def damaged(house: House) -> None:
    """One order's state says something that no event tells."""
    record = next(one for one in house.records(ORDERS_STATE.name) if one.key == LOST.encode())
    prefix, body = unpack(record.value or b"")
    value = pack(prefix, body.replace(b'"PAID"', b'"VOIDED"'))
    house.does(lambda log: _append(log, Outgoing(ORDERS_STATE.name, record.key, value, {}, record.partition.number)))


def test_what_a_worker_wrote_is_equal(quiet_house: House) -> None:
    equal = quiet_house.types("verify")

    assert equal.exit_code == 0, equal.output
    assert f"{len(ORDERS) + PARTITIONS} keys, equal to the last byte" in equal.output
    assert not list(quiet_house.work.iterdir()), "nothing is kept of a run that came to its end"
    told = quiet_house.types("rebuild --table stock")
    assert told.exit_code == 0, told.output
    assert "stock.state is not folded but made anew" in told.output
    nothing = quiet_house.types("verify --table stock")
    assert nothing.exit_code == 0, nothing.output
    assert "0 keys, equal to the last byte" in nothing.output


def test_an_interrupted_verify_goes_on_from_where_it_was(quiet_house: House) -> None:
    connect, plan = partial(KafkaLog, quiet_house.bootstrap, client_id="test"), Plan(quiet_house.work, 2)
    whole = verify(connect, Plan(quiet_house.work / "other", 2))
    sent: list[int] = []

    def ctrl_c(*_: object) -> None:
        if not sent:
            sent.append(1)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        verify(connect, plan, ctrl_c)
    assert list(quiet_house.work.glob("*.fold"))
    again = verify(connect, plan)
    assert [one.log_digest for one in again.partitions] == [one.log_digest for one in whole.partitions]
    assert [one.verdicts for one in again.partitions] == [one.verdicts for one in whole.partitions]
    assert again.exit_code == 0
    assert len(again.peaks) <= 2
    assert min(again.peaks) > 1 << 20


def test_a_work_folder_that_cannot_be_written_is_told_before_anything_is_folded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = CliRunner().invoke(program(), ["verify", "--work", str(tmp_path / "file")])
    assert isinstance(refused.exception, SettingsError)
    assert "expected a folder to write to, found File exists" in str(refused.exception)


def test_a_table_is_not_put_in_place_while_somebody_works(quiet_house: House) -> None:
    async def a_member(log: KafkaLog) -> None:
        async with running(log.consumer(ORDERS_TABLE.group, [ORDERS_EVENTS.name])):
            refused = await asyncio.to_thread(quiet_house.types, "rebuild --yes")
        assert isinstance(refused.exception, WorkersRunError)
        assert "stop every `lockstep run orders`" in str(refused.exception)

    quiet_house.does(a_member)


def test_a_table_is_verified_while_its_worker_goes_on(house: House) -> None:
    """Events come, are folded and committed all the while; log and table are compared where their ends meet."""
    enough, appended = threading.Event(), list[int]()

    async def flow(log: KafkaLog) -> None:
        worker = asyncio.create_task(a_worker(log).run())
        async with running(log.producer()) as producer:
            events = Events(producer)
            while not enough.is_set():
                appended.append(len(appended))
                await events.seen(*(wanting(order, 1 + len(appended) % 7) for order in ORDERS))
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)

    flowing = threading.Thread(target=house.does, args=[flow])
    flowing.start()
    try:
        verified = [house.types("verify") for _ in range(2)]
    finally:
        enough.set()
        flowing.join()

    assert [one.exit_code for one in verified] == [0, 0], verified[0].output + verified[1].output
    assert len(appended) > 2
    assert house.types("verify").exit_code == 0


def test_what_differs_is_told_and_a_rebuild_without_yes_leaves_everything_as_it_is(house: House) -> None:
    damaged(house)
    before = house.records(ORDERS_STATE.name)

    made = house.types("rebuild")

    assert made.exit_code == 1, made.output
    (topic,) = re.findall(r"orders\.state\.rebuilt-[\d-]+", made.output)
    assert "16 keys rebuilt in" in made.output
    assert f"{LOST} (partition " in made.output
    assert 'shopify.financial_status: the log says "PAID", the table says "VOIDED"; at offset' in made.output
    assert house.records(ORDERS_STATE.name) == before
    assert len({one.key for one in house.records(topic)} - MARKS) == len(ORDERS) + 1
    differs = house.types("verify")
    assert differs.exit_code == 1
    assert f"{LOST} (partition " in differs.output
    assert 'shopify.financial_status: the log says "PAID", the table says "VOIDED"; at offset' in differs.output
    assert "1 keys differ, of 16" in differs.output


def test_a_rebuilt_table_in_place_sends_nothing_anew_and_goes_on(house: House) -> None:
    damaged(house)
    foreign = Outgoing(ORDERS_STATE.name, b"acme/1", b"of other code, and quite long enough", {}, 0)
    house.does(lambda log: _append(log, foreign))
    sent, before = house.commands(), house.records(ORDERS_STATE.name)

    placed = house.types("rebuild --yes")

    assert placed.exit_code == 0, placed.output
    (kept,) = re.findall(r"kept in (orders\.state\.kept-[\d-]+)", placed.output)
    assert [(one.key, one.value) for one in house.records(kept)] == [(one.key, one.value) for one in before]
    assert house.types("verify").exit_code == 0
    house.does(worked)
    assert house.commands() == sent, "a worker that starts on it sends nothing anew"

    async def new_event(log: KafkaLog) -> None:
        async with running(log.producer()) as producer:
            await Events(producer).seen(wanting("5998"))
        await worked(log)

    house.does(new_event)
    now = house.commands()
    assert len(now) == len(sent) + 2
    assert all("/5998." in one for one in set(now) - set(sent))
    assert house.types("verify").exit_code == 0


def test_what_was_decided_and_never_sent_is_sent_by_the_next_worker(house: House) -> None:
    """The table is lost, and the log has events that no worker came to: their commands go out once, nothing else."""
    sent = house.commands()

    async def lost(log: KafkaLog) -> None:
        async with running(log.producer()) as producer:
            await Events(producer).seen(wanting("5998"))
            for number in range(PARTITIONS):
                for key in (await restore(log, ORDERS_STATE.name, [number]))[number].newest:
                    await (await producer.send(ORDERS_STATE.name, key=key, value=None, partition=number))

    house.does(lost)
    told = house.types("rebuild")
    assert "acme/5998: CreateGoodsOut" in told.output
    assert house.types("rebuild --yes").exit_code == 0
    assert house.commands() == sent
    house.does(worked)
    now = house.commands()
    assert len(now) == len(sent) + 2
    assert all("/5998." in one for one in set(now) - set(sent))
    assert house.types("verify").exit_code == 0


def test_a_stock_table_is_kept_and_emptied_and_its_brands_are_configured_again(house: House) -> None:
    state = Outgoing(STOCK_STATE.name, b"acme/stock:11/0042-A", pack(Prefix(3, None, 1), b"{}"), {}, 0)
    house.does(lambda log: _append(log, state))
    wrong = house.types("rebuild --table stock --send-unsent --yes")
    assert wrong.exit_code == 2
    assert "--table stock goes with --yes alone" in wrong.output

    made = house.types("rebuild --table stock --yes")

    assert made.exit_code == 0, made.output
    (kept,) = re.findall(r"kept in (stock\.state\.kept-[\d-]+) \(1 records\)", made.output)
    assert [(one.key, one.value) for one in house.records(kept)] == [(state.key, state.value)]
    assert "configured again for acme" in made.output
    assert [BrandConfig.model_validate_json(one.value or b"").version for one in house.records(CONFIG.name)] == [1, 2]

    async def left(log: KafkaLog) -> None:
        restored = await restore(log, STOCK_STATE.name, range(PARTITIONS))
        assert [one.newest for one in restored.values()] == [{}] * PARTITIONS

    house.does(left)


def test_workers_refuse_a_table_half_put_in_place_and_the_same_run_makes_it_whole(house: House) -> None:
    half = Outgoing(ORDERS_STATE.name, b"~rebuilt/begun", b"before", {}, 2)
    house.does(lambda log: _append(log, half))
    with pytest.raises(Exception, match="half put in its place: run `lockstep rebuild --yes` again"):
        house.does(worked)
    assert house.types("verify").exit_code == 2
    assert house.types("rebuild --yes").exit_code == 0
    assert house.types("verify").exit_code == 0
    house.does(worked)
