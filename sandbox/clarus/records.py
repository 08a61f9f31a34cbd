"""What the sandbox Clarus keeps: plain records, linked to each other. Ids are unique per kind over all tenants."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

ZERO = Decimal(0)


class Status(StrEnum):
    """Status codes of a goods-out; the ids are Clarus' defaults."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    PART_ALLOCATED = "PART_ALLOCATED"
    ALLOCATED = "ALLOCATED"
    PICK = "PICK"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"

    @property
    def id(self) -> int:
        return _STATUS_IDS[self]

    @property
    def untouched(self) -> bool:
        """A cancel in this state deletes the goods-out; amending and deleting are allowed in no other."""
        return self in (Status.DRAFT, Status.PENDING)

    @property
    def ended(self) -> bool:
        return self in (Status.COMPLETED, Status.CANCELLED)


_STATUS_IDS = {
    Status.DRAFT: 1,
    Status.PENDING: 2,
    Status.PICK: 3,
    Status.ALLOCATED: 5,
    Status.COMPLETED: 6,
    Status.PART_ALLOCATED: 7,
    Status.CANCELLED: 8,
}


@dataclass(frozen=True, slots=True)
class Account:
    """An owner of stock: a brand."""

    id: int
    tenant: str
    code: str


@dataclass(frozen=True, slots=True)
class Warehouse:
    id: int
    tenant: str
    code: str


@dataclass(frozen=True, slots=True)
class Carrier:
    id: int
    tenant: str
    code: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class CarrierService:
    id: int
    carrier: Carrier
    code: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Integration:
    """One of Clarus' own connections to another system."""

    id: int
    tenant: str
    name: str
    provider: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class StockUnitType:
    """What a product's stock is counted in."""

    id: int
    tenant: str
    code: str


@dataclass(slots=True)
class Product:
    """`code` is text to the last zero; `accounts` are those it is assigned to."""

    id: int
    tenant: str
    code: str
    description: str
    accounts: set[int] = field(default_factory=set)
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Line:
    """`allocated` counts all that was allocated and not freed: units picked and despatched too."""

    id: int
    goods_out: int
    product: Product
    ordered: Decimal
    created_at: datetime
    allocated: Decimal = ZERO
    picked: Decimal = ZERO
    despatched: Decimal = ZERO
    shorted: Decimal = ZERO
    attributes: dict[str, Any] = field(default_factory=dict)
    """What the caller wrote besides: alt_product_code, external_system_reference1, …"""

    @property
    def owed(self) -> Decimal:
        """Units that still have to leave."""
        return max(ZERO, self.ordered - self.shorted - self.despatched)


@dataclass(slots=True)
class Package:
    """A parcel; its number may come after it left."""

    id: int
    shipment: int | None
    """None: somebody packed it and put it into no shipment."""
    tracking_number: str | None
    tenant: str = ""
    """Of one without a shipment, which nothing else tells."""


@dataclass(slots=True)
class Shipment:
    """What left at one time."""

    id: int
    goods_out: int
    reference: str
    packages: list[Package]
    status: str = "dispatched"


@dataclass(slots=True)
class GoodsOut:
    id: int
    tenant: str
    account: Account
    warehouse: Warehouse | None
    reference: str
    created_at: datetime
    updated_at: datetime
    status: Status = Status.PENDING
    carrier: Carrier | None = None
    service: CarrierService | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    """What the caller wrote besides: goods_out_type, priority, notes, external_system_reference1, …"""
    address: dict[str, Any] = field(default_factory=dict)
    lines: dict[int, Line] = field(default_factory=dict)
    shipments: dict[int, Shipment] = field(default_factory=dict)
    actual_date_of_dispatch: datetime | None = None
    """Of the latest despatch."""


@dataclass(frozen=True, slots=True)
class PickRequest:
    """One goods-out of one `process_picks_async`, and how that ended."""

    id: int
    process_reference: str
    goods_out: int
    status: str
    updated_at: datetime
    message: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """`source_path` is dotted, from the payload's root: `data.account_id`."""

    source_path: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Automation:
    """When this happens to that kind of record, and the conditions hold, call the URL."""

    id: int
    tenant: str
    resource: str
    event: str
    webhook_url: str
    name: str = ""
    enabled: bool = True
    conditions: tuple[Condition, ...] = ()
