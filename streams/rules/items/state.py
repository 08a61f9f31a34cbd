"""What is known of one item, folded from its events. `absorb` makes the next one; nothing else does."""

from datetime import datetime

from schemas.base import Brand, Frozen, OrderId, Sku, System, Utc
from schemas.cases import Case, CaseCode
from schemas.commands import Command, Decided, Withdraw
from schemas.items import ErpItem, Offer, Product
from streams.rules.orders.state import (
    Answered,
    Closed,
    Delay,
    Done,
    Epochs,
    Reached,
    Refusal,
    Reread,
    Since,
    Taken,
    Unread,
)


class Crowd(Frozen):
    """Of one partition: about how many items have this gap and no case of their own, and some of them."""

    partition: int
    decided_offset: int
    gap: CaseCode
    items: int
    examples: tuple[Sku, ...] = ()


class ItemState(Frozen):
    """One product code of a brand, or one item of the ERP of which none can be made; or what the audit found beyond
    single cases.
    """

    brand: Brand
    order: OrderId
    """`item:CODE`, `uncoded-item:ID` or `item-gaps`."""
    code: Sku
    """'' where there is none."""
    now: Utc
    last_offset: int = -1
    seen: tuple[Reached, ...] = ()
    epochs: Epochs = Epochs()

    erp: tuple[ErpItem, ...] = ()
    """Every item of the ERP whose code becomes this one."""
    erp_read: bool = False
    sold: bool = False
    """The ERP had it active at some time since it is known: only then an inactive one is news."""
    product: Product | None = None
    product_at: Utc | None = None
    """When Clarus was last seen to have it, or to have none; None: it was never read."""
    offers: tuple[Offer, ...] = ()
    """Every variant of the shop whose SKU becomes this code."""
    offers_at: Utc | None = None
    """When Shopify was last read; None: never."""
    unreadable: tuple[Unread, ...] = ()

    gaps: tuple[CaseCode, ...] = ()
    """What the audit finds wrong with it, each a case or, where those are too many, counted with others."""
    looked_at: Utc | None = None
    """Since when it has gaps, or when all three systems were last asked about them."""
    crowds: tuple[Crowd, ...] = ()
    """Of `item-gaps` alone."""

    in_flight: tuple[Command, ...] = ()
    withdrawn: tuple[Withdraw, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    delays: tuple[Delay, ...] = ()
    done: tuple[Done, ...] = ()
    would_send: tuple[str, ...] = ()
    """In observe mode: what would have been sent, in words."""

    waiting: tuple[OrderId, ...] = ()
    """Orders that Clarus refused for want of this item."""
    told: tuple[OrderId, ...] = ()
    """Those that were last told that it is there."""

    ask: tuple[System, ...] = ()
    ask_gently: tuple[System, ...] = ()
    """The same, behind all that orders need: the audit asks."""
    since: tuple[Since, ...] = ()
    rereads: tuple[Reread, ...] = ()
    cases: tuple[Case, ...] = ()
    closed_cases: tuple[Case, ...] = ()
    closed_by_person: tuple[Closed, ...] = ()
    taken: tuple[Taken, ...] = ()
    answers: tuple[Answered, ...] = ()
    wake_at: Utc | None = None
    config_version: int = 0

    @property
    def active(self) -> tuple[ErpItem, ...]:
        """Those that the ERP sells."""
        return tuple(item for item in self.erp if item.active)

    def is_unreadable(self, system: System) -> bool:
        """The system's last answer about it could not be understood: what is known is older."""
        return any(one.system is system for one in self.unreadable)

    def since_of(self, name: str) -> datetime | None:
        return next((entry.at for entry in self.since if entry.name == name), None)

    def flying(self, wanted: str) -> Command | None:
        """The command in flight for an object."""
        return next((command for command in self.in_flight if command.object == wanted), None)

    def is_withdrawn(self, command: Decided) -> bool:
        return any(one.withdrawn == command.id for one in self.withdrawn)

    def asking(self, *systems: System) -> "ItemState":
        """The same, with these systems to be read again at once."""
        wanted = {*self.ask, *systems}
        return self.model_copy(update={"ask": tuple(system for system in System if system in wanted)})

    def asking_gently(self, *systems: System) -> "ItemState":
        """The same, with these systems to be read when nothing else is."""
        wanted = {*self.ask_gently, *systems}
        return self.model_copy(update={"ask_gently": tuple(system for system in System if system in wanted)})


def first(brand: Brand, id_: OrderId, code: Sku, now: datetime) -> ItemState:
    """The state of an item never seen before."""
    return ItemState(brand=brand, order=id_, code=code, now=now)
