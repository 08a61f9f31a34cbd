"""Clarus as the connector runtime sees it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import httpx

from connectors.clarus.catalogue import Catalogue
from connectors.clarus.client import ClarusClient
from connectors.clarus.items import ProductReader
from connectors.clarus.lists import Node, text
from connectors.clarus.outcomes import refusal_of
from connectors.clarus.pace import Urgency, made_for
from connectors.clarus.poll import OpenGoodsOuts, ours
from connectors.clarus.read import ClarusReader
from connectors.clarus.settings import ClarusTenant
from connectors.clarus.setup import ClarusSetup
from connectors.clarus.stock import MOST_ITEMS, StockReader
from connectors.clarus.stock_poll import Movements
from connectors.clarus.write import ClarusWriter
from connectors.clarus.write_items import ProductWriter
from connectors.runtime.errors import Incompatible, Rejected
from connectors.runtime.port import Changes, ConfigOf, Execution, Found, Reading
from kernel.clock import Clock
from schemas.aggregates import Kind, item_id, kind_of, stock_id
from schemas.base import Brand, OrderId, Sku, System
from schemas.commands import AmendProduct, CancelGoodsOut, Command, CreateGoodsOut, CreateProduct
from schemas.config import BrandConfig
from schemas.hints import Hint


class Reader(Protocol):
    """Of one kind of keys."""

    async def read(self, config: BrandConfig, keys: Sequence[OrderId], /) -> list[Reading]: ...


class _Tenant:
    """Everything of one brand's connection."""

    def __init__(self, settings: ClarusTenant, clock: Clock, transport: httpx.AsyncBaseTransport | None) -> None:
        self.settings = settings
        self.client = ClarusClient(settings, clock, transport)
        self.catalogue = Catalogue(self.client, clock, settings.known_for, settings.page_size)
        self.reader = ClarusReader(self.catalogue, clock, settings.page_size)
        self.stock = StockReader(self.catalogue, clock, settings.page_size)
        self.movements = Movements(self.client, self.catalogue, clock, settings.page_size)
        self.poll = OpenGoodsOuts(self.reader, self.catalogue)
        self.writer = ClarusWriter(self.client, self.reader, self.catalogue, clock, settings.longest_request)
        self.items = ProductReader(self.catalogue, self.stock, clock, settings.page_size)
        self.products = ProductWriter(self.client, self.items, self.catalogue, clock, settings.longest_request)


class ClarusPort:
    """Implements `connectors.runtime.port.Port`. Account, warehouses and prefix come from the configuration."""

    def __init__(
        self,
        tenants: Sequence[ClarusTenant],
        config_of: ConfigOf,
        clock: Clock,
        transports: Mapping[Brand, httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        wired = transports or {}
        self._tenants = {one.brand: _Tenant(one, clock, wired.get(one.brand)) for one in tenants}
        self._config_of = config_of

    @property
    def system(self) -> System:
        return System.CLARUS

    @property
    def brands(self) -> frozenset[Brand]:
        return frozenset(self._tenants)

    @property
    def longest_request(self) -> float:
        return max((one.settings.longest_request for one in self._tenants.values()), default=0.0)

    @property
    def read_batch(self) -> int:
        return min((one.settings.read_batch for one in self._tenants.values()), default=1)

    @property
    def stock_batch(self) -> int:
        return MOST_ITEMS

    def budget(self, brand: Brand) -> float:
        """The share of the usual pace that Clarus lets us go at."""
        return self._tenants[brand].client.pace_left

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        """Whatever has a key, each kind by its own reader."""
        tenant, config = self._tenants[brand], self._config(brand)
        readers: dict[Kind, Reader] = {Kind.ORDER: tenant.reader, Kind.STOCK: tenant.stock, Kind.ITEM: tenant.items}
        readings: list[Reading] = []
        for kind, reader in readers.items():
            mine = [one for one in orders if kind_of(one) is kind]
            with made_for(Urgency.READ):
                readings.extend(await reader.read(config, mine) if mine else ())
        return readings

    async def execute(self, command: Command) -> Execution:
        """Its requests go before all others."""
        with made_for(Urgency.COMMAND):
            return await self._execute(command)

    async def _execute(self, command: Command) -> Execution:
        tenant, config = self._tenants[command.brand], self._config(command.brand)
        match command:
            case CreateGoodsOut():
                return await tenant.writer.create(command, config)
            case CancelGoodsOut():
                return await tenant.writer.cancel(command, config)
            case CreateProduct() | AmendProduct():
                return await tenant.products.execute(command, config)
            case _:
                text = f"{command.kind} is not for Clarus"
                return Execution(refusal_of(command, Rejected("wrong_system", text)))

    async def resolve(self, hint: Hint) -> Sequence[OrderId]:
        """`~goods_out/ID` → the order in that goods-out's reference, or, of another channel's, the stock items it takes
        from. Raises Blind when its absence proves nothing.
        `~balance/WAREHOUSE/CODE` → the stock items that this warehouse serves.
        """
        kind, _, id_ = hint.order.removeprefix("~").partition("/")
        tenant, config = self._tenants[hint.brand], self._config(hint.brand)
        if kind == "balance":
            if config.stock.mode == "off":
                return ()
            warehouse, _, code = id_.partition("/")
            return [stock_id(Sku(code), location) for location in config.locations_of(warehouse) if code]
        if kind != "goods_out" or not id_.isdecimal():
            return ()
        look = await tenant.reader.look(config, goods_outs={"id": {"eq": id_}})
        headers = look.lists["goods_outs"]
        if not headers:
            look.rights.must_be_complete()
        orders = tuple(order for node in headers if (order := ours(config, node)) is not None)[:1]
        if orders or not headers or config.stock.mode == "off":
            return orders
        return await self._taken_by(headers[0], tenant.reader, config)

    async def _taken_by(self, goods_out: Node, reader: ClarusReader, config: BrandConfig) -> Sequence[OrderId]:
        """One without a warehouse may take from any."""
        if text(goods_out, "account", "code") != config.account:
            return ()
        lines = (await reader.look(config, goods_out_lines={"goods_out_id": {"in": [text(goods_out, "id")]}})).lists
        codes = dict.fromkeys(Sku(text(line, "product", "code")) for line in lines["goods_out_lines"])
        warehouse = (goods_out.get("warehouse") or {}).get("code")
        return [stock_id(code, location) for code in codes for location in config.locations_of(warehouse)]

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        """See OpenGoodsOuts; nothing until the brand's configuration has come."""
        config = self._config_of(brand)
        if config is None:
            return Changes((), cursor)
        return await self._tenants[brand].poll.changes(config, cursor)

    async def moved(self, brand: Brand, cursor: str) -> Changes:
        config = self._config_of(brand)
        if config is None or config.stock.mode == "off":
            return Changes((), cursor)
        return await self._tenants[brand].movements.moved(config, cursor)

    async def stocked(self, brand: Brand) -> Sequence[OrderId]:
        config = self._config_of(brand)
        return () if config is None or config.stock.mode == "off" else await self._tenants[brand].movements.all(config)

    async def all_items(self, brand: Brand) -> Sequence[OrderId]:
        """What lies in the warehouse, which should be for sale, and what bundles are packed of. Whoever sells something
        else names it.
        """
        config = self._config_of(brand)
        if config is None or not config.items.audited:
            return ()
        components = {part.sku for bundle in config.bundles for part in bundle.components}
        return [item_id(code) for code in sorted({*await self._tenants[brand].movements.codes(config), *components})]

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return await self._tenants[brand].poll.listed(self._config(brand), since)

    async def swept(self, brand: Brand, since: datetime) -> Found:
        return await self._tenants[brand].poll.swept(self._config(brand), since)

    def setup(self, brand: Brand) -> ClarusSetup:
        """How the brand's tenant is set up, at the same pace as everything else here."""
        tenant = self._tenants[brand]
        return ClarusSetup(tenant.client, tenant.settings.page_size)

    def _config(self, brand: Brand) -> BrandConfig:
        config = self._config_of(brand)
        if config is None:
            raise Incompatible(f"brand {brand} is not configured: its account and warehouses are unknown")
        return config

    async def aclose(self) -> None:
        for tenant in self._tenants.values():
            await tenant.client.aclose()
