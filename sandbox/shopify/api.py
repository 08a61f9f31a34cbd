"""The Admin GraphQL endpoint of one shop: the schema, the mutations, the cost, the errors in Shopify's shapes."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from sandbox.projection import Projecting
from sandbox.shopify.bucket import MOST_POINTS_A_QUERY
from sandbox.shopify.bulk import BulkOperations
from sandbox.shopify.cost import RECORDED, actual, requested
from sandbox.shopify.records import Fulfillment, Order
from sandbox.shopify.set_quantities import SetQuantities
from sandbox.shopify.setup_views import setup_roots
from sandbox.shopify.shop import Refusal, Shop
from sandbox.shopify.stock_views import stock_node
from sandbox.shopify.views import View, connection, fulfillment_order_view, fulfillment_view, number_of, order_view

Posted = Callable[[str, str], Awaitable[list[dict[str, Any]]]]
"""What the ERP's book shows as posted for (shop, order id) right now."""

VERSION = "2026-10"
_UPDATED = re.compile(r"updated_at:>=?'([^']+)'")
_CREATED = re.compile(r"created_at:>=?'([^']+)'")


@cache
def schema() -> GraphQLSchema:
    return build_schema(files("sandbox.shopify").joinpath("schema.graphql").read_text())


@lru_cache(maxsize=256)
def _checked(query: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    """The document and what the schema says against it. Raises GraphQLError for what is no document."""
    document = parse(query)
    return document, tuple(validate(schema(), document))


class AdminApi:
    """Answers requests; `posted` is asked at the arrival of each fulfilment, for the books."""

    def __init__(self, shop: Shop, posted: Posted | None = None) -> None:
        self._shop, self._posted = shop, posted
        self._set_quantities = SetQuantities(shop)
        self.bulk = BulkOperations(shop)

    async def answer(self, query: str, variables: dict[str, Any], operation_name: str | None) -> dict[str, Any]:
        """The whole GraphQL response body."""
        try:
            document, problems = _checked(query)
        except GraphQLError as wrong:
            return {"errors": [{"message": wrong.message, "extensions": {"code": "BAD_REQUEST"}}]}
        if problems:
            return {"errors": [{"message": one.message, "extensions": {"code": "undefinedField"}} for one in problems]}
        operation = get_operation_ast(document, operation_name)
        if operation is None:
            return {"errors": [{"message": "no such operation", "extensions": {"code": "BAD_REQUEST"}}]}
        cost = requested(document, operation, variables)
        if cost > MOST_POINTS_A_QUERY:
            message = f"Query cost is {cost}, which exceeds the single query max cost limit ({MOST_POINTS_A_QUERY})."
            return {"errors": [{"message": message, "extensions": {"code": "MAX_COST_EXCEEDED"}}]}
        if not self._shop.bucket.take(cost, self._shop.clock.now()):
            return self.throttled(cost)
        posted = await self._posted_for(operation, variables)
        before = len(self._shop.made)  # not before the wait: others make theirs meanwhile
        result = execute_sync(
            schema(),
            document,
            root_value=self._root(),
            variable_values=variables,
            operation_name=operation_name,
            field_resolver=_resolve,
            type_resolver=lambda value, *_: value["__typename"],
            execution_context_class=Projecting,
        )
        self._note(before, posted)
        spent = next((RECORDED[one] for one in result.data or () if one in RECORDED), max(1, actual(result.data)))
        self._shop.bucket.give_back(max(0, cost - spent))
        answer: dict[str, Any] = {"data": result.data, "extensions": {"cost": self._cost(cost, min(spent, cost))}}
        if result.errors:
            answer["errors"] = [
                {
                    "message": error.message,
                    "path": error.path,
                    "extensions": error.extensions or {"code": "INTERNAL_SERVER_ERROR"},
                }
                for error in result.errors
            ]
        return answer

    def on_its_way(self, query: str, variables: dict[str, Any]) -> Callable[[], None]:
        """Say that a request will be executed later: until the returned is called, its key counts as in use."""
        keys = [
            str(variables.get(value.name.value) if isinstance(value, VariableNode) else getattr(value, "value", ""))
            for value in _idempotency_keys(query)
        ]
        for key in keys:
            self._set_quantities.keys.begin(key)

        def begun() -> None:
            for key in keys:
                self._set_quantities.keys.end(key)

        return begun

    def throttled(self, cost: float = 50) -> dict[str, Any]:
        """HTTP 200; nothing was executed."""
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return {"errors": [error], "extensions": {"cost": self._cost(cost, None)}}

    def _cost(self, cost: float, spent: float | None) -> dict[str, Any]:
        return {
            "requestedQueryCost": cost,
            "actualQueryCost": spent,
            "throttleStatus": self._shop.bucket.status(self._shop.clock.now()),
        }

    async def _posted_for(self, operation: OperationDefinitionNode, variables: dict[str, Any]) -> list[dict[str, Any]]:
        fulfillment = variables.get("fulfillment")
        if self._posted is None or operation.operation.value != "mutation" or not isinstance(fulfillment, dict):
            return []
        first: dict[str, Any] = next(iter(fulfillment.get("lineItemsByFulfillmentOrder") or ()), {})
        order = self._shop.order_of(number_of(first.get("fulfillmentOrderId", "")))
        return [] if order is None else await self._posted(self._shop.domain, str(order.id))

    def _note(self, before: int, posted: list[dict[str, Any]]) -> None:
        for one in self._shop.made[before:]:
            self._shop.books.posted_at_arrival(one.id, posted)

    # --- roots

    def _root(self) -> View:
        return {
            "node": self._by_id,
            "nodes": lambda ids: [self._node(one) for one in ids],
            "order": self._by_id,
            "orders": self._orders,
            "fulfillmentOrder": self._by_id,
            **setup_roots(self._shop),
            "fulfillmentCreate": self._create,
            "fulfillmentTrackingInfoUpdate": self._track,
            "bulkOperation": self._by_id,
            "bulkOperationRunQuery": self._bulk,
            "inventorySetQuantities": _WithInfo(self._set_quantities),
        }

    def _by_id(self, **given: str) -> View | None:
        return self._node(given["id"])

    def _node(self, id_: str) -> View | None:
        kind, number = id_.split("/")[-2], number_of(id_)
        match kind:
            case "Order":
                order = self._shop.orders.get(number)
                if order is None:
                    return None
                order.reads.note(self._shop.clock.now())
                return order_view(self._shop, order)
            case "FulfillmentOrder":
                order = self._shop.order_of(number)
                if order is None:
                    return None
                one = next(one for one in order.fulfillment_orders if one.id == number)
                return fulfillment_order_view(self._shop, order, one)
            case "Fulfillment":
                found = self._fulfillment(number)
                return None if found is None else fulfillment_view(*found)
            case "BulkOperation":
                return self.bulk.view(number)
            case _:
                return stock_node(self._shop, id_)

    def _fulfillment(self, number: int) -> tuple[Order, Fulfillment] | None:
        for order in self._shop.orders.values():
            for one in order.fulfillments:
                if one.id == number:
                    return order, one
        return None

    def _orders(
        self,
        first: int = 50,
        after: str | None = None,
        query: str | None = None,
        sortKey: str = "UPDATED_AT",  # noqa: N803 - the name is the argument's in the schema
    ) -> View:
        since = _UPDATED.search(query or "")
        moment = (
            datetime.fromisoformat(since[1]) if since else datetime.min.replace(tzinfo=self._shop.clock.now().tzinfo)
        )
        found = self._shop.changed_since(moment)
        if "status:open" in (query or ""):
            found = [order for order in found if order.cancelled_at is None]
        if (created := _CREATED.search(query or "")) is not None:
            found = [order for order in found if order.created_at >= datetime.fromisoformat(created[1])]
        if sortKey == "CREATED_AT":
            found = sorted(found, key=lambda order: (order.created_at, order.id))
        return connection(found, lambda order: order_view(self._shop, order))(first, after)

    # --- mutations

    def _create(self, fulfillment: dict[str, Any], message: str = "") -> View:
        units: dict[int, dict[int, int]] = {}
        for one in fulfillment["lineItemsByFulfillmentOrder"]:
            named = one.get("fulfillmentOrderLineItems") or []
            units[number_of(one["fulfillmentOrderId"])] = {number_of(line["id"]): line["quantity"] for line in named}
        order = self._shop.order_of(next(iter(units), 0))
        if order is None:
            return _user_error("the fulfillment order does not exist", "fulfillment")
        tracking = fulfillment.get("trackingInfo") or {}
        try:
            made = self._shop.fulfil(order, units, tracking, notify=bool(fulfillment.get("notifyCustomer")))
        except Refusal as refused:
            return _user_error(refused.message, *refused.field)
        return {"fulfillment": fulfillment_view(order, made), "userErrors": []}

    def _bulk(self, query: str, groupObjects: bool = False) -> View:  # noqa: N803
        return self.bulk.run(schema(), self._root(), _resolve, query, grouped=groupObjects)

    def _track(self, **given: Any) -> View:
        found = self._fulfillment(number_of(given["fulfillmentId"]))
        if found is None:
            return _user_error("the fulfillment does not exist", "fulfillmentId")
        order, made = found
        self._shop.set_tracking(order, made, given["trackingInfoInput"], notify=bool(given.get("notifyCustomer")))
        return {"fulfillment": fulfillment_view(order, made), "userErrors": []}


def _user_error(message: str, *field: str) -> View:
    return {"fulfillment": None, "userErrors": [{"field": list(field), "message": message}]}


def _idempotency_keys(query: str) -> list[ValueNode]:
    """The arguments of every `@idempotent` in a document; of what is no document, none."""
    try:
        document = _checked(query)[0]
    except GraphQLError:
        return []
    return [
        argument.value
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        for field in operation.selection_set.selections
        for directive in field.directives or ()
        if directive.name.value == "idempotent"
        for argument in directive.arguments or ()
    ]


@dataclass(frozen=True, slots=True)
class _WithInfo:
    """A mutation that has to see its own field, for the directives on it."""

    answer: Callable[[GraphQLResolveInfo, dict[str, Any]], View]


def _resolve(source: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    value = source.get(info.field_name) if isinstance(source, dict) else None
    if isinstance(value, _WithInfo):
        return value.answer(info, arguments["input"])
    return value(**arguments) if callable(value) else value
