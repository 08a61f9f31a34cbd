"""A commit in the name of a group, by somebody who is no member of it: after a table was rebuilt."""

from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition

from kernel.kafka_client import Connection, translated
from kernel.kafka_cluster import describe_groups
from kernel.log import Fenced, Partition


async def place_group(connection: Connection, name: str, offsets: Mapping[Partition, int]) -> None:
    """See `kernel.operated`. The broker refuses it as well when members join in between."""
    members = (await describe_groups(connection, [name]))[name].members
    if members:
        raise Fenced(f"expected no member in group {name}, found {members}: stop them first")
    if not offsets:
        return
    client = AIOKafkaConsumer(**connection.arguments(), group_id=name, enable_auto_commit=False)
    client.assign([TopicPartition(*where) for where in offsets])
    try:
        with translated(f"committing as group {name}"):
            await client.start()
            await client.commit({TopicPartition(*where): offset for where, offset in offsets.items()})
    finally:
        await client.stop()
