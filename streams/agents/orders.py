"""The orders agent's fold: one partition of `orders.events`, every order in it, what each should cause.

Pure and synchronous: the Faust worker, the in-memory worker and a bulk fold of the log all run this very class.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import cast

from kernel.log import Record
from kernel.metrics import Stage
from schemas.avro import Codec
from schemas.base import Brand, System, order_key, split_key
from schemas.cases import Case
from schemas.commands import COMMAND_KINDS, Command, system_of
from schemas.config import BrandConfig
from schemas.errors import Unreadable
from schemas.events import (
    CONFIG_ID,
    EVENT_KINDS,
    TICK_BRAND,
    TICK_ID,
    ConfigChanged,
    ConnectionState,
    OrderEvent,
    Tick,
)
from schemas.hints import Hint
from schemas.topics import CASES, COMMANDS, HINTS, ORDERS_EVENTS
from streams.agents.measured import OpenCases, ended_waits
from streams.agents.same_log import same_log
from streams.agents.vanished import Vanished
from streams.engine.contract import Change, Emission, OpenKind, Step, Took, Verdict
from streams.engine.prefix import Prefix, pack, unpack
from streams.rules.orders.emit import Decision
from streams.rules.orders.plan import Plan, spread
from streams.rules.orders.state import OrderState
from streams.rules.orders.step import step, wake

REPLAN_WINDOW_MS = 60_000
"""A changed configuration re-plans the brand's open orders over this many milliseconds."""

EVENTS = Codec(EVENT_KINDS)
RECORDS = Codec((*COMMAND_KINDS, Case))
MISSING = b'"missing_at":'
"""Stands in the JSON of a state with a missing goods-out: the others need not be decoded at a restore."""

TICK_KEY = f"{TICK_BRAND}/{TICK_ID}".encode()


@dataclass(slots=True)
class Entry:
    """One key of the table. After a restore the state stays undecoded until something happens to it."""

    prefix: Prefix
    body: bytes | None
    state: OrderState | None

    def get(self) -> OrderState:
        if self.state is None:
            assert self.body is not None
            self.state = OrderState.model_validate_json(self.body)
            self.body = None
        return self.state


@dataclass(frozen=True, slots=True)
class Configured:
    """A brand's configuration, and when and where it was appended to this partition."""

    config: BrandConfig
    at: datetime
    offset: int


@dataclass(slots=True)
class _Caused:
    """What one record causes, over all keys it touches."""

    changes: list[Change] = field(default_factory=list)
    emissions: list[Emission] = field(default_factory=list)
    took: list[Took] = field(default_factory=list)

    def step(self, verdict: Verdict) -> Step:
        return Step(verdict, self.changes, self.emissions, self.took)


class OrdersFold:
    """All orders of one partition. See `streams.engine.contract.PartitionFold` for what the engine promises."""

    def __init__(self, partition: int, *, effects: bool = True) -> None:
        """Without `effects` nothing is sent and no waits are measured: states are all there is."""
        self._partition, self._effects = partition, effects
        self._entries: dict[bytes, Entry] = {}
        self._configs: dict[Brand, Configured] = {}
        self._due: list[tuple[datetime, bytes]] = []
        self._vanished = Vanished(partition)
        self._open = OpenCases()

    # --- recovery

    def restore(self, key: bytes, value: bytes) -> None:
        prefix, body = unpack(value)
        brand, order = split_key(key.decode())
        if order == CONFIG_ID:
            event = ConfigChanged.model_validate_json(body)
            at = prefix.wake_at or datetime.max.replace(tzinfo=UTC)
            self._configs[brand] = Configured(event.config, at, prefix.last_offset)
        else:
            entry = self._entries[key] = Entry(prefix, body, None)
            if MISSING in body:
                self._vanished.note(entry.get())
            if OpenCases.IN_STATE in body:
                self._open.note(key, entry.get())

    def restored(self) -> None:
        for key in self._entries:
            self._schedule(key)

    def resend(self, committed: int) -> Sequence[Emission]:
        """Commands in flight, cases and reads of every key folded at or past the committed offset."""
        emissions: list[Emission] = []
        for key, entry in sorted(self._entries.items()):
            if entry.prefix.last_offset >= committed:
                state = entry.get()
                emissions.extend(_command(key, command) for command in state.to_send_again(committed))
                emissions.extend(_case(case) for case in (*state.closed_cases, *state.cases))
                emissions.extend(_read(key, state, system) for system in System if not state.order.startswith("~"))
        return emissions

    # --- records

    def handle(self, record: Record) -> Step:
        if record.value is None or record.key is None:
            raise Unreadable(str(record.partition), "an event with key and value", "a tombstone or no key")
        event = EVENTS.decode(record.value, record.headers)
        match event:
            case Tick():
                caused = _Caused()
                self._fire(record, caused)
                self._judge(record, caused)
                return caused.step(Verdict.TICK)
            case ConfigChanged():
                return self._configure(event, record)
            case OrderEvent():
                return self._fold(event, record.key, record)
        raise Unreadable("kind", "an event", type(event).__name__)

    def _fold(self, event: OrderEvent, key: bytes, record: Record) -> Step:
        if key.decode() != event.key:
            raise Unreadable("key", f"the event's own key {event.key}", key.decode())
        entry = self._entries.get(key)
        before = None if entry is None else entry.get()
        same_log(before, event)
        made = step(
            before,
            event,
            self.config_of(event.brand),
            record.at,
            _decision(record, event.trace),
            clarus_doubted=self._vanished.many(event.brand),
            redelivered=self._before_its_configuration(event.brand, record),
        )
        verdict, caused = Verdict.DUPLICATE, _Caused()
        if made is not None:
            verdict = _verdict(made.state)
            self._keep(key, made, caused)
            if made.commands:
                caused.took.append(Took(Stage.EVENT_TO_COMMAND, event.brand, record.at))
        self._fire(record, caused)
        self._judge(record, caused)
        return caused.step(verdict)

    def _judge(self, record: Record, caused: _Caused) -> None:
        """Open or close the case of brands of which many goods-outs vanished; again after a crash in between."""
        for brand in self._vanished.brands():
            key = order_key(brand, self._vanished.order()).encode()
            entry = self._entries.get(key)
            before = None if entry is None else entry.get()
            if self._vanished.state(brand) is (ConnectionState.WELL if before is None else before.connection):
                continue
            made = step(before, self._vanished.report(brand), self.config_of(brand), record.at, _decision(record, ""))
            if made is not None:
                self._keep(key, made, caused)

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
        return Step(Verdict.APPLIED, [Change(record.key, pack(prefix, event.model_dump_json().encode()))])

    def _fire(self, record: Record, caused: _Caused) -> None:
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
            state = entry.get()
            config = self.config_of(state.brand)
            if config is not None:
                doubted = self._vanished.many(state.brand)
                made = wake(state, config, record.at, _decision(record, ""), clarus_doubted=doubted)
                self._keep(key, made, caused)
        for item in skipped:
            heapq.heappush(self._due, item)

    # --- the table

    def _keep(self, key: bytes, made: Plan, caused: _Caused) -> None:
        state, before = made.state, self._entries.get(key)
        prefix = Prefix(state.last_offset, state.wake_at, state.config_version)
        self._entries[key] = Entry(prefix, None, state)
        self._vanished.note(state)
        self._open.note(key, state)
        self._schedule(key)
        caused.changes.append(Change(key, partial(_packed, prefix, state)))
        if not self._effects:
            return
        caused.emissions.extend(_command(key, command) for command in made.commands)
        caused.emissions.extend(_case(case) for case in made.cases)
        caused.emissions.extend(_read(key, state, system) for system in made.reads)
        caused.took.extend(ended_waits(None if before is None else before.get(), state))

    def _schedule(self, key: bytes) -> None:
        wake_at = self._wake_of(key, self._entries[key])
        if wake_at is not None:
            heapq.heappush(self._due, (wake_at, key))

    def _wake_of(self, key: bytes, entry: Entry) -> datetime | None:
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
        value, headers = EVENTS.encode(Tick(brand=TICK_BRAND, order=TICK_ID, at=at))
        return Emission(ORDERS_EVENTS.name, TICK_KEY, value, headers, self._partition)

    # --- for people

    def open_cases(self) -> Mapping[OpenKind, int]:
        return self._open.counts()

    def states(self) -> dict[str, OrderState]:
        """Every order of the partition by key, decoded; for `show`, digests and tests."""
        return {key.decode(): entry.get() for key, entry in sorted(self._entries.items())}


def _packed(prefix: Prefix, state: OrderState) -> bytes:
    return pack(prefix, state.model_dump_json(exclude_defaults=True).encode())


def _decision(record: Record, trace: str) -> Decision:
    return Decision(record.partition.number, record.offset, trace)


def _verdict(state: OrderState) -> Verdict:
    held = any(since.name.startswith("hold:") for since in state.since)
    return Verdict.HELD if held else Verdict.APPLIED


def _command(key: bytes, command: Command) -> Emission:
    value, headers = RECORDS.encode(command)
    headers |= {"brand": command.brand.encode(), "trace": command.trace.encode()}
    return Emission(COMMANDS[system_of(command)].name, key, value, headers)


def _case(case: Case) -> Emission:
    value, headers = RECORDS.encode(case)
    return Emission(CASES.name, case.key.encode(), value, headers)


def _read(key: bytes, state: OrderState, system: System) -> Emission:
    hint = Hint(brand=state.brand, order=state.order, why="fold", seen_at=state.now)
    return Emission(HINTS[system].name, key, hint.model_dump_json().encode(), {"brand": state.brand.encode()})


def orders_fold(partition: int) -> OrdersFold:
    """A `streams.engine.contract.FoldFactory`."""
    return OrdersFold(partition)


def decode_command(value: bytes, headers: dict[str, bytes]) -> Command:
    """The command of a record of `commands.<system>`. Raises Unreadable."""
    return cast("Command", RECORDS.decode(value, headers))
