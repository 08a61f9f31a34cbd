"""Every document and what we send with it, and every recorded answer, against Shopify's published schema."""

from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, execute_sync, parse, validate
from graphql.execution.values import get_variable_values

from connectors.shopify.documents import document, operations
from connectors.shopify.look import Mutation, TellingWish, TrackingWish
from connectors.shopify.translate import translate_order
from schemas.base import FulfilmentId
from schemas.commands import Tracking
from tests.connectors.shopify.admin_schema import admin_schema
from tests.connectors.shopify.commands import tell, track, units
from tests.connectors.shopify.shops import RECORDED, order_body, recorded


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return admin_schema()


@pytest.mark.parametrize("operation", operations())
def test_document_is_valid(schema: GraphQLSchema, operation: str) -> None:
    assert validate(schema, parse(document(operation))) == []


SET = {
    "name": "on_hand",
    "reason": "correction",
    "referenceDocumentUri": "gid://lockstep/StockDecision/7",
    "quantities": [
        {
            "inventoryItemId": "gid://shopify/InventoryItem/801",
            "locationId": "gid://shopify/Location/11",
            "quantity": 9,
            "changeFromQuantity": 11,
        }
    ],
}


def _variables() -> list[tuple[str, dict[str, Any]]]:
    sizes = dict.fromkeys(("lines", "shippingLines", "fulfilmentOrders", "fulfilmentOrderLines"), 10)
    page = {"id": "gid://shopify/Order/1", "first": 100, "after": "c"}
    told = translate_order(order_body("two_locations"))
    partly = translate_order(order_body("partly_fulfilled"))
    one, many = Tracking(company="DX", numbers=("1",), urls=("https://dx.example/1",)), ("1", "2")
    return [
        ("ReadOrders", {"ids": ["gid://shopify/Order/1"], **sizes, "fulfilmentLines": 10}),
        *((name, page) for name in operations() if name.startswith("More") and name != "MoreFulfilmentOrders"),
        ("MoreFulfilmentOrders", {**page, "fulfilmentOrderLines": 10}),
        ("OrderStamps", {**page, "after": None}),
        ("ChangedOrders", {"first": 250, "after": None, "query": "updated_at:>='2026-11-03T08:00:00Z'"}),
        ("OrderOfFulfilmentOrder", {"id": "gid://shopify/FulfillmentOrder/1"}),
        ("StockItems", {"first": 250, "after": None}),
        ("ItemOffers", {"ids": ["gid://shopify/InventoryItem/801"], "levels": 8}),
        ("StockItem", {"id": "gid://shopify/InventoryItem/801"}),
        ("StockLevels", {"ids": ["gid://shopify/InventoryItem/801"], "location": "gid://shopify/Location/11"}),
        ("SetOnHand", {"key": "k", "input": SET}),
        ("AllLevels", {}),
        ("StartBulk", {"query": document("AllLevels")}),
        ("BulkState", {"id": "gid://shopify/BulkOperation/1"}),
        ("ShopScopes", {}),
        ("ShopLocations", {"first": 100, "after": None}),
        ("ShopVariants", {"first": 40, "after": "c", "query": "id:>=7", "levels": 8, "withLevels": True}),
        ("ShopOrders", {"first": 50, "after": None, "query": "created_at:>='2026-11-03T08:00:00Z'"}),
        ("ShopWebhooks", {"first": 100, "after": None}),
        *(
            (mutation.operation, mutation.variables)
            for tracking in (one, Tracking(), Tracking(numbers=many), Tracking(company="DX", numbers=many, urls=many))
            for mutation in (
                TellingWish(tell(told, units(told, 1), tracking=tracking)).judge(told),
                TrackingWish(track(partly.id, FulfilmentId("9"), tracking)).judge(_bare(partly)),
            )
            if isinstance(mutation, Mutation)
        ),
    ]


def _bare(order: Any) -> Any:
    """With a fulfilment 9 that has no tracking."""
    bare = order.fulfilments[1].model_copy(update={"id": FulfilmentId("9"), "tracking_numbers": ()})
    return order.model_copy(update={"fulfilments": (bare,)})


def test_every_operation_has_its_variables_checked() -> None:
    assert {operation for operation, _ in _variables()} == set(operations())


@pytest.mark.parametrize(("operation", "variables"), _variables())
def test_variables_are_valid(schema: GraphQLSchema, operation: str, variables: dict[str, Any]) -> None:
    ast = next(one for one in parse(document(operation)).definitions if isinstance(one, OperationDefinitionNode))
    problems = get_variable_values(schema, ast.variable_definitions or (), variables)
    assert not isinstance(problems, list), problems


@pytest.mark.parametrize("name", sorted(file.stem for file in RECORDED.glob("*.json")))
def test_recorded_answers_could_be_shopifys(schema: GraphQLSchema, name: str) -> None:
    """The schema executes our document over the recorded data, and nothing is missing, unknown or of another type."""
    recording = recorded(name)
    data = recording["answer"].get("data")
    if data is None:
        assert recording["answer"]["errors"][0]["extensions"]["code"]
        return
    result = execute_sync(
        schema,
        parse(document(recording["operation"])),
        root_value=data,
        variable_values=next(variables for operation, variables in _variables() if operation == recording["operation"]),
        type_resolver=lambda value, *_: value["id"].split("/")[3],
    )
    assert result.errors is None
    assert result.data == data
