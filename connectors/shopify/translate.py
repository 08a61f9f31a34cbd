"""An order as Shopify answered it, into our terms. Pure.

The body is one order of the document `ReadOrders` (Admin API 2026-10) with every connection joined to
`{"nodes": […]}`. Ids become the numbers inside Shopify's gids, money exact decimals, times UTC; a word we do not know
becomes OTHER, and what Shopify may leave out (address, SKU of a custom line) is empty, never a reason to refuse.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import orjson

from schemas.base import (
    FulfilmentId,
    FulfilmentOrderId,
    FulfilmentOrderLineId,
    LineId,
    LocationId,
    Money,
    OrderId,
    Sku,
    Units,
)
from schemas.errors import Unreadable
from schemas.orders import (
    Address,
    FinancialStatus,
    Fulfilment,
    FulfilmentOrder,
    FulfilmentOrderLine,
    FulfilmentOrderStatus,
    NoteAttribute,
    Order,
    OrderLine,
    Personal,
    RiskAdvice,
    ShippingLine,
)

T = TypeVar("T")

CREATE_FULFILMENT = "CREATE_FULFILLMENT"
NOT_TOLD = frozenset({"CANCELLED", "ERROR", "FAILURE"})
"""`FulfillmentStatus` in which nothing stands: cancelled, or a service's request that failed."""
TYPES: Final[dict[type, str]] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


def translate_order(body: bytes) -> Order:
    """Raises Unreadable with the path, what was expected there and what was found."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("body", "JSON", str(error)) from error
    if not isinstance(read, dict):
        raise Unreadable("body", "an object", type(read).__name__)
    return _order(_Node(read, "order"))


class _Node:
    """A JSON object that knows its path, so that what is wrong in it can be named."""

    def __init__(self, fields: Mapping[str, Any], path: str) -> None:
        self._fields, self.path = fields, path

    def text(self, name: str) -> str:
        return self._typed(name, str)

    def text_or_empty(self, name: str) -> str:
        return self._typed(name, str) if self._fields.get(name) is not None else ""

    def whole(self, name: str) -> int:
        return self._typed(name, int)

    def flag(self, name: str) -> bool:
        return self._typed(name, bool)

    def flag_or_false(self, name: str) -> bool:
        return self._fields.get(name) is not None and self.flag(name)

    def grams(self, name: str) -> int:
        """An `UnsignedInt64`, which travels as text; 0 where it is left out."""
        value = self._fields.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value or 0
        if not isinstance(value, str) or not (value.isascii() and value.isdigit()):
            raise Unreadable(f"{self.path}.{name}", "a whole number as text", repr(value))
        return int(value)

    def id(self, name: str, kind: str) -> str:
        """The number of a gid of this kind."""
        value = self.text(name)
        head, _, number = value.partition("?")[0].rpartition("/")
        if head != f"gid://shopify/{kind}" or not number:
            raise Unreadable(f"{self.path}.{name}", f"gid://shopify/{kind}/NUMBER", repr(value))
        return number

    def moment(self, name: str) -> datetime:
        value = self.text(name)
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise Unreadable(f"{self.path}.{name}", "an ISO 8601 time with its zone", repr(value))
        return at.astimezone(UTC)

    def moment_or_none(self, name: str) -> datetime | None:
        return self.moment(name) if self._fields.get(name) is not None else None

    def money(self, name: str) -> Money:
        """Of a MoneyBag the amount in the shop's currency."""
        shop = self.node(name).node("shopMoney")
        value = shop.text("amount")
        try:
            amount = Decimal(value)
        except InvalidOperation:
            raise Unreadable(f"{shop.path}.amount", "a decimal", repr(value)) from None
        return Money(amount=amount, currency=shop.text("currencyCode"))

    def node(self, name: str) -> "_Node":
        return _Node(self._typed(name, dict), f"{self.path}.{name}")

    def node_or_none(self, name: str) -> "_Node | None":
        return self.node(name) if self._fields.get(name) is not None else None

    def nodes(self, name: str) -> "list[_Node]":
        """The members of a plain list of objects."""
        return [
            _Node(_checked(one, dict, f"{self.path}.{name}[{index}]"), f"{self.path}.{name}[{index}]")
            for index, one in enumerate(self._typed(name, list))
        ]

    def nodes_or_none(self, name: str) -> "list[_Node]":
        """The same; none where it is left out."""
        return self.nodes(name) if self._fields.get(name) is not None else []

    def connection(self, name: str) -> "list[_Node]":
        """The members of a connection, which must be whole: cut lines would mean short shipments."""
        joined = self.node(name)
        if "pageInfo" in joined._fields:
            raise Unreadable(joined.path, "all pages joined", "one page with its pageInfo")
        return joined.nodes("nodes")

    def texts(self, name: str) -> tuple[str, ...]:
        path = f"{self.path}.{name}"
        return tuple(_checked(one, str, f"{path}[{index}]") for index, one in enumerate(self._typed(name, list)))

    def _typed(self, name: str, kind: type[T]) -> T:
        if name not in self._fields:
            raise Unreadable(f"{self.path}.{name}", TYPES[kind], "nothing")
        return _checked(self._fields[name], kind, f"{self.path}.{name}")


def _checked(value: object, kind: type[T], path: str) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        found = "null" if value is None else type(value).__name__
        raise Unreadable(path, TYPES[kind], found)
    return value


def _order(order: _Node) -> Order:
    total = order.money("currentTotalPriceSet")
    return Order(
        id=OrderId(order.id("id", "Order")),
        name=order.text("name"),
        created_at=order.moment("createdAt"),
        updated_at=order.moment("updatedAt"),
        cancelled_at=order.moment_or_none("cancelledAt"),
        financial_status=_financial_status(order.text_or_empty("displayFinancialStatus")),
        currency=order.text("currencyCode"),
        total=total,
        tags=order.texts("tags"),
        test=order.flag("test"),
        risk=_risk(order),
        weight=order.grams("currentTotalWeight"),
        lines=tuple(_line(line) for line in order.connection("lineItems")),
        shipping_lines=tuple(
            ShippingLine(title=line.text("title"), code=line.text_or_empty("code"))
            for line in order.connection("shippingLines")
            if not line.flag_or_false("isRemoved")
        ),
        fulfilment_orders=tuple(_fulfilment_order(one) for one in order.connection("fulfillmentOrders")),
        fulfilments=tuple(_fulfilment(one) for one in order.nodes("fulfillments")),
        personal=Personal(
            ship_to=_address(order),
            note=order.text_or_empty("note"),
            attributes=tuple(
                NoteAttribute(name=one.text("key"), value=one.text_or_empty("value"))
                for one in order.nodes_or_none("customAttributes")
            ),
        ),
    )


def _line(line: _Node) -> OrderLine:
    return OrderLine(
        id=LineId(line.id("id", "LineItem")),
        sku=Sku(line.text_or_empty("sku")),
        quantity=line.whole("quantity"),
        current_quantity=line.whole("currentQuantity"),
        unit_price=line.money("discountedUnitPriceAfterAllDiscountsSet"),
        requires_shipping=line.flag("requiresShipping"),
    )


def _fulfilment_order(one: _Node) -> FulfilmentOrder:
    assigned = one.node("assignedLocation")
    location = assigned.node_or_none("location")  # null once the location is deleted
    method = one.node_or_none("deliveryMethod")  # null on orders made without a shipping line
    actions = {action.text("action") for action in one.nodes("supportedActions")}
    return FulfilmentOrder(
        id=FulfilmentOrderId(one.id("id", "FulfillmentOrder")),
        status=_fulfilment_order_status(one.text("status")),
        location=LocationId(location.id("id", "Location") if location is not None else ""),
        location_name=assigned.text_or_empty("name"),
        method=method.text("methodType") if method is not None else "SHIPPING",
        can_fulfil=CREATE_FULFILMENT in actions,
        holds=tuple(hold.text("reason") for hold in one.nodes("fulfillmentHolds")),
        fulfil_at=one.moment_or_none("fulfillAt"),
        lines=tuple(
            FulfilmentOrderLine(
                id=FulfilmentOrderLineId(line.id("id", "FulfillmentOrderLineItem")),
                line=LineId(line.node("lineItem").id("id", "LineItem")),
                sku=Sku(line.text_or_empty("sku")),
                total=line.whole("totalQuantity"),
                remaining=line.whole("remainingQuantity"),
            )
            for line in one.connection("lineItems")
        ),
    )


def _fulfilment(one: _Node) -> Fulfilment:
    tracking = one.nodes("trackingInfo")
    location = one.node_or_none("location")  # null once the location is deleted
    return Fulfilment(
        id=FulfilmentId(one.id("id", "Fulfillment")),
        name=one.text("name"),
        location=None if location is None else LocationId(location.id("id", "Location")),
        cancelled=one.text("status") in NOT_TOLD,
        company=next((company for info in tracking if (company := info.text_or_empty("company"))), ""),
        tracking_numbers=tuple(number for info in tracking if (number := info.text_or_empty("number"))),
        lines=tuple(
            Units(line=LineId(line.node("lineItem").id("id", "LineItem")), quantity=line.whole("quantity"))
            for line in one.connection("fulfillmentLineItems")
        ),
    )


def _address(order: _Node) -> Address | None:
    """Null for digital orders, and where personal data is hidden from the app."""
    given = order.node_or_none("shippingAddress")
    if given is None:
        return None
    return Address(
        name=given.text_or_empty("name"),
        company=given.text_or_empty("company"),
        line1=given.text_or_empty("address1"),
        line2=given.text_or_empty("address2"),
        city=given.text_or_empty("city"),
        region=given.text_or_empty("province") or given.text_or_empty("provinceCode"),
        postcode=given.text_or_empty("zip"),
        country_code=given.text_or_empty("countryCodeV2"),
        phone=given.text_or_empty("phone") or order.text_or_empty("phone"),
        email=order.text_or_empty("email"),
    )


def _risk(order: _Node) -> RiskAdvice:
    """Bodies of before it was asked for do not say: NONE."""
    given = order.node_or_none("risk")
    word = "NONE" if given is None else given.text("recommendation")
    return RiskAdvice(word) if word in RiskAdvice.__members__ else RiskAdvice.OTHER


def _financial_status(word: str) -> FinancialStatus:
    return FinancialStatus(word) if word in FinancialStatus.__members__ else FinancialStatus.OTHER


def _fulfilment_order_status(word: str) -> FulfilmentOrderStatus:
    return FulfilmentOrderStatus(word) if word in FulfilmentOrderStatus.__members__ else FulfilmentOrderStatus.OTHER
