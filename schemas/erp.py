"""What finance knows: the ERP's sales order and its posted fulfilments in our terms."""

from enum import StrEnum

from schemas.base import ErpOrderId, Frozen, GoodsOutRef, LineId, Sku, Units, Utc


class ErpOrderState(StrEnum):
    DRAFT = "draft"
    COMMITTED = "committed"
    """The sales order stands in the books; fulfilments may be posted against it."""
    DONE = "done"
    CANCELLED = "cancelled"
    OTHER = "other"

    @property
    def committed(self) -> bool:
        return self in (ErpOrderState.COMMITTED, ErpOrderState.DONE)


class FulfilmentState(StrEnum):
    OPEN = "open"
    """Known to the ERP, not in the books yet."""
    POSTED = "posted"
    CANCELLED = "cancelled"


class ErpLine(Frozen):
    line: LineId
    sku: Sku
    quantity: int


class ErpFulfilment(Frozen):
    """One shipment the ERP knows. `key` is `<goods-out reference>#<n>`: the ERP may post one goods-out in parts."""

    key: str
    goods_out: GoodsOutRef
    state: FulfilmentState
    posted_at: Utc | None = None
    lines: tuple[Units, ...] = ()


class ErpOrder(Frozen):
    """The ERP's sales order for one Shopify order, as last read."""

    id: ErpOrderId
    number: str
    state: ErpOrderState
    lines: tuple[ErpLine, ...] = ()
    fulfilments: tuple[ErpFulfilment, ...] = ()
