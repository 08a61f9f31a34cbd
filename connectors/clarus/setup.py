"""How a Clarus tenant is set up, for whoever checks it before orders flow: whole lists, as our user sees them.

Nodes and filters are those of the list pages of Clarus' API description 1.0.0, unless a method says otherwise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from connectors.clarus.client import ClarusClient
from connectors.clarus.lists import MOST_PAGES_OF_ALL, Filter, Node, text, whole_list
from connectors.runtime.errors import Incompatible

CODES_AT_ONCE = 100
SHOPIFY = "shopify"
"""A provider of Clarus' own integrations."""


@dataclass(frozen=True, slots=True)
class Service:
    """A carrier's service."""

    carrier: str
    code: str
    active: bool


@dataclass(frozen=True, slots=True)
class Product:
    code: str
    barcode: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """Units of a product in a warehouse that are free to be sold."""

    product: str
    warehouse: str
    available: Decimal


class ClarusSetup:
    """Of one tenant. Every method reads all pages at the tenant's pace and raises ConnectorError.

    A caller must not take an empty list for "there are none": what our user may not see is not shown.
    """

    def __init__(self, client: ClarusClient, page_size: int) -> None:
        self._client, self._page = client, page_size

    async def accounts(self) -> Mapping[str, str]:
        """Code → id."""
        return {text(node, "code"): text(node, "id") for node in await self._list("accounts", "accounts")}

    async def warehouses(self) -> frozenset[str]:
        """Codes."""
        return frozenset(text(node, "code") for node in await self._list("warehouses", "warehouses"))

    async def carriers(self) -> Mapping[str, bool]:
        """Code → whether it is active."""
        return {text(node, "code"): _active(node) for node in await self._list("carriers", "carriers")}

    async def services(self) -> tuple[Service, ...]:
        nodes = await self._list("services", "carrier_services")
        return tuple(Service(text(node, "carrier", "code"), text(node, "code"), _active(node)) for node in nodes)

    async def products(self, account: str) -> tuple[Product, ...]:
        """Those assigned to the account, named by its id."""
        return _products(await self._list("products", "products", {"account_id": {"eq": account}}))

    async def coded(self, codes: Sequence[str]) -> frozenset[str]:
        """Which of these product codes there are, in whatever account; compared exactly."""
        found: set[str] = set()
        for begin in range(0, len(codes), CODES_AT_ONCE):
            wanted = list(codes[begin : begin + CODES_AT_ONCE])
            nodes = await self._list("products", "products", {"code": {"in": wanted}})
            found |= {code for node in nodes if (code := text(node, "code")) in wanted}
        return frozenset(found)

    async def stopped(self, account: str) -> frozenset[str]:
        """Codes of the account's products that are stopped, which blocks all use.

        Reading `stop` is an assumption: it is documented for writing only.
        """
        nodes = await self._list("stopped", "products", {"account_id": {"eq": account}})
        return frozenset(text(node, "code") for node in nodes if node.get("stop") is True)

    async def balances(self, account: str) -> tuple[Balance, ...]:
        """Above zero."""
        wanted: Filter = {"account_id": {"eq": account}, "available": {"gt": 0}}
        nodes = await self._list("balances", "stock_balances", wanted)
        return tuple(
            Balance(text(node, "product", "code"), text(node, "warehouse", "code"), _units(node)) for node in nodes
        )

    async def automations(self) -> frozenset[str]:
        """Events of goods-outs for which an automation is switched on. What each of them calls Clarus does not list."""
        nodes = await self._list("automations", "automations", {"resource_name": {"eq": "goods_out"}})
        return frozenset(text(node, "event") for node in nodes if node.get("enabled") is True)

    async def own_integrations(self) -> tuple[str, ...]:
        """Names of Clarus' own integrations with Shopify that are switched on."""
        nodes = await self._list("integrations", "integrations", {"integration_provider": {"eq": SHOPIFY}})
        return tuple(text(node, "name") for node in nodes if node.get("enabled") is True)

    async def _list(self, name: str, root: str, filter_: Filter | None = None) -> list[Node]:
        return await whole_list(self._client, f"setup/{name}", root, filter_ or {}, self._page, MOST_PAGES_OF_ALL)


def _products(nodes: Sequence[Node]) -> tuple[Product, ...]:
    return tuple(Product(text(node, "code"), str(node.get("barcode") or "")) for node in nodes)


def _active(node: Node) -> bool:
    return node.get("active") is not False


def _units(node: Node) -> Decimal:
    try:
        return Decimal(str(node.get("available")))
    except InvalidOperation as error:
        raise Incompatible("available: expected a number, found something else") from error
