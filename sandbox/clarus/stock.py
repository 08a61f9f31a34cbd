"""Stock per account, warehouse and product: balances, the records they are made of, and the log of what moved.

A product without a balance here is never short: every movement of it is granted and not counted. What Clarus calls the
kinds of movement is documented for RCV, PICK and TRAN; the other subtypes, that a quantity bears no sign, and that held
stock is in no column, are assumed.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Literal

from sandbox.clarus.records import ZERO, Account, Product, Warehouse
from sandbox.clock import Clock
from sandbox.reads import Reads

Subtype = Literal["RCV", "PICK", "DISP", "UNDISP", "TRAN", "ADJUP", "ADJDOWN", "HOLD", "OFFHOLD", "ACCTRAN"]
Column = Literal["allocated", "picked"]


@dataclass(slots=True)
class Balance:
    """`physical` is all that lies in the warehouse; what is held, allocated or picked is part of it."""

    id: int
    account: Account
    warehouse: Warehouse
    product: Product
    received: Decimal
    physical: Decimal
    updated_at: datetime
    allocated: Decimal = ZERO
    picked: Decimal = ZERO
    held: Decimal = ZERO
    includes: frozenset[Column] = frozenset()
    """Columns that this tenant's `available` is shown gross of."""
    reads: Reads = field(default_factory=Reads)

    @property
    def available(self) -> Decimal:
        """Free to be allocated; below zero when more left than there was on paper."""
        return self.physical - self.held - self.allocated - self.picked

    @property
    def shown(self) -> Decimal:
        """`available` as Clarus shows it."""
        gross = ZERO
        if "allocated" in self.includes:
            gross += self.allocated
        if "picked" in self.includes:
            gross += self.picked
        return self.available + gross

    @property
    def sellable(self) -> Decimal:
        """All that can be sent, be it promised to somebody or not."""
        return self.physical - self.held


@dataclass(slots=True)
class StockRecord:
    """Units that came in together. Taken oldest first when something leaves."""

    id: int
    balance: Balance
    quantity: Decimal
    fifo_date: datetime
    status: Literal["available", "held"] = "available"
    location: str = "A-01"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of the log. `quantity` has no sign: the subtype tells the direction; `left` is what lies there since."""

    id: int
    subtype: Subtype
    quantity: Decimal
    created_at: datetime
    balance: Balance
    left: Decimal
    goods_out: int | None = None


@dataclass(frozen=True, slots=True)
class Movement:
    """A balance changed; an allocation does so without a transaction."""

    balance: Balance
    transaction: Transaction | None


@dataclass(slots=True)
class Stock:
    """The balances. `includes` is how `available` is shown from now on."""

    clock: Clock
    includes: frozenset[Column] = frozenset()
    records: dict[int, StockRecord] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    _balances: dict[tuple[int, int, int], Balance] = field(default_factory=dict)
    _record_ids: Iterator[int] = field(default_factory=lambda: count(330001))
    _listeners: list[Callable[[Movement], None]] = field(default_factory=list)

    def __iter__(self) -> Iterator[Balance]:
        return iter(self._balances.values())

    def listen(self, listener: Callable[[Movement], None]) -> None:
        """`listener` is called after the change."""
        self._listeners.append(listener)

    def of(self, account: Account, warehouse: Warehouse, product: Product) -> Balance | None:
        return self._balances.get((account.id, warehouse.id, product.id))

    def counted(self, account: Account, warehouse: Warehouse, product: Product) -> Balance:
        """From now on this product can be short here."""
        found = self.of(account, warehouse, product)
        if found is None:
            number, now = len(self._balances) + 1, self.clock.now()
            found = Balance(number, account, warehouse, product, ZERO, ZERO, now, includes=self.includes)
            self._balances[account.id, warehouse.id, product.id] = found
        return found

    # --- goods in, and corrections

    def receive(
        self, account: Account, warehouse: Warehouse, product: Product, units: Decimal, *, held: bool = False
    ) -> Balance:
        """Goods came in, or were adjusted away by a negative number. On hold they are there and cannot be sent."""
        balance = self.counted(account, warehouse, product)
        if units < ZERO:
            self.adjust(balance, units)
            return balance
        balance.received += units
        self._put(balance, units, held=held)
        self._moved(balance, "RCV", units)
        return balance

    def adjust(self, balance: Balance, units: Decimal) -> None:
        """More or less than on paper."""
        if units > ZERO:
            self._put(balance, units)
        else:
            self._take(balance, -units)
        self._moved(balance, "ADJUP" if units > ZERO else "ADJDOWN", abs(units))

    def hold(self, balance: Balance, units: Decimal) -> None:
        """As many as are free, oldest first, cannot be sent until they are released."""
        self._mark(balance, units, "available", "held")
        self._moved(balance, "HOLD", units)

    def release(self, balance: Balance, units: Decimal) -> None:
        self._mark(balance, units, "held", "available")
        self._moved(balance, "OFFHOLD", units)

    def transfer(self, balance: Balance, account: Account, units: Decimal) -> Balance:
        """Another owner, the same place."""
        other = self.counted(account, balance.warehouse, balance.product)
        self._take(balance, units)
        self._put(other, units)
        self._moved(balance, "ACCTRAN", units)
        self._moved(other, "ACCTRAN", units)
        return other

    # --- goods out

    def allocate(self, balance: Balance, units: Decimal) -> None:
        balance.allocated += units
        self._told(balance, None, changed=units)

    def free(self, balance: Balance, units: Decimal) -> None:
        balance.allocated -= units
        self._told(balance, None, changed=units)

    def pick(self, balance: Balance, units: Decimal, from_allocation: Decimal, goods_out: int) -> None:
        balance.allocated -= from_allocation
        balance.picked += units
        self._moved(balance, "PICK", units, goods_out)

    def put_back(self, balance: Balance, units: Decimal, goods_out: int) -> None:
        """From totes to the shelf."""
        balance.picked -= units
        self._moved(balance, "TRAN", units, goods_out)

    def despatch(self, balance: Balance, units: Decimal, goods_out: int) -> None:
        balance.picked -= units
        self._take(balance, units)
        self._moved(balance, "DISP", units, goods_out)

    def undespatch(self, balance: Balance, units: Decimal, goods_out: int) -> None:
        balance.picked += units
        self._put(balance, units)
        self._moved(balance, "UNDISP", units, goods_out)

    # --- inside

    def _put(self, balance: Balance, units: Decimal, *, held: bool = False) -> None:
        if not units:
            return
        balance.physical += units
        balance.held += units if held else ZERO
        record = StockRecord(next(self._record_ids), balance, units, self.clock.now(), "held" if held else "available")
        self.records[record.id] = record

    def _take(self, balance: Balance, units: Decimal) -> None:
        """Off the records as far as they reach; off the balance in any case."""
        balance.physical -= units
        for record in self._records(balance, "available"):
            taken = min(units, record.quantity)
            record.quantity -= taken
            units -= taken
            if not record.quantity:
                del self.records[record.id]

    def _mark(
        self, balance: Balance, units: Decimal, from_: Literal["available", "held"], to: Literal["available", "held"]
    ) -> None:
        """Raises ValueError when there are not as many."""
        free = balance.available if to == "held" else balance.held
        if not ZERO < units <= free:
            raise ValueError(f"expected at most {free} units of {balance.product.code}, found {units}")
        balance.held += units if to == "held" else -units
        for record in self._records(balance, from_):
            if not units:
                return
            taken = min(units, record.quantity)
            units -= taken
            if taken < record.quantity:
                record.quantity -= taken
                rest = StockRecord(next(self._record_ids), balance, taken, record.fifo_date, to, record.location)
                self.records[rest.id] = rest
            else:
                record.status = to

    def _records(self, balance: Balance, status: str) -> list[StockRecord]:
        found = [one for one in self.records.values() if one.balance is balance and one.status == status]
        return sorted(found, key=lambda one: (one.fifo_date, one.id))

    def _moved(self, balance: Balance, subtype: Subtype, units: Decimal, goods_out: int | None = None) -> None:
        if units:
            number, now = len(self.transactions) + 1, self.clock.now()
            made = Transaction(number, subtype, units, now, balance, balance.physical, goods_out)
            self.transactions.append(made)
            self._told(balance, made, changed=units)

    def _told(self, balance: Balance, transaction: Transaction | None, *, changed: Decimal) -> None:
        if changed:
            balance.updated_at = self.clock.now()
            for listener in self._listeners:
                listener(Movement(balance, transaction))
