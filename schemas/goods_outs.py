"""What the warehouse was asked for and what left: Clarus' goods-outs, packages and tracking in our terms."""

from enum import StrEnum

from schemas.base import Frozen, GoodsOutId, GoodsOutRef, LineId, Sku, Utc


class GoodsOutStatus(StrEnum):
    """Clarus' status codes. COMPLETED means despatched *or* shorted and closed: decide by quantities."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    PART_ALLOCATED = "PART_ALLOCATED"
    ALLOCATED = "ALLOCATED"
    PICK = "PICK"
    PART = "PART"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    OTHER = "OTHER"

    @property
    def ended(self) -> bool:
        return self in (GoodsOutStatus.COMPLETED, GoodsOutStatus.CANCELLED)

    @property
    def untouched(self) -> bool:
        """Nobody on the floor has begun; a cancel in this state deletes the goods-out."""
        return self in (GoodsOutStatus.DRAFT, GoodsOutStatus.PENDING)


class GoodsOutLine(Frozen):
    """One line; `line` is Shopify's line item, which we wrote there when creating it ('' when it is not ours)."""

    id: str
    line: LineId
    sku: Sku
    ordered: int
    allocated: int = 0
    picked: int = 0
    despatched: int = 0
    each: int = 0
    """Of a component: how many of it one unit of the order's line takes. 0: it is the line itself."""


class Package(Frozen):
    """One parcel. Clarus has no tracking URL, and the number may come after the despatch."""

    id: str
    tracking_number: str = ""
    shipment: str = ""


class Shipment(Frozen):
    """A consignment with a carrier. Of the statuses only `dispatched` is documented (list of shipments)."""

    id: str
    reference: str = ""
    status: str = ""
    """As Clarus has it, in small letters."""

    @property
    def failed(self) -> bool:
        """The carrier did not take it. The words are our assumption."""
        return any(word in self.status for word in ("fail", "error", "reject", "refuse"))


class GoodsOut(Frozen):
    """A goods-out as last read, with lines and packages."""

    id: GoodsOutId
    reference: GoodsOutRef
    status: GoodsOutStatus
    account: str
    warehouse: str
    carrier: str = ""
    service: str = ""
    despatched_at: Utc | None = None
    lines: tuple[GoodsOutLine, ...] = ()
    packages: tuple[Package, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    """Without what only says that all is well: those that are not `dispatched`."""
