"""What the doctor judges: a running installation as it was found at one moment. Plain values; nobody asks anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kernel.kafka_cluster import Placement
from kernel.kafka_log import TopicSpec
from kernel.log import Group, Partition, Span
from schemas.base import Brand, System
from schemas.cases import Owner
from schemas.config import BrandConfig
from schemas.topics import HINTS, ITEMS_EVENTS, ORDERS_EVENTS, STOCK_EVENTS, commands_of
from streams.agents.normalise import SOURCES

READS: Mapping[str, tuple[str, ...]] = {
    **{f"lockstep.{system}": (HINTS[system].name, *(topic.name for topic in commands_of(system))) for system in System},
    "lockstep.normalise": SOURCES,
    "lockstep.orders": (ORDERS_EVENTS.name,),
}
"""The consumer group of every role that must run, and the topics it reads. For the others see `Installation.reads`."""

KEPT: Mapping[str, tuple[str, ...]] = {
    "lockstep.stock": (STOCK_EVENTS.name,),
    "lockstep.items": (ITEMS_EVENTS.name,),
}
"""Of the roles that run where a brand has switched on what they keep in step."""


def kept(configs: Iterable[BrandConfig]) -> dict[str, tuple[str, ...]]:
    """Those of KEPT that must run for these brands."""
    brands = list(configs)
    on = {
        "lockstep.stock": any(config.stock.mode != "off" for config in brands),
        "lockstep.items": any(config.items.mode != "off" for config in brands),
    }
    return {group: topics for group, topics in KEPT.items() if on[group]}


@dataclass(frozen=True, slots=True)
class Table:
    """One partition of `orders.state`. `folded` is the highest offset of the log in it, -1 for none.

    `oldest_open` is when the oldest order that has not left the hot state was placed; `configured` the version of each
    brand's configuration that it decides with.
    """

    states: int = 0
    folded: int = -1
    clusters: frozenset[str] = frozenset()
    oldest_open: datetime | None = None
    configured: Mapping[Brand, int] = field(default_factory=dict)
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: who gave the record up, and where it lies. `key` is the record's, `at` is when."""

    stage: str
    record: Partition
    offset: int
    key: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """`partitions` and `replication` are as set here, `topics`, `spans`, `placement` and `brokers` as Kafka has them.

    `first_kept`: the append time of the first record of a partition of `orders.events` that does not begin at 0, None
    when it holds nothing. `half_kept`: per partition with unread records the first offset younger than half the time
    the topic is kept; None when nothing is so young. `connections`: the brands' Shopify API versions, a sentence when
    the file cannot be read, None when none is named. `unreadable_configs`: brands whose configuration is not readable.
    """

    at: datetime
    cluster: str
    partitions: int
    replication: int
    topics: Mapping[str, TopicSpec]
    placement: Mapping[Partition, Placement]
    brokers: Mapping[str, Mapping[str, str]]
    spans: Mapping[Partition, Span]
    first_kept: Mapping[Partition, datetime | None]
    groups: Mapping[str, Group]
    half_kept: Mapping[Partition, int | None]
    table: Mapping[int, Table]
    connections: Mapping[Brand, str] | str | None
    configs: Mapping[Brand, BrandConfig]
    unreadable_configs: tuple[Brand, ...]
    letters: tuple[Letter, ...]
    overdue: Mapping[Owner, int]
    open_cases: int
    unreadable_cases: int
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: READS)
    """Every consumer group there is to be and the topics it reads; one for each target of the notices."""
