"""Bulk queries: started by a mutation, polled, and read as JSON lines (Admin API 2026-10, bulk operations).

What is read is of the moment it was asked for, and is shown `SECONDS` later, so that it is old when it arrives. Parents
come first and then their children, which Shopify allows itself as long as objects are not grouped.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    execute_sync,
    get_named_type,
    parse,
    validate,
)

from sandbox.shopify.shop import Shop
from sandbox.shopify.views import View, gid, stamp

SECONDS = 2.0
MOST_AT_ONCE = 5
MOST_CONNECTIONS = 5
DEEPEST = 2


@dataclass(slots=True)
class Bulk:
    """One operation. `url` is where its lines are; None when there are none, which is success too."""

    id: int
    query: str
    created_at: datetime
    lines: list[str]
    roots: int
    url: str | None
    error: str | None = None

    def done(self, now: datetime) -> bool:
        return now - self.created_at >= timedelta(seconds=SECONDS)

    def view(self, now: datetime) -> View:
        done = self.done(now)
        ended = "COMPLETED" if self.error is None else "FAILED"
        text = "\n".join(self.lines)
        return {
            "__typename": "BulkOperation",
            "id": gid("BulkOperation", self.id),
            "status": ended if done else ("CREATED" if now == self.created_at else "RUNNING"),
            "type": "QUERY",
            "query": self.query,
            "errorCode": self.error if done else None,
            "createdAt": stamp(self.created_at),
            "completedAt": stamp(self.created_at + timedelta(seconds=SECONDS)) if done and not self.error else None,
            "objectCount": str(len(self.lines)) if done else "0",
            "rootObjectCount": str(self.roots) if done else "0",
            "fileSize": str(len(text.encode())) if done and self.url else None,
            "url": self.url if done else None,
            "partialDataUrl": None,
        }


class BulkOperations:
    """Of one shop. `base` is where the files are served, set by whoever serves them."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._made: dict[int, Bulk] = {}
        self.base = "http://shopify.example.test/"

    def run(self, schema: GraphQLSchema, root: View, resolve: Any, query: str, *, grouped: bool) -> View:
        """The payload of `bulkOperationRunQuery`."""
        now = self._shop.clock.now()
        if sum(not one.done(now) for one in self._made.values()) >= MOST_AT_ONCE:
            message = f"{MOST_AT_ONCE} bulk operations of this app are running at this shop already."
            return _refused("OPERATION_IN_PROGRESS", None, message)
        if why := _wrong(schema, query):
            return _refused("INVALID", ["query"], why)
        result = execute_sync(schema, parse(query), root_value=root, field_resolver=resolve)
        lines: list[str] = []
        roots, error = 0, None
        if result.errors:
            error = str((result.errors[0].extensions or {}).get("code") or "INTERNAL_SERVER_ERROR")
        else:
            lines, roots = _lines(result.data or {}, grouped=grouped)
        number = self._shop.new_id()
        url = f"{self.base}_sandbox/bulk/{self._shop.domain}/{number}.jsonl" if lines else None
        made = Bulk(number, query, now, lines, roots, url, error)
        self._made[number] = made
        return {"bulkOperation": made.view(now), "userErrors": []}

    @property
    def count(self) -> int:
        """How many were ever started."""
        return len(self._made)

    def view(self, number: int) -> View | None:
        found = self._made.get(number)
        return None if found is None else found.view(self._shop.clock.now())

    def file(self, number: int) -> str | None:
        """JSON lines; None while there are none to be had."""
        found = self._made.get(number)
        if found is None or found.url is None or not found.done(self._shop.clock.now()):
            return None
        return "\n".join(found.lines) + "\n"


def _wrong(schema: GraphQLSchema, query: str) -> str | None:
    try:
        document = parse(query)
    except GraphQLError as error:
        return error.message
    if problems := validate(schema, document):
        return problems[0].message
    match document.definitions:
        case [OperationDefinitionNode(operation=OperationType.QUERY) as operation]:
            pass
        case _:
            return "Expected one query operation and nothing else."
    roots = [one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    if {"node", "nodes"} & set(roots):
        return "Queries that select node or nodes at the top are not supported."
    assert schema.query_type is not None
    depths = list(_depths(schema.query_type, operation.selection_set, 0))
    if not depths:
        return "Bulk queries must contain at least one connection."
    if len(depths) > MOST_CONNECTIONS:
        return f"Bulk queries cannot contain more than {MOST_CONNECTIONS} connections."
    if max(depths) > DEEPEST:
        return f"Bulk queries cannot contain connections nested more than {DEEPEST} levels deep."
    return None


def _depths(of: GraphQLObjectType, selections: SelectionSetNode, depth: int) -> Iterator[int]:
    """How deep each connection lies; those at the top at one."""
    for one in selections.selections:
        if not isinstance(one, FieldNode) or one.selection_set is None or one.name.value not in of.fields:
            continue
        inner = get_named_type(of.fields[one.name.value].type)
        connected = inner.name.endswith("Connection")
        if connected:
            yield depth + 1
        if isinstance(inner, GraphQLObjectType):
            yield from _depths(inner, one.selection_set, depth + connected)


def _lines(data: View, *, grouped: bool) -> tuple[list[str], int]:
    """The lines, and how many of them are roots."""
    roots = [node for value in data.values() for node in _nodes(value) or ()]
    if grouped:
        return [json.dumps(one) for node in roots for one in _family(node, None)], len(roots)
    families = [list(_family(node, None)) for node in roots]
    found = [family[0] for family in families] + [one for family in families for one in family[1:]]
    return [json.dumps(one) for one in found], len(roots)


def _family(node: View, parent: str | None) -> Iterator[View]:
    """The object without its connections, then all below it."""
    own = {name: value for name, value in node.items() if _nodes(value) is None}
    yield own if parent is None else {**own, "__parentId": parent}
    for value in node.values():
        for child in _nodes(value) or ():
            yield from _family(child, str(node.get("id")))


def _nodes(value: Any) -> list[View] | None:
    """Of a connection; None for what is none."""
    if not isinstance(value, dict):
        return None
    if "edges" in value:
        return [edge["node"] for edge in value["edges"]]
    return value.get("nodes")


def _refused(code: str, field: list[str] | None, message: str) -> View:
    return {"bulkOperation": None, "userErrors": [{"code": code, "field": field, "message": message}]}
