"""A flood of what nobody can read, on a real broker: a fuse, and the others' partitions go on."""

import asyncio
from datetime import UTC, datetime
from typing import NoReturn

import pytest

from kernel.clock import SystemClock
from kernel.log import Outgoing, Partition
from kernel.metrics import Metrics
from schemas.base import OrderId, System
from schemas.errors import Unreadable
from schemas.orders import Order
from schemas.raw import RawHeaders, RawKind
from schemas.topics import DLQ, ORDERS_EVENTS, RAW
from streams.agents import agents
from streams.agents.normalise import SOURCES, NormaliseFold, Translators
from streams.engine.faust_shell import run_in_faust
from streams.engine.settings import EngineSettings
from streams.engine.worker import Worker
from tests.builders import ACME
from tests.engine.corner import PARTITIONS
from tests.engine.events import orders_in, wanting
from tests.engine.processes import until
from tests.engine.stage import Play, Stage, comes

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(90)]

RAW_SHOPIFY = RAW[System.SHOPIFY].name
FUSE = EngineSettings().fuse_most
FLOODED = 1


def translate(body: bytes) -> Order:
    if body == b"garbage":
        raise Unreadable("order", "an order", "garbage")
    return Order.model_validate_json(body)


def not_asked(body: bytes) -> NoReturn:
    raise AssertionError(f"nothing of this system was published: {body!r}")


def test_poison_flood(play: Play) -> None:
    """500 unreadable snapshots of 100 orders in one partition: the fuse stops it before the 51st order's, loudly."""

    async def story(on: Stage) -> None:
        metrics, fold = (
            Metrics(),
            NormaliseFold(Translators(translate, *[not_asked] * 7), "test", PARTITIONS),
        )
        settings = EngineSettings(commit_every=0.2, measure_every=0.5)
        worker = Worker("normalise", on.corner, SOURCES, lambda _: fold, None, SystemClock(), metrics, settings)
        poison = [snapshot(order, b"garbage") for order in orders_in({FLOODED}, 100)] * 5
        before, after = orders_in({0, 2, 3}, 12), orders_in({0, 2, 3}, 24)[12:]
        await (await on.producer.send_many([*poison, *(readable(order) for order in before)]))
        work = asyncio.create_task(run_in_faust("normalise", worker, agents.normalise))
        try:
            await until(lambda: worker.fused or work.done(), "the fuse has blown")
            await (await on.producer.send_many([readable(order) for order in after]))

            async def the_others_have_arrived() -> bool:
                keys = {record.key for record in await on.records(ORDERS_EVENTS.name) if record.partition.number != 1}
                return keys == {f"acme/{order}".encode() for order in (*before, *after)}

            await comes(the_others_have_arrived, "the other partitions go on")
            lag = {"role": "normalise", "topic": RAW_SHOPIFY, "partition": str(FLOODED)}
            await until(lambda: metrics.registry.get_sample_value("lockstep_lag_records", lag) == 500 - FUSE, "the lag")
            assert worker.assigned_once.is_set()
            assert not worker.ready
            assert worker.stuck_for(asyncio.get_running_loop().time()) < 5, "a new start would mend nothing"
            assert metrics.registry.get_sample_value("lockstep_fused_partitions") == 1
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        letters = await on.records(DLQ.name)
        assert [letter.headers["offset"] for letter in letters] == [str(offset).encode() for offset in range(FUSE)]
        assert {letter.value for letter in letters} == {b"garbage"}
        assert {letter.headers["stage"] for letter in letters} == {b"normalise"}
        told = [one for one in await on.records(ORDERS_EVENTS.name) if one.headers["kind"] == b"SnapshotUnreadable"]
        assert len(told) == FUSE, "each order hears of it"
        commits = await on.corner.commits("lockstep.normalise")
        assert commits[Partition(RAW_SHOPIFY, FLOODED)] == FUSE
        ends = await on.corner.ends([Partition(RAW_SHOPIFY, number) for number in (0, 2, 3)])
        assert {where: commits[where] for where in ends} == ends

    play(story)


def snapshot(order: OrderId, body: bytes) -> Outgoing:
    headers = RawHeaders(
        brand=ACME, system=System.SHOPIFY, kind=RawKind.SNAPSHOT, epoch=1, read_started_at=datetime.now(UTC)
    )
    return Outgoing(RAW_SHOPIFY, f"{ACME}/{order}".encode(), body, headers.dump())


def readable(order: OrderId) -> Outgoing:
    return snapshot(order, wanting(order).order.model_dump_json().encode())
