"""Every document, what the stories send with it and what is answered, against the published names of Clarus' schema."""

import json
import re
from importlib.resources import files
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    execute_sync,
    parse,
    print_ast,
    validate,
)
from graphql.execution.values import get_variable_values

from connectors.clarus.documents import document, goods_outs_of, look_at
from sandbox.clarus.reads import schema
from tests.connectors.clarus.sides import RECORDED

DOCUMENTS = sorted(
    one.name.removesuffix(".graphql")
    for one in files("connectors.clarus.documents").iterdir()
    if one.name.endswith(".graphql")
)


def operation_of(name: str) -> OperationDefinitionNode:
    return _operation(document(name))


def _operation(asked: str) -> OperationDefinitionNode:
    (operation,) = parse(asked).definitions
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
        variables = exchange["request"]["variables"]
        asked = _asked(BY_OPERATION[exchange["request"]["operation"]], variables)
        assert _wrong_variables(schema(), asked, variables) == []
        data = exchange["response"]["json"]["data"]
        executed = execute_sync(schema(), parse(asked), data, variable_values=variables, field_resolver=_as_answered)
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
    assert _wrong_variables(schema(), document(name), STOCK[name]) == []


def test_every_document_is_part_of_a_story() -> None:
    used = set(STOCK) | {BY_OPERATION[one["request"]["operation"]] for story in STORIES for one in recorded(story)}
    assert used == set(DOCUMENTS)


@pytest.mark.parametrize("orders", [1, 2, 20])
def test_a_look_at_several_orders_asks_the_same_of_each(orders: int) -> None:
    asked = _operation(look_at(orders))
    fields = [one for one in asked.selection_set.selections if isinstance(one, FieldNode)]
    lists = [one for one in fields if one.name.value == "goods_outs"]

    assert validate(schema(), parse(look_at(orders))) == []
    assert [one.alias.value if one.alias else one.name.value for one in lists] == [
        goods_outs_of(number) for number in range(orders)
    ]
    assert len({_nodes_of(one) for one in lists}) == 1
    assert len(fields) == orders + 5, "lines, shipments, packages, accounts and warehouses once"


def _nodes_of(asked: FieldNode) -> str:
    """What is asked of each node, without the list's own variables."""
    assert asked.selection_set is not None
    (whole,) = asked.selection_set.selections
    assert isinstance(whole, FieldNode)
    assert whole.selection_set is not None
    return print_ast(whole.selection_set)


def _as_answered(source: dict[str, Any], info: GraphQLResolveInfo, **_: Any) -> Any:
    """What stands under the name that was asked for, not under the field's."""
    return source[str(info.path.key)]


def _asked(name: str, variables: dict[str, Any]) -> str:
    """A look has a list of goods-outs for each order of its first page; later ones name those that go on."""
    numbers = [int(one[1] or 0) for name in variables if (one := re.fullmatch(r"goods_outs(?:_(\d+))?", name))]
    return document(name) if name != "look" else look_at(max(numbers, default=0) + 1)


def _wrong_variables(of: GraphQLSchema, asked: str, variables: dict[str, Any]) -> list[str]:
    definitions = _operation(asked).variable_definitions or ()
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
