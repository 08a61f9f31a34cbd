"""How a shop is set up, for whoever checks it before orders flow: whole lists, read only, behind the orders."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.runtime.errors import Incompatible, Rejected, Unauthorised
from connectors.shopify.answers import Answer
from connectors.shopify.client import ShopifyClient
from connectors.shopify.gids import number_of
from connectors.shopify.limiter import Purpose
from connectors.shopify.settings import ShopifyShop
from connectors.shopify.translate_offers import SOLD
from schemas.base import LocationId

MOST_OBJECTS = 25_000
"""A connection pages no further (Admin API 2026-10, rate limits): a longer list is begun anew behind its last one."""

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """A location. `service` names the fulfilment service that owns it, '' for the merchant's own."""

    id: LocationId
    name: str
    active: bool
    online: bool
    """It fulfils online orders."""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Variant:
    """What can be bought. `sku` and `barcode` are '' where there is none."""

    id: str
    sku: str
    barcode: str = ""
    oversells: bool = False
    """The inventory policy CONTINUE: it is sold when there is none."""
    tracked: bool = True
    ships: bool = True
    bundle: bool = False
    """Shopify itself sells its components instead."""
    active: bool = True
    """Its product is neither a draft nor archived."""
    published: bool = True
    """To the online store."""
    stocked_at: frozenset[LocationId] | None = frozenset()
    """None: not seen."""


@dataclass(frozen=True, slots=True)
class Bought:
    """An order, as far as it is mapped. `shipping`: title and code of its shipping line, None without one."""

    name: str
    created_at: datetime
    shipping: tuple[str, str] | None
    tags: tuple[str, ...] = ()
    fulfilled_at: datetime | None = None
    """When the first of its goods were fulfilled."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A webhook. `topic` is the name in Shopify's list, `ORDERS_CREATE`; `fields` empty is the whole body."""

    topic: str
    uri: str
    api_version: str
    filter: str = ""
    fields: tuple[str, ...] = ()


class ShopSetup:
    """Of one shop. Every method reads all pages, leaves head-room to orders and polls, and raises ConnectorError."""

    def __init__(self, shop: ShopifyShop, client: ShopifyClient) -> None:
        self._shop, self._client = shop, client
        self.told: Callable[[int], None] = lambda _: None
        """Called with how many of a list have been read so far."""

    @property
    def api_version(self) -> str:
        """The pinned one."""
        return self._shop.api_version

    @property
    def other_versions(self) -> frozenset[str]:
        """Versions that answered instead of the pinned one, until now."""
        return frozenset(self._client.other_versions)

    async def scopes(self) -> frozenset[str]:
        """What the app may do, as granted: `read_orders` …"""
        answer = await self._ask("ShopScopes", {})
        try:
            return frozenset(str(one["handle"]) for one in answer.data["currentAppInstallation"]["accessScopes"])
        except (KeyError, TypeError) as error:
            raise Incompatible(f"ShopScopes: expected access scopes, found {error!r}") from error

    async def places(self) -> tuple[Place, ...]:
        """Active and inactive ones, those of fulfilment services too."""
        return tuple([_place(node) async for node in self._whole("ShopLocations", "locations", self._shop.pages.rest)])

    async def variants(self, *, with_levels: bool) -> tuple[Variant, ...]:
        """Of all products. `with_levels`: where each is stocked, which takes `read_inventory`."""
        pages = self._shop.pages
        more = {"query": None, "levels": pages.setup_levels, "withLevels": with_levels}
        nodes = self._whole(
            "ShopVariants", "productVariants", pages.setup_variants, more, lambda last: f"id:>={number_of(last['id'])}"
        )
        return tuple([_variant(node) async for node in nodes])

    async def orders(self, since: datetime) -> tuple[Bought, ...]:
        """Created since, the oldest first; with `read_orders` alone Shopify shows those of 60 days (Admin API)."""

        def created_since(text: str) -> str:
            return f"created_at:>='{text}'"  # without the quotes Shopify ignores the time of day

        begin = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        nodes = self._whole(
            "ShopOrders",
            "orders",
            self._shop.pages.setup_orders,
            {"query": created_since(begin)},
            lambda last: created_since(str(last["createdAt"])),
        )
        return tuple([_bought(node) async for node in nodes])

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Of our app at this shop. Shopify leaves out those in the app's configuration file, and other apps'."""
        nodes = self._whole("ShopWebhooks", "webhookSubscriptions", self._shop.pages.rest)
        return tuple([_subscription(node) async for node in nodes])

    async def _whole(
        self,
        operation: str,
        root: str,
        size: int,
        more: Mapping[str, Any] | None = None,
        behind: Callable[[Node], str] | None = None,
    ) -> AsyncIterator[Node]:
        """All nodes, each once. `behind` makes the search for a node and what comes after it, in the list's order."""
        variables: dict[str, Any] = {**(more or {}), "first": size, "after": None}
        seen: set[str] = set()
        asked = 0
        while True:
            answer = await self._page(operation, variables)
            try:
                nodes: list[Node] = answer.data[root]["nodes"]
                info: Node = answer.data[root]["pageInfo"]
                goes_on, cursor = info["hasNextPage"], info["endCursor"]
                new = [node for node in nodes if node["id"] not in seen]
            except (KeyError, TypeError) as error:
                raise Incompatible(f"{operation}: expected {root}, found {error!r}") from error
            for node in new:
                seen.add(node["id"])
                yield node
            self.told(len(seen))
            if not goes_on:
                return
            asked += len(nodes)
            if not new:
                raise Incompatible(f"{operation}: expected another page of {root}, found the same again")
            if behind is not None and asked + variables["first"] > MOST_OBJECTS:
                asked, cursor = 0, None
                variables["query"] = behind(nodes[-1])
            variables["after"] = cursor

    async def _page(self, operation: str, variables: dict[str, Any]) -> Answer:
        """Asks for half as many when Shopify finds them too dear, and stays with that."""
        while True:
            try:
                return await self._ask(operation, variables)
            except Rejected as refused:
                if refused.code != "MAX_COST_EXCEEDED" or variables["first"] == 1:
                    raise
                variables["first"] //= 2

    async def _ask(self, operation: str, variables: Mapping[str, Any]) -> Answer:
        answer = await self._client.query(operation, variables, Purpose.LISTS)
        if answer.denied:
            raise Unauthorised(f"{operation}: {answer.denied[0].text}")
        if answer.warnings:
            raise Incompatible(f"{operation}: expected the search to be taken, found {answer.warnings[0]}")
        return answer


def _place(node: Node) -> Place:
    service = node.get("fulfillmentService") or {}
    name = str(service.get("serviceName") or "") if service.get("type") != "MANUAL" else ""
    if node["isFulfillmentService"] and not name:
        name = str(node["name"])
    active, online = bool(node["isActive"]), bool(node["fulfillsOnlineOrders"])
    return Place(LocationId(number_of(node["id"])), str(node["name"]), active, online, name)


def _variant(node: Node) -> Variant:
    product, item = node["product"], node["inventoryItem"]
    levels = item.get("inventoryLevels")
    stocked = None
    if levels is not None and not levels["pageInfo"]["hasNextPage"]:
        stocked = frozenset(LocationId(number_of(one["location"]["id"])) for one in levels["nodes"] if one["isActive"])
    return Variant(
        id=number_of(node["id"]),
        sku=str(node["sku"] or ""),
        barcode=str(node["barcode"] or ""),
        oversells=node["inventoryPolicy"] == "CONTINUE",
        tracked=bool(item["tracked"]),
        ships=bool(item["requiresShipping"]),
        bundle=bool(node["requiresComponents"]),
        active=product["status"] in SOLD,
        published=product["publishedAt"] is not None,
        stocked_at=stocked,
    )


def _bought(node: Node) -> Bought:
    line = next((one for one in node["shippingLines"]["nodes"] if not one["isRemoved"]), None)
    fulfilled = [datetime.fromisoformat(one["createdAt"]) for one in node["fulfillments"]]
    return Bought(
        name=str(node["name"]),
        created_at=datetime.fromisoformat(node["createdAt"]),
        shipping=None if line is None else (str(line["title"]), str(line["code"] or "")),
        tags=tuple(str(tag) for tag in node["tags"]),
        fulfilled_at=min(fulfilled, default=None),
    )


def _subscription(node: Node) -> Subscription:
    return Subscription(
        topic=str(node["topic"]),
        uri=str(node["uri"]),
        api_version=str(node["apiVersion"]["handle"]),
        filter=str(node["filter"] or ""),
        fields=tuple(str(one) for one in node["includeFields"] or ()),
    )
