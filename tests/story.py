"""Given events, when folded, then commands and cases: the real fold of one partition, fed with literal records.

A `Story` encodes every event as it would lie in the log, appends it to a list and hands it to an `OrdersFold`. It
remembers all that was emitted, so that a test reads as what happened and what it led to.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from kernel.log import Partition, Record
from schemas.base import Brand, OrderId, System
from schemas.cases import Case, CaseCode
from schemas.commands import Command, CreateGoodsOut, system_of
from schemas.config import BrandConfig
from schemas.events import (
    CONFIG_ID,
    CommandEnded,
    ConfigChanged,
    ConnectionSeen,
    ConnectionState,
    ErpOrderSeen,
    GoodsOutsSeen,
    OperatorActed,
    OrderEvent,
    ShopifyOrderSeen,
    SnapshotUnreadable,
    Source,
)
from schemas.hints import SWEEP, Hint
from schemas.outcomes import Outcome, OutcomeKind
from schemas.topics import CASES, COMMANDS, HINTS, ITEMS_EVENTS, STOCK_EVENTS
from streams.agents.emissions import RECORDS
from streams.agents.orders import EVENTS, OrdersFold, decode_command
from streams.engine.contract import Change, Emission, Step, Verdict
from streams.rules.orders.state import OrderState
from streams.rules.orders.units import asked_in
from tests.builders import ACME, NOON, ORDER, ErpBuilder, GoodsOutBuilder, OrderBuilder, a_brand
from tests.legible import cases_say_what_and_where, waits_have_names

C = TypeVar("C")
EVENTS_0 = Partition("orders.events", 0)


class Story:
    """One partition's life. Moments are append times; `later` moves them on and appends a tick."""

    def __init__(self, config: BrandConfig | None = None, *, order: OrderId = ORDER) -> None:
        self.config = config or a_brand()
        self.order = order
        self.at = NOON
        self.log: list[Record] = []
        self.fold = OrdersFold(0)
        self.commands: list[Command] = []
        self.cases: dict[str, Case] = {}
        self.reads: list[System] = []
        self.changelog: dict[bytes, bytes] = {}
        self.verdicts: list[Verdict] = []
        self._raw = 0
        self._answered: set[str] = set()
        self._configured(self.config)

    # --- what happens

    def about(self, order: str) -> Story:
        """What follows happens to this order."""
        self.order = OrderId(order)
        return self

    def shopify(self, order: OrderBuilder | None, *, epoch: int = 1) -> Story:
        snapshot = None if order is None else order.order
        return self._event(
            ShopifyOrderSeen(**self._head("raw.shopify"), epoch=epoch, read_started_at=self.at, snapshot=snapshot)
        )

    def clarus(self, *goods_outs: GoodsOutBuilder, complete: bool = True, epoch: int = 1) -> Story:
        return self._event(
            GoodsOutsSeen(
                **self._head("raw.clarus"),
                epoch=epoch,
                read_started_at=self.at,
                goods_outs=tuple(one.goods_out for one in goods_outs),
                complete=complete,
            )
        )

    def erp(self, order: ErpBuilder | None, *, epoch: int = 1) -> Story:
        snapshot = None if order is None else order.order
        return self._event(
            ErpOrderSeen(**self._head("raw.erp"), epoch=epoch, read_started_at=self.at, snapshot=snapshot)
        )

    def ended(self, command: Command, kind: OutcomeKind, *, epoch: int = 1, **said: object) -> Story:
        system = system_of(command)
        outcome = Outcome(
            command=command.id,
            object=command.object,
            generation=command.generation,
            kind=kind,
            **said,
        )
        self._answered.add(command.id)
        return self._event(CommandEnded(**self._head(f"raw.{system}"), system=system, epoch=epoch, outcome=outcome))

    def applied(self, command: Command, external_id: str = "9001") -> Story:
        return self.ended(command, OutcomeKind.APPLIED, external_id=external_id)

    def operator(self, action: str, target: str = "", *, object: str = "", says: str = "") -> Story:
        asked = {"action": action, "target": target, "object": object, "says": says, "who": "kim", "why": "asked"}
        return self._event(OperatorActed(**self._head("operator.actions"), **asked))

    def connection(self, system: System, state: ConnectionState) -> Story:
        head = self._head(f"raw.{system}") | {"order": OrderId(f"~{system}")}
        return self._event(ConnectionSeen(**head, system=system, state=state, text="said so"))

    def unreadable(self, system: System) -> Story:
        return self._event(SnapshotUnreadable(**self._head(f"raw.{system}"), system=system, reason="id: expected text"))

    def configured(self, **changes: object) -> Story:
        self.config = BrandConfig.model_validate(
            {**self.config.model_dump(), "version": self.config.version + 1, **changes}
        )
        return self._configured(self.config)

    def waiting(self, **seconds: int) -> Story:
        """Another patience: fields of `Waits`."""
        return self.configured(waits=self.config.waits.model_copy(update=seconds).model_dump())

    def later(self, **time: float) -> Story:
        """Time passes; a tick is appended."""
        self.at += timedelta(**time)
        emission = self.fold.tick(self.at)
        assert emission.value is not None
        return self._append(emission.key, emission.value, dict(emission.headers))

    def again(self, records: int = 1) -> Story:
        """The last records are delivered once more, as after a crash before the commit."""
        for record in self.log[-records:]:
            self._handle(record)
        return self

    def appended_twice(self) -> Story:
        """Normalise crashed after sending: the last event is appended a second time, from the same source."""
        last = self.log[-1]
        assert last.value is not None
        return self._append(last.key or b"", last.value, dict(last.headers))

    # --- what it led to

    def sent(self, kind: type[C]) -> list[C]:
        """Every command of a kind, in order."""
        return [command for command in self.commands if isinstance(command, kind)]

    def one(self, kind: type[C]) -> C:
        """The only command of a kind ever sent."""
        found = self.sent(kind)
        assert len(found) == 1, f"expected one {kind.__name__}, found {len(found)}"
        return found[0]

    @property
    def quantities(self) -> list[dict[str, int]]:
        """Units per line of every goods-out ever asked for, in order."""
        return [dict[str, int](asked_in(create).items()) for create in self.sent(CreateGoodsOut)]

    def quantities_of(self, line: str) -> list[int]:
        """The same of one line."""
        return [units[line] for units in self.quantities if line in units]

    @property
    def open_cases(self) -> set[CaseCode]:
        cases_say_what_and_where(self.cases.values())
        for state in self.fold.states().values():
            waits_have_names(state.since)
        return {case.code for case in self.cases.values() if case.open}

    @property
    def state(self) -> OrderState:
        return self.fold.states()[f"{ACME}/{self.order}"]

    # --- how it is done

    def _head(self, topic: str) -> dict[str, object]:
        self._raw += 1
        source = Source(topic=topic, cluster="test", partition=0, offset=self._raw)
        return {"brand": ACME, "order": self.order, "source": source}

    def _configured(self, config: BrandConfig) -> Story:
        head = self._head("config") | {"order": CONFIG_ID}
        return self._event(ConfigChanged(**head, config=config))

    def _event(self, event: OrderEvent) -> Story:
        value, headers = EVENTS.encode(event)
        return self._append(event.key.encode(), value, headers)

    def _append(self, key: bytes, value: bytes, headers: dict[str, bytes]) -> Story:
        self.at += timedelta(milliseconds=10)
        record = Record(EVENTS_0, len(self.log), key, value, self.at, headers)
        self.log.append(record)
        self._handle(record)
        return self

    def _handle(self, record: Record) -> None:
        step = self.fold.handle(record)
        self.verdicts.append(step.verdict)
        for change in step.changes:
            assert change.value is not None
            self.changelog[change.key] = change.value
        for emission in step.emissions:
            self.receive(emission)

    def receive(self, emission: Emission) -> None:
        assert emission.value is not None
        if emission.topic in (topic.name for topic in COMMANDS.values()):
            self.commands.append(decode_command(emission.value, dict(emission.headers)))
        elif emission.topic == CASES.name:
            case = RECORDS.decode(emission.value, emission.headers)
            assert isinstance(case, Case)
            self.cases[case.key] = case
        elif emission.topic not in (STOCK_EVENTS.name, ITEMS_EVENTS.name):
            system = next(system for system, topic in HINTS.items() if topic.name == emission.topic)
            assert Hint.model_validate_json(emission.value).why in ("fold", SWEEP)
            self.reads.append(system)

    def brand(self) -> Brand:
        return self.config.brand


def refold(records: Sequence[Record]) -> tuple[list[Change], list[Emission]]:
    """A fresh fold over the same log: its changelog and its emissions, in order."""
    fold = OrdersFold(0)
    steps: list[Step] = [fold.handle(record) for record in records]
    return [change for step in steps for change in step.changes], [one for step in steps for one in step.emissions]


def minutes(count: float) -> datetime:
    return NOON + timedelta(minutes=count)
