"""What an operator's tools ask of a log, of both back ends: groups without joining, commits in their name, copies."""

from types import SimpleNamespace

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import NotCoordinatorForGroupError
from aiokafka.protocol.commit import OffsetFetchRequest

from kernel.kafka_log import KafkaLog, TopicSpec
from kernel.log import Fenced, Group, Log, LogError, LogUnavailable, Partition
from kernel.memory_log import MemoryLog
from kernel.operated import OperatedLog
from tests.kernel.worlds import PARTITIONS, KafkaWorld, MemoryWorld, Names, World, read, running, write


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
def world(request: pytest.FixtureRequest, topic_prefix: str) -> World:
    names = Names.of(topic_prefix)
    if request.param == "memory":
        return MemoryWorld(names)
    return KafkaWorld(names, request.getfixturevalue("kafka_bootstrap"))


def operated(log: Log) -> OperatedLog:
    assert isinstance(log, KafkaLog | MemoryLog)
    return log


def test_a_group_nobody_is_a_member_of_goes_on_where_it_is_placed(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        records = await write(log, names.orders, ["a", "b", "c"])
        where = records[0].partition
        async with running(log.consumer(names.group, [names.orders])) as member:
            await read(member, 3)
            await member.commit({where: 3})
            assert (await operated(log).describe_groups([names.group]))[names.group].members == 1
            with pytest.raises(Fenced, match="expected no member in group"):
                await operated(log).place_group(names.group, {where: 1})
        assert (await operated(log).describe_groups([names.group]))[names.group].members == 0
        await operated(log).place_group(names.group, {where: 1})
        placed = (await operated(log).describe_groups([names.group]))[names.group]
        assert placed.committed[where] == 1
        async with running(log.consumer(names.group, [names.orders])) as successor:
            assert [record.value for record in await read(successor, 2)] == [b"b", b"c"]

    world.run(story)


def test_a_group_that_never_was_may_be_placed(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        where = Partition(names.orders, 0)
        await operated(log).place_group(names.group, {where: 0})
        assert (await operated(log).describe_groups([names.group]))[names.group].committed == {where: 0}

    world.run(story)


@pytest.mark.kafka
def test_a_group_is_seen_where_kafkas_own_topic_is_hidden(
    kafka_bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where brokers have access lists, and in Kafka as a service: nobody may be overlooked who works on a table."""

    async def story(log: Log, names: Names) -> None:
        records = await write(log, names.orders, ["a"])
        async with running(log.consumer(names.group, [names.orders])) as member:
            await read(member, 1)
            await member.commit({records[0].partition: 1})
            monkeypatch.setattr(AIOKafkaAdminClient, "list_topics", allowed_ones)
            seen = await operated(log).describe_groups([names.group, names.missing])
            assert seen == {names.group: Group(1, {records[0].partition: 1}), names.missing: Group(0, {})}
            with pytest.raises(Fenced, match="expected no member in group"):
                await operated(log).place_group(names.group, {records[0].partition: 0})

    every = AIOKafkaAdminClient.list_topics

    async def allowed_ones(client: AIOKafkaAdminClient) -> list[str]:
        return [topic for topic in await every(client) if not topic.startswith("__")]

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)


@pytest.mark.kafka
def test_a_group_whose_coordinator_does_not_say_is_not_one_without_commits(
    kafka_bootstrap: str, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has moved to another broker just now, or has not read its commits yet."""

    async def story(log: Log, names: Names) -> None:
        where = Partition(names.orders, 0)
        await operated(log).place_group(names.group, {where: 7})
        assert (await operated(log).describe_groups([names.group]))[names.group].committed == {where: 7}
        monkeypatch.setattr(AIOKafkaAdminClient, "_send_request", moved)
        with pytest.raises(LogUnavailable, match="NotCoordinatorForGroupError"):
            await operated(log).describe_groups([names.group])

    send = AIOKafkaAdminClient._send_request

    async def moved(client: AIOKafkaAdminClient, request: object, node: int | None = None) -> object:
        if isinstance(request, OffsetFetchRequest):
            return SimpleNamespace(topics=[], error_code=NotCoordinatorForGroupError.errno)
        return await send(client, request, node)

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)


def test_a_topic_like_another_is_made_once(world: World) -> None:
    async def story(log: Log, names: Names) -> None:
        copied = f"{names.orders}.copy"
        assert await operated(log).create_like(copied, names.orders)
        assert not await operated(log).create_like(copied, names.orders)
        assert await log.partitions(copied) == PARTITIONS
        with pytest.raises(LogError, match=names.missing):
            await operated(log).create_like(f"{names.missing}.copy", names.missing)

    world.run(story)


@pytest.mark.kafka
def test_a_topic_like_another_has_its_settings(kafka_bootstrap: str, topic_prefix: str) -> None:
    async def story(log: Log, names: Names) -> None:
        assert isinstance(log, KafkaLog)
        settings = {"cleanup.policy": "compact", "min.compaction.lag.ms": "3600000"}
        await log.create_topics([TopicSpec(f"{names.orders}.compacted", 3, config=settings)])
        await log.create_like(f"{names.orders}.like", f"{names.orders}.compacted")
        made = (await log.describe_topics([f"{names.orders}.like"]))[f"{names.orders}.like"]
        assert made.partitions == 3
        assert settings.items() <= made.config.items()

    KafkaWorld(Names.of(topic_prefix), kafka_bootstrap).run(story)
