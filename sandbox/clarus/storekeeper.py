"""A person who keeps the stock of one account in one warehouse: goods in, holds, corrections, changes of owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sandbox.clarus.records import Account, Product, Warehouse
from sandbox.clarus.stock import Balance
from sandbox.clarus.world import ClarusWorld


@dataclass(frozen=True, slots=True)
class Storekeeper:
    """Everything is named by code. All methods raise ValueError for what there is not, and then change nothing."""

    world: ClarusWorld
    tenant: str
    account: str
    warehouse: str

    def receive(self, sku: str, units: int, *, held: bool = False) -> Balance:
        """From now on the product is counted here."""
        owner, place, product = self._owner(self.account), self._place(), self._product(sku)
        return self.world.stock.receive(owner, place, product, Decimal(units), held=held)

    def hold(self, sku: str, units: int) -> None:
        self.world.stock.hold(self.balance(sku), Decimal(units))

    def release(self, sku: str, units: int) -> None:
        self.world.stock.release(self.balance(sku), Decimal(units))

    def adjust(self, sku: str, units: int) -> None:
        """Found, or below zero lost: never more than lies there."""
        balance = self.balance(sku)
        if balance.physical + units < 0:
            raise ValueError(f"expected at most {balance.physical} units of {sku} to be lost, found {-units}")
        self.world.stock.adjust(balance, Decimal(units))

    def transfer(self, sku: str, units: int, to: str) -> None:
        balance = self.balance(sku)
        if units > balance.available:
            raise ValueError(f"expected at most {balance.available} units of {sku}, found {units}")
        self.world.stock.transfer(balance, self._owner(to), Decimal(units))

    def wholesale(self, reference: str, units: Mapping[str, int]) -> int:
        """An order of another channel, keyed in by hand; its id."""
        made = self.world.enter_by_hand(self.tenant, self.account, self.warehouse, units, reference=reference)
        return made.id

    def balance(self, sku: str) -> Balance:
        found = self.world.stock.of(self._owner(self.account), self._place(), self._product(sku))
        if found is None:
            raise ValueError(f"expected a product that is counted in {self.warehouse}, found {sku!r}")
        return found

    def _owner(self, code: str) -> Account:
        found = self.world.master.account(self.tenant, code)
        if found is None:
            raise ValueError(f"expected an account of {self.tenant}, found {code!r}")
        return found

    def _place(self) -> Warehouse:
        found = self.world.master.warehouse(self.tenant, self.warehouse)
        if found is None:
            raise ValueError(f"expected a warehouse of {self.tenant}, found {self.warehouse!r}")
        return found

    def _product(self, sku: str) -> Product:
        found = self.world.master.product(self.tenant, sku)
        if found is None:
            raise ValueError(f"expected a product of {self.tenant}, found {sku!r}")
        return found
