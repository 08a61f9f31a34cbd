"""Topics as the cluster has them, beside the registry's."""

from collections.abc import Iterator

from kernel.kafka_client import KafkaSettings
from kernel.kafka_log import TopicSpec
from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Code
from lockstep.doctor.installation import Installation
from schemas.topics import ALL, DAY_MS, ORDERS_EVENTS, Topic

LARGEST_RECORD = KafkaSettings().largest_record
NO_LIMIT = -1
SAID_OTHERWISE = frozenset({"cleanup.policy", "retention.ms", "min.compaction.lag.ms", "message.timestamp.type"})
"""Declared settings that have a finding of their own."""


def check_topics(there: Installation) -> Iterator[Finding]:
    """Missing ones, and every setting on which it depends that nothing is lost."""
    log = there.topics.get(ORDERS_EVENTS.name)
    if log is not None and log.partitions != there.partitions:
        yield Finding(
            Code.PARTITIONS_SETTING, "LOCKSTEP_PARTITIONS",
            f"{log.partitions}, as orders.events has", str(there.partitions),
        )  # fmt: skip
    for topic in ALL:
        found = there.topics.get(topic.name)
        if found is None:
            yield Finding(Code.TOPIC_MISSING, topic.name, "a topic", "none")
            continue
        if log is not None and found.partitions != log.partitions:
            yield Finding(Code.PARTITIONS_DIFFER, topic.name, f"{log.partitions} partitions", str(found.partitions))
        yield from _cleanup(topic, found)
        yield from _kept(topic, found)
        yield from _others(topic, found)
        yield from _copies(found, there.replication)
    yield from _brokers(there)


def _cleanup(topic: Topic, found: TopicSpec) -> Iterator[Finding]:
    policy = found.config.get("cleanup.policy", "")
    if {part.strip() for part in policy.split(",")} == {topic.cleanup}:
        return
    compacted = topic is ORDERS_EVENTS and "compact" in policy
    code = Code.LOG_COMPACTED if compacted else Code.CLEANUP_DIFFERS
    yield _setting(code, topic.name, "cleanup.policy", topic.cleanup, policy)


def _kept(topic: Topic, found: TopicSpec) -> Iterator[Finding]:
    """By age and by size; only of topics from which records are deleted at all."""
    if "delete" not in found.config.get("cleanup.policy", "") or topic.cleanup != "delete":
        return
    kept, size = _number(found, "retention.ms", NO_LIMIT), _number(found, "retention.bytes", NO_LIMIT)
    if topic.retention_ms is None:
        if kept != NO_LIMIT:
            yield Finding(Code.LOG_FORGETS, topic.name, "retention.ms=-1 (for ever)", _days(kept))
    elif kept != NO_LIMIT and kept < topic.retention_ms:
        yield Finding(Code.RETENTION_SHORT, topic.name, _days(topic.retention_ms), _days(kept))
    elif kept == NO_LIMIT or kept > topic.retention_ms:
        yield Finding(Code.RETENTION_LONG, topic.name, _days(topic.retention_ms), _days(kept))
    if size != NO_LIMIT:
        code = Code.LOG_LIMITED if topic is ORDERS_EVENTS else Code.RETENTION_BY_SIZE
        yield _setting(code, topic.name, "retention.bytes", str(NO_LIMIT), str(size))


def _others(topic: Topic, found: TopicSpec) -> Iterator[Finding]:
    wanted, lag = topic.min_compaction_lag_ms, "min.compaction.lag.ms"
    if wanted is not None and _number(found, lag, 0) < wanted:
        yield _setting(Code.COMPACTION_LAG_SHORT, topic.name, lag, str(wanted), str(_number(found, lag, 0)))
    stamp, stamped = "message.timestamp.type", found.config.get("message.timestamp.type", "")
    if topic.stamped_by_broker and stamped != "LogAppendTime":
        yield _setting(Code.STAMPED_BY_PRODUCER, topic.name, stamp, "LogAppendTime", stamped)
    limit = "max.message.bytes"
    if _number(found, limit, LARGEST_RECORD) < LARGEST_RECORD:
        yield _setting(
            Code.RECORD_LIMIT_LOW, topic.name, limit, f"{LARGEST_RECORD} or more", found.config.get(limit, "")
        )
    for name, value in sorted(topic.configuration().items()):
        if name not in SAID_OTHERWISE and found.config.get(name) != value:
            yield _setting(Code.SETTING_DIFFERS, topic.name, name, value, found.config.get(name, "nothing"))


def _copies(found: TopicSpec, replication: int) -> Iterator[Finding]:
    enough, name = _number(found, "min.insync.replicas", 1), "min.insync.replicas"
    if found.replication < replication:
        yield Finding(Code.COPIES_FEW, found.name, f"{replication} copies", str(found.replication))
    elif found.replication == 1:
        yield Finding(Code.COPY_SINGLE, found.name, "2 copies or more", "1")
    if found.replication > 1:
        if enough < 2:
            yield _setting(Code.ACKNOWLEDGED_BY_ONE, found.name, name, "2", str(enough))
        elif enough >= found.replication:
            most = str(found.replication - 1)
            yield _setting(Code.ACKNOWLEDGED_BY_ALL, found.name, name, f"{most} or less", str(enough))
    unclean = "unclean.leader.election.enable"
    if found.config.get(unclean) == "true":
        yield _setting(Code.UNCLEAN_ELECTION, found.name, unclean, "false", "true")


def _brokers(there: Installation) -> Iterator[Finding]:
    for where, placed in sorted(there.placement.items()):
        if not placed.led:
            yield Finding(Code.PARTITION_WITHOUT_LEADER, str(where), "a leader", "none")
        elif placed.in_sync < placed.copies:
            yield Finding(
                Code.PARTITION_OUT_OF_SYNC, str(where), f"{placed.copies} copies in step", str(placed.in_sync)
            )
    for broker, settings in sorted(there.brokers.items()):
        if settings.get("auto.create.topics.enable") == "true":
            yield _setting(Code.TOPICS_MADE_ON_DEMAND, f"broker {broker}", "auto.create.topics.enable", "false", "true")


def _setting(code: Code, where: str, name: str, expected: str, found: str) -> Finding:
    return Finding(code, where, f"{name}={expected}", f"{name}={found}")


def _number(found: TopicSpec, name: str, default: int) -> int:
    return int(found.config.get(name, default))


def _days(milliseconds: int) -> str:
    """As a person says it, with the setting's own value."""
    said = "for ever" if milliseconds == NO_LIMIT else f"{milliseconds / DAY_MS:g} days"
    return f"retention.ms={milliseconds} ({said})"
