"""The same on a real Kafka: what is told is committed, and a restart goes on there."""

import asyncio

import pytest

from kernel.clock import SystemClock
from kernel.kafka_log import KafkaLog
from lockstep.notices.daily import days_sent
from lockstep.topic_specs import specs
from sandbox.kafka import Broker
from tests.builders import a_case
from tests.engine.processes import until
from tests.lockstep.notices.office import PARTITIONS, Office, a_target, closed, gone_up

pytestmark = pytest.mark.kafka


async def a_day(log: KafkaLog) -> None:
    await log.create_topics(specs(PARTITIONS, 1))
    office = Office(log, SystemClock())
    target = a_target(digest=True, per_minute=600)
    await office.has(a_case(order="5001"), closed(a_case(order="5001")), a_case())

    await office.starts(target, digest_hour=0)
    await until(lambda: len(office.posts) >= 2, "2 posts")
    assert sorted(office.told()) == [("5012", "case.opened"), ("customer service", "digest")]
    await office.has(gone_up(a_case()))
    await until(lambda: len(office.posts) >= 3, "3 posts")
    await office.ends()

    await office.has(a_case(order="5013"), closed(gone_up(a_case())))
    await office.starts(target, digest_hour=0)
    await until(lambda: len(office.posts) >= 5, "5 posts")
    await office.ends()

    assert sorted(office.told()[2:]) == [
        ("5012", "case.closed"), ("5012", "case.escalated"), ("5013", "case.opened"),
    ]  # fmt: skip
    assert list(await days_sent(log)) == ["acme/ops/customer service"]


def test_a_restart_goes_on_where_the_group_has_come() -> None:
    with Broker() as broker:
        asyncio.run(a_day(KafkaLog(broker.bootstrap, client_id="test")))
