"""What is known of one order, folded from its events. `absorb` makes the next one; nothing else does."""

from datetime import datetime

from schemas.base import (
    Brand,
    CommandId,
    Frozen,
    FulfilmentId,
    FulfilmentOrderId,
    GoodsOutRef,
    OrderId,
    System,
    Units,
    Utc,
)
from schemas.cases import Case, CaseCode
from schemas.commands import Command, CreateGoodsOut
from schemas.erp import ErpOrder
from schemas.events import ConnectionState
from schemas.goods_outs import GoodsOut
from schemas.orders import Order


class Reached(Frozen):
    """The offset reached in one partition of one source topic of one cluster."""

    topic: str
    cluster: str
    partition: int
    offset: int


class KnownGoodsOut(Frozen):
    """A goods-out of this order, as last seen or, until then, as we were told it was made."""

    goods_out: GoodsOut
    fulfilment_order: FulfilmentOrderId
    generation: int
    absent: int = 0
    """Complete answers in a row that did not show it."""
    cancelled_by_us: bool = False
    given_up: bool = False
    """A person said that what it still covers may be released again."""
    despatch_seen_at: Utc | None = None
    """When the despatched units last grew."""
    most_despatched: int = 0
    """The highest number of units ever seen despatched; fewer now means that a despatch was taken back."""

    @property
    def reference(self) -> GoodsOutRef:
        return self.goods_out.reference

    @property
    def missing(self) -> bool:
        return self.absent >= 2 and not self.gone and not self.goods_out.status.ended

    @property
    def gone(self) -> bool:
        """It ended by our own cancel of a goods-out nobody had begun, which deletes it."""
        return self.cancelled_by_us and self.absent > 0


class Telling(Frozen):
    """A fulfilment that we made, as its outcome said. Stays when Shopify's staff cancel it."""

    fulfilment: FulfilmentId
    goods_out: GoodsOutRef
    lines: tuple[Units, ...]
    numbers: tuple[str, ...] = ()


class Refusal(Frozen):
    """A command that was rejected: silent until its fields change, its back-off passes or an operator retries."""

    object: str
    system: System
    fingerprint: str
    code: str
    field: str = ""
    text: str = ""
    tries: int = 1
    at: Utc


class Delay(Frozen):
    """A command that was told to wait; decided again at `until`."""

    object: str
    system: System
    why: str
    until: Utc


class Since(Frozen):
    """A condition that holds, and since when."""

    name: str
    at: Utc


class Reread(Frozen):
    """A system that is read again because something waits for it."""

    system: System
    asked: int
    next_at: Utc


class Done(Frozen):
    """The fields last carried out for an object: not sent again while the next snapshot is on its way."""

    object: str
    fingerprint: str


class Unread(Frozen):
    system: System
    reason: str


class Closed(Frozen):
    """A case that a person closed; stays closed while it says the same."""

    code: CaseCode
    object: str
    detail: str


class Epochs(Frozen):
    shopify: int = -1
    clarus: int = -1
    erp: int = -1

    def of(self, system: System) -> int:
        match system:
            case System.SHOPIFY:
                return self.shopify
            case System.CLARUS:
                return self.clarus
            case System.ERP:
                return self.erp

    def with_(self, system: System, epoch: int) -> "Epochs":
        return self.model_copy(update={system.value: epoch})


class OrderState(Frozen):
    """Everything about one order (or one connection, whose order id begins with `~`)."""

    brand: Brand
    order: OrderId
    now: Utc
    last_offset: int = -1
    seen: tuple[Reached, ...] = ()
    epochs: Epochs = Epochs()

    shopify: Order | None = None
    shopify_gone: bool = False
    goods_outs: tuple[KnownGoodsOut, ...] = ()
    clarus_read: bool = False
    """A complete answer of Clarus has been seen."""
    erp: ErpOrder | None = None
    erp_read: bool = False
    tellings: tuple[Telling, ...] = ()
    unreadable: tuple[Unread, ...] = ()

    in_flight: tuple[Command, ...] = ()
    """Without outcome yet, verbatim; the newest per object."""
    withdrawn: tuple[CommandId, ...] = ()
    """Those in flight that are not wanted any more; their units still count until the outcome comes."""
    refusals: tuple[Refusal, ...] = ()
    delays: tuple[Delay, ...] = ()
    done: tuple[Done, ...] = ()
    would_send: tuple[str, ...] = ()
    """In observe mode: what would have been sent, in words."""

    ask: tuple[System, ...] = ()
    """Systems to be read again at once; emptied by the plan that asks."""
    since: tuple[Since, ...] = ()
    rereads: tuple[Reread, ...] = ()
    cases: tuple[Case, ...] = ()
    closed_cases: tuple[Case, ...] = ()
    """Those closed a moment ago."""
    closed_by_person: tuple[Closed, ...] = ()

    connection: ConnectionState | None = None
    connection_text: str = ""

    wake_at: Utc | None = None
    config_version: int = 0

    def since_of(self, name: str) -> datetime | None:
        return next((entry.at for entry in self.since if entry.name == name), None)

    def goods_out(self, reference: GoodsOutRef) -> KnownGoodsOut | None:
        return next((known for known in self.goods_outs if known.reference == reference), None)

    def flying(self, wanted: str) -> Command | None:
        """The command in flight for an object."""
        return next((command for command in self.in_flight if command.object == wanted), None)

    @property
    def creates_in_flight(self) -> tuple[CreateGoodsOut, ...]:
        return tuple(command for command in self.in_flight if isinstance(command, CreateGoodsOut))


def first(brand: Brand, order: OrderId, now: datetime) -> OrderState:
    """The state of a key never seen before."""
    return OrderState(brand=brand, order=order, now=now)
