"""How Tryton is set up for a brand's web shop: its products, what a sale refers to, what Tryton does by itself."""

from collections.abc import Sequence

from connectors.erp.setup import Item
from connectors.erp.tryton.client import Record, TrytonClient
from connectors.erp.tryton.master import Shop
from connectors.erp.tryton.read import SALE, SHIPMENT
from connectors.erp.tryton.translate import BARCODE
from connectors.runtime.errors import NotFound, Rejected, Unauthorised

PAGE = 1000


class TrytonSetup:
    """Implements `ErpSetup`."""

    def __init__(self, client: TrytonClient, shop: Shop) -> None:
        self._client, self._shop = client, shop

    async def items(self) -> Sequence[Item]:
        """Active, salable products that have a code."""
        fields = ["code", "identifiers.type", "identifiers.code"]
        found: list[Item] = []
        last = 0
        while True:
            domain = [["id", ">", last], ["code", "!=", None], ["template.salable", "=", True]]
            page = await self._client.search("product.product", domain, fields, most=PAGE)
            found.extend(_item(product) for product in page)
            if len(page) < PAGE:
                return found
            last = int(page[-1]["id"])

    async def lacking(self) -> Sequence[str]:
        """The shop, its customer, and whether our key opens what we read and write."""
        lacking: list[str] = []
        shops = await self._looked("web.shop", [["name", "=", self._shop.web_shop]], ["guest_party"], lacking)
        parties = await self._looked("party.party", [["code", "=", self._shop.customer]], ["addresses"], lacking)
        if shops == []:
            lacking.append(f"there is no web shop {self._shop.web_shop!r}")
        if parties == []:
            lacking.append(f"there is no party with the code {self._shop.customer!r}")
        if parties and not parties[0]["addresses"]:
            lacking.append(f"the party {self._shop.customer!r} has no address")
        if shops and parties and shops[0]["guest_party"] == parties[0]["id"]:
            lacking.append(f"the party {self._shop.customer!r} is its shop's guest party: no sale of a guest is quoted")
        for model in (SALE, SHIPMENT):
            await self._looked(model, [["id", "=", 0]], ["id"], lacking)
        return lacking

    async def automations(self) -> Sequence[str]:
        shops = await self._client.search("web.shop", [["name", "=", self._shop.web_shop]], ["type"])
        types = [str(shop["type"]) for shop in shops if shop.get("type")]
        return [f"the web shop {self._shop.web_shop!r} is connected by Tryton itself ({kind})" for kind in types]

    async def _looked(
        self, model: str, domain: list[list[object]], fields: list[str], lacking: list[str]
    ) -> list[Record] | None:
        """None, and a word in `lacking`, when our key may not read it or Tryton does not know it."""
        try:
            return await self._client.search(model, domain, fields, most=1)
        except (Unauthorised, NotFound, Rejected) as refused:
            lacking.append(f"{model} cannot be read ({type(refused).__name__})")
            return None


def _item(product: Record) -> Item:
    codes = (str(one["code"]) for one in product["identifiers"] if one["type"] == BARCODE and one["code"])
    return Item(str(product["code"]), tuple(codes))
