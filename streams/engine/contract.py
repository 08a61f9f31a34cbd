"""The contract between the engine (consumer group, changelog, commits) and the fold of one partition.

The engine owns all waiting, sending and committing. The fold is synchronous and pure: the same records give the same
steps, byte for byte. For every record the engine does, in this order:

1. `handle` it; `Unreadable` makes a dead letter, anything else ends the process.
2. Write the step's changes to the changelog and send its emissions, all without waiting for one another.
3. Commit past the record only after the broker has acknowledged every one of them. A failed send ends the process.

After an assignment: `restore` each key's newest changelog value (highest last offset wins), then `restored`, then,
before the first record is handled, send what `resend` returns. What a fold must not assume: that a record comes once,
that its emissions were sent because its changes were written, or the other way round.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from kernel.log import Record
from kernel.metrics import Stage
from schemas.aggregates import Kind
from schemas.base import Brand
from schemas.cases import CaseCode, Severity
from schemas.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Emission:
    """A record to send. Without `partition` the key decides."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Mapping[str, bytes] = field(default_factory=dict)
    partition: int | None = None


class Change:
    """A changelog record: the whole new value of one key, None for a tombstone. See `streams.engine.prefix`.

    `value` may be given as what makes it, of something frozen: who wants the newest of each key only need not make all.
    """

    __slots__ = ("_value", "key")

    def __init__(self, key: bytes, value: "bytes | Callable[[], bytes] | None") -> None:
        self.key, self._value = key, value

    @property
    def value(self) -> bytes | None:
        if callable(self._value):
            self._value = self._value()
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Change) and (self.key, self.value) == (other.key, other.value)

    def __hash__(self) -> int:
        return hash((self.key, self.value))

    def __repr__(self) -> str:
        return f"Change(key={self.key!r}, value={self.value!r})"


class Verdict(StrEnum):
    """How a record ended; counted per topic."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    HELD = "held"
    REJECTED = "rejected"
    TICK = "tick"


@dataclass(frozen=True, slots=True)
class Took:
    """A stage that ended with this record, from `since` to `until`: times of the log. None: until it is sent."""

    stage: Stage
    brand: Brand
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """An order that a sweep has compared: why its systems differ, or that they agree. Or a stock item that has begun to
    differ, and why.
    """

    brand: Brand
    cause: str
    kind: Kind = Kind.ORDER


@dataclass(frozen=True, slots=True)
class Step:
    """`took` and `compared` are for the metrics alone; nothing is decided by them.

    `stands_on_all`: what comes later is decided by it, whatever the key. It is written when all before it is known to
    be in the log: then nothing that a restart delivers again is folded anew by what did not hold at the time.
    """

    verdict: Verdict
    changes: Sequence[Change] = ()
    emissions: Sequence[Emission] = ()
    took: Sequence[Took] = ()
    compared: Sequence[Compared] = ()
    stands_on_all: bool = False


class UnreadableRecord(Unreadable):
    """A record that goes to the dead letters and that somebody must hear of: `emissions` are sent beside the letter."""

    def __init__(self, cause: Unreadable, emissions: Sequence[Emission]) -> None:
        super().__init__(cause.where, cause.expected, cause.found)
        self.emissions = tuple(emissions)


class PartitionFold(Protocol):
    """All keys of one partition. Made at assignment, dropped whole at revocation."""

    def restore(self, key: bytes, value: bytes) -> None:
        """The newest value of one key from the changelog, before any record."""
        ...

    def restored(self) -> None:
        """All keys are there."""
        ...

    def handle(self, record: Record) -> Step:
        """Fold one record. Raises schemas.errors.Unreadable when it cannot be understood; nothing changed then."""
        ...

    def resend(self, committed: int) -> Sequence[Emission]:
        """Emissions of keys whose last offset is at or past `committed`: they may not have been sent."""
        ...

    def next_due(self) -> datetime | None:
        """When the earliest key wants to be planned again; None when none does."""
        ...

    def tick(self, at: datetime) -> Emission:
        """The record that makes the due keys be planned; the engine produces it to this very partition."""
        ...


OpenKind = tuple[Brand, CaseCode, Severity]


@runtime_checkable
class CountsCases(Protocol):
    """A fold that knows what is open for people."""

    def open_cases(self) -> Mapping[OpenKind, int]:
        """How many cases of each code and severity are open now, restored ones among them."""
        ...


FoldFactory = Callable[[int], PartitionFold]
"""Makes the empty fold of a partition number."""
