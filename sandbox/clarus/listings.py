"""The lists a caller can read: which records, what filters look at, who sees them, how they are shown."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.clarus import render
from sandbox.clarus.access import ApiUser
from sandbox.clarus.filters import Field, Filter, literal_start, moment, number
from sandbox.clarus.listing import Listing
from sandbox.clarus.records import (
    Account,
    Carrier,
    CarrierService,
    GoodsOut,
    Line,
    Package,
    PickRequest,
    Product,
    Shipment,
    StockUnitType,
    Warehouse,
)
from sandbox.clarus.world import ClarusWorld
from sandbox.projection import Lazily

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class AccountProduct:
    """That a product is assigned to an account."""

    product: Product
    account: Account

    @property
    def id(self) -> int:
        return self.product.id * 1_000_000 + self.account.id


def listings(world: ClarusWorld) -> dict[str, Listing[Any]]:
    """By the name of the GraphQL root."""
    return {
        "accounts": _accounts(world),
        "account_products": _account_products(world),
        "carrier_services": _carrier_services(world),
        "carriers": _carriers(world),
        "goods_out_lines": _lines(world),
        "goods_outs": _goods_outs(world),
        "packages": _packages(world),
        "pick_processing_requests": _pick_requests(world),
        "products": _products(world),
        "stock_unit_types": _stock_units(world),
        "shipments": _shipments(world),
        "warehouses": _warehouses(world),
    }


def _goods_outs(world: ClarusWorld) -> Listing[GoodsOut]:
    def records(wanted: Filter) -> Iterable[GoodsOut]:
        if (ids := _ids(wanted, "id")) is not None:
            return _found(world.goods_outs, ids)
        reference = wanted.get("reference") or {}
        if reference.get("eq") is not None:
            return _found(world.goods_outs, world.references.bearing(reference["eq"]))
        if reference.get("in") is not None:
            each = (number for name in set(reference["in"]) for number in world.references.bearing(name))
            return _found(world.goods_outs, each)
        if reference.get("like") is not None:
            return _found(world.goods_outs, world.references.starting_with(literal_start(reference["like"])))
        return world.goods_outs.values()

    return Listing(
        records,
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(it.account, it.warehouse),
        fields={
            "id": number(lambda it: it.id),
            "reference": Field(lambda it: it.reference),
            "goods_out_status_code": Field(lambda it: it.status.value),
            "account_id": number(lambda it: it.account.id),
            "warehouse_id": number(lambda it: it.warehouse.id if it.warehouse else None),
            "carrier_id": number(lambda it: it.carrier.id if it.carrier else None),
            "expected_date_of_dispatch": Field(
                lambda it: (
                    moment(it.attributes["expected_date_of_dispatch"])
                    if it.attributes.get("expected_date_of_dispatch")
                    else None
                ),
                moment,
            ),
        },
        show=render.goods_out,
    )


def _lines(world: ClarusWorld) -> Listing[Line]:
    def records(wanted: Filter) -> Iterable[Line]:
        ids = _ids(wanted, "goods_out_id")
        if ids is None:
            return world.lines.values()
        return (line for found in _found(world.goods_outs, ids) for line in found.lines.values())

    def of(line: Line) -> GoodsOut:
        return world.goods_outs[line.goods_out]

    header = _goods_outs(world).fields
    return Listing(
        records,
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(of(it).account, of(it).warehouse),
        fields={
            "id": number(lambda it: it.id),
            "goods_out_id": number(lambda it: it.goods_out),
            "product_id": number(lambda it: it.product.id),
            "account_id": number(lambda it: header["account_id"].value(of(it))),
            "warehouse_id": number(lambda it: header["warehouse_id"].value(of(it))),
            "carrier_id": number(lambda it: header["carrier_id"].value(of(it))),
            "goods_out_status_code": Field(lambda it: of(it).status.value),
            "order_quantity": Field(lambda it: it.ordered, float),
            "pick_quantity": Field(lambda it: it.picked, float),
            "created_at": Field(lambda it: it.created_at, moment),
        },
        show=lambda it: {**render.line(it), "goods_out": Lazily(lambda: render.goods_out(of(it)))},
    )


def _shipments(world: ClarusWorld) -> Listing[Shipment]:
    def records(wanted: Filter) -> Iterable[Shipment]:
        ids = _ids(wanted, "goods_out_id")
        if ids is None:
            return world.shipments.values()
        return (each for found in _found(world.goods_outs, ids) for each in found.shipments.values())

    def of(shipment: Shipment) -> GoodsOut:
        return world.goods_outs[shipment.goods_out]

    header = _goods_outs(world).fields
    return Listing(
        records,
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(of(it).account, of(it).warehouse),
        fields={
            "id": number(lambda it: it.id),
            "reference": Field(lambda it: it.reference),
            "status": Field(lambda it: it.status),
            "carrier_id": number(lambda it: header["carrier_id"].value(of(it))),
            "warehouse_id": number(lambda it: header["warehouse_id"].value(of(it))),
            "goods_out_id": number(lambda it: it.goods_out),
        },
        show=lambda it: render.shipment(it, of(it)),
    )


def _packages(world: ClarusWorld) -> Listing[Package]:
    def records(wanted: Filter) -> Iterable[Package]:
        ids = _ids(wanted, "shipment_id")
        if ids is None:
            return world.packages.values()
        return (package for found in _found(world.shipments, ids) for package in found.packages)

    def within(package: Package) -> Shipment | None:
        return None if package.shipment is None else world.shipments[package.shipment]

    def visible(user: ApiUser, package: Package) -> bool:
        shipment = within(package)
        if shipment is None:
            return package.tenant == user.tenant
        of = world.goods_outs[shipment.goods_out]
        return user.sees(of.account, of.warehouse)

    return Listing(
        records,
        id=lambda it: it.id,
        visible=visible,
        fields={
            "id": number(lambda it: it.id),
            "shipment_id": number(lambda it: it.shipment),
            "shipment_reference": Field(lambda it: shipment.reference if (shipment := within(it)) else None),
            "tracking_number": Field(lambda it: it.tracking_number),
        },
        show=lambda it: render.package(it, within(it)),
    )


def _pick_requests(world: ClarusWorld) -> Listing[PickRequest]:
    def visible(user: ApiUser, request: PickRequest) -> bool:
        of = world.goods_outs.get(request.goods_out)
        return of is not None and user.sees(of.account, of.warehouse)

    return Listing(
        lambda _: world.pick_requests.values(),
        id=lambda it: it.id,
        visible=visible,
        fields={
            "id": number(lambda it: it.id),
            "process_reference": Field(lambda it: it.process_reference),
            "goods_out_id": number(lambda it: it.goods_out),
            "status": Field(lambda it: it.status),
            "updated_at": Field(lambda it: it.updated_at, moment),
        },
        show=render.pick_request,
    )


def _accounts(world: ClarusWorld) -> Listing[Account]:
    return Listing(
        lambda _: world.master.accounts.values(),
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(it),
        fields={"id": number(lambda it: it.id), "code": Field(lambda it: it.code)},
        show=render.account,
    )


def _warehouses(world: ClarusWorld) -> Listing[Warehouse]:
    return Listing(
        lambda _: world.master.warehouses.values(),
        id=lambda it: it.id,
        visible=lambda user, it: user.sees_warehouse(it),
        fields={"id": number(lambda it: it.id), "code": Field(lambda it: it.code)},
        show=render.warehouse,
    )


def _carriers(world: ClarusWorld) -> Listing[Carrier]:
    return Listing(
        lambda _: world.master.carriers.values(),
        id=lambda it: it.id,
        visible=lambda user, it: it.tenant == user.tenant,
        fields={"id": number(lambda it: it.id), "code": Field(lambda it: it.code)},
        show=render.carrier,
    )


def _carrier_services(world: ClarusWorld) -> Listing[CarrierService]:
    return Listing(
        lambda _: world.master.services.values(),
        id=lambda it: it.id,
        visible=lambda user, it: it.carrier.tenant == user.tenant,
        fields={
            "id": number(lambda it: it.id),
            "code": Field(lambda it: it.code),
            "carrier_id": number(lambda it: it.carrier.id),
        },
        show=render.carrier_service,
    )


def _products(world: ClarusWorld) -> Listing[Product]:
    return Listing(
        lambda _: world.master.products.values(),
        id=lambda it: it.id,
        visible=lambda user, it: it.tenant == user.tenant,
        fields={
            "id": number(lambda it: it.id),
            "code": Field(lambda it: it.code),
            "barcode": Field(lambda it: it.attributes.get("barcode")),
            "account_id": Field(lambda it: it.accounts, int, several=True),
        },
        show=render.product,
    )


def _stock_units(world: ClarusWorld) -> Listing[StockUnitType]:
    return Listing(
        lambda _: world.master.stock_units.values(),
        id=lambda it: it.id,
        visible=lambda user, it: it.tenant == user.tenant,
        fields={"id": number(lambda it: it.id), "code": Field(lambda it: it.code)},
        show=lambda it: {"id": it.id, "code": it.code},
    )


def _account_products(world: ClarusWorld) -> Listing[AccountProduct]:
    def records(_: Filter) -> Iterable[AccountProduct]:
        for product in world.master.products.values():
            for account in product.accounts:
                yield AccountProduct(product, world.master.accounts[account])

    return Listing(
        records,
        id=lambda it: it.id,
        visible=lambda user, it: user.sees(it.account),
        fields={
            "id": number(lambda it: it.id),
            "product_id": number(lambda it: it.product.id),
            "account_id": number(lambda it: it.account.id),
        },
        show=lambda it: {"id": it.id, "product": render.product(it.product), "account": render.account(it.account)},
    )


def _ids(wanted: Filter, name: str) -> list[int] | None:
    """The ids the filter names, None when it names none."""
    operators = wanted.get(name) or {}
    if operators.get("eq") is not None:
        return [int(operators["eq"])]
    return [int(each) for each in operators["in"]] if operators.get("in") is not None else None


def _found(records: Mapping[int, R], ids: Iterable[int]) -> Iterable[R]:
    return (records[number] for number in set(ids) if number in records)
