"""The control: Clarus' figure written straight to `available`, as often as it can, whatever stood there.

It forgets the orders on their way and writes over what was sold meanwhile. It is here to show that a run which
oversells is told apart from one that does not; nothing of the product uses it.
"""

import uuid
from collections.abc import Sequence
from typing import Any

import httpx

from lockstep.demo.outside import Outside
from sandbox.stock.ledger import Spot

EVERY = 5.0
"""Seconds between two rounds."""
SET = """mutation Set($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code } }
}"""


class NaiveStock:
    """Over the sandbox's own interfaces: it reads balances, waits as long as such programs do, and writes."""

    def __init__(self, outside: Outside, spots: Sequence[Spot], token: str, every: float = EVERY) -> None:
        self._outside, self._spots, self._token, self._every = outside, spots, token, every

    async def run(self) -> None:
        """Until cancelled."""
        transport = httpx.ASGITransport(self._outside.shopify_app)
        async with httpx.AsyncClient(transport=transport, base_url="http://shopify.test") as client:
            while True:
                read = [(spot, self._available(spot)) for spot in self._spots]
                await self._outside.clock.sleep(self._every)
                await self._write(client, read)

    def _available(self, spot: Spot) -> int:
        keeper = self._outside.storekeeper(
            next(brand for brand in self._outside.brands if brand.account == spot.account), spot.warehouses[0]
        )
        return max(0, int(keeper.balance(spot.product).shown))

    async def _write(self, client: httpx.AsyncClient, read: Sequence[tuple[Spot, int]]) -> None:
        quantities = []
        for spot, available in read:
            variant = self._outside.shopify.shops[spot.shop].inventory.variant(spot.sku)
            assert variant is not None
            quantities.append(
                {
                    "inventoryItemId": f"gid://shopify/InventoryItem/{variant.id}",
                    "locationId": f"gid://shopify/Location/{spot.location}",
                    "quantity": available,
                    "changeFromQuantity": None,
                }
            )
        body: dict[str, Any] = {"name": "available", "reason": "correction", "quantities": quantities}
        body["referenceDocumentUri"] = "gid://naive/Round/1"
        await client.post(
            f"/{self._spots[0].shop}/admin/api/2026-10/graphql.json",
            json={"query": SET, "variables": {"input": body, "key": str(uuid.uuid4())}},
            headers={"X-Shopify-Access-Token": self._token},
        )
