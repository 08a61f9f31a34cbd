"""What a query costs: an object is a point, a connection its page size times its nodes, a mutation ten.

The real algorithm is Shopify's own; recorded costs are lower than this count for wide pages, like it for narrow ones.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

RECORDED = {"inventorySetQuantities": 13}
"""Mutations whose real cost was recorded, and that is charged whatever the answer holds."""


def requested(document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
    """Points reserved before the query runs."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    base = 10 if operation.operation is OperationType.MUTATION else 0
    return base + _of(operation.selection_set, fragments, variables)


def _of(
    selections: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
) -> int:
    if selections is None:
        return 0
    total = 0
    for selection in selections.selections:
        match selection:
            case FieldNode(selection_set=None):
                continue
            case FieldNode():
                inner = _of(selection.selection_set, fragments, variables)
                many = _many(selection, variables)
                total += 1 + inner if many is None else 1 + many * max(1, inner // 2)
            case InlineFragmentNode():
                total += _of(selection.selection_set, fragments, variables)
            case FragmentSpreadNode():
                total += _of(fragments[selection.name.value].selection_set, fragments, variables)
    return total


def _many(field: FieldNode, variables: Mapping[str, Any]) -> int | None:
    """The page size of a connection or the length of `ids`; None for a single object."""
    for argument in field.arguments or ():
        if argument.name.value in ("first", "ids"):
            match argument.value:
                case IntValueNode(value=value):
                    return int(value)
                case VariableNode(name=name):
                    given: Any = variables.get(name.value)
                    return len(given) if isinstance(given, list) else int(given)
    return None


def actual(data: Any) -> int:
    """Points of what was returned: its objects."""
    if isinstance(data, dict):
        return 1 + sum(actual(value) for value in data.values())
    if isinstance(data, list):
        return sum(actual(value) for value in data)
    return 0
