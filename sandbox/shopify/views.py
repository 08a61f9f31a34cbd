"""The shop's records as GraphQL sees them: dictionaries whose callables take the field's arguments."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sandbox.shopify.records import Address, Fulfillment, FulfillmentOrder, FulfillmentOrderLine, Line, Order
from sandbox.shopify.shop import Shop

View = dict[str, Any]


def gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def number_of(id_: str) -> int:
    """Of a gid, which may carry a query behind it; 0 for what is none."""
    last = id_.rsplit("/", 1)[-1].partition("?")[0]
    return int(last) if last.isdigit() else 0


def connection(found: Sequence[Any], view: Callable[[Any], View]) -> Callable[..., View]:
    """Pages of a list; the cursor is the place after which to go on."""

    def page(first: int | None = None, after: str | None = None) -> View:
        start = int(after) if after else 0
        chosen = found[start : start + first] if first is not None else found[start:]
        end = start + len(chosen)
        nodes = [view(one) for one in chosen]
        return {
            "nodes": nodes,
            "edges": [{"cursor": str(start + place), "node": node} for place, node in enumerate(nodes, start=1)],
            "pageInfo": {
                "hasNextPage": end < len(found),
                "hasPreviousPage": start > 0,
                "startCursor": str(start) if chosen else None,
                "endCursor": str(end) if chosen else None,
            },
        }

    return page


def order_view(shop: Shop, order: Order) -> View:
    return {
        "__typename": "Order",
        "id": gid("Order", order.id),
        "legacyResourceId": str(order.id),
        "name": order.name,
        "createdAt": stamp(order.created_at),
        "updatedAt": stamp(order.updated_at),
        "cancelledAt": stamp(order.cancelled_at),
        "displayFinancialStatus": order.financial_status,
        "currencyCode": order.currency,
        "currentTotalPriceSet": _money(order.total, order.currency),
        "totalPriceSet": _money(order.total, order.currency),
        "test": False,
        "tags": order.tags,
        "note": order.note or None,
        "email": order.email or None,
        "phone": order.phone or None,
        "customAttributes": [{"key": key, "value": value} for key, value in order.attributes],
        "risk": {"recommendation": order.risk},
        "currentTotalWeight": str(order.weight),
        "shippingAddress": _address(order),
        "shippingLines": connection([order], _shipping_line),
        "lineItems": connection(order.lines, lambda line: _line(order, line)),
        "fulfillmentOrders": connection(order.fulfillment_orders, lambda one: fulfillment_order_view(shop, order, one)),
        "fulfillments": lambda first=None: [fulfillment_view(order, one) for one in order.fulfillments[:first]],
    }


def fulfillment_order_view(shop: Shop, order: Order, one: FulfillmentOrder) -> View:
    def line_view(line: FulfillmentOrderLine) -> View:
        return {
            "__typename": "FulfillmentOrderLineItem",
            "id": gid("FulfillmentOrderLineItem", line.id),
            "sku": line.line.sku,
            "totalQuantity": line.total,
            "remainingQuantity": line.remaining,
            "requiresShipping": line.line.requires_shipping,
            "lineItem": _line(order, line.line),
        }

    location = gid("Location", one.location)
    name = shop.locations.get(one.location, "")
    return {
        "__typename": "FulfillmentOrder",
        "id": gid("FulfillmentOrder", one.id),
        "status": one.status,
        "orderId": gid("Order", order.id),
        "orderName": order.name,
        "fulfillAt": None,
        "updatedAt": stamp(one.updated_at),
        "assignedLocation": {"name": name, "location": {"id": location, "name": name, "isActive": True}},
        "deliveryMethod": {"id": gid("DeliveryMethod", one.id), "methodType": one.method},
        "supportedActions": [{"action": action} for action in one.actions],
        "fulfillmentHolds": [
            {"id": gid("FulfillmentHold", one.id + index), "reason": reason, "reasonNotes": None}
            for index, reason in enumerate(one.holds)
        ],
        "lineItems": connection(one.lines, line_view),
    }


def fulfillment_view(order: Order, one: Fulfillment) -> View:
    def unit_view(unit: tuple[int, tuple[Line, int]]) -> View:
        index, (line, quantity) = unit
        return {
            "__typename": "FulfillmentLineItem",
            "id": gid("FulfillmentLineItem", one.id * 1000 + index),
            "quantity": quantity,
            "lineItem": _line(order, line),
        }

    return {
        "__typename": "Fulfillment",
        "id": gid("Fulfillment", one.id),
        "name": one.name,
        "status": one.status,
        "createdAt": stamp(one.created_at),
        "updatedAt": stamp(one.updated_at),
        "location": {"__typename": "Location", "id": gid("Location", one.location)},
        "trackingInfo": lambda first=None: _tracking(one)[:first],
        "fulfillmentLineItems": connection(list(enumerate(one.units)), unit_view),
    }


def _tracking(one: Fulfillment) -> list[View]:
    if not one.numbers:
        return []
    urls = [*one.urls, *[None] * len(one.numbers)]
    return [
        {"company": one.company or None, "number": number, "url": url}
        for number, url in zip(one.numbers, urls, strict=False)
    ]


def _line(order: Order, line: Line) -> View:
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line.id),
        "sku": line.sku,
        "name": line.sku or "custom item",
        "quantity": line.quantity,
        "currentQuantity": line.current_quantity,
        "unfulfilledQuantity": line.current_quantity,
        "requiresShipping": line.requires_shipping,
        "discountedUnitPriceAfterAllDiscountsSet": _money(line.price, order.currency),
        "originalUnitPriceSet": _money(line.price, order.currency),
    }


def _shipping_line(order: Order) -> View:
    return {
        "id": gid("ShippingLine", order.id),
        "title": order.shipping_title,
        "code": order.shipping_code or None,
        "source": "shopify",
        "isRemoved": False,
    }


def _address(order: Order) -> View | None:
    to: Address | None = order.address
    if to is None:
        return None
    first, _, last = to.name.partition(" ")
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", order.id),
        "name": to.name,
        "firstName": first,
        "lastName": last,
        "company": to.company or None,
        "address1": to.address1,
        "address2": to.address2 or None,
        "city": to.city,
        "province": to.province or None,
        "provinceCode": None,
        "zip": to.zip,
        "countryCodeV2": to.country_code,
        "phone": to.phone or None,
    }


def _money(amount: str, currency: str) -> View:
    money = {"amount": amount, "currencyCode": currency}
    return {"shopMoney": money, "presentmentMoney": money}


def stamp(moment: datetime | None) -> str | None:
    """Shopify's timestamps end at whole seconds; the shop's own clock is finer, and that is kept for the tests."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
