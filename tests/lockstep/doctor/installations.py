"""A well installation, and one with a change in it: what the doctor's tests describe by hand."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kernel.kafka_cluster import Placement
from kernel.kafka_log import TopicSpec
from kernel.log import Group, Partition, Span
from lockstep.doctor.installation import READS, Installation, Table
from lockstep.topic_specs import specs
from tests.builders import ACME, NOON, a_brand

PARTITIONS, COPIES, END = 2, 3, 40
BROKER = {"auto.create.topics.enable": "false", "offsets.retention.minutes": "10080"}
AS_BROKERS_DO = {
    "retention.bytes": "-1",
    "max.message.bytes": "1048588",
    "min.insync.replicas": "2",
    "min.compaction.lag.ms": "0",
    "message.timestamp.type": "CreateTime",
    "retention.ms": "604800000",
    "unclean.leader.election.enable": "false",
}


def a_well_installation() -> Installation:
    """Two partitions of 40 records each, three brokers, one brand, every role running and at the end of its topics."""
    topics = {spec.name: replace(spec, config={**AS_BROKERS_DO, **spec.config}) for spec in specs(PARTITIONS, COPIES)}
    everywhere = [Partition(name, number) for name in topics for number in range(PARTITIONS)]
    return Installation(
        at=NOON,
        cluster="ours",
        partitions=PARTITIONS,
        replication=COPIES,
        topics=topics,
        placement=dict.fromkeys(everywhere, Placement(led=True, copies=COPIES, in_sync=COPIES)),
        brokers={"1": BROKER},
        spans=dict.fromkeys(everywhere, Span(0, END)),
        first_kept={},
        groups={
            name: Group(1, {where: END for where in everywhere if where.topic in topics_read})
            for name, topics_read in READS.items()
        },
        half_kept={},
        table={number: Table(9, END - 1, frozenset({"ours"}), NOON, {ACME: 1}) for number in range(PARTITIONS)},
        connections={ACME: "2026-10"},
        configs={ACME: a_brand()},
        unreadable_configs=(),
        letters=(),
        overdue={},
        open_cases=0,
        unreadable_cases=0,
    )


def with_setting(topic: str, **settings: str) -> Installation:
    """`retention_ms="1"` is `retention.ms=1`."""
    there = a_well_installation()
    named = {name.replace("_", "."): value for name, value in settings.items()}
    spec = there.topics[topic]
    return with_topic(replace(spec, config={**spec.config, **named}))


def with_topic(spec: TopicSpec) -> Installation:
    there = a_well_installation()
    return replace(there, topics={**there.topics, spec.name: spec})


def with_copies(copies: int, *, wanted: int = COPIES, in_sync: str = "2") -> Installation:
    """Every topic has so many copies."""
    there = a_well_installation()
    topics = {
        name: replace(spec, replication=copies, config={**spec.config, "min.insync.replicas": in_sync})
        for name, spec in there.topics.items()
    }
    return replace(there, topics=topics, replication=wanted)


def with_group(name: str, topic: str, committed: int | None, **changes: Any) -> Installation:
    """The group's commit in the topic's first partition; None for no commit there."""
    there = a_well_installation()
    where = Partition(topic, 0)
    held: Mapping[Partition, int] = there.groups[name].committed
    others = {place: offset for place, offset in held.items() if place != where}
    commits = others if committed is None else {**others, where: committed}
    return replace(there, groups={**there.groups, name: Group(1, commits)}, **changes)


def with_table(table: Table, **changes: Any) -> Installation:
    """What the first partition of the state holds."""
    there = a_well_installation()
    return replace(there, table={**there.table, 0: table}, **changes)


def spans_with(topic: str, span: Span) -> dict[Partition, Span]:
    """All partitions' spans, with another one for the topic's first."""
    return {**a_well_installation().spans, Partition(topic, 0): span}
