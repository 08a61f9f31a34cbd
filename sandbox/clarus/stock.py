"""Stock per account, warehouse and product; a product without a record here is never short."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sandbox.clarus.records import ZERO, Account, Product, Warehouse


@dataclass(slots=True)
class Balance:
    """`physical` is all that lies in the warehouse; what is allocated or picked is part of it."""

    id: int
    account: Account
    warehouse: Warehouse
    product: Product
    received: Decimal
    physical: Decimal
    allocated: Decimal = ZERO
    picked: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """Free to be allocated; below zero when more left than there was on paper."""
        return self.physical - self.allocated - self.picked


class Stock:
    """The balances. Every movement of units that no balance exists for is granted and not counted."""

    def __init__(self) -> None:
        self._balances: dict[tuple[int, int, int], Balance] = {}

    def __iter__(self) -> Iterator[Balance]:
        return iter(self._balances.values())

    def of(self, account: Account, warehouse: Warehouse, product: Product) -> Balance | None:
        return self._balances.get((account.id, warehouse.id, product.id))

    def receive(self, account: Account, warehouse: Warehouse, product: Product, units: Decimal) -> Balance:
        """Goods came in, or were adjusted away by a negative number. From now on this product can be short here."""
        balance = self.of(account, warehouse, product)
        if balance is None:
            balance = Balance(len(self._balances) + 1, account, warehouse, product, ZERO, ZERO)
            self._balances[account.id, warehouse.id, product.id] = balance
        balance.received += max(ZERO, units)
        balance.physical += units
        return balance
