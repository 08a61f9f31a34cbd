"""Clarus' balances into our terms. Pure: bytes in, a Balance out, or Unreadable."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from schemas.errors import Unreadable
from schemas.stock import Balance, WarehouseBalance

_COLUMNS = ("available", "allocated", "picked")


def translate_balance(body: bytes) -> Balance:
    """The body that `connectors.clarus.stock` makes. Raises Unreadable saying where, what was expected and found."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("body", "JSON", str(error)) from error
    if not isinstance(read, dict) or not isinstance(read.get("known"), bool):
        raise Unreadable("body", "an object that says whether the product is known", type(read).__name__)
    if not read["known"]:
        return Balance(known=False)
    balances = _balances(read, "balances")
    return Balance(
        known=True,
        warehouses=balances,
        others=sum(still_wanted(line, f"others.{index}") for index, line in enumerate(_list(read, "others"))),
        ours=_whole(read, "ours", "ours"),
        steady=balances == _balances(read, "again"),
    )


def _balances(read: Mapping[str, Any], name: str) -> tuple[WarehouseBalance, ...]:
    made: list[WarehouseBalance] = []
    for index, node in enumerate(_list(read, name)):
        where = f"{name}.{index}"
        warehouse = (node.get("warehouse") or {}).get("code")
        if not isinstance(warehouse, str):
            raise Unreadable(f"{where}.warehouse.code", "a code", type(warehouse).__name__)
        made.append(WarehouseBalance(warehouse=warehouse, **{of: _whole(node, of, where) for of in _COLUMNS}))
    return tuple(sorted(made, key=lambda one: one.warehouse))


def still_wanted(line: Mapping[str, Any], where: str) -> int:
    """Units that may still leave under a goods-out's line; of a shorted one only what it has been given."""
    promised = "allocated_quantity" if line.get("short_status") else "order_quantity"
    return max(0, _whole(line, promised, where) - _whole(line, "dispatch_quantity", where))


def _list(read: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = read.get(name)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable(name, "a list of objects", type(found).__name__)
    return found


def _whole(node: Mapping[str, Any], name: str, where: str) -> int:
    """Figures are floats on the wire (API description 1.0.0), perhaps as text; units are whole."""
    found = node.get(name)
    if found is None:
        return 0
    try:
        figure = Decimal(str(found))
    except InvalidOperation as error:
        raise Unreadable(f"{where}.{name}", "a whole number", repr(found)) from error
    if not figure.is_finite() or figure != figure.to_integral_value():
        raise Unreadable(f"{where}.{name}", "a whole number", repr(found))
    return int(figure)
