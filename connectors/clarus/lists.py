"""Lists of Clarus' GraphQL, `root { all { pageInfo edges { node } } }`: whole, or not believed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

from connectors.clarus.client import ClarusClient
from connectors.clarus.documents import document
from connectors.runtime.errors import Incompatible

Node = dict[str, Any]
Filter = Mapping[str, Any]

MOST_PAGES = 200
"""A list of what belongs to some orders or codes is not read on for longer: something is wrong with its filter."""
MOST_PAGES_OF_ALL = 5_000
"""Of a list of all that an account has: half a million records."""


Page = Callable[[Mapping[str, str | None]], Awaitable[Mapping[str, Any]]]
"""Asks for a page of each of these roots, after its cursor; None is the first page."""


class Part(NamedTuple):
    """The nodes of a page, and the cursor after which the list goes on; None at its end."""

    nodes: list[Node]
    after: str | None


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
            part = _part(data, root, before)
            found[root].extend(part.nodes)
            if part.after is not None:
                goes_on[root] = part.after
        if not goes_on:
            return found
        after = goes_on
    raise _endless(after, most_pages)


async def each_page(root: str, page: Page, most_pages: int = MOST_PAGES_OF_ALL) -> AsyncIterator[list[Node]]:
    """The nodes of the root, page by page. Raises as `whole_lists`: until it has ended, a part is not the whole."""
    after: str | None = None
    for _ in range(most_pages):
        part = await one_page(root, page, after)
        yield part.nodes
        after = part.after
        if after is None:
            return
    raise _endless([root], most_pages)


async def one_page(root: str, page: Page, after: str | None) -> Part:
    """The page after this cursor; None is the first."""
    return _part(await page({root: after}), root, after)


async def whole_list(
    client: ClarusClient, name: str, root: str, filter_: Filter, page_size: int, most_pages: int = MOST_PAGES
) -> list[Node]:
    """All nodes of `root` that match, by document `name`. Raises as `whole_lists`."""
    page = asking(client, name, root, filter_, page_size)
    return (await whole_lists([root], page, most_pages))[root]


def asking(client: ClarusClient, name: str, root: str, filter_: Filter, page_size: int) -> Page:
    """Asks for pages of `root` that match, by document `name`."""

    async def page(after: Mapping[str, str | None]) -> Mapping[str, Any]:
        return await client.query(document(name), {"filter": filter_, "first": page_size, "after": after[root]})

    return page


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


def _part(data: Mapping[str, Any], root: str, before: str | None) -> Part:
    cursor = _next_page(data, root)
    if cursor is not None and cursor == before:
        raise Incompatible(f"{root}: expected the cursor of another page, found the same again")
    return Part(nodes_of(data, root), cursor)


def _endless(roots: Iterable[str], pages: int) -> Incompatible:
    return Incompatible(f"{', '.join(roots)}: expected a list that ends, found more than {pages} pages")


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
