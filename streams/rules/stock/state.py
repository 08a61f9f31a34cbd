"""What is known of one stock item, folded from its events. `absorb` makes the next one; nothing else does."""

from datetime import datetime

from schemas.base import Brand, Frozen, LocationId, OrderId, Sku, System, Utc
from schemas.cases import Case
from schemas.commands import SetOnHand
from schemas.stock import Balance, Level, ShopItem
from streams.rules.orders.state import Answered, Closed, Epochs, Reached, Refusal, Since, Taken


class Withheld(Frozen):
    """Units our goods-outs of one orders partition still want though Shopify no longer commits them."""

    partition: int
    decided_offset: int
    units: int


class Basis(Frozen):
    """What stood behind the figure when both sides last agreed: the next difference is explained against it."""

    on_hand: int
    physical: int
    others: int
    withheld: int
    buffer: int


class Written(Frozen):
    """The last figure of ours that Shopify took."""

    quantity: int
    instead_of: int
    why: str
    at: Utc


class Asked(Frozen):
    """A reading that was asked for and has not come. `token`: what it must have been asked after."""

    system: System
    at: Utc
    token: int = -1
    wait: int = 0
    """Seconds after which it is asked for again; 0: as the brand's `ask_again` says."""


class StockState(Frozen):
    """One product code at one location of the shop."""

    brand: Brand
    order: OrderId
    """`stock:LOCATION/CODE`."""
    code: Sku
    location: LocationId
    now: Utc
    last_offset: int = -1
    seen: tuple[Reached, ...] = ()
    epochs: Epochs = Epochs()

    level: Level | None = None
    level_at: int = -1
    """Where in the log the figure on hand was first known: what a reading of Clarus must have been asked after."""
    balance: Balance | None = None
    token: int = -1
    """What the reading of Clarus was asked after."""
    withheld: tuple[Withheld, ...] = ()

    wanted: int | None = None
    """The figure that should be on hand, as far as is known; None: nothing that could be believed."""
    differs_since: Utc | None = None
    changed_at: Utc | None = None
    """When the wanted figure last changed while it differed."""
    drift: str = ""
    """Why it differs, as far as is known by now; '' while it does not. See `Cause`."""
    basis: Basis | None = None
    asked: tuple[Asked, ...] = ()
    ask: tuple[System, ...] = ()
    """To be read again at once; emptied by the plan that asks."""

    in_flight: SetOnHand | None = None
    delayed_until: Utc | None = None
    delayed_why: str = ""
    refusal: Refusal | None = None
    written: Written | None = None
    compares_lost: int = 0
    """In a row."""
    would_write: int | None = None
    """In observe mode, or while the brand is paused: what would be written."""

    since: tuple[Since, ...] = ()
    cases: tuple[Case, ...] = ()
    closed_cases: tuple[Case, ...] = ()
    closed_by_person: tuple[Closed, ...] = ()
    taken: tuple[Taken, ...] = ()
    answers: tuple[Answered, ...] = ()
    wake_at: Utc | None = None
    config_version: int = 0

    @property
    def item(self) -> ShopItem | None:
        """The one item of the shop or, of several, the one that it counts here; None when there is no such."""
        items = () if self.level is None else self.level.items
        found = items if len(items) == 1 else self.counted
        return found[0] if len(found) == 1 else None

    @property
    def counted(self) -> tuple[ShopItem, ...]:
        """Those whose own figure is what the shop offers at the location."""
        items = () if self.level is None else self.level.items
        return tuple(one for one in items if one.tracked and one.stocked and not one.kit)

    @property
    def units_withheld(self) -> int:
        return sum(one.units for one in self.withheld)

    def since_of(self, name: str) -> datetime | None:
        return next((entry.at for entry in self.since if entry.name == name), None)

    def asking(self, *systems: System) -> "StockState":
        """The same, with these systems to be read again at once."""
        wanted = {*self.ask, *systems}
        return self.model_copy(update={"ask": tuple(system for system in System if system in wanted)})

    def answered(self, system: System) -> tuple[Asked, ...]:
        """What is still asked for when this system has answered."""
        return tuple(one for one in self.asked if one.system is not system)


def first(brand: Brand, id_: OrderId, code: Sku, location: LocationId, now: datetime) -> StockState:
    """The state of an item never seen before."""
    return StockState(brand=brand, order=id_, code=code, location=location, now=now)
