"""Where a key goes: Kafka's own rule, so that every client of ours and every tool of others agrees."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

_hash_of = lru_cache(maxsize=65_536)(murmur2)  # in pure Python it is the dearest part of a send


def partition_of(key: bytes, partitions: int) -> int:
    """The partition number of a key in a topic of so many partitions: murmur2, the Java client's default."""
    return int((_hash_of(key) & 0x7FFFFFFF) % partitions)
