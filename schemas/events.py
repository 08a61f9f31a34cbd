"""The event log of an order: past tense, one total order per order. All that bears on it is one of these kinds."""

from enum import StrEnum

from schemas.actions import ActionKind
from schemas.base import Brand, Frozen, OrderId, OrderKey, Sku, System, Utc, order_key
from schemas.cases import CaseCode
from schemas.config import BrandConfig
from schemas.erp import ErpOrder
from schemas.goods_outs import GoodsOut
from schemas.items import ErpItem, Offer, Product
from schemas.orders import Order
from schemas.outcomes import Outcome
from schemas.stock import Balance, Level
from schemas.sweep import Stray


class Source(Frozen):
    """The record an event was made from. Offsets count per `topic` and partition of the `cluster`."""

    topic: str
    cluster: str
    partition: int
    offset: int


class OrderEvent(Frozen):
    """What every event carries. `source` is None for ticks only, which are born in the event log."""

    brand: Brand
    order: OrderId
    source: Source | None = None
    trace: str = ""

    @property
    def key(self) -> OrderKey:
        return order_key(self.brand, self.order)


class Seen(OrderEvent):
    """A snapshot. `epoch` is the offset of the ownership record of the connector that read it."""

    epoch: int
    read_started_at: Utc


class ShopifyOrderSeen(Seen):
    """The order as Shopify has it; None: Shopify says that there is no such order."""

    snapshot: Order | None


class GoodsOutsSeen(Seen):
    """Every goods-out Clarus has under this order's references. Absence counts only when `complete`:
    the same answer showed our account and warehouse.
    """

    goods_outs: tuple[GoodsOut, ...]
    complete: bool


class ErpOrderSeen(Seen):
    """The sales order as the ERP has it; None: the ERP says that there is none under our key."""

    snapshot: ErpOrder | None


class CommandEnded(OrderEvent):
    system: System
    epoch: int
    outcome: Outcome


class ConnectionState(StrEnum):
    WELL = "well"
    DOWN = "down"
    UNAUTHORISED = "unauthorised"
    RIGHTS_LOST = "rights_lost"


class ConnectionSeen(OrderEvent):
    """How a connection of a brand fares; `order` is `~<system>`."""

    system: System
    state: ConnectionState
    text: str = ""


class OrderListed(OrderEvent):
    """A sweep named the order: it is to be read from all three systems and compared."""

    system: System
    sweep: Utc


class SystemSwept(OrderEvent):
    """A sweep of a system came to its end; `order` is `~<system>`. See `schemas.sweep.SweepReport`."""

    system: System
    sweep: Utc
    orders: int
    strays: tuple[Stray, ...] = ()
    more: int = 0


class SnapshotUnreadable(OrderEvent):
    """An answer that could not be translated; the bytes are in the dead letters."""

    system: System
    reason: str


class OperatorActed(OrderEvent):
    """As in `schemas.actions.OperatorAction`."""

    action: ActionKind
    target: str = ""
    object: str = ""
    says: str = ""
    who: str
    why: str = ""


class ConfigChanged(OrderEvent):
    """The brand's configuration, in every partition. `order` is `~config`."""

    config: BrandConfig


class LevelSeen(Seen):
    """A stock item as Shopify has it."""

    level: Level


class BalanceSeen(Seen):
    """A stock item as Clarus has it. `token` is that of the newest request before the reading began: the offset in the
    event log of what was known when it was asked for.
    """

    token: int = -1
    balance: Balance
    complete: bool


class DemandSeen(OrderEvent):
    """Units that our goods-outs in one partition of `orders.events` still want though Shopify no longer commits them.

    Absolute; of two the one decided at the higher offset of that partition is the newer. Written by the orders agent.
    """

    partition: int
    decided_offset: int
    units: int


class ItemsSeen(Seen):
    """Every item of the ERP whose code becomes this product code. One is as it should be; none: the ERP has no such."""

    items: tuple[ErpItem, ...]


class ProductSeen(Seen):
    """The product as Clarus has it; None, when `complete`, that there is none of this code."""

    product: Product | None
    complete: bool


class OffersSeen(Seen):
    """Every variant of the shop whose SKU becomes this product code; none: the shop has no such."""

    offers: tuple[Offer, ...]


class GapsCounted(OrderEvent):
    """Of one partition of `items.events`: about how many items have this gap and no case of their own; some of them.

    Absolute; of two the one decided at the higher offset of that partition is the newer. Written by the items agent.
    """

    partition: int
    decided_offset: int
    gap: CaseCode
    items: int
    """Rounded down to one of few figures, so that it is not told at every item."""
    examples: tuple[Sku, ...] = ()


class ItemWanted(OrderEvent):
    """An order was refused for want of this item. Written by the orders agent; said twice, it changes nothing."""

    by: OrderId


class ItemMade(OrderEvent):
    """Clarus has a product that this order waits for. Written by the items agent; said twice, it changes nothing."""

    code: Sku


class Tick(OrderEvent):
    """Time as a record. Its append time is what counts; `brand` and `order` are `~tick`."""

    at: Utc


EVENT_KINDS: tuple[type[OrderEvent], ...] = (
    ShopifyOrderSeen,
    GoodsOutsSeen,
    ErpOrderSeen,
    CommandEnded,
    ConnectionSeen,
    OrderListed,
    SystemSwept,
    SnapshotUnreadable,
    OperatorActed,
    ConfigChanged,
    ItemMade,
    Tick,
)

STOCK_EVENT_KINDS: tuple[type[OrderEvent], ...] = (
    LevelSeen,
    BalanceSeen,
    DemandSeen,
    CommandEnded,
    SnapshotUnreadable,
    OperatorActed,
    ConfigChanged,
    Tick,
)
"""Of `stock.events`: `order` is a stock item's id, see `schemas.aggregates`."""

ITEM_EVENT_KINDS: tuple[type[OrderEvent], ...] = (
    ItemsSeen,
    ProductSeen,
    OffersSeen,
    GapsCounted,
    ItemWanted,
    CommandEnded,
    SnapshotUnreadable,
    OperatorActed,
    ConfigChanged,
    Tick,
)
"""Of `items.events`: `order` is an item's id, see `schemas.aggregates`."""

CONFIG_ID = OrderId("~config")
TICK_BRAND = Brand("~tick")
TICK_ID = OrderId("~tick")
