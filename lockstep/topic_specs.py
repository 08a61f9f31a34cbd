"""The registry's topics as the broker is asked for them."""

from kernel.kafka_log import TopicSpec
from schemas.topics import ALL


def specs(partitions: int, replication: int) -> list[TopicSpec]:
    """Every topic with the same number of partitions: what is keyed alike lies in the same number."""
    return [TopicSpec(topic.name, partitions, replication, topic.configuration()) for topic in ALL]
