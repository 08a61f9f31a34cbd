"""What a new sale refers to in Tryton: web shop, customer, currency, products. Looked up by name."""

from collections.abc import Iterable
from dataclasses import dataclass

from connectors.erp.tryton.client import TrytonClient
from connectors.runtime.errors import Rejected
from schemas.base import Sku


@dataclass(frozen=True, slots=True)
class Shop:
    """How a brand is known in Tryton: the name of its web shop, the code of the party its orders are booked to.

    That party must not be the shop's *guest party*: Tryton does not quote a guest's sale (read in trytond-web-shop).
    """

    web_shop: str
    customer: str


@dataclass(frozen=True, slots=True)
class ShopIds:
    shop: int
    party: int
    address: int


@dataclass(frozen=True, slots=True)
class ProductIds:
    product: int
    unit: int


class MasterRecords:
    """Look-ups by name; shops and currencies are remembered, products are not: finance may rename those any day."""

    def __init__(self, client: TrytonClient) -> None:
        self._client = client
        self._shops: dict[Shop, ShopIds] = {}
        self._currencies: dict[str, int] = {}

    async def shop(self, shop: Shop) -> ShopIds:
        """Raises Rejected naming what finance has not set up."""
        if shop not in self._shops:
            shops = await self._client.search("web.shop", [["name", "=", shop.web_shop]], ["name"])
            if not shops:
                raise Rejected("no_web_shop", f"Tryton has no web shop {shop.web_shop!r}", "web_shop")
            parties = await self._client.search("party.party", [["code", "=", shop.customer]], ["addresses"])
            if not parties or not parties[0]["addresses"]:
                text = f"Tryton has no party with code {shop.customer!r} and an address"
                raise Rejected("no_customer", text, "party")
            self._shops[shop] = ShopIds(shops[0]["id"], parties[0]["id"], parties[0]["addresses"][0])
        return self._shops[shop]

    async def currency(self, code: str) -> int:
        """Raises Rejected `unknown_currency`."""
        if code not in self._currencies:
            found = await self._client.search("currency.currency", [["code", "=", code]], ["code"])
            if not found:
                raise Rejected("unknown_currency", f"Tryton has no currency {code}", "currency")
            self._currencies[code] = found[0]["id"]
        return self._currencies[code]

    async def products(self, skus: Iterable[Sku]) -> dict[Sku, ProductIds]:
        """By product code, text to the last zero. Raises Rejected `unknown_sku` naming the first one missing."""
        wanted = list(dict.fromkeys(skus))
        fields = ["code", "template.default_uom.id"]
        found = {
            Sku(product["code"]): ProductIds(product["id"], product["template"]["default_uom"]["id"])
            for product in await self._client.search("product.product", [["code", "in", wanted]], fields)
        }
        for sku in wanted:
            if sku not in found:
                raise Rejected("unknown_sku", f"Tryton has no product {sku!r}", sku)
        return found
