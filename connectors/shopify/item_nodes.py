"""The body that readings of stock and of offers share: `{"items": […]}`, inventory items as answered."""

from typing import Any

import orjson

from schemas.errors import Unreadable


def item_nodes(body: bytes) -> list[Any]:
    """Raises Unreadable for anything else."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("body", "JSON", str(error)) from error
    nodes = read.get("items") if isinstance(read, dict) else None
    if not isinstance(nodes, list):
        raise Unreadable("items", "a list", type(nodes).__name__)
    return nodes
