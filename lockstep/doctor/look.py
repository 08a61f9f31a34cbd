"""Looks at a running installation: asks Kafka, reads the small topics and the table's changelog. Changes nothing."""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pydantic import ValidationError

from kernel.kafka_log import KafkaLog, TopicSpec
from kernel.log import Group, Log, Partition, Record, Span
from lockstep.doctor.installation import READS, Installation, Letter, Table, kept
from lockstep.notices.target import group_of
from lockstep.reading import case_in, everything
from lockstep.settings import Connections, Settings, SettingsError, read_connections
from schemas.base import Brand, split_key
from schemas.cases import Case
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import CONFIG_ID, ConfigChanged
from schemas.topics import ALL, CASES, CONFIG, DLQ, ORDERS_EVENTS, ORDERS_STATE
from streams.engine.changelog import Restored, restore
from streams.engine.prefix import unpack
from streams.rules.orders.state import OrderState

Progress = Callable[[str], None]


async def look(log: KafkaLog, settings: Settings, now: datetime, progress: Progress = lambda _: None) -> Installation:
    """Everything the doctor judges. Raises LogError when the cluster cannot be asked.

    What changes while it is read is seen before or after: a group that reads on may seem to be a little behind. Where
    the log ends is asked for last: what is folded or committed meanwhile does not lie beyond it.
    """
    progress("topics and brokers")
    names = [topic.name for topic in ALL]
    topics = await log.describe_topics(names)
    placement, brokers = await log.describe_placement(names), await log.describe_brokers()
    progress("configuration")
    configs, unreadable_configs = await _configs(log) if CONFIG.name in topics else ({}, ())
    connections = _connections(settings)
    told = {} if connections is None or isinstance(connections, str) else _told(connections)
    reads = {**READS, **kept(configs.values()), **told}
    progress("states")
    table: Mapping[int, Table] = {}
    if ORDERS_STATE.name in topics:
        read = await restore(log, ORDERS_STATE.name, range(topics[ORDERS_STATE.name].partitions))
        table = {number: table_of(restored) for number, restored in read.items()}
    progress("consumer groups")
    groups = await log.describe_groups(list(reads))
    spans = dict(await log.spans(sorted(topics))) if topics else {}
    first_kept = {
        where: await _first_kept(log, where, span)
        for where, span in spans.items()
        if where.topic == ORDERS_EVENTS.name and span.begin > 0
    }
    half_kept = await _half_kept(log, topics, reads, groups, spans, now)
    progress("cases, dead letters")
    cases, unreadable_cases = await _cases(log) if CASES.name in topics else ([], 0)
    letters = await _letters(log) if DLQ.name in topics else ()
    return Installation(
        at=now,
        cluster=await log.cluster_id(),
        partitions=settings.partitions,
        replication=settings.replication,
        topics=topics,
        placement=placement,
        brokers=brokers,
        spans=spans,
        first_kept=first_kept,
        groups=groups,
        half_kept=half_kept,
        table=table,
        connections=_versions(connections),
        configs=configs,
        unreadable_configs=unreadable_configs,
        letters=letters,
        overdue=Counter(case.owner for case in cases if case.due_at < now),
        open_cases=len(cases),
        unreadable_cases=unreadable_cases,
        reads=reads,
    )


async def _first_kept(log: Log, where: Partition, span: Span) -> datetime | None:
    if span.begin == span.end:
        return None
    reader = log.reader([where.topic], partitions=[where.number])
    await reader.start()
    try:
        while not await reader.caught_up():
            for record in await reader.poll(timeout=0.5, most=1):
                return record.at
    finally:
        await reader.stop()
    return None


async def _half_kept(
    log: KafkaLog,
    topics: Mapping[str, TopicSpec],
    reads: Mapping[str, tuple[str, ...]],
    groups: Mapping[str, Group],
    spans: Mapping[Partition, Span],
    now: datetime,
) -> dict[Partition, int | None]:
    """Of partitions with unread records from which records are deleted by age. One question a topic."""
    found: dict[Partition, int | None] = {}
    for group, read in reads.items():
        for topic in read:
            settings = topics[topic].config if topic in topics else {}
            kept = int(settings.get("retention.ms", "-1"))
            unread = [
                where
                for where, span in spans.items()
                if where.topic == topic and max(span.begin, groups[group].committed.get(where, 0)) < span.end
            ]
            if unread and kept >= 0 and "delete" in settings.get("cleanup.policy", ""):
                found |= await log.offsets_at(unread, now - timedelta(milliseconds=kept / 2))
    return found


def table_of(restored: Restored) -> Table:
    """What one partition of the changelog says, in figures."""
    states, folded, unreadable = 0, -1, 0
    clusters: set[str] = set()
    oldest: datetime | None = None
    configured: dict[Brand, int] = {}
    for key, value in restored.newest.items():
        try:
            prefix, body = unpack(value)
            brand, order = split_key(key.decode())
            if order == CONFIG_ID:
                configured[brand] = ConfigChanged.model_validate_json(body).config.version
                continue
            state = OrderState.model_validate_json(body)
        except ValueError:  # pydantic's ValidationError is one
            unreadable += 1
            continue
        states, folded = states + 1, max(folded, prefix.last_offset)
        clusters.update(reached.cluster for reached in state.seen)
        if state.shopify is not None:
            oldest = state.shopify.created_at if oldest is None else min(oldest, state.shopify.created_at)
    return Table(states, folded, frozenset(clusters), oldest, configured, unreadable)


async def _configs(log: Log) -> tuple[dict[Brand, BrandConfig], tuple[Brand, ...]]:
    """The newest of each brand, and the brands whose newest cannot be read."""
    newest: dict[Brand, bytes] = {}
    async with everything(log, [CONFIG.name]) as records:
        async for record in records:
            if record.key is not None and record.value is not None:
                newest[Brand(record.key.decode(errors="replace"))] = record.value
    configs: dict[Brand, BrandConfig] = {}
    for brand, value in newest.items():
        try:
            configs[brand] = BrandConfig.model_validate_json(value)
        except ValidationError:
            continue
    return configs, tuple(sorted(newest.keys() - configs.keys()))


async def _cases(log: Log) -> tuple[list[Case], int]:
    """Open cases, and how many records of `cases` cannot be read."""
    newest: dict[str, Case] = {}
    unreadable = 0
    async with everything(log, [CASES.name]) as records:
        async for record in records:
            try:
                case = case_in(record)
            except Unreadable:
                unreadable += 1
                continue
            if case is not None:
                newest[case.key] = case
    return [case for case in newest.values() if case.open], unreadable


async def _letters(log: Log) -> tuple[Letter, ...]:
    async with everything(log, [DLQ.name]) as records:
        return tuple([_letter(record) async for record in records])


def _letter(record: Record) -> Letter:
    """As its headers say; what they do not say is unknown."""
    said = {name: value.decode(errors="replace") for name, value in record.headers.items()}
    number, offset = said.get("partition", ""), said.get("offset", "")
    where = Partition(said.get("topic", "unknown"), int(number) if number.isdecimal() else -1)
    at = int(offset) if offset.isdecimal() else -1
    return Letter(said.get("stage", "unknown"), where, at, record.key or b"", record.at)


def _connections(settings: Settings) -> Mapping[Brand, Connections] | str | None:
    if settings.connections is None:
        return None
    try:
        return read_connections(settings)
    except SettingsError as mistake:
        return str(mistake)


def _versions(connections: Mapping[Brand, Connections] | str | None) -> Mapping[Brand, str] | str | None:
    if connections is None or isinstance(connections, str):
        return connections
    return {brand: one.shopify.api_version for brand, one in connections.items()}


def _told(connections: Mapping[Brand, Connections]) -> dict[str, tuple[str, ...]]:
    """The groups of the notices: one for each target."""
    return {
        group_of(brand, target): (CASES.name,)
        for brand, one in sorted(connections.items())
        for target in one.notices.to
    }
