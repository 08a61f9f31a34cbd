"""Every document, what the stories send with it and what is answered, against the published names of Clarus' schema."""

import json
from importlib.resources import files
from typing import Any

import pytest
from graphql import GraphQLSchema, OperationDefinitionNode, execute_sync, parse, validate
from graphql.execution.values import get_variable_values

from connectors.clarus.documents import document
from sandbox.clarus.reads import schema
from tests.connectors.clarus.sides import RECORDED

DOCUMENTS = sorted(
    one.name.removesuffix(".graphql")
    for one in files("connectors.clarus.documents").iterdir()
    if one.name.endswith(".graphql")
)


def operation_of(name: str) -> OperationDefinitionNode:
    (operation,) = parse(document(name)).definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.name is not None
    return operation


BY_OPERATION = {node.name.value: name for name in DOCUMENTS if (node := operation_of(name)).name}


def recorded(story: str) -> list[dict[str, Any]]:
    """The reads of a recording that were answered with data."""
    exchanges = json.loads((RECORDED / f"{story}.json").read_text("utf-8"))["exchanges"]
    return [one for one in exchanges if "data" in one["response"].get("json", {}) and "operation" in one["request"]]


STORIES = sorted(path.stem for path in RECORDED.glob("*.json"))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_valid(name: str) -> None:
    assert validate(schema(), parse(document(name))) == []


@pytest.mark.parametrize("story", STORIES)
def test_what_is_recorded_fits_the_schema(story: str) -> None:
    for exchange in recorded(story):
        name = BY_OPERATION[exchange["request"]["operation"]]
        assert _wrong_variables(schema(), name, exchange["request"]["variables"]) == []
        data = exchange["response"]["json"]["data"]
        executed = execute_sync(
            schema(), parse(document(name)), root_value=data, variable_values=exchange["request"]["variables"]
        )
        assert executed.errors is None
        assert _paths(executed.data) == _paths(data), "all that was asked for, and nothing else"


OF_PRODUCTS = {"account_id": {"eq": "31"}, "product_id": {"in": ["20001"]}}
STOCK: dict[str, dict[str, Any]] = {
    "stock": {
        "first": 100,
        "with_lines": True,
        "goods_out_lines": {**OF_PRODUCTS, "goods_out_status_code": {"in": ["PENDING"]}},
        "stock_balances": OF_PRODUCTS,
        "account": {"code": {"eq": "ACME"}},
        "warehouses": {"code": {"in": ["LDS1"]}},
    },
    "transactions": {
        "filter": {"account_id": {"eq": "31"}, "created_at": {"from": "2026-11-03T09:00:00+00:00"}},
        "first": 100,
        "after": None,
    },
    "balances": {"filter": {"account_id": {"eq": "31"}}, "first": 100, "after": None},
}
"""What the stock documents are sent with; they are played in tests/flow."""


@pytest.mark.parametrize("name", sorted(STOCK))
def test_variables_of_stock_are_valid(name: str) -> None:
    assert _wrong_variables(schema(), name, STOCK[name]) == []


def test_every_document_is_part_of_a_story() -> None:
    used = set(STOCK) | {BY_OPERATION[one["request"]["operation"]] for story in STORIES for one in recorded(story)}
    assert used == set(DOCUMENTS)


def _wrong_variables(of: GraphQLSchema, name: str, variables: dict[str, Any]) -> list[str]:
    definitions = operation_of(name).variable_definitions or ()
    values = get_variable_values(of, list(definitions), variables)
    unknown = variables.keys() - {one.variable.name.value for one in definitions}
    return [*(str(error) for error in values if isinstance(values, list)), *sorted(unknown)]


def _paths(value: Any, at: str = "") -> set[str]:
    """Where in an answer there is anything."""
    if isinstance(value, dict):
        return set().union(*(_paths(inner, f"{at}.{key}") for key, inner in value.items()), {at})
    if isinstance(value, list):
        return set().union(*(_paths(inner, f"{at}.{number}") for number, inner in enumerate(value)), {at})
    return {at}
