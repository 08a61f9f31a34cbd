"""Clarus' records into our terms. Pure: bytes in, goods-outs out, or Unreadable."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from schemas.base import GoodsOutId, GoodsOutRef, LineId, Sku
from schemas.errors import Unreadable
from schemas.goods_outs import GoodsOut, GoodsOutLine, GoodsOutStatus, Package, Shipment

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


_LINE_MARK = "gid://shopify/LineItem/"


_EACH = "?each="


def line_mark(line: LineId, each: int = 0) -> str:
    """What we write on a goods-out's line to find the order's line again, and of a component how many make a bundle."""
    return f"{_LINE_MARK}{line}{_EACH}{each}" if each else f"{_LINE_MARK}{line}"


def _marked(mark: str) -> tuple[LineId, int]:
    """The order's line and `each`; no line where the mark is not ours."""
    line, _, each = mark.removeprefix(_LINE_MARK).partition(_EACH)
    ours = mark.startswith(_LINE_MARK) and (not each or (each.isascii() and each.isdigit()))
    return (LineId(line), int(each or 0)) if ours else (LineId(""), 0)


def translate_goods_outs(body: bytes) -> tuple[GoodsOut, ...]:
    """Every goods-out of the body `{"goods_outs", "lines", "shipments", "packages"}`, by reference.

    Raises Unreadable saying where, what was expected and what was found.
    """
    try:
        nodes = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("body", "JSON", str(error)) from error
    if not isinstance(nodes, dict):
        raise Unreadable("body", "an object with goods_outs", type(nodes).__name__)
    known = {_text(node, "id", f"goods_outs.{index}") for index, node in enumerate(_list(nodes, "goods_outs"))}
    goods_out_of = {
        _text(node, "id", f"shipments.{index}"): _owner(node, "goods_out", f"shipments.{index}", known)
        for index, node in enumerate(_list(nodes, "shipments"))
    }
    unwell: dict[str, list[Shipment]] = {}
    for node in _list(nodes, "shipments"):
        shipment_node = _shipment(node)
        if shipment_node is not None:
            unwell.setdefault(goods_out_of[shipment_node.id], []).append(shipment_node)
    lines: dict[str, list[GoodsOutLine]] = {}
    for index, node in enumerate(_list(nodes, "lines")):
        where = f"lines.{index}"
        lines.setdefault(_owner(node, "goods_out", where, known), []).append(_line(node, where))
    packages: dict[str, list[Package]] = {}
    for index, node in enumerate(_list(nodes, "packages")):
        where = f"packages.{index}"
        shipment = _owner(node, "shipment", where, goods_out_of.keys())
        packages.setdefault(goods_out_of[shipment], []).append(_package(node, where))
    goods_outs = [
        _goods_out(node, f"goods_outs.{index}", lines, packages, unwell)
        for index, node in enumerate(_list(nodes, "goods_outs"))
    ]
    return tuple(sorted(goods_outs, key=lambda one: one.reference))


def _goods_out(
    node: dict[str, Any],
    where: str,
    lines: dict[str, list[GoodsOutLine]],
    packages: dict[str, list[Package]],
    unwell: dict[str, list[Shipment]],
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
        shipments=tuple(unwell.get(id_, ())),
    )


def _line(node: dict[str, Any], where: str) -> GoodsOutLine:
    line, each = _marked(str(node.get("external_system_reference1") or ""))
    return GoodsOutLine(
        id=_text(node, "id", where),
        line=line,
        sku=Sku(_text(_object(node, "product", where), "code", f"{where}.product")),
        ordered=_units(node, "order_quantity", where),
        allocated=_units(node, "allocated_quantity", where, none_is_zero=True),
        picked=_units(node, "pick_quantity", where, none_is_zero=True),
        despatched=_units(node, "dispatch_quantity", where, none_is_zero=True),
        each=each,
    )


def _shipment(node: dict[str, Any]) -> Shipment | None:
    """None for one that is `dispatched`, or says nothing."""
    status = str(node.get("status") or "").strip().casefold()
    if status in ("", "dispatched"):
        return None
    return Shipment(id=str(node["id"]), reference=str(node.get("reference") or ""), status=status)


def _package(node: dict[str, Any], where: str) -> Package:
    return Package(
        id=_text(node, "id", where),
        tracking_number=str(node.get("tracking_number") or "").strip(),
        shipment=str(_object(node, "shipment", where).get("reference") or ""),
    )


def _owner(node: dict[str, Any], name: str, where: str, known: Collection[str]) -> str:
    """The id of what it belongs to; what belongs to nothing in this body must not fall away silently."""
    id_ = _text(_object(node, name, where), "id", f"{where}.{name}")
    if id_ not in known:
        raise Unreadable(f"{where}.{name}.id", f"a {name} of this body", id_)
    return id_


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


def _units(node: dict[str, Any], name: str, where: str, *, none_is_zero: bool = False) -> int:
    """Clarus allows decimals (measured goods); a part of a unit cannot be told to a shop. A field that is not there is
    no zero: units would seem to be free, or not to have left.
    """
    if name not in node:
        raise Unreadable(f"{where}.{name}", "a number", "nothing")
    found = node[name]
    if found is None and none_is_zero:
        return 0
    try:
        quantity = Decimal(str(found))
    except InvalidOperation as error:
        raise Unreadable(f"{where}.{name}", "a number", type(found).__name__) from error
    if not quantity.is_finite() or quantity != quantity.to_integral_value() or quantity < 0:
        raise Unreadable(f"{where}.{name}", "whole units, none or more", str(quantity))
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
