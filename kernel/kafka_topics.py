"""Topics as they are declared against topics as the cluster has them. Creates what is missing, changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from kernel.kafka_client import Connection, answered, translate, translated
from kernel.kafka_cluster import configs_in
from kernel.log import LogError

SHOWN_EVERY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic. `config` holds broker settings of the topic by name; what it does not name is the broker's choice."""

    name: str
    partitions: int
    replication: int = 1
    config: Mapping[str, str] = field(default_factory=dict)


class TopicsDiffer(LogError):
    """Topics exist that are not as declared. The text names each difference and what to do."""


async def describe(connection: Connection, names: Sequence[str]) -> dict[str, TopicSpec]:
    """The named topics that exist, with every setting they have. Raises LogUnavailable."""
    async with connection.admin() as client:
        with translated(f"asking Kafka at {connection.bootstrap} for its topics"):
            found = {topic["topic"]: topic["partitions"] for topic in await client.describe_topics()}
            there = [name for name in names if name in found]
            asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in there]
            answers = await client.describe_configs(asked) if asked else []
    settings = configs_in(answers, "topic")
    return {name: TopicSpec(name, len(found[name]), len(found[name][0]["replicas"]), settings[name]) for name in there}


async def create(connection: Connection, specs: Sequence[TopicSpec]) -> list[str]:
    """Create the missing ones; the names of those made. Returns when the cluster shows them: it says so a little later.

    Raises TopicsDiffer, before anything is created, when one that exists has another number of partitions or another
    value of a setting its spec names. Two that create at the same time both succeed.
    """
    there = await describe(connection, [spec.name for spec in specs])
    differences = [said for spec in specs if spec.name in there for said in _differences(spec, there[spec.name])]
    if differences:
        raise TopicsDiffer(
            f"Kafka at {connection.bootstrap} has topics that are not as declared:\n  " + "\n  ".join(differences)
        )
    missing = [spec for spec in specs if spec.name not in there]
    if not missing:
        return []
    wanted = [
        NewTopic(
            name=spec.name,
            num_partitions=spec.partitions,
            replication_factor=spec.replication,
            topic_configs=dict(spec.config),
        )
        for spec in missing
    ]
    made = []
    async with connection.admin() as client:
        with translated(f"creating topics in Kafka at {connection.bootstrap}"):
            answer = await client.create_topics(wanted)
        for name, code, said in answer.topic_errors:
            if code == NoError.errno:
                made.append(name)
            elif code != TopicAlreadyExistsError.errno:  # somebody else was first
                raise translate(for_code(code)(said), f"creating topic {name} in Kafka at {connection.bootstrap}")
        await _shown(connection, client, {spec.name: spec.partitions for spec in missing})
    return made


ALIKE = (
    "cleanup.policy",
    "compression.type",
    "delete.retention.ms",
    "max.message.bytes",
    "message.timestamp.type",
    "min.cleanable.dirty.ratio",
    "min.compaction.lag.ms",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
    "segment.bytes",
    "segment.ms",
    "unclean.leader.election.enable",
)
"""Settings that a copy of a topic has like its model; the rest is the broker's choice."""


async def create_like(connection: Connection, name: str, model: str) -> bool:
    """See `kernel.operated`. Raises TopicsDiffer when a topic of that name is there and is different."""
    there = await describe(connection, [model])
    if model not in there:
        await connection.partition_counts(frozenset({model}))  # says that it is not there
    spec = there[model]
    settings = {setting: spec.config[setting] for setting in ALIKE if setting in spec.config}
    return bool(await create(connection, [TopicSpec(name, spec.partitions, spec.replication, settings)]))


async def _shown(connection: Connection, client: Any, counts: Mapping[str, int]) -> None:
    """Wait until these topics have a leader for each partition. Raises LogUnavailable when they do not get one."""
    doing = f"waiting for {', '.join(sorted(counts))} to appear in Kafka at {connection.bootstrap}"
    async with answered(doing, within=connection.settings.acknowledged_within):
        while True:
            described = await client.describe_topics()
            led = {
                topic["topic"]: sum(partition["leader"] >= 0 for partition in topic["partitions"])
                for topic in described
            }
            if all(led.get(name, 0) >= count for name, count in counts.items()):
                return
            await asyncio.sleep(SHOWN_EVERY_SECONDS)


def _differences(wanted: TopicSpec, found: TopicSpec) -> list[str]:
    said = []
    if wanted.partitions != found.partitions:
        said.append(
            f"{wanted.name}: expected {wanted.partitions} partitions, found {found.partitions}. The number decides "
            "where every key lies and cannot be changed in place: set LOCKSTEP_PARTITIONS to what is there"
        )
    for name, value in sorted(wanted.config.items()):
        if found.config.get(name) != value:
            said.append(
                f"{wanted.name}: expected {name}={value}, found {found.config.get(name)}. "
                f"Set it: kafka-configs.sh --alter --topic {wanted.name} --add-config {name}={value}"
            )
    return said
