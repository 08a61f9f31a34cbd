"""What is known of one order, folded from its events. `absorb` makes the next one; nothing else does."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256

from schemas.base import (
    Brand,
    Frozen,
    FulfilmentId,
    FulfilmentOrderId,
    GoodsOutId,
    GoodsOutRef,
    OrderId,
    Sku,
    System,
    Units,
    Utc,
)
from schemas.cases import Case, CaseCode
from schemas.commands import Command, CreateFulfilment, CreateGoodsOut, Decided, Withdraw
from schemas.erp import ErpOrder
from schemas.events import ConnectionState, Source
from schemas.goods_outs import GoodsOut, GoodsOutLine
from schemas.orders import Address, Order
from schemas.sweep import Comparison, Stray
from streams.rules.orders.once import once

DEAD = timedelta(minutes=10)
"""A command this old is not carried out any more: connectors let it expire sooner, and hold a key a minute."""


class Reached(Frozen):
    """The offset reached in one partition of one source topic of one cluster."""

    topic: str
    cluster: str
    partition: int
    offset: int

    def is_of(self, source: Source) -> bool:
        """Whether it is about the partition that this record lies in."""
        return self.topic == source.topic and self.partition == source.partition and self.cluster == source.cluster


class SentBy(Frozen):
    """How a goods-out is to go, as it was asked for: the order's shipping line then, and what that meant."""

    shipping_line: str
    carrier: str
    service: str


class KnownGoodsOut(Frozen):
    """A goods-out of this order, as last seen or, until then, as we were told it was made."""

    goods_out: GoodsOut
    fulfilment_order: FulfilmentOrderId
    generation: int
    sent_to: str = ""
    """A mark of the address it was made with, see `address_mark`; '' when it was not our create that told us."""
    sent_by: SentBy | None = None
    """None when it was not our create that told us."""
    made_as: str = ""
    """A mark of the lines it was made with, or of those first seen, see `lines_mark`; '' where none was kept yet."""
    doubles: tuple[GoodsOutId, ...] = ()
    """Others that bear the same reference, and that left or may still: Clarus does not keep references unique."""
    open_doubles: tuple[GoodsOut, ...] = ()
    """Of those the ones that may still leave, as last seen: they take from stock."""
    absent: int = 0
    """Complete answers in a row that did not show it; counted to two."""
    missing_at: Utc | None = None
    """Since when it is missing."""
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

    @property
    def changed_in_clarus(self) -> bool:
        """Its lines or what was ordered on them are others than it was made with: no command of ours changes them."""
        return self.made_as not in ("", lines_mark(self.goods_out.lines))


class Telling(Frozen):
    """A fulfilment that we made, as its outcome said. Stays when Shopify's staff cancel it."""

    fulfilment: FulfilmentId
    goods_out: GoodsOutRef
    lines: tuple[Units, ...]
    numbers: tuple[str, ...] = ()


class Refusal(Frozen):
    """A command that was rejected: silent until its fields change, its back-off passes or an operator retries. It stays
    until the system accepts the command, or nobody wants it any more: till then it is a case.
    """

    object: str
    system: System
    fingerprint: str
    code: str
    field: str = ""
    text: str = ""
    tries: int = 1
    at: Utc
    again: bool = False
    """A person asked for another try, or what was missing is there: its back-off is over."""
    lacks: tuple[Sku, ...] = ()
    """Product codes that Clarus did not have, of a goods-out that was refused for it."""


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


class Taken(Frozen):
    """A person took an open case."""

    code: CaseCode
    object: str
    by: str


class Answered(Frozen):
    """What a person decided for good: the answer to a case's question. `detail` is what the case said then."""

    code: CaseCode
    object: str
    detail: str
    answer: str
    who: str
    why: str
    at: Utc


class Overridden(Frozen):
    """A hold that a person overrode: it keeps this order back no more."""

    code: CaseCode
    who: str
    why: str
    at: Utc


class WithheldUnits(Frozen):
    """Units of a stock item that this order's goods-outs still want though Shopify no longer commits them."""

    item: OrderId
    units: int


class Sweeping(Frozen):
    """Of a connection: its newest sweep, and the one that is wanted."""

    newest: Utc
    """The moment the newest one that ended was for; before the first, since when there are any."""
    wanted: Utc | None = None
    ended: Utc | None = None
    orders: int = 0
    """Orders that one named."""
    strays: tuple[Stray, ...] = ()
    more: int = 0
    """Strays it did not name."""


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
    began_unseen: bool = False
    """Fulfilled, refunded or closed in part when this key was first seen, or seen again after it had left the state."""
    goods_outs: tuple[KnownGoodsOut, ...] = ()
    clarus_read: bool = False
    """A complete answer of Clarus has been seen."""
    clarus_doubted: bool = False
    """When this was planned, so many of the brand's goods-outs were newly missing that absence was not believed."""
    erp: ErpOrder | None = None
    erp_read: bool = False
    tellings: tuple[Telling, ...] = ()
    untold: tuple[CreateFulfilment, ...] = ()
    """Tellings without tracking that may have been done although nobody could say so; the newest per object."""
    unreadable: tuple[Unread, ...] = ()

    in_flight: tuple[Command, ...] = ()
    """Without outcome yet, verbatim; the newest per object."""
    withdrawn: tuple[Withdraw, ...] = ()
    """Of those in flight that are not wanted any more, verbatim; their units still count until the outcome comes."""
    refusals: tuple[Refusal, ...] = ()
    delays: tuple[Delay, ...] = ()
    done: tuple[Done, ...] = ()
    would_send: tuple[str, ...] = ()
    """In observe mode: what would have been sent, in words."""

    ask: tuple[System, ...] = ()
    """Systems to be read again at once; emptied by the plan that asks."""
    ask_gently: tuple[System, ...] = ()
    """The same, behind all that orders need: a sweep asks."""
    since: tuple[Since, ...] = ()
    rereads: tuple[Reread, ...] = ()
    cases: tuple[Case, ...] = ()
    closed_cases: tuple[Case, ...] = ()
    """Those closed a moment ago."""
    closed_by_person: tuple[Closed, ...] = ()
    taken: tuple[Taken, ...] = ()
    answers: tuple[Answered, ...] = ()
    overridden: tuple[Overridden, ...] = ()

    comparison: Comparison | None = None
    """In the newest sweep that named the order."""

    connection: ConnectionState | None = None
    connection_text: str = ""
    sweeping: Sweeping | None = None

    withheld: tuple[WithheldUnits, ...] = ()
    """What is told to the stock items; see `demand`."""
    at_rest_since: Utc | None = None
    """Since when there is nothing to do."""
    wake_at: Utc | None = None
    config_version: int = 0

    def since_of(self, name: str) -> datetime | None:
        return next((entry.at for entry in self.since if entry.name == name), None)

    def goods_out(self, reference: GoodsOutRef) -> KnownGoodsOut | None:
        return next((known for known in self.goods_outs if known.reference == reference), None)

    def flying(self, wanted: str) -> Command | None:
        """The command in flight for an object."""
        return next((command for command in self.in_flight if command.object == wanted), None)

    def asking(self, *systems: System) -> "OrderState":
        """The same, with these systems to be read again at once."""
        wanted = set(self.ask) | set(systems)
        return self.model_copy(update={"ask": tuple(system for system in System if system in wanted)})

    def with_goods_out(self, reference: GoodsOutRef, **changes: object) -> "OrderState":
        """The same, with one goods-out changed; what is not known stays unknown."""
        known = tuple(one.model_copy(update=changes) if one.reference == reference else one for one in self.goods_outs)
        return self.model_copy(update={"goods_outs": known})

    def to_send_again(self, committed: int) -> tuple[Command, ...]:
        """In flight, for a worker that starts at `committed`; withdrawals after what they withdraw.

        What was decided before is acknowledged by the broker: a withdrawn command that went out once is not sent
        behind its withdrawal, where nothing would stop it.
        """
        out = (one for one in self.in_flight if not self.is_withdrawn(one) or one.decided_offset >= committed)
        return (*out, *self.withdrawn)

    def is_withdrawn(self, command: Decided) -> bool:
        return any(one.withdrawn == command.id for one in self.withdrawn)

    @property
    def creates_in_flight(self) -> tuple[CreateGoodsOut, ...]:
        return tuple(command for command in self.in_flight if isinstance(command, CreateGoodsOut))


def first(brand: Brand, order: OrderId, now: datetime) -> OrderState:
    """The state of a key never seen before."""
    return OrderState(brand=brand, order=order, now=now)


def address_mark(reference: GoodsOutRef, address: Address) -> str:
    """Equal for equal addresses of one goods-out; does not show the address."""
    return _mark_of(address, reference)


@once
def _mark_of(address: Address, reference: GoodsOutRef) -> str:
    return sha256(f"{reference} {address.model_dump_json()}".encode()).hexdigest()[:16]


def lines_mark(lines: Iterable[GoodsOutLine]) -> str:
    """Equal for equal wishes: which products, how many, for which lines of the order."""
    wishes = sorted((one.line, one.sku, one.ordered) for one in lines)
    return sha256(repr(wishes).encode()).hexdigest()[:16]
