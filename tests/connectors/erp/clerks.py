"""Who keeps the item master of the ERPs under test."""

from typing import Any, Protocol

from connectors.erp.tryton.client import TrytonClient
from sandbox.erp import ErpWorld

PRODUCT, TEMPLATE = "product.product", "product.template"


class ItemClerk(Protocol):
    async def enter(self, code: str, description: str, barcode: str = "") -> str:
        """A new item, sold from now on; its id."""
        ...

    async def change(self, id_: str, **fields: Any) -> None:
        """`code`, `description` or `active`."""
        ...


class SandboxClerk:
    def __init__(self, world: ErpWorld) -> None:
        assert world.items is not None
        self._items = world.items
        self._codes: dict[str, str] = {}

    async def enter(self, code: str, description: str, barcode: str = "") -> str:
        made = self._items.enter(code, description, barcode=barcode)
        self._codes[str(made.id)] = code
        return str(made.id)

    async def change(self, id_: str, **fields: Any) -> None:
        self._codes[id_] = self._items.change(self._codes[id_], **fields).sku


class TrytonClerk:
    def __init__(self, client: TrytonClient) -> None:
        self._client = client

    async def enter(self, code: str, description: str, barcode: str = "") -> str:
        (unit,) = await self._client.search("product.uom", [["name", "=", "Unit"]], ["name"])
        identifiers = [["create", [{"type": "ean", "code": barcode}]]] if barcode else []
        variant = {"suffix_code": code or None, "identifiers": identifiers}
        values = {
            "name": description,
            "default_uom": unit["id"],
            "sale_uom": unit["id"],
            "type": "goods",
            "salable": True,
            "products": [["create", [variant]]],
        }
        template = await self._client.create(TEMPLATE, values)
        (made,) = await self._client.search(PRODUCT, [["template", "=", template]], ["code"])
        return str(made["id"])

    async def change(self, id_: str, **fields: Any) -> None:
        (found,) = await self._client.search(
            PRODUCT, [["id", "=", int(id_)], ["active", "in", [True, False]]], ["template.id"]
        )
        if "description" in fields:
            await self._client.change(TEMPLATE, found["template"]["id"], {"name": fields.pop("description")})
        if "code" in fields:
            fields["suffix_code"] = fields.pop("code")
        if fields:
            await self._client.change(PRODUCT, int(id_), fields)
