"""Clarus works with its own integer ids: codes are resolved here, compared exactly, and remembered for a while."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from connectors.clarus.client import ClarusClient
from connectors.clarus.documents import document, look_at
from connectors.clarus.lists import Node, nodes_of, text, whole_list
from connectors.runtime.errors import Blind, Rejected
from kernel.clock import Clock


class Rights(NamedTuple):
    """The account's id as far as we see it; `complete` when we see it and all the warehouses asked for."""

    account: str | None
    complete: bool

    def must_be_complete(self) -> None:
        """Raises Blind: what Clarus does not show is not absent."""
        if not self.complete:
            raise Blind("Clarus does not show our account and all our warehouses")


class Catalogue:
    """Of one tenant. Raises Rejected naming the code that Clarus does not know; that is asked again each time."""

    def __init__(self, client: ClarusClient, clock: Clock, known_for: float, page_size: int) -> None:
        self._client, self._clock, self._known_for, self._page = client, clock, known_for, page_size
        self._known: dict[tuple[str, str], tuple[str, float]] = {}

    async def rights(self, account: str, warehouses: Sequence[str]) -> Rights:
        """Asked afresh each time: it is what makes an empty answer believable."""
        _, rights = await self.beside(account, warehouses, {}, look_at(1))
        return rights

    async def beside(
        self, account: str, warehouses: Sequence[str], asked: Mapping[str, Any], asking: str
    ) -> tuple[Mapping[str, Any], Rights]:
        """The answer to the document `asking` with these variables, and the rights in the same answer."""
        codes = {"account": {"code": {"eq": account}}, "warehouses": {"code": {"in": list(warehouses)}}}
        data = await self._client.query(asking, {**asked, **codes})
        seen = _by_code(nodes_of(data, "accounts")).get(account)
        found = {code: id_ for code, id_ in _by_code(nodes_of(data, "warehouses")).items() if code in warehouses}
        if seen is not None:
            self._put("account", account, seen)
        for code, id_ in found.items():
            self._put("warehouse", code, id_)
        return data, Rights(seen, seen is not None and len(found) == len(set(warehouses)))

    async def own_account(self, account: str, warehouses: Sequence[str]) -> str:
        """Its id, as remembered or asked for. Raises Blind when we do not see all that is ours."""
        known = self._get("account", account)
        if known is None:
            rights = await self.rights(account, warehouses)
            rights.must_be_complete()
            known = rights.account
        assert known is not None  # complete rights show the account
        return known

    def account(self, code: str) -> str | None:
        """Its id as remembered; None when it is not, or no longer."""
        return self._get("account", code)

    async def place(self, account: str, warehouse: str) -> tuple[int, int]:
        """Ids of an account and a warehouse. Rejected `unknown_account` or `unknown_warehouse`."""
        if self._get("account", account) is None or self._get("warehouse", warehouse) is None:
            await self.rights(account, [warehouse])
        account_id, warehouse_id = self._get("account", account), self._get("warehouse", warehouse)
        if account_id is None:
            raise Rejected("unknown_account", account, "account")
        if warehouse_id is None:
            raise Rejected("unknown_warehouse", warehouse, "warehouse")
        return int(account_id), int(warehouse_id)

    def forget(self) -> None:
        """An id was refused: master data changed, everything is asked anew."""
        self._known.clear()

    async def products(self, codes: Sequence[str]) -> dict[str, int]:
        """Product code → id. Rejected `unknown_sku` names every code that is not there."""
        found = await self.known_products(codes)
        unknown = sorted(set(codes) - set(found))
        if unknown:
            raise Rejected("unknown_sku", ", ".join(unknown), "sku")
        return found

    async def known_products(self, codes: Sequence[str]) -> dict[str, int]:
        """Product code → id, of those that are there."""
        await self._learn_products(codes)
        found = {code: self._get("product", code) for code in codes}
        return {code: int(id_) for code, id_ in found.items() if id_ is not None}

    async def _learn_products(self, codes: Sequence[str]) -> None:
        missing = sorted({code for code in codes if self._get("product", code) is None})
        if missing:
            listed = await whole_list(self._client, "products", "products", {"code": {"in": missing}}, self._page)
            for node in listed:
                # Under its own code: Clarus may match more loosely than a zero or a capital.
                self._put("product", text(node, "code"), text(node, "id"))

    async def stock_unit(self, code: str) -> int:
        """Id of a stock unit type. Rejected `unknown_stock_unit`. That it has a code is assumed."""
        if self._get("stock_unit", code) is None:
            filter_ = {"code": {"eq": code}}
            for node in await whole_list(self._client, "stock_units", "stock_unit_types", filter_, self._page):
                self._put("stock_unit", text(node, "code"), text(node, "id"))
        found = self._get("stock_unit", code)
        if found is None:
            raise Rejected("unknown_stock_unit", code, "stock_unit")
        return int(found)

    async def carrier(self, carrier: str, service: str) -> tuple[int, int]:
        """Ids of a carrier and of its service. Rejected `unknown_carrier` or `unknown_service`."""
        pair = f"{carrier}/{service}"
        if self._get("carrier", carrier) is None or self._get("service", pair) is None:
            variables = {"carriers": {"code": {"eq": carrier}}, "services": {"code": {"eq": service}}}
            data = await self._client.query(document("carriers"), variables)
            for code, id_ in _by_code(nodes_of(data, "carriers")).items():
                self._put("carrier", code, id_)
            for node in nodes_of(data, "carrier_services"):
                self._put("service", f"{text(node, 'carrier', 'code')}/{text(node, 'code')}", text(node, "id"))
        carrier_id, service_id = self._get("carrier", carrier), self._get("service", pair)
        if carrier_id is None:
            raise Rejected("unknown_carrier", carrier, "carrier")
        if service_id is None:
            raise Rejected("unknown_service", pair, "carrier_service")
        return int(carrier_id), int(service_id)

    def _get(self, kind: str, code: str) -> str | None:
        found = self._known.get((kind, code))
        return found[0] if found is not None and self._clock.monotonic() < found[1] else None

    def _put(self, kind: str, code: str, id_: str) -> None:
        self._known[kind, code] = (id_, self._clock.monotonic() + self._known_for)


def _by_code(found: list[Node]) -> dict[str, str]:
    return {text(node, "code"): text(node, "id") for node in found}
