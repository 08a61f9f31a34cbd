"""Master data of all tenants: accounts, warehouses, carriers with services, products. Found by id, or by code."""

from collections.abc import Iterable, Sequence
from itertools import count
from typing import TypeVar

from sandbox.clarus.records import Account, Carrier, CarrierService, Integration, Product, StockUnitType, Warehouse

T = TypeVar("T", Account, Warehouse, Carrier)


class MasterData:
    """Ids come from one counter per kind, far apart, so that an id used for the wrong kind is found by nothing."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.warehouses: dict[int, Warehouse] = {}
        self.carriers: dict[int, Carrier] = {}
        self.services: dict[int, CarrierService] = {}
        self.products: dict[int, Product] = {}
        self.stock_units: dict[int, StockUnitType] = {}
        self.integrations: dict[int, Integration] = {}
        self._product_by_code: dict[tuple[str, str], Product] = {}
        self._account_ids = count(31)
        self._warehouse_ids = count(401)
        self._carrier_ids = count(901)
        self._service_ids = count(4401)
        self._product_ids = count(20001)

    def add_account(self, tenant: str, code: str) -> Account:
        account = Account(next(self._account_ids), tenant, code)
        self.accounts[account.id] = account
        return account

    def add_warehouse(self, tenant: str, code: str) -> Warehouse:
        warehouse = Warehouse(next(self._warehouse_ids), tenant, code)
        self.warehouses[warehouse.id] = warehouse
        return warehouse

    def add_carrier(self, tenant: str, code: str, services: Sequence[str] = ()) -> Carrier:
        """The first service is the default one."""
        carrier = Carrier(next(self._carrier_ids), tenant, code, code.title())
        self.carriers[carrier.id] = carrier
        for name in services:
            service = CarrierService(next(self._service_ids), carrier, name, name.title())
            self.services[service.id] = service
        return carrier

    def add_product(self, tenant: str, code: str | None, description: str, accounts: Iterable[Account] = ()) -> Product:
        """Without a code its id serves as one. Raises ValueError for a code the tenant has."""
        if code is not None and self.product(tenant, code) is not None:
            raise ValueError(f"expected a new product code, found {code!r} in tenant {tenant}")
        number = next(self._product_ids)
        product = Product(number, tenant, code or str(number), description, {account.id for account in accounts})
        self.products[product.id] = product
        self._product_by_code[tenant, product.code] = product
        return product

    def rename_product(self, product: Product, code: str) -> None:
        """Raises ValueError for a code the tenant has."""
        if self.product(product.tenant, code) not in (None, product):
            raise ValueError(f"expected a new product code, found {code!r} in tenant {product.tenant}")
        del self._product_by_code[product.tenant, product.code]
        product.code = code
        self._product_by_code[product.tenant, code] = product

    def add_stock_unit(self, tenant: str, code: str) -> StockUnitType:
        unit = StockUnitType(len(self.stock_units) + 1, tenant, code)
        self.stock_units[unit.id] = unit
        return unit

    def add_integration(self, tenant: str, name: str, provider: str) -> Integration:
        one = Integration(len(self.integrations) + 1, tenant, name, provider)
        self.integrations[one.id] = one
        return one

    def account(self, tenant: str, code: str) -> Account | None:
        return _coded(self.accounts.values(), tenant, code)

    def warehouse(self, tenant: str, code: str) -> Warehouse | None:
        return _coded(self.warehouses.values(), tenant, code)

    def carrier(self, tenant: str, code: str) -> Carrier | None:
        return _coded(self.carriers.values(), tenant, code)

    def product(self, tenant: str, code: str) -> Product | None:
        return self._product_by_code.get((tenant, code))

    def default_service(self, carrier: Carrier) -> CarrierService | None:
        return next((service for service in self.services.values() if service.carrier == carrier), None)


def _coded(records: Iterable[T], tenant: str, code: str) -> T | None:
    return next((record for record in records if record.tenant == tenant and record.code == code), None)
