"""The log, as one seam: Kafka in production, memory in the simulation, one contract for both.

Nouns first: a `Record` lies at an `offset` of a `Partition` of a topic. A `Producer` appends; a `Consumer` reads what
its group was assigned and commits how far it has *finished*. `LogError` leaves say what the caller can do.

    LogError
    ├── LogUnavailable     the broker cannot be reached or did not acknowledge: try later, nothing may be assumed
    ├── RecordTooLarge     never retried: the record must go elsewhere (dead letters)
    └── Fenced             this consumer lost its partitions: stop working on them now
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol


class LogError(Exception):
    """Something about the log itself went wrong."""


class LogUnavailable(LogError):
    """No broker, no leader, or no acknowledgement in time. The record may or may not be in the log."""


class RecordTooLarge(LogError):
    """The broker refuses a record of this size."""


class Fenced(LogError):
    """Another member owns the partition now; a commit or a result must be dropped."""


class Partition(NamedTuple):
    """One partition of one topic."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.number}"


class Span(NamedTuple):
    """What a partition holds: from `begin`, below which everything was deleted, up to `end`, the offset to come."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Group:
    """A consumer group: how many members it has now, and how far it has come in every partition it committed."""

    members: int
    committed: Mapping[Partition, int]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the log holds it.

    `at` is the broker's append time (aware UTC) on topics with LogAppendTime, the producer's elsewhere.
    `key` and `value` are bytes; a `None` value is a tombstone. Header names may repeat; the last one wins.
    """

    partition: Partition
    offset: int
    key: bytes | None
    value: bytes | None
    at: datetime
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an acknowledged record lies."""

    partition: Partition
    offset: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to append. Without `partition` the key decides (murmur2, the Java default)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] = field(default_factory=dict)
    partition: int | None = None


class Producer(Protocol):
    """Appends records. One per process; start before use, stop flushes."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Mapping[str, bytes] | None = None,
        partition: int | None = None,
    ) -> Awaitable[Appended]:
        """Enqueue a record; await the result for the broker's acknowledgement (acks=all, idempotent).

        Without `partition` the key decides (murmur2, the Java default). Sends to one partition keep their order.
        Raises LogUnavailable or RecordTooLarge, here or from the awaitable. Not acknowledged is not "not written".
        """
        ...

    async def send_many(self, records: Sequence[Outgoing]) -> Awaitable[Sequence[Appended]]:
        """As `send`, for many at once and far cheaper each; the answer has one place per record, in their order.

        Records of one partition keep their order. The awaitable fails when any of them does. Where this raises
        RecordTooLarge itself, none has been sent.
        """
        ...


class Rebalance(Protocol):
    """Told when partitions come and go. `revoked` is awaited before the partitions are given up.

    Where they go again before `assigned` has returned, it is cancelled, and `revoked` is told all the same.
    """

    async def assigned(self, partitions: frozenset[Partition]) -> None: ...

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...


class Consumer(Protocol):
    """Reads as a member of a group. All its topics are co-partitioned: partition n of each goes together."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]:
        """The next records of any assigned partition, per partition in order; empty after `timeout` seconds."""
        ...

    async def commit(self, finished: Mapping[Partition, int]) -> None:
        """Everything *before* the given offset is finished. Raises Fenced when a partition is no longer ours."""
        ...

    def pause(self, *partitions: Partition) -> None:
        """Stop fetching from these until `resume`; their records stay in the log."""
        ...

    def resume(self, *partitions: Partition) -> None: ...

    async def end_offsets(self, partitions: Sequence[Partition]) -> Mapping[Partition, int]:
        """The offset the next record of each partition will get."""
        ...

    async def committed(self, partition: Partition) -> int | None:
        """The group's committed offset, None when there is none."""
        ...


class Reader(Protocol):
    """Reads partitions without a group: for views (`config`, `cases`), `show` and bulk folds. Commits nothing."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def poll(self, *, timeout: float, most: int = 500) -> Sequence[Record]: ...

    async def caught_up(self) -> bool:
        """Whether everything that was in the log when the reader started has been returned by `poll`."""
        ...


class Log(Protocol):
    """Makes producers, consumers and readers of one cluster, and knows its topics."""

    def producer(self) -> Producer: ...

    def consumer(self, group: str, topics: Sequence[str], rebalance: Rebalance | None = None) -> Consumer: ...

    def reader(self, topics: Sequence[str], *, partitions: Sequence[int] | None = None, since: int = 0) -> Reader:
        """From offset `since`, or the log's beginning; `partitions` limits which numbers, None is all."""
        ...

    async def partitions(self, topic: str) -> int:
        """How many partitions the topic has. Raises LogUnavailable, or LogError when there is no such topic."""
        ...

    async def spans(self, topics: Sequence[str]) -> Mapping[Partition, Span]:
        """What every partition of these topics holds now. Raises as `partitions` does. Compaction moves no `begin`."""
        ...

    async def cluster_id(self) -> str:
        """The cluster's own id: where offsets come from."""
        ...


Partitioner = Callable[[bytes, int], int]
