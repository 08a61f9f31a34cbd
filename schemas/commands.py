"""What a system should be told: imperative, absolute, safe to repeat.

A command names an object and a generation. Connectors look before they write; `decided_partition` and `decided_offset`
say which record of `orders.events` decided it, and so which of two commands is the newer.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from schemas.base import (
    Brand,
    CommandId,
    Frozen,
    FulfilmentId,
    FulfilmentOrderId,
    FulfilmentOrderLineId,
    GoodsOutId,
    GoodsOutRef,
    LineId,
    LocationId,
    Money,
    OrderId,
    OrderKey,
    Sku,
    System,
    Units,
    Utc,
    order_key,
)
from schemas.goods_outs import GoodsOutStatus
from schemas.items import ErpItemId, ProductId
from schemas.orders import Address
from schemas.stock import InventoryItemId


class Decided(Frozen):
    """What every command carries. `id` is unique per decision and the same in every replay."""

    id: CommandId
    brand: Brand
    order: OrderId
    object: str
    generation: int = 1
    fingerprint: str
    """Of the fields sent: a rejected command stays silent until it changes."""
    decided_at: Utc
    decided_partition: int
    decided_offset: int
    trace: str = ""

    @property
    def key(self) -> OrderKey:
        return order_key(self.brand, self.order)

    @model_serializer(mode="wrap")
    def _with_kind(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The kind is written even where defaults are left out: it is how a reader knows what lies there."""
        return {**handler(self), "kind": type(self).__name__}


class GoodsOutUnits(Frozen):
    """So many units of a SKU for one order line. `sku` is Clarus' product code, `shop_sku` what the shopper saw."""

    line: LineId
    sku: Sku
    shop_sku: Sku
    quantity: int
    each: int = 0
    """Of a bundle's component: how many of it one bundle takes; `quantity` is a multiple of it. 0: no component."""


class CreateGoodsOut(Decided):
    """Ask the warehouse for these units. Object `goods-out:<reference>`."""

    kind: Literal["CreateGoodsOut"] = "CreateGoodsOut"
    reference: GoodsOutRef
    order_name: str
    fulfilment_order: FulfilmentOrderId
    location: LocationId
    account: str
    warehouse: str
    carrier: str
    service: str
    shipping_line: str = ""
    """The shopper's choice that carrier and service stand for, in words."""
    priority: int = 50
    order_notes: str = ""
    ship_to: Address
    lines: tuple[GoodsOutUnits, ...]
    known_goods_outs: tuple[GoodsOutRef, ...] = ()
    """Those of this order the decision knew of: the look finds another → rejected(unknown_goods_out)."""


class CancelGoodsOut(Decided):
    """Cancel a goods-out while it is in one of these states. Object `goods-out:<reference>`."""

    kind: Literal["CancelGoodsOut"] = "CancelGoodsOut"
    reference: GoodsOutRef
    goods_out: GoodsOutId
    only_if: tuple[GoodsOutStatus, ...]


class ErpLineWanted(Frozen):
    line: LineId
    sku: Sku
    quantity: int
    unit_price: Money


class UpsertErpOrder(Decided):
    """The ERP shall hold this sales order. Object `erp-order`."""

    kind: Literal["UpsertErpOrder"] = "UpsertErpOrder"
    order_name: str
    ordered_at: Utc
    currency: str
    lines: tuple[ErpLineWanted, ...]


class PostFulfilment(Decided):
    """The ERP shall have posted *in all* these units of this goods-out. Object `erp-fulfilment:<reference>`."""

    kind: Literal["PostFulfilment"] = "PostFulfilment"
    goods_out: GoodsOutRef
    target: tuple[Units, ...]
    despatched_at: Utc | None = None


class TellUnits(Frozen):
    line: LineId
    fulfilment_order: FulfilmentOrderId
    fulfilment_order_line: FulfilmentOrderLineId
    quantity: int


class Tracking(Frozen):
    """`company` in Shopify's spelling, which builds the link itself; else `urls`."""

    company: str = ""
    numbers: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


class CreateFulfilment(Decided):
    """Tell the shopper that these units left. Object `fulfilment:<reference>`, generation counts the tellings."""

    kind: Literal["CreateFulfilment"] = "CreateFulfilment"
    goods_out: GoodsOutRef
    lines: tuple[TellUnits, ...]
    tracking: Tracking
    notify: bool = True
    known_fulfilments: tuple[FulfilmentId, ...] = ()
    """Those of the order the decision knew of: the look finds another → rejected(unknown_fulfilment)."""


class UpdateTracking(Decided):
    """Give a fulfilment that was told without tracking its tracking. Object `tracking:<fulfilment>`."""

    kind: Literal["UpdateTracking"] = "UpdateTracking"
    fulfilment: FulfilmentId
    tracking: Tracking
    notify: bool = True


class SetOnHand(Decided):
    """Shopify shall have so many units on hand, if it still has `compare`. Object `on-hand`.

    Its idempotency key is made from the decision (partition, offset), never from the figures: 10 → 8 may be right
    twice.
    """

    kind: Literal["SetOnHand"] = "SetOnHand"
    item: InventoryItemId
    location: LocationId
    quantity: int
    compare: int
    why: str = ""
    """The cause of the difference, in a word; see `streams.rules.stock.causes`."""


class CreateProduct(Decided):
    """Clarus shall have a product of this code, assigned to the account. Object `product`.

    One that has the code already is taken for it when it is assigned to the account, or was made by us for this item.
    """

    kind: Literal["CreateProduct"] = "CreateProduct"
    item: ErpItemId
    code: Sku
    account: str
    stock_unit: str
    description: str
    barcode: str = ""


class AmendProduct(Decided):
    """The product shall say this; a field that is '' is left alone. Object `product`."""

    kind: Literal["AmendProduct"] = "AmendProduct"
    product: ProductId
    code: Sku
    account: str
    description: str = ""
    barcode: str = ""


class Withdraw(Decided):
    """Do not carry out the command on this object any more, if it has not been. Answered by the other's outcome."""

    kind: Literal["Withdraw"] = "Withdraw"
    system: System
    withdrawn: CommandId


Command = Annotated[
    CreateGoodsOut
    | CancelGoodsOut
    | UpsertErpOrder
    | PostFulfilment
    | CreateFulfilment
    | UpdateTracking
    | SetOnHand
    | CreateProduct
    | AmendProduct
    | Withdraw,
    Field(discriminator="kind"),
]

COMMAND_KINDS: tuple[type[Decided], ...] = (
    CreateGoodsOut,
    CancelGoodsOut,
    UpsertErpOrder,
    PostFulfilment,
    CreateFulfilment,
    UpdateTracking,
    SetOnHand,
    CreateProduct,
    AmendProduct,
    Withdraw,
)


def command_id(brand: Brand, order: OrderId, partition: int, offset: int, index: int) -> CommandId:
    """Of the `index`-th command that the event at this place decided for an order. A tick decides for many orders."""
    return CommandId(f"{partition}.{offset}.{brand}/{order}.{index}")


def system_of(command: Command) -> System:
    """Which system a command is for."""
    match command:
        case CreateGoodsOut() | CancelGoodsOut() | CreateProduct() | AmendProduct():
            return System.CLARUS
        case UpsertErpOrder() | PostFulfilment():
            return System.ERP
        case CreateFulfilment() | UpdateTracking() | SetOnHand():
            return System.SHOPIFY
        case Withdraw():
            return command.system
