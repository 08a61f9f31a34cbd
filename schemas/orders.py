"""What was ordered: Shopify's order in our terms."""

import re
from enum import StrEnum

from schemas.base import (
    Frozen,
    FulfilmentId,
    FulfilmentOrderId,
    FulfilmentOrderLineId,
    LineId,
    LocationId,
    Money,
    OrderId,
    Sku,
    Units,
    Utc,
)


class FinancialStatus(StrEnum):
    """Shopify's `displayFinancialStatus`; a value we do not know becomes OTHER and never pays for anything."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"
    OTHER = "OTHER"


class FulfilmentOrderStatus(StrEnum):
    """Shopify's `FulfillmentOrderStatus`; unknown becomes OTHER and is never released."""

    OPEN = "OPEN"
    SCHEDULED = "SCHEDULED"
    ON_HOLD = "ON_HOLD"
    IN_PROGRESS = "IN_PROGRESS"
    INCOMPLETE = "INCOMPLETE"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    OTHER = "OTHER"

    @property
    def ended(self) -> bool:
        return self in (FulfilmentOrderStatus.CLOSED, FulfilmentOrderStatus.CANCELLED)


class RiskAdvice(StrEnum):
    """What Shopify's risk analysis recommends (`OrderRiskSummary.recommendation`); unknown becomes OTHER."""

    ACCEPT = "ACCEPT"
    INVESTIGATE = "INVESTIGATE"
    CANCEL = "CANCEL"
    NONE = "NONE"
    OTHER = "OTHER"


class Address(Frozen):
    """Where it goes. Personal."""

    name: str = ""
    company: str = ""
    line1: str = ""
    line2: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country_code: str = ""
    phone: str = ""
    email: str = ""


class NoteAttribute(Frozen):
    """One of the shopper's `customAttributes` of the cart: a gift message, a wish. Personal."""

    name: str
    value: str = ""


class Personal(Frozen):
    """Everything personal in an order, in one place, so that a key per order can encrypt and erase it."""

    ship_to: Address | None = None
    note: str = ""
    attributes: tuple[NoteAttribute, ...] = ()


_LIKE_A_PERSON = re.compile(r"@|\d{6}")


def is_like_a_person(tag: str) -> bool:
    """An address or a telephone number: some put such into a tag, and nothing that people are shown repeats it."""
    return _LIKE_A_PERSON.search(tag) is not None


class OrderLine(Frozen):
    """A line item. `quantity` is as ordered and never shrinks; `current_quantity` is after edits and refunds."""

    id: LineId
    sku: Sku
    quantity: int
    current_quantity: int
    unit_price: Money
    requires_shipping: bool = True


class ShippingLine(Frozen):
    title: str
    code: str = ""


class FulfilmentOrderLine(Frozen):
    """`remaining` is what is still to be fulfilled, the only figure to pick by."""

    id: FulfilmentOrderLineId
    line: LineId
    sku: Sku
    total: int
    remaining: int


class FulfilmentOrder(Frozen):
    """Part of an order at one location. Made by Shopify's routing, a little after the order."""

    id: FulfilmentOrderId
    status: FulfilmentOrderStatus
    location: LocationId
    location_name: str = ""
    method: str = "SHIPPING"
    can_fulfil: bool = True
    """`CREATE_FULFILLMENT` is among Shopify's supported actions."""
    holds: tuple[str, ...] = ()
    fulfil_at: Utc | None = None
    lines: tuple[FulfilmentOrderLine, ...] = ()


class Fulfilment(Frozen):
    """What Shopify has told the shopper, or told and took back (`cancelled`)."""

    id: FulfilmentId
    name: str = ""
    location: LocationId | None = None
    """Where it was processed."""
    cancelled: bool = False
    company: str = ""
    tracking_numbers: tuple[str, ...] = ()
    lines: tuple[Units, ...] = ()


class Order(Frozen):
    """A Shopify order as last read, whole: all pages of every nested list."""

    id: OrderId
    name: str
    created_at: Utc
    updated_at: Utc
    cancelled_at: Utc | None = None
    financial_status: FinancialStatus
    currency: str
    total: Money
    tags: tuple[str, ...] = ()
    test: bool = False
    risk: RiskAdvice = RiskAdvice.NONE
    weight: int = 0
    """Grams, of what is still wanted."""
    lines: tuple[OrderLine, ...] = ()
    shipping_lines: tuple[ShippingLine, ...] = ()
    fulfilment_orders: tuple[FulfilmentOrder, ...] = ()
    fulfilments: tuple[Fulfilment, ...] = ()
    personal: Personal = Personal()
