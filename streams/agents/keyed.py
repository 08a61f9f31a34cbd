"""The fold of one partition's keys, whatever they stand for: table, configuration, due index, restore and ticks.

Pure and synchronous: the Faust worker, the in-memory worker and a bulk fold of the log all run this very class. What a
key's events mean, and what they cause, the agents' own folds say.
"""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from kernel.log import Record
from schemas.avro import Codec
from schemas.base import Brand, OrderId, split_key
from schemas.cases import Case
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import CONFIG_ID, TICK_BRAND, TICK_ID, ConfigChanged, OrderEvent, Tick
from schemas.topics import Topic
from streams.agents.measured import OpenCases
from streams.engine.contract import Change, Compared, Emission, OpenKind, Step, Took, Verdict
from streams.engine.prefix import Prefix, pack, unpack
from streams.rules.orders.emit import Decision
from streams.rules.orders.waits import spread

REPLAN_WINDOW_MS = 60_000
"""A changed configuration re-plans the brand's keys over this many milliseconds."""

DECODED_MOST = 2_000
"""Keys of a partition whose state stays decoded: it takes ten times the memory of its bytes."""

TICK_KEY = f"{TICK_BRAND}/{TICK_ID}".encode()


class State(Protocol):
    """What the table asks of a key's state: a frozen record."""

    @property
    def brand(self) -> Brand: ...
    @property
    def order(self) -> OrderId: ...
    @property
    def now(self) -> datetime: ...
    @property
    def wake_at(self) -> datetime | None: ...
    @property
    def last_offset(self) -> int: ...
    @property
    def config_version(self) -> int: ...
    @property
    def cases(self) -> tuple[Case, ...]: ...
    @classmethod
    def model_validate_json(cls, json_data: bytes, /) -> Self: ...
    def model_dump_json(self, *, exclude_defaults: bool) -> str: ...


S = TypeVar("S", bound=State)


class Planned(Protocol):
    """What folding an event, or time, makes of a key: its state, and what it causes besides."""

    @property
    def state(self) -> Any: ...


P = TypeVar("P", bound=Planned)


@dataclass(slots=True)
class Entry(Generic[S]):
    """One key of the table: `state`, or its `body` as in the changelog while nothing has happened to it for long."""

    prefix: Prefix
    body: bytes | None
    state: S | None
    kind: type[S]

    def get(self) -> S:
        if self.state is None:
            assert self.body is not None
            self.state = self.kind.model_validate_json(self.body)
            self.body = None
        return self.state

    def seen(self) -> S:
        """The state, for one look: what is packed stays packed."""
        if self.state is not None:
            return self.state
        assert self.body is not None
        return self.kind.model_validate_json(self.body)

    def pack(self) -> None:
        if self.state is not None:
            self.body, self.state = _body(self.state), None


@dataclass(frozen=True, slots=True)
class Configured:
    """A brand's configuration, and when and where it was appended to this partition."""

    config: BrandConfig
    at: datetime
    offset: int


@dataclass(slots=True)
class Caused:
    """What one record causes, over all keys it touches."""

    changes: list[Change] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    took: list[Took] = field(default_factory=list)
    compared: list[Compared] = field(default_factory=list)

    def step(self, verdict: Verdict) -> Step:
        return Step(verdict, self.changes, self.emissions, self.took, self.compared)


class KeyedFold(ABC, Generic[S, P]):
    """All keys of one partition. See `streams.engine.contract.PartitionFold` for what the engine promises.

    `S` is a key's state, `P` what a plan of it is.
    """

    KIND: type[S]
    TOPIC: ClassVar[Topic]
    EVENTS: ClassVar[Codec]

    def __init__(self, partition: int, *, effects: bool = True) -> None:
        """Without `effects` nothing is sent and no waits are measured: states are all there is."""
        self._partition, self._effects = partition, effects
        self._entries: dict[bytes, Entry[S]] = {}
        self._decoded: dict[bytes, None] = {}
        """Keys whose state is decoded; what happened to last stands last."""
        self._configs: dict[Brand, Configured] = {}
        self._due: list[tuple[datetime, bytes]] = []
        self._open = OpenCases()

    # --- what the agent's own fold says

    @abstractmethod
    def _step(self, before: S | None, event: OrderEvent, record: Record) -> P | None:
        """Fold one event of a key; None when nothing changes and nothing is written."""

    @abstractmethod
    def _woken(self, state: S, config: BrandConfig, record: Record) -> P:
        """Plan again because time has come."""

    @abstractmethod
    def _sent(self, key: bytes, before: S | None, made: P) -> Iterable[Emission]:
        """What a plan sends; `before` is the key's state until then."""

    @abstractmethod
    def _sent_again(self, key: bytes, state: S, committed: int) -> Iterable[Emission]:
        """Of a key folded at or past the committed offset: what may not have been sent."""

    def _took(self, before: S | None, made: P, event: OrderEvent | None, record: Record) -> Iterable[Took]:
        """Stages that ended with it, for the metrics."""
        return ()

    def _compared(self, before: S | None, made: P) -> Iterable[Compared]:
        """What a sweep found with it, for the metrics."""
        return ()

    def _note(self, key: bytes, state: S) -> None:
        """The newest state of a key."""
        self._open.note(key, state)

    def _note_restored(self, key: bytes, entry: Entry[S], body: bytes) -> None:
        """A key that came from the changelog, undecoded: decode it only where something must be known at once."""
        if OpenCases.IN_STATE in body:
            self._open.note(key, entry.seen())

    def _after(self, record: Record, caused: Caused) -> None:
        """When all that a record touches has been planned."""

    @staticmethod
    def _decision(record: Record, trace: str = "") -> Decision:
        """What commands decided by this record carry."""
        return Decision(record.partition.number, record.offset, trace)

    def _held(self, state: S) -> bool:
        """Whether the record counts as held rather than applied."""
        return False

    # --- recovery

    def restore(self, key: bytes, value: bytes) -> None:
        prefix, body = unpack(value)
        brand, order = split_key(key.decode())
        if order == CONFIG_ID:
            event = ConfigChanged.model_validate_json(body)
            at = prefix.wake_at or datetime.max.replace(tzinfo=UTC)
            self._configs[brand] = Configured(event.config, at, prefix.last_offset)
        else:
            entry = self._entries[key] = Entry(prefix, body, None, self.KIND)
            self._note_restored(key, entry, body)

    def restored(self) -> None:
        for key in self._entries:
            self._schedule(key)

    def resend(self, committed: int) -> Sequence[Emission]:
        """All that may not have been sent, of every key folded at or past the committed offset."""
        emissions: list[Emission] = []
        for key, entry in sorted(self._entries.items()):
            if entry.prefix.last_offset >= committed:
                emissions.extend(self._sent_again(key, entry.seen(), committed))
        return emissions

    # --- records

    def handle(self, record: Record) -> Step:
        if record.value is None or record.key is None:
            raise Unreadable(str(record.partition), "an event with key and value", "a tombstone or no key")
        event = self.EVENTS.decode(record.value, record.headers, record.key)
        match event:
            case Tick():
                caused = Caused()
                self._fire(record, caused)
                self._after(record, caused)
                return caused.step(Verdict.TICK)
            case ConfigChanged():
                return self._configure(event, record)
            case OrderEvent():
                return self._fold(event, record.key, record)
        raise Unreadable("kind", "an event", type(event).__name__)

    def _fold(self, event: OrderEvent, key: bytes, record: Record) -> Step:
        if key.decode() != event.key:
            raise Unreadable("key", f"the event's own key {event.key}", key.decode())
        before = self._known(key)
        made = self._step(before, event, record)
        verdict, caused = Verdict.DUPLICATE, Caused()
        if made is not None:
            verdict = Verdict.HELD if self._held(made.state) else Verdict.APPLIED
            self._keep(key, made, caused, event, record)
        self._fire(record, caused)
        self._after(record, caused)
        return caused.step(verdict)

    def _configure(self, event: ConfigChanged, record: Record) -> Step:
        held = self._configs.get(event.brand)
        if held is not None and held.config.version >= event.config.version:
            return Step(Verdict.DUPLICATE)
        self._configs[event.brand] = Configured(event.config, record.at, record.offset)
        own = f"{event.brand}/".encode()
        for key in self._entries:
            if key.startswith(own):
                self._schedule(key)
        assert record.key is not None
        prefix = Prefix(record.offset, record.at, event.config.version)
        change = Change(record.key, pack(prefix, event.model_dump_json().encode()))
        return Step(Verdict.APPLIED, [change], stands_on_all=True)

    def _fire(self, record: Record, caused: Caused) -> None:
        """Plan every key that is due at the record's append time, in (wake, key) order, however many there are.

        Keys folded at or past this very record are skipped and stay in the index: they were written in an earlier try.
        """
        skipped: list[tuple[datetime, bytes]] = []
        while self._due and self._due[0][0] <= record.at:
            due, key = heapq.heappop(self._due)
            entry = self._entries.get(key)
            if entry is None or self._wake_of(key, entry) != due:
                continue
            if entry.prefix.last_offset >= record.offset:
                skipped.append((due, key))
                continue
            state = self._state(key, entry)
            config = self.config_of(state.brand)
            if config is not None:
                self._keep(key, self._woken(state, config, record), caused, None, record)
        for item in skipped:
            heapq.heappush(self._due, item)

    # --- the table

    def _known(self, key: bytes) -> S | None:
        entry = self._entries.get(key)
        return None if entry is None else self._state(key, entry)

    def _state(self, key: bytes, entry: Entry[S]) -> S:
        """Decoded, and so kept until something has happened to many others."""
        self._decoded.pop(key, None)
        self._decoded[key] = None
        if len(self._decoded) > DECODED_MOST:
            longest_ago = next(iter(self._decoded))
            del self._decoded[longest_ago]
            self._entries[longest_ago].pack()
        return entry.get()

    def _keep(self, key: bytes, made: P, caused: Caused, event: OrderEvent | None, record: Record) -> None:
        state: S = made.state
        before = self._entries.get(key)
        prefix = Prefix(state.last_offset, state.wake_at, state.config_version)
        entry = self._entries[key] = Entry(prefix, None, state, self.KIND)
        self._state(key, entry)
        self._note(key, state)
        self._schedule(key)
        caused.changes.append(Change(key, partial(_packed, prefix, state)))
        if self._effects:
            was = None if before is None else before.get()
            caused.emissions.extend(self._sent(key, was, made))
            caused.took.extend(self._took(was, made, event, record))
            caused.compared.extend(self._compared(was, made))

    def _schedule(self, key: bytes) -> None:
        wake_at = self._wake_of(key, self._entries[key])
        if wake_at is not None:
            heapq.heappush(self._due, (wake_at, key))

    def _wake_of(self, key: bytes, entry: Entry[S]) -> datetime | None:
        """When this key wants to be planned: by its own wish, or because its plan is older than the configuration."""
        wake_at = entry.prefix.wake_at
        configured = self._configs.get(split_key(key.decode())[0])
        if configured is None or entry.prefix.config_version >= configured.config.version:
            return wake_at
        again = configured.at + timedelta(milliseconds=spread(key.decode(), REPLAN_WINDOW_MS))
        return again if wake_at is None else min(wake_at, again)

    def _before_its_configuration(self, brand: Brand, record: Record) -> bool:
        """Whether a restart delivers the record again: the restored configuration stands later in the log."""
        configured = self._configs.get(brand)
        return configured is not None and record.offset < configured.offset

    def config_of(self, brand: Brand) -> BrandConfig | None:
        configured = self._configs.get(brand)
        return None if configured is None else configured.config

    # --- time

    def next_due(self) -> datetime | None:
        while self._due:
            due, key = self._due[0]
            entry = self._entries.get(key)
            if entry is not None and self._wake_of(key, entry) == due:
                return due
            heapq.heappop(self._due)
        return None

    def tick(self, at: datetime) -> Emission:
        value, headers = self.EVENTS.encode(Tick(brand=TICK_BRAND, order=TICK_ID, at=at))
        return Emission(self.TOPIC.name, TICK_KEY, value, headers, self._partition)

    # --- for people

    def open_cases(self) -> Mapping[OpenKind, int]:
        return self._open.counts()

    def state_of(self, key: bytes) -> S | None:
        """One key's, decoded; None for one that is not in the table."""
        return self._known(key)

    def states(self) -> dict[str, S]:
        """Every key of the partition, decoded; for `show`, digests and tests."""
        return {key.decode(): entry.seen() for key, entry in sorted(self._entries.items())}


def _packed(prefix: Prefix, state: State) -> bytes:
    return pack(prefix, _body(state))


def _body(state: State) -> bytes:
    return state.model_dump_json(exclude_defaults=True).encode()
