"""Tenants to begin with: an API client, accounts, warehouses, carriers, products and perhaps stock."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from sandbox.clarus.access import ApiUser
from sandbox.clarus.records import Account
from sandbox.clarus.world import ClarusWorld


class Tenant(BaseModel):
    """What `seed` sets up. All keys and items are codes.

    `accounts` have their SKUs; a SKU of two accounts is one product assigned to both. `carriers` have their services,
    the first being the default. `stock` is per SKU, for each of its accounts, in the first warehouse; a SKU that is not
    in it is never short.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subdomain: str
    client_id: str
    client_secret: str
    accounts: Mapping[str, tuple[str, ...]]
    warehouses: tuple[str, ...] = ("MAIN",)
    carriers: Mapping[str, tuple[str, ...]] = {"ROYALMAIL": ("TRACKED48", "TRACKED24")}
    stock: Mapping[str, int] = {}
    stock_units: tuple[str, ...] = ("EACH",)


def seed(world: ClarusWorld, tenant: Tenant) -> None:
    """Raises ValueError for stock of a SKU that no account has."""
    name, master = tenant.subdomain, world.master
    world.access.add(ApiUser(name, tenant.client_id, tenant.client_secret))
    warehouses = [master.add_warehouse(name, code) for code in tenant.warehouses]
    for code, services in tenant.carriers.items():
        master.add_carrier(name, code, services)
    for code in tenant.stock_units:
        master.add_stock_unit(name, code)
    owners: dict[str, list[Account]] = {}
    for code, skus in tenant.accounts.items():
        account = master.add_account(name, code)
        for sku in skus:
            owners.setdefault(sku, []).append(account)
    for sku, accounts in owners.items():
        product = master.add_product(name, sku, f"Product {sku}", accounts)
        if sku in tenant.stock:
            for account in accounts:
                world.stock.receive(account, warehouses[0], product, Decimal(tenant.stock[sku]))
    if unknown := tenant.stock.keys() - owners.keys():
        raise ValueError(f"expected stock of SKUs that an account of {name} has, found {sorted(unknown)}")
