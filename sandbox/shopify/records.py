"""What a shop holds. Ids are whole numbers; on the wire they are gids. Times are aware UTC."""

from dataclasses import dataclass, field
from datetime import datetime

from sandbox.reads import Reads


@dataclass
class Address:
    """A shipping address; invented people only."""

    name: str
    address1: str
    city: str
    zip: str
    country_code: str
    phone: str = ""
    company: str = ""
    address2: str = ""
    province: str = ""


@dataclass
class Line:
    id: int
    sku: str | None
    quantity: int
    current_quantity: int
    price: str
    requires_shipping: bool = True
    pick_up: bool = False
    """The shopper fetches it: it goes into a fulfilment order of its own, by another delivery method."""
    grams: int = 250
    kit: dict[str, int] = field(default_factory=dict)
    """Of a bundle: how many of each product the warehouse is to put together."""


@dataclass
class FulfillmentOrderLine:
    id: int
    line: Line
    total: int
    remaining: int


@dataclass
class FulfillmentOrder:
    """`status` is Shopify's word: OPEN, SCHEDULED, ON_HOLD, IN_PROGRESS, CLOSED, CANCELLED."""

    id: int
    location: int
    lines: list[FulfillmentOrderLine]
    status: str = "OPEN"
    holds: list[str] = field(default_factory=list)
    updated_at: datetime | None = None
    method: str = "SHIPPING"

    @property
    def actions(self) -> list[str]:
        """What Shopify would let be done with it (recorded behaviour, Admin API 2026-04)."""
        match self.status:
            case "OPEN":
                return ["CREATE_FULFILLMENT", "HOLD", "MOVE", "SPLIT"]
            case "IN_PROGRESS":
                return ["CREATE_FULFILLMENT", "HOLD"]
            case "ON_HOLD":
                return ["HOLD", "MOVE", "RELEASE_HOLD"]
            case _:
                return []


@dataclass
class Fulfillment:
    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    units: list[tuple[Line, int]]
    location: int
    company: str = ""
    numbers: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    status: str = "SUCCESS"
    notified: int = 0
    """Mails the shopper got about it."""


@dataclass
class Order:
    """`routed_at` None: routing has not made fulfilment orders yet."""

    id: int
    name: str
    created_at: datetime
    updated_at: datetime
    lines: list[Line]
    shipping_title: str
    shipping_code: str
    financial_status: str
    address: Address | None
    email: str = ""
    phone: str = ""
    note: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)
    risk: str = "NONE"
    tags: list[str] = field(default_factory=list)
    currency: str = "GBP"
    cancelled_at: datetime | None = None
    routed_at: datetime | None = None
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    planted: str = ""
    """The case that whoever planted this order expects; such an order is never to be shipped."""
    on_account: bool = False
    """The shopper pays later, by invoice; staff decide whether it may go."""
    agreed_at: datetime | None = None
    """When they decided that it may, unpaid as it is."""
    fixed_at: datetime | None = None
    """Until then the shop lets the shopper change it, and nobody may have sent it."""
    chosen_before: list[tuple[datetime, str]] = field(default_factory=list)
    """Until when the shopper wanted it sent by another shipping line, and the code of that."""
    complete_at: datetime | None = None
    """When it first was paid, addressed and routed."""
    takes_from: dict[int, int] = field(default_factory=dict)
    """Line → location its units were taken from at the checkout; routing follows it unless told otherwise."""
    committed: dict[tuple[int, int], int] = field(default_factory=dict)
    """Units it holds per inventory item and location, as last booked."""
    reads: Reads = field(default_factory=Reads)
    """Of it as a whole; a place in a list of orders does not count."""

    @property
    def total(self) -> str:
        return f"{sum(float(line.price) * line.current_quantity for line in self.lines):.2f}"

    @property
    def weight(self) -> int:
        """Grams, of what is still wanted."""
        return sum(line.grams * line.current_quantity for line in self.lines)

    @property
    def complete(self) -> bool:
        """Nothing is missing for it to leave. What is planted stays planted."""
        return self.cancelled_at is None and self.lacks_nothing

    @property
    def lacks_nothing(self) -> bool:
        """The same, were it not cancelled."""
        return (
            (self.financial_status == "PAID" or self.agreed_at is not None)
            and self.address is not None
            and (self.address.country_code != "GB" or " " in self.address.zip)
            and bool(self.email)
            and self.risk in ("NONE", "ACCEPT")
            and self.routed_at is not None
        )
