"""The benches still run against today's code, in small; nothing here looks at how fast anything was."""

import asyncio
import math
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.figures import Group, lines, of_runs
from benchmarks.flow import Step, rank
from benchmarks.process import answer
from benchmarks.recorded import load
from kernel.kafka_log import KafkaLog
from kernel.log import Partition, Record
from kernel.partitioner import partition_of
from lockstep.reading import everything
from sandbox.kafka import Broker
from schemas.avro import Codec
from schemas.base import OrderId, order_key
from schemas.events import EVENT_KINDS, OrderEvent, ShopifyOrderSeen, Source
from schemas.topics import ORDERS_EVENTS, ORDERS_STATE
from tests.builders import ACME, NOON, an_order

ORDERS = 24
PARTITIONS = 4
EVENTS = Codec(EVENT_KINDS)


def _seen(number: int) -> OrderEvent:
    order = an_order(OrderId(str(7000 + number))).with_line("MUG", 1).routed("71").order
    source = Source(topic="raw.shopify", cluster="bench", partition=0, offset=number)
    return ShopifyOrderSeen(brand=ACME, order=order.id, source=source, epoch=1, read_started_at=NOON, snapshot=order)


def _events() -> list[Record]:
    records = []
    for number in range(ORDERS):
        event = _seen(number)
        value, headers = EVENTS.encode(event)
        key = order_key(event.brand, event.order).encode()
        where = Partition(ORDERS_EVENTS.name, partition_of(key, PARTITIONS))
        records.append(Record(where, number, key, value, datetime.now(UTC), headers))
    return records


@pytest.mark.kafka
def test_both_workers_fold_a_recorded_log_and_the_states_are_recovered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTEP_BENCH_FOLDER", str(tmp_path))

    async def story() -> None:
        async with Broker() as broker:  # the benches use the real names of topics, and so want brokers of their own
            await load(broker.bootstrap, _events())
            ours = await answer("benchmarks.lockstep_worker", broker.bootstrap, str(ORDERS), within=60)
            async with everything(KafkaLog(broker.bootstrap, client_id="test"), [ORDERS_STATE.name]) as states:
                keys = {one.key async for one in states}
            assert keys == {one.key for one in _events()}
            found = await answer("benchmarks.recovery", broker.bootstrap, within=60)
            assert found["records"] == ORDERS
            plain = await answer("benchmarks.faust_worker", broker.bootstrap, str(ORDERS), "3000", "200", within=60)
            assert all(run["seconds"] > 0 and run["cpu"] > 0 for run in (ours, found, plain))

    asyncio.run(story())


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:(.|\n)*IndexError"):
        asyncio.run(answer("benchmarks.recovery", within=30))


def test_the_middle_of_several_runs_counts_and_all_are_shown() -> None:
    figure = of_runs("ours", [3.0, 1.0, 2.0], "events/s", "folded")
    assert figure.value == 2.0
    told = list(lines(Group(title="Worker", made="so", figures=(figure,))))
    assert told[-1].split() == ["2", "events/s", "ours:", "folded", "(runs:", "3,", "1,", "2)"]


def test_an_order_that_never_came_is_in_the_ranks_it_belongs_to() -> None:
    seconds = [0.1] * 98 + [math.inf] * 2
    assert rank(seconds, 0.5) == 100.0
    assert rank(seconds, 0.99) is None
    assert rank([], 0.5) is None


@pytest.mark.parametrize(("told", "behind", "sustained"), [(100, 3, True), (100, 21, False), (60, 19, False)])
def test_a_rate_is_sustained_when_the_told_keep_up_with_the_placed(told: int, behind: int, *, sustained: bool) -> None:
    assert Step(10.0, placed=100, seconds=10.0, told=told, behind=behind).sustained is sustained
