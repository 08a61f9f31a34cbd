"""The log in Kafka, over aiokafka: producers, consumers and readers of one cluster, and its topics.

Whatever it makes is made in a running event loop when it is started, not before; so a `KafkaLog` and what it hands out
can be composed anywhere.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from kernel.kafka_client import Connection, KafkaSecurity, KafkaSettings, translated
from kernel.kafka_cluster import Placement, describe_brokers, describe_groups, describe_placement, offsets_at
from kernel.kafka_consumer import KafkaConsumer, KafkaReader, spans
from kernel.kafka_groups import place_group
from kernel.kafka_producer import KafkaProducer
from kernel.kafka_topics import TopicsDiffer, TopicSpec, create, create_like, describe
from kernel.log import Group, Partition, Rebalance, Span

__all__ = ["KafkaLog", "KafkaSecurity", "KafkaSettings", "TopicSpec", "TopicsDiffer"]


class KafkaLog:
    """One cluster as one process reaches it; see `kernel.log.Log`. `bootstrap` is `host:port`, more with commas."""

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        security: KafkaSecurity | None = None,
        settings: KafkaSettings | None = None,
    ) -> None:
        self._connection = Connection(bootstrap, client_id, security or KafkaSecurity(), settings or KafkaSettings())

    def producer(self) -> KafkaProducer:
        return KafkaProducer(self._connection)

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> KafkaConsumer:
        return KafkaConsumer(self._connection, group, topics, rebalance)

    def reader(self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0) -> KafkaReader:
        return KafkaReader(self._connection, topics, partitions, since)

    async def partitions(self, topic: str) -> int:
        return (await self._connection.partition_counts(frozenset({topic})))[topic]

    async def spans(self, topics: Sequence[str]) -> Mapping[Partition, Span]:
        return await spans(self._connection, topics)

    async def cluster_id(self) -> str:
        async with self._connection.admin() as client:
            with translated(f"asking Kafka at {self._connection.bootstrap} for its id"):
                return str((await client.describe_cluster())["cluster_id"])

    async def create_topics(self, specs: Sequence[TopicSpec]) -> list[str]:
        """Create the missing ones; the names of those made. Raises TopicsDiffer where an existing one is different."""
        return await create(self._connection, specs)

    async def describe_topics(self, names: Sequence[str]) -> dict[str, TopicSpec]:
        """The named topics that exist, with every setting they have."""
        return await describe(self._connection, names)

    async def describe_groups(self, names: Sequence[str]) -> dict[str, Group]:
        """The named groups; one that never was has no member and no commit. Nobody joins anything."""
        return await describe_groups(self._connection, names)

    async def describe_brokers(self) -> dict[str, dict[str, str]]:
        """Every broker's settings, by its id."""
        return await describe_brokers(self._connection)

    async def describe_placement(self, topics: Sequence[str]) -> dict[Partition, Placement]:
        """How every partition of these topics lies on the brokers."""
        return await describe_placement(self._connection, topics)

    async def offsets_at(self, partitions: Sequence[Partition], moment: datetime) -> dict[Partition, int | None]:
        """Per partition the first offset appended at or after the moment; None when nothing is that young."""
        return await offsets_at(self._connection, partitions, moment)

    async def create_like(self, name: str, model: str) -> bool:
        return await create_like(self._connection, name, model)

    async def place_group(self, name: str, offsets: Mapping[Partition, int]) -> None:
        await place_group(self._connection, name, offsets)
