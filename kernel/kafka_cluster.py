"""What a cluster tells of itself to whoever checks it: groups, brokers' settings, placement. Reads only."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, for_code
from aiokafka.protocol.commit import OffsetFetchRequest

from kernel.kafka_client import Connection, answered, milliseconds, translate, translated
from kernel.log import Group, Partition

COMMITS_TOPIC = "__consumer_offsets"
"""Kafka's own; made when the first group commits."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How one partition lies on the brokers. `led` is false when nobody serves it now."""

    led: bool
    copies: int
    in_sync: int


async def describe_groups(connection: Connection, names: Sequence[str]) -> dict[str, Group]:
    """The named groups, each asked for alone: with several in one answer aiokafka 0.14 reads the second as garbage.

    Raises LogUnavailable.
    """
    async with connection.admin() as client:
        with translated(f"asking Kafka at {connection.bootstrap} for its consumer groups"):
            if COMMITS_TOPIC in await client.list_topics():
                return {name: await _group(client, name) for name in names}
            # No group has committed yet, and asking for a coordinator would make the topic; or it is hidden from us.
            there = {name for name, _kind in await client.list_consumer_groups()}
            return {name: await _group(client, name) if name in there else Group(0, {}) for name in names}


async def committed_by(connection: Connection, name: str) -> dict[Partition, int]:
    """How far a group has come; nothing for one that never committed. Raises LogUnavailable where nobody can say."""
    async with connection.admin() as client:
        with translated(f"asking Kafka at {connection.bootstrap} for the commits of group {name}"):
            return await _committed(client, name)


async def _group(client: Any, name: str) -> Group:
    (answer,) = await client.describe_consumer_groups([name])
    code, _name, _state, _kind, _protocol, members = answer.groups[0][:6]
    if code != NoError.errno:
        raise for_code(code)(name)
    return Group(len(members), await _committed(client, name))


async def _committed(client: Any, name: str) -> dict[Partition, int]:
    """Asked for by ourselves: where the coordinator refuses, aiokafka 0.14 tells of a group without commits."""
    answer = await client._send_request(OffsetFetchRequest(name, None), await client.find_coordinator(name))
    found = [(topic, *one) for topic, partitions in answer.topics for one in partitions]
    for code in (answer.error_code, *(code for *_, code in found)):
        if code != NoError.errno:
            raise for_code(code)(name)
    return {Partition(topic, number): offset for topic, number, offset, _said, _code in found if offset >= 0}


async def describe_brokers(connection: Connection) -> dict[str, dict[str, str]]:
    """Every broker's settings, by its id. What is secret is left out. Raises LogUnavailable."""
    async with connection.admin() as client:
        with translated(f"asking Kafka at {connection.bootstrap} for its brokers' settings"):
            brokers = [str(broker["node_id"]) for broker in (await client.describe_cluster())["brokers"]]
            answers = await client.describe_configs(
                [ConfigResource(ConfigResourceType.BROKER, broker) for broker in brokers]
            )
    return configs_in(answers, "broker")


def configs_in(answers: Sequence[Any], kind: str) -> dict[str, dict[str, str]]:
    """Settings by name of resource, from the answers to DescribeConfigs. Raises LogError."""
    settings: dict[str, dict[str, str]] = {}
    for answer in answers:
        for code, said, _kind, name, entries in answer.resources:
            if code != NoError.errno:
                raise translate(for_code(code)(said), f"reading the settings of {kind} {name}")
            settings[name] = {entry[0]: entry[1] for entry in entries if entry[1] is not None}
    return settings


async def describe_placement(connection: Connection, topics: Sequence[str]) -> dict[Partition, Placement]:
    """Every partition of these topics that exists. Raises LogUnavailable."""
    async with connection.admin() as client:
        with translated(f"asking Kafka at {connection.bootstrap} where its partitions lie"):
            described = await client.describe_topics()
    return {
        Partition(topic["topic"], one["partition"]): Placement(
            one["leader"] >= 0, len(one["replicas"]), len(one["isr"])
        )
        for topic in described
        if topic["topic"] in topics
        for one in topic["partitions"]
    }


async def offsets_at(
    connection: Connection, partitions: Sequence[Partition], moment: datetime
) -> dict[Partition, int | None]:
    """Per partition the first offset appended at or after the moment; None when nothing is that young.

    Raises LogUnavailable.
    """
    stamp = milliseconds(moment.timestamp())
    doing = f"asking Kafka at {connection.bootstrap} for offsets by time"
    consumer = AIOKafkaConsumer(**connection.arguments(), enable_auto_commit=False)
    try:
        async with answered(doing, within=connection.settings.acknowledged_within):
            await consumer.start()
            found = await consumer.offsets_for_times({TopicPartition(*where): stamp for where in partitions})
    finally:
        await asyncio.shield(consumer.stop())
    offsets = {Partition(*where): one for where, one in found.items()}
    return {where: None if offsets.get(where) is None else offsets[where].offset for where in partitions}
