"""GraphQL over the lists: `resource { all(filter, first, after) { … } }`, nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from sandbox.clarus.access import ApiUser
from sandbox.clarus.filters import Filter, matching
from sandbox.clarus.listing import Listing
from sandbox.clarus.listings import listings
from sandbox.clarus.setup_listings import setup_listings
from sandbox.clarus.stock_listings import stock_listings
from sandbox.clarus.world import ClarusWorld
from sandbox.projection import Projecting

PAGE = 100
"""Records a page holds at most, and when `first` is not given."""

SCHEMA = Path(__file__).with_name("schema.graphql")


class Reads:
    """Answers queries for a user. Blind users get empty lists and no error, as a real one without rights does."""

    def __init__(self, world: ClarusWorld) -> None:
        self._world = world
        self._schema = schema()
        self._roots = {name: _Root(world, listing) for name, listing in _all(world).items()}

    def answer(self, query: str, variables: dict[str, Any], user: ApiUser) -> dict[str, Any]:
        """`{"data": …}` or `{"errors": […]}`; both are HTTP 200."""
        try:
            document = _valid(query)
        except GraphQLError as error:
            return {"errors": [error.formatted]}
        except _InvalidQuery as invalid:
            return {"errors": [error.formatted for error in invalid.errors]}
        result = execute_sync(
            self._schema,
            document,
            root_value=self._roots,
            context_value=user,
            variable_values=variables,
            execution_context_class=Projecting,
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return answer


def _all(world: ClarusWorld) -> dict[str, Listing[Any]]:
    return {**listings(world), **stock_listings(world), **setup_listings(world)}


class _Root:
    """What `goods_outs { … }` resolves to. `all` is called with the field's arguments."""

    def __init__(self, world: ClarusWorld, listing: Listing[Any]) -> None:
        self._world = world
        self._listing = listing

    def all(self, info: GraphQLResolveInfo, **asked: Any) -> dict[str, Any]:
        user: ApiUser = info.context
        listing = self._listing
        wanted: Filter = asked.get("filter") or {}
        first: int | None = asked.get("first")
        if self._world.access.is_blind(user):
            return _page(listing, [], more=False)
        if first is not None and first < 0:
            raise GraphQLError("first must not be negative")
        size = PAGE if first is None else min(first, PAGE)
        start = _read_cursor(asked.get("after"))
        rest = (each for each in listing.records(wanted) if listing.id(each) > start and listing.visible(user, each))
        found = sorted(matching(rest, listing.fields, wanted), key=listing.id)
        return _page(listing, found[:size], more=len(found) > size)


def _page(listing: Listing[Any], records: list[Any], *, more: bool) -> dict[str, Any]:
    edges = [{"cursor": _cursor(listing.id(record)), "node": listing.show(record)} for record in records]
    return {
        "pageInfo": {
            "hasNextPage": more,
            "startCursor": edges[0]["cursor"] if edges else None,
            "endCursor": edges[-1]["cursor"] if edges else None,
        },
        "edges": edges,
    }


def _cursor(number: int) -> str:
    return urlsafe_b64encode(str(number).encode()).decode()


def _read_cursor(cursor: str | None) -> int:
    """Raises GraphQLError for what is no cursor of ours."""
    try:
        return int(urlsafe_b64decode(cursor)) if cursor else 0
    except ValueError:
        raise GraphQLError(f"unknown cursor {cursor!r}") from None


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The published part of Clarus' schema, for whoever wants to check a document against it."""
    return build_schema(SCHEMA.read_text(encoding="utf-8"))


class _InvalidQuery(Exception):
    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__()
        self.errors = errors


@lru_cache(maxsize=256)
def _valid(query: str) -> DocumentNode:
    document = parse(query)
    if errors := validate(schema(), document):
        raise _InvalidQuery(errors)
    return document
