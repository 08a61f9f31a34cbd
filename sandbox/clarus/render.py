"""Records as Clarus shows them: in REST answers, GraphQL nodes and the bodies of automations. Ids are integers here."""

from datetime import datetime
from typing import Any

from sandbox.clarus.books import units
from sandbox.clarus.records import (
    Account,
    Automation,
    Carrier,
    CarrierService,
    GoodsOut,
    Integration,
    Line,
    Package,
    PickRequest,
    Product,
    Shipment,
    Status,
    Warehouse,
)
from sandbox.clarus.stock import Balance, StockRecord, Transaction

Json = dict[str, Any]
STOCK = "stock"
"""The category of every transaction here."""


def goods_out(record: GoodsOut) -> Json:
    """The header. Attributes the caller did not write are absent."""
    return {
        **record.attributes,
        "id": record.id,
        "reference": record.reference,
        "goods_out_status": {"id": record.status.id, "code": record.status, "name": _name(record.status)},
        "account": account(record.account),
        "warehouse": warehouse(record.warehouse) if record.warehouse else None,
        "carrier": carrier(record.carrier) if record.carrier else None,
        "carrier_service": carrier_service(record.service) if record.service else None,
        "actual_date_of_dispatch": stamp(record.actual_date_of_dispatch),
        "created_at": stamp(record.created_at),
        "address": record.address,
    }


def goods_out_attributes(record: GoodsOut) -> Json:
    """As a REST answer has them: related records by id."""
    related: dict[str, int | None] = {
        "goods_out_status": record.status.id,
        "account": record.account.id,
        "warehouse": record.warehouse.id if record.warehouse else None,
        "carrier": record.carrier.id if record.carrier else None,
        "carrier_service": record.service.id if record.service else None,
    }
    plain = {key: value for key, value in goods_out(record).items() if key not in {*related, "id", "address"}}
    return plain | {f"{name}_id": number for name, number in related.items()}


def goods_out_whole(record: GoodsOut) -> Json:
    """The full record of an automation: header, with related ids and records, and the lines' quantities."""
    return {
        **goods_out_attributes(record),
        **goods_out(record),
        "updated_at": stamp(record.updated_at),
        "goods_out_lines": [line(each) for each in record.lines.values()],
    }


def line(record: Line) -> Json:
    return {
        **record.attributes,
        "id": record.id,
        "goods_out": {"id": record.goods_out},
        "product": product(record.product),
        "order_quantity": units(record.ordered),
        "allocated_quantity": units(record.allocated),
        "pick_quantity": units(record.picked),
        "dispatch_quantity": units(record.despatched),
        "short_status": "SHORT" if record.shorted else None,
        "created_at": stamp(record.created_at),
    }


def shipment(record: Shipment, shipped: GoodsOut) -> Json:
    return {
        "id": record.id,
        "reference": record.reference,
        "status": record.status,
        "packages_count": len(record.packages),
        "goods_out": goods_out(shipped),
        "carrier": carrier(shipped.carrier) if shipped.carrier else None,
        "carrier_service": carrier_service(shipped.service) if shipped.service else None,
        "warehouse": warehouse(shipped.warehouse) if shipped.warehouse else None,
    }


def package(record: Package, within: Shipment | None) -> Json:
    return {
        "id": record.id,
        "tracking_number": record.tracking_number,
        "shipment": None if within is None else {"id": within.id, "reference": within.reference},
    }


def account(record: Account) -> Json:
    return {"id": record.id, "code": record.code}


def warehouse(record: Warehouse) -> Json:
    return {"id": record.id, "code": record.code}


def carrier(record: Carrier) -> Json:
    return {"id": record.id, "code": record.code, "name": record.name, "active": record.active}


def carrier_service(record: CarrierService) -> Json:
    return {
        "id": record.id,
        "code": record.code,
        "name": record.name,
        "active": record.active,
        "carrier": carrier(record.carrier),
    }


def product(record: Product) -> Json:
    return {**record.attributes, "id": record.id, "code": record.code, "description": record.description}


def automation(record: Automation) -> Json:
    return {
        "id": record.id,
        "name": record.name,
        "resource_name": record.resource,
        "event": record.event,
        "enabled": record.enabled,
        "integration_id": None,
    }


def integration(record: Integration) -> Json:
    return {
        "id": record.id,
        "name": record.name,
        "integration_provider": record.provider,
        "integration_type": "ecommerce",
        "status": "active" if record.enabled else "inactive",
        "enabled": record.enabled,
    }


def balance(record: Balance) -> Json:
    return {
        "id": record.id,
        "product": product(record.product),
        "account": account(record.account),
        "warehouse": warehouse(record.warehouse),
        "received": units(record.received),
        "available": units(record.shown),
        "allocated": units(record.allocated),
        "picked": units(record.picked),
    }


def balance_whole(record: Balance) -> Json:
    """The full record of an automation."""
    return {**balance(record), **_owner_ids(record), "updated_at": stamp(record.updated_at)}


def stock(record: StockRecord) -> Json:
    return {
        "id": record.id,
        "quantity": units(record.quantity),
        "status": record.status,
        "fifo_date": stamp(record.fifo_date),
        "product": product(record.balance.product),
        "account": account(record.balance.account),
        "warehouse": warehouse(record.balance.warehouse),
        "location": {"id": 1, "code": record.location},
    }


def transaction(record: Transaction) -> Json:
    return {
        "id": record.id,
        "subtype": record.subtype,
        "category": STOCK,
        "quantity": units(record.quantity),
        "created_at": stamp(record.created_at),
        "product": product(record.balance.product),
        "account": account(record.balance.account),
        "warehouse": warehouse(record.balance.warehouse),
        "goods_out": {"id": record.goods_out} if record.goods_out is not None else None,
    }


def transaction_whole(record: Transaction) -> Json:
    """The full record of an automation; `new_quantity` is what lies there since."""
    return {**transaction(record), **_owner_ids(record.balance), "new_quantity": units(record.left)}


def _owner_ids(record: Balance) -> Json:
    return {
        "account_id": record.account.id,
        "product_id": record.product.id,
        "warehouse_id": record.warehouse.id,
    }


def pick_request(record: PickRequest) -> Json:
    return {
        "id": record.id,
        "process_reference": record.process_reference,
        "goods_out": {"id": record.goods_out},
        "status": record.status,
        "message": record.message,
        "updated_at": stamp(record.updated_at),
    }


def stamp(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def _name(status: Status) -> str:
    return status.replace("_", " ").title()
