"""How a shop's books in the sandbox ERP are set up."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.erp.http import ErpHttp
from connectors.erp.setup import Item
from connectors.runtime.errors import Incompatible

PAGE = 500

RIGHTS = {"orders": "to enter sales orders", "fulfilments": "to enter fulfilments"}
"""What our key must be allowed, by the ERP's name."""

SETTINGS = {
    "fulfils_by_itself": "it enters fulfilments by itself when an order is committed",
    "back_orders": "it keeps what is short on back-order and ships it by itself later",
}


class SandboxErpSetup:
    """Implements `ErpSetup`."""

    def __init__(self, http: ErpHttp) -> None:
        self._http = http

    async def items(self) -> Sequence[Item]:
        found: list[Item] = []
        seen = 0
        while True:
            answer = await self._http.get("api/items", [("offset", str(seen)), ("limit", str(PAGE))])
            try:
                page, total = answer["items"], int(answer["total"])
                found.extend(
                    Item(str(one["sku"]), (one["barcode"],) if one["barcode"] else ()) for one in page if one["active"]
                )
            except (KeyError, TypeError, ValueError) as error:
                raise Incompatible(f"api/items: expected items, found {error!r}") from error
            seen += len(page)
            if seen >= total or not page:
                return found

    async def lacking(self) -> Sequence[str]:
        rights = (await self._setup()).get("rights") or ()
        return [f"our key lacks the right {said}" for right, said in RIGHTS.items() if right not in rights]

    async def automations(self) -> Sequence[str]:
        settings = (await self._setup()).get("settings") or {}
        return [said for setting, said in SETTINGS.items() if settings.get(setting)]

    async def _setup(self) -> Mapping[str, Any]:
        answer = await self._http.get("api/setup")
        if not isinstance(answer, dict):
            raise Incompatible(f"api/setup: expected an object, found {type(answer).__name__}")
        return answer
