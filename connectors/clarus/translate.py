"""Clarus' records into our terms. Pure: bytes in, goods-outs out, or Unreadable."""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from schemas.base import GoodsOutId, GoodsOutRef, LineId, Sku
from schemas.errors import Unreadable
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus, Package

_STATUSES = {
    "DRAFT": GoodsOutStatus.DRAFT,
    "PENDING": GoodsOutStatus.PENDING,
    "PART_ALLOCATED": GoodsOutStatus.PART_ALLOCATED,
    "ALLOCATED": GoodsOutStatus.ALLOCATED,
    "PICK": GoodsOutStatus.PICK,
    "PICKING": GoodsOutStatus.PICK,
    "PART": GoodsOutStatus.PART,
    "COMPLETED": GoodsOutStatus.COMPLETED,
    "COMPLETE": GoodsOutStatus.COMPLETED,
    "CANCELLED": GoodsOutStatus.CANCELLED,
    "CANCELED": GoodsOutStatus.CANCELLED,
}
"""Clarus' own pages spell some codes in several ways; compared without case. Unknown is OTHER, never an error."""


def translate_goods_outs(body: bytes) -> tuple[GoodsOut, ...]:
    """Every goods-out of the body `{"goods_outs", "lines", "shipments", "packages"}`, by reference."""
    try:
        nodes = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("body", "JSON", str(error)) from error
    if not isinstance(nodes, dict):
        raise Unreadable("body", "an object with goods_outs", type(nodes).__name__)
    goods_out_of = {
        _text(node, "id", f"shipments.{index}"): _text(
            _object(node, "goods_out", f"shipments.{index}"), "id", "goods_out"
        )
        for index, node in enumerate(_list(nodes, "shipments"))
    }
    lines: dict[str, list[GoodsOutLine]] = {}
    for index, node in enumerate(_list(nodes, "lines")):
        where = f"lines.{index}"
        owner = _text(_object(node, "goods_out", where), "id", f"{where}.goods_out")
        lines.setdefault(owner, []).append(_line(node, where))
    packages: dict[str, list[Package]] = {}
    for index, node in enumerate(_list(nodes, "packages")):
        where = f"packages.{index}"
        shipment = _object(node, "shipment", where)
        owner = goods_out_of.get(_text(shipment, "id", f"{where}.shipment"), "")
        packages.setdefault(owner, []).append(_package(node, shipment, where))
    goods_outs = [
        _goods_out(node, f"goods_outs.{index}", lines, packages)
        for index, node in enumerate(_list(nodes, "goods_outs"))
    ]
    return tuple(sorted(goods_outs, key=lambda one: one.reference))


def _goods_out(
    node: dict[str, Any], where: str, lines: dict[str, list[GoodsOutLine]], packages: dict[str, list[Package]]
) -> GoodsOut:
    id_ = _text(node, "id", where)
    code = _text(_object(node, "goods_out_status", where), "code", f"{where}.goods_out_status")
    return GoodsOut(
        id=GoodsOutId(id_),
        reference=GoodsOutRef(_text(node, "reference", where)),
        status=_STATUSES.get(code.upper(), GoodsOutStatus.OTHER),
        account=_code(node, "account"),
        warehouse=_code(node, "warehouse"),
        carrier=_code(node, "carrier"),
        service=_code(node, "carrier_service"),
        despatched_at=_moment(node, "actual_date_of_dispatch", where),
        lines=tuple(lines.get(id_, ())),
        packages=tuple(packages.get(id_, ())),
    )


def _line(node: dict[str, Any], where: str) -> GoodsOutLine:
    reference = str(node.get("external_system_reference1") or "")
    return GoodsOutLine(
        id=_text(node, "id", where),
        line=LineId(reference.rsplit("/", 1)[-1]),
        sku=Sku(_text(_object(node, "product", where), "code", f"{where}.product")),
        ordered=_units(node, "order_quantity", where),
        allocated=_units(node, "allocated_quantity", where),
        picked=_units(node, "pick_quantity", where),
        despatched=_units(node, "dispatch_quantity", where),
    )


def _package(node: dict[str, Any], shipment: dict[str, Any], where: str) -> Package:
    return Package(
        id=_text(node, "id", where),
        tracking_number=str(node.get("tracking_number") or "").strip(),
        shipment=str(shipment.get("reference") or ""),
    )


def _list(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = node.get(name)
    if not isinstance(found, list):
        raise Unreadable(name, "a list", type(found).__name__)
    for index, item in enumerate(found):
        if not isinstance(item, dict):
            raise Unreadable(f"{name}.{index}", "an object", type(item).__name__)
    return found


def _object(node: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    found = node.get(name)
    if not isinstance(found, dict):
        raise Unreadable(f"{where}.{name}", "an object", type(found).__name__)
    return found


def _text(node: dict[str, Any], name: str, where: str) -> str:
    """Ids come as text or as integers (REST and GraphQL differ); both are text to us."""
    found = node.get(name)
    if isinstance(found, bool) or not isinstance(found, str | int) or found == "":
        raise Unreadable(f"{where}.{name}", "text or a whole number", type(found).__name__)
    return str(found)


def _code(node: dict[str, Any], name: str) -> str:
    found = node.get(name)
    return str(found.get("code") or "") if isinstance(found, dict) else ""


def _units(node: dict[str, Any], name: str, where: str) -> int:
    """Clarus allows decimals (measured goods); a part of a unit cannot be told to a shop."""
    found = node.get(name)
    if found is None:
        return 0
    try:
        quantity = Decimal(str(found))
    except InvalidOperation as error:
        raise Unreadable(f"{where}.{name}", "a number", repr(found)) from error
    if quantity != quantity.to_integral_value():
        raise Unreadable(f"{where}.{name}", "whole units", str(quantity))
    return int(quantity)


def _moment(node: dict[str, Any], name: str, where: str) -> datetime | None:
    found = node.get(name)
    if not found:
        return None
    try:
        moment = datetime.fromisoformat(str(found))
    except ValueError as error:
        raise Unreadable(f"{where}.{name}", "an ISO 8601 moment", "something else") from error
    if moment.tzinfo is None:
        raise Unreadable(f"{where}.{name}", "a moment with a zone", "one without")
    return moment
