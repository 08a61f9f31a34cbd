"""The ERP as the connector runtime sees it: adapters behind one port, and how a write becomes an outcome."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.erp.interface import ErpAdapter, NotYet, Written
from connectors.erp.items import ErpItems
from connectors.erp.setup import ErpSetup
from connectors.runtime.errors import ConnectorError, Incompatible, Permanent, Rejected, TimedOut, Unauthorised
from connectors.runtime.outcomes import ended
from connectors.runtime.port import Changes, ConfigOf, Execution, Found, Reading
from kernel.clock import Clock
from schemas.aggregates import Kind, kind_of
from schemas.base import Brand, OrderId, System
from schemas.cases import CaseCode
from schemas.commands import Command, Decided, PostFulfilment, UpsertErpOrder
from schemas.config import BrandConfig
from schemas.hints import Hint
from schemas.outcomes import OutcomeKind
from schemas.sweep import Stray


class ErpPort:
    """Implements `connectors.runtime.port.Port` over one adapter per brand; brands may share one."""

    def __init__(
        self,
        adapters: Mapping[Brand, ErpAdapter],
        clock: Clock,
        config_of: ConfigOf = lambda _: None,
    ) -> None:
        """`config_of` is asked where items are concerned: the brand's SKU rules."""
        if not adapters:
            raise ValueError("expected an ERP adapter for at least one brand, found none")
        self._adapters = dict(adapters)
        self._clock = clock
        self._config_of = config_of
        self._items = {brand: ErpItems(brand, adapter, clock) for brand, adapter in adapters.items()}

    @property
    def system(self) -> System:
        return System.ERP

    @property
    def brands(self) -> frozenset[Brand]:
        return frozenset(self._adapters)

    @property
    def longest_request(self) -> float:
        return max(adapter.capabilities.longest_request for adapter in self._adapters.values())

    @property
    def read_batch(self) -> int:
        return min(adapter.capabilities.read_batch for adapter in self._adapters.values())

    async def read(self, brand: Brand, orders: Sequence[OrderId]) -> Sequence[Reading]:
        """Orders and items alike, each by its own reader."""
        items = [one for one in orders if kind_of(one) is Kind.ITEM]
        others = [one for one in orders if kind_of(one) is not Kind.ITEM]
        readings = [*await self._adapters[brand].read(brand, others)] if others else []
        if items:
            config = self._config_of(brand)
            if config is None:
                raise Incompatible(f"brand {brand} is not configured: its SKU rules are unknown")
            readings.extend(await self._items[brand].read(config, items))
        return readings

    async def execute(self, command: Command) -> Execution:
        """See `Port.execute`. A Transient after a first of several requests leaves nothing undone for good: the next
        try looks and goes on from there.
        """
        adapter = self._adapters[command.brand]
        match command:
            case UpsertErpOrder():
                return await self._write(adapter, command, lambda: adapter.upsert_order(command))
            case PostFulfilment():
                return await self._write(adapter, command, lambda: adapter.post_fulfilment(command))
            case _:
                text = f"{command.kind} is not for the ERP"
                return Execution(ended(command, OutcomeKind.REJECTED, code="wrong_system", text=text))

    async def resolve(self, hint: Hint) -> Sequence[OrderId]:
        """The ERP's hints come from the poll and name orders: there is nothing else to resolve."""
        return () if hint.order.startswith("~") else (hint.order,)

    async def changes(self, brand: Brand, cursor: str) -> Changes:
        return await self._adapters[brand].changes_since(brand, cursor)

    async def items_changed(self, brand: Brand, cursor: str) -> Changes:
        config = self._kept(brand)
        return Changes((), "") if config is None else await self._items[brand].changed(config, cursor)

    async def all_items(self, brand: Brand) -> Sequence[OrderId]:
        config = self._kept(brand)
        return () if config is None else await self._items[brand].all(config)

    def _kept(self, brand: Brand) -> BrandConfig | None:
        """The configuration of a brand whose items are kept in step."""
        config = self._config_of(brand)
        return None if config is None or config.items.mode == "off" else config

    async def listed(self, brand: Brand, since: datetime) -> Sequence[OrderId]:
        return await self._adapters[brand].listed(brand, since)

    async def swept(self, brand: Brand, since: datetime) -> Found:
        """A sales order whose key is no order number of Shopify's names no order: somebody entered it by hand."""
        named = await self.listed(brand, since)
        strays = (
            Stray(code=CaseCode.ORPHAN_ERP_ORDER, object=f"sales order under {key}", detail="its key names no order")
            for key in named
            if not key.isdecimal()
        )
        return Found(tuple(key for key in named if key.isdecimal()), tuple(strays))

    def setup(self, brand: Brand) -> ErpSetup:
        """How the ERP is set up for the brand."""
        return self._adapters[brand].setup(brand)

    async def aclose(self) -> None:
        for adapter in {id(adapter): adapter for adapter in self._adapters.values()}.values():
            await adapter.aclose()

    async def _write(self, adapter: ErpAdapter, command: Decided, write: Callable[[], Awaitable[Written]]) -> Execution:
        try:
            written = await self._written(adapter, write)
        except NotYet as later:
            until = self._clock.now() + timedelta(seconds=later.seconds)
            outcome = ended(command, OutcomeKind.DELAYED, code=later.code, text=later.text, until=until)
        except Unauthorised:
            raise
        except Rejected as refused:
            outcome = ended(command, OutcomeKind.REJECTED, code=refused.code, field=refused.field, text=refused.text)
        except Permanent as failed:
            outcome = ended(command, OutcomeKind.REJECTED, code=type(failed).__name__.lower(), text=str(failed))
        else:
            kind = OutcomeKind.ALREADY_APPLIED if written.already else OutcomeKind.APPLIED
            outcome = ended(command, kind, external_id=written.external_id)
        return Execution(outcome, await self._read_back(adapter, command))

    async def _written(self, adapter: ErpAdapter, write: Callable[[], Awaitable[Written]]) -> Written:
        """Once more after an unclear answer: every write begins with a look, so the second writes what is missing."""
        try:
            return await write()
        except TimedOut:
            await self._clock.sleep(adapter.capabilities.longest_request)
            again = await write()
            return Written(again.external_id, already=False)

    async def _read_back(self, adapter: ErpAdapter, command: Decided) -> tuple[Reading, ...]:
        try:
            return tuple(await adapter.read(command.brand, [command.order]))
        except ConnectorError:
            return ()  # the write stands; the poll will show it
