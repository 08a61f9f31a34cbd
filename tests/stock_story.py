"""One stock item's life: the real fold of one partition of `stock.events`, fed with literal records."""

from __future__ import annotations

from typing import Self

from schemas.aggregates import stock_id
from schemas.base import LocationId, Sku, System
from schemas.commands import SetOnHand
from schemas.config import BrandConfig
from schemas.events import (
    BalanceSeen,
    CommandEnded,
    DemandSeen,
    LevelSeen,
)
from schemas.hints import Hint
from schemas.outcomes import Outcome, OutcomeKind
from schemas.stock import Balance, InventoryItemId, Level, ShopItem, WarehouseBalance
from schemas.topics import COMMANDS_STOCK, HINTS
from streams.agents.orders import decode_command
from streams.agents.stock import StockFold
from streams.engine.contract import Emission
from streams.rules.stock.state import StockState
from tests.builders import ACME, a_brand
from tests.keyed_story import KeyedStory

MUG = Sku("0042-A")
LEEDS = LocationId("11")
ITEM = stock_id(MUG, LEEDS)
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


class StockStory(KeyedStory):
    FOLD = StockFold
    KEY = ITEM

    def __init__(self, config: BrandConfig | None = None) -> None:
        self.commands: list[SetOnHand] = []
        self.asked: list[tuple[System, int]] = []
        super().__init__(config or stock_brand())

    # --- what happens

    def shopify(self, *items: ShopItem | int, epoch: int = 1) -> Self:
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
    ) -> Self:
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

    def withheld(self, units: int, *, partition: int = 0, offset: int | None = None) -> Self:
        """The orders agent says how many units the warehouse still wants though Shopify has freed them."""
        decided = len(self.log) if offset is None else offset
        return self._event(DemandSeen(brand=ACME, order=ITEM, partition=partition, decided_offset=decided, units=units))

    def ended(self, kind: OutcomeKind, command: SetOnHand | None = None, *, epoch: int = 1, **said: object) -> Self:
        of = command or self.commands[-1]
        outcome = Outcome(command=of.id, object=of.object, generation=1, kind=kind, **said)
        head = self._head("raw.shopify")
        return self._event(CommandEnded(**head, system=System.SHOPIFY, epoch=epoch, outcome=outcome))

    def applied(self) -> Self:
        return self.ended(OutcomeKind.APPLIED)

    def stale(self) -> Self:
        return self.ended(OutcomeKind.REJECTED, code="stale")

    def in_step(self, units: int) -> Self:
        """Both sides are read and agree."""
        return self.shopify(units).clarus(units)

    def due(self) -> Self:
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
    def state(self) -> StockState:
        state = self.fold.states()[f"{ACME}/{ITEM}"]
        assert isinstance(state, StockState)
        return state

    def _receive(self, emission: Emission) -> None:
        assert emission.value is not None
        if emission.topic == COMMANDS_STOCK.name:
            command = decode_command(emission.value, dict(emission.headers))
            assert isinstance(command, SetOnHand)
            self.commands.append(command)
        else:
            system = next(system for system, topic in HINTS.items() if topic.name == emission.topic)
            self.asked.append((system, Hint.model_validate_json(emission.value).token))
