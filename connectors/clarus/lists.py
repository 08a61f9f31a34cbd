"""Lists of Clarus' GraphQL, `root { all { pageInfo edges { node } } }`: whole, or not believed."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from connectors.clarus.client import ClarusClient
from connectors.clarus.documents import document
from connectors.runtime.errors import Incompatible

Node = dict[str, Any]
Filter = Mapping[str, Any]

MOST_PAGES = 200
"""A list longer than this is not read on: something is wrong with its filter."""


Page = Callable[[Mapping[str, str | None]], Awaitable[Mapping[str, Any]]]
"""Asks for a page of each of these roots, after its cursor; None is the first page."""


async def whole_lists(roots: Iterable[str], page: Page, most_pages: int = MOST_PAGES) -> dict[str, list[Node]]:
    """All nodes of each root, in the order in which the pages come. Further pages are asked of those that go on.

    Raises Incompatible when the pages do not end, or end without saying so: a part is never taken for the whole.
    """
    after: dict[str, str | None] = dict.fromkeys(roots)
    found: dict[str, list[Node]] = {root: [] for root in after}
    for _ in range(most_pages):
        data = await page(after)
        goes_on: dict[str, str | None] = {}
        for root, before in after.items():
            found[root].extend(nodes_of(data, root))
            cursor = _next_page(data, root)
            if cursor is not None and cursor == before:
                raise Incompatible(f"{root}: expected the cursor of another page, found the same again")
            if cursor is not None:
                goes_on[root] = cursor
        if not goes_on:
            return found
        after = goes_on
    raise Incompatible(f"{', '.join(after)}: expected a list that ends, found more than {most_pages} pages")


async def whole_list(
    client: ClarusClient, name: str, root: str, filter_: Filter, page_size: int, most_pages: int = MOST_PAGES
) -> list[Node]:
    """All nodes of `root` that match, by document `name`. Raises as `whole_lists`."""

    async def page(after: Mapping[str, str | None]) -> Mapping[str, Any]:
        return await client.query(document(name), {"filter": filter_, "first": page_size, "after": after[root]})

    return (await whole_lists([root], page, most_pages))[root]


def nodes_of(data: Mapping[str, Any], root: str) -> list[Node]:
    """The nodes of one page. Raises Incompatible when they are not where they belong."""
    match _page(data, root).get("edges"):
        case [*edges] if all(isinstance(edge, dict) and isinstance(edge.get("node"), dict) for edge in edges):
            return [edge["node"] for edge in edges]
        case _:
            raise Incompatible(f"{root}.all.edges: expected a list of nodes, found something else")


def text(node: Mapping[str, Any], *path: str) -> str:
    """What stands at the path; ids come as text or as integers. Raises Incompatible when it is neither."""
    found: Any = node
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise Incompatible(f"{'.'.join(path)}: expected text or a whole number, found {type(found).__name__}")
    return str(found)


def _next_page(data: Mapping[str, Any], root: str) -> str | None:
    """The cursor of the next page, None on the last."""
    info = _page(data, root).get("pageInfo")
    match info:
        case {"hasNextPage": False}:
            return None
        case {"hasNextPage": True, "endCursor": str(cursor)} if cursor:
            return cursor
        case _:
            raise Incompatible(f"{root}.all.pageInfo: expected whether and where it goes on, found neither")


def _page(data: Mapping[str, Any], root: str) -> Mapping[str, Any]:
    listed = data.get(root)
    page = listed.get("all") if isinstance(listed, dict) else None
    if not isinstance(page, dict):
        raise Incompatible(f"{root}.all: expected a list, found {type(page).__name__}")
    return page
