"""One stock item's life: the real fold of one partition of `stock.events`, fed with literal records."""

from __future__ import annotations

from datetime import timedelta

from kernel.log import Partition, Record
from schemas.aggregates import stock_id
from schemas.base import LocationId, Sku, System
from schemas.cases import Case, CaseCode
from schemas.commands import SetOnHand
from schemas.config import BrandConfig
from schemas.events import (
    CONFIG_ID,
    BalanceSeen,
    CommandEnded,
    ConfigChanged,
    DemandSeen,
    LevelSeen,
    OperatorActed,
    OrderEvent,
    Source,
)
from schemas.hints import Hint
from schemas.outcomes import Outcome, OutcomeKind
from schemas.stock import Balance, InventoryItemId, Level, ShopItem, WarehouseBalance
from schemas.topics import CASES, COMMANDS_STOCK, HINTS
from streams.agents.orders import RECORDS, decode_command
from streams.agents.stock import StockFold
from streams.engine.contract import Emission
from streams.rules.stock.state import StockState
from tests.builders import ACME, NOON, a_brand

MUG = Sku("0042-A")
LEEDS = LocationId("11")
ITEM = stock_id(MUG, LEEDS)
EVENTS_0 = Partition("stock.events", 0)
QUIET, WAIT = 5, 30


def stock_brand(**rules: object) -> BrandConfig:
    """Writes stock; a new figure is quiet for 5 s and waits 30 s at most."""
    return a_brand(stock={"mode": "write", "quiet_for": QUIET, "max_wait": WAIT, **rules})


def an_item(on_hand: int, committed: int = 0, **changes: object) -> ShopItem:
    plain = ShopItem(
        id=InventoryItemId("801"),
        sku=MUG,
        tracked=True,
        stocked=True,
        available=on_hand - committed,
        committed=committed,
        on_hand=on_hand,
    )
    return plain.model_copy(update=changes)


class StockStory:
    """Moments are append times; `later` moves them on and appends a tick."""

    def __init__(self, config: BrandConfig | None = None) -> None:
        self.config = config or stock_brand()
        self.at = NOON
        self.log: list[Record] = []
        self.fold = StockFold(0)
        self.commands: list[SetOnHand] = []
        self.cases: dict[str, Case] = {}
        self.asked: list[tuple[System, int]] = []
        self.changelog: dict[bytes, bytes] = {}
        self._raw = 0
        self._configured()

    # --- what happens

    def shopify(self, *items: ShopItem | int, epoch: int = 1) -> StockStory:
        """Shopify is read; a number is one item with that many on hand."""
        shown = tuple(an_item(one) if isinstance(one, int) else one for one in items)
        head = self._head("raw.shopify")
        return self._event(LevelSeen(**head, epoch=epoch, read_started_at=self.at, level=Level(items=shown)))

    def clarus(
        self,
        available: int,
        allocated: int = 0,
        picked: int = 0,
        *,
        others: int = 0,
        token: int | None = None,
        known: bool = True,
        steady: bool = True,
        complete: bool = True,
        epoch: int = 1,
    ) -> StockStory:
        """Clarus is read, as an answer to the newest request unless said otherwise."""
        asked = max((token for system, token in self.asked if system is System.CLARUS), default=-1)
        row = WarehouseBalance(warehouse="LDS1", available=available, allocated=allocated, picked=picked)
        balance = Balance(known=known, warehouses=(row,) if known else (), others=others, steady=steady)
        return self._event(
            BalanceSeen(
                **self._head("raw.clarus"),
                epoch=epoch,
                read_started_at=self.at,
                token=asked if token is None else token,
                balance=balance,
                complete=complete,
            )
        )

    def withheld(self, units: int, *, partition: int = 0, offset: int | None = None) -> StockStory:
        """The orders agent says how many units the warehouse still wants though Shopify has freed them."""
        decided = len(self.log) if offset is None else offset
        return self._event(DemandSeen(brand=ACME, order=ITEM, partition=partition, decided_offset=decided, units=units))

    def ended(self, kind: OutcomeKind, command: SetOnHand | None = None, **said: object) -> StockStory:
        of = command or self.commands[-1]
        outcome = Outcome(command=of.id, object=of.object, generation=1, kind=kind, **said)
        head = self._head("raw.shopify")
        return self._event(CommandEnded(**head, system=System.SHOPIFY, epoch=1, outcome=outcome))

    def applied(self) -> StockStory:
        return self.ended(OutcomeKind.APPLIED)

    def stale(self) -> StockStory:
        return self.ended(OutcomeKind.REJECTED, code="stale")

    def operator(self, action: str, target: str = "", says: str = "") -> StockStory:
        head = self._head("operator.actions")
        return self._event(OperatorActed(**head, action=action, target=target, says=says, who="kim", why="asked"))

    def configured(self, **changes: object) -> StockStory:
        self.config = BrandConfig.model_validate(
            {**self.config.model_dump(), "version": self.config.version + 1, **changes}
        )
        return self._configured()

    def later(self, **time: float) -> StockStory:
        """Time passes; a tick is appended."""
        self.at += timedelta(**time)
        emission = self.fold.tick(self.at)
        assert emission.value is not None
        return self._append(emission.key, emission.value, dict(emission.headers))

    def in_step(self, units: int) -> StockStory:
        """Both sides are read and agree."""
        return self.shopify(units).clarus(units)

    def due(self) -> StockStory:
        """The wait for quiet is over, and Clarus has been read again with what it showed last."""
        self.later(seconds=QUIET)
        balance = self.state.balance
        assert balance is not None
        row = balance.warehouses[0]
        return self.clarus(row.available, row.allocated, row.picked, others=balance.others)

    # --- what it led to

    @property
    def written(self) -> list[tuple[int, int]]:
        """Every figure ever sent, with what it was compared with."""
        return [(one.compare, one.quantity) for one in self.commands]

    @property
    def open_cases(self) -> set[CaseCode]:
        return {case.code for case in self.cases.values() if case.open}

    @property
    def state(self) -> StockState:
        return self.fold.states()[f"{ACME}/{ITEM}"]

    # --- how it is done

    def _head(self, topic: str) -> dict[str, object]:
        self._raw += 1
        return {
            "brand": ACME,
            "order": ITEM,
            "source": Source(topic=topic, cluster="test", partition=0, offset=self._raw),
        }

    def _configured(self) -> StockStory:
        head = self._head("config") | {"order": CONFIG_ID}
        return self._event(ConfigChanged(**head, config=self.config))

    def _event(self, event: OrderEvent) -> StockStory:
        value, headers = StockFold.EVENTS.encode(event)
        return self._append(event.key.encode(), value, headers)

    def _append(self, key: bytes, value: bytes, headers: dict[str, bytes]) -> StockStory:
        self.at += timedelta(milliseconds=10)
        record = Record(EVENTS_0, len(self.log), key, value, self.at, headers)
        self.log.append(record)
        self.handle(record)
        return self

    def handle(self, record: Record) -> None:
        step = self.fold.handle(record)
        for change in step.changes:
            assert change.value is not None
            self.changelog[change.key] = change.value
        for emission in step.emissions:
            self._receive(emission)

    def _receive(self, emission: Emission) -> None:
        assert emission.value is not None
        if emission.topic == COMMANDS_STOCK.name:
            command = decode_command(emission.value, dict(emission.headers))
            assert isinstance(command, SetOnHand)
            self.commands.append(command)
        elif emission.topic == CASES.name:
            case = RECORDS.decode(emission.value, emission.headers)
            assert isinstance(case, Case)
            self.cases[case.key] = case
        else:
            system = next(system for system, topic in HINTS.items() if topic.name == emission.topic)
            self.asked.append((system, Hint.model_validate_json(emission.value).token))


def restarted(story: StockStory) -> StockFold:
    """A fold restored from the story's changelog."""
    fold = StockFold(0)
    for key, value in story.changelog.items():
        fold.restore(key, value)
    fold.restored()
    return fold
