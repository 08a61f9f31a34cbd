"""Whole lists from Clarus' GraphQL: every page, in the order in which they come."""

from collections.abc import Mapping
from typing import Any

from connectors.clarus.client import MOST_PAGES, ClarusClient, next_page, nodes
from connectors.clarus.documents import document
from connectors.runtime.errors import Incompatible

Node = dict[str, Any]


async def whole_list(
    client: ClarusClient, name: str, root: str, filter_: Mapping[str, Any], page_size: int
) -> list[Node]:
    """All nodes of `root` that match, by document `name`. Raises Incompatible when the pages do not end."""
    found: list[Node] = []
    after: str | None = None
    for _ in range(MOST_PAGES):
        variables = {"filter": dict(filter_), "first": page_size, "after": after}
        listed = (await client.query(document(name), variables))[root]
        found.extend(nodes(listed))
        after = next_page(listed)
        if after is None:
            return found
    raise Incompatible(f"{root}: expected a list that ends, found more than {MOST_PAGES} pages")
