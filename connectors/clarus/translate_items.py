"""Clarus' products into our terms. Pure: bytes in, a Product out, or Unreadable."""

from typing import Any

import orjson

from schemas.base import Sku
from schemas.errors import Unreadable
from schemas.items import Product, ProductId


def translate_product(body: bytes) -> Product | None:
    """The body that `connectors.clarus.items` makes. Raises Unreadable saying where, what was expected and found."""
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("body", "JSON", str(error)) from error
    match read:
        case {"account": str(account), "products": [*products], "assigned": [*assigned]}:
            if not products:
                return None
            if len(products) > 1:
                raise Unreadable("products", "one product of a code", f"{len(products)}")
            return _product(products[0], account, {_account(one) for one in assigned}, _stocked(read.get("balances")))
        case _:
            raise Unreadable("body", "account, products and assigned", type(read).__name__)


def _product(node: Any, account: str, assigned: set[str], stocked: tuple[str, ...] | None) -> Product:
    """Empty fields come as null."""
    match node:
        case {"id": str() | int() as id_, "code": str(code)} if code:
            pass
        case _:
            raise Unreadable("products.0", "an id and a code", type(node).__name__)
    return Product(
        id=ProductId(str(id_)),
        code=Sku(code),
        description=_text(node, "description"),
        barcode=_text(node, "barcode"),
        stopped=bool(node.get("stop")) or bool(node.get("obsolete")),
        ours=account in assigned,
        shared=bool(assigned - {account}),
        reference=_text(node, "external_system_reference1"),
        stock_read=stocked is not None,
        stocked_in=stocked or (),
    )


def _stocked(balances: Any) -> tuple[str, ...] | None:
    """Warehouses with units free to be sold; None when the balances were not read. Figures are floats on the wire."""
    if balances is None:
        return None
    found: set[str] = set()
    for node in balances:
        match node:
            case {"warehouse": {"code": str(code)}, "available": int() | float() | None as available}:
                if (available or 0) > 0:
                    found.add(code)
            case _:
                raise Unreadable("balances", "a warehouse and what is available there", type(node).__name__)
    return tuple(sorted(found))


def _account(node: Any) -> str:
    match node:
        case {"account": {"code": str(code)}}:
            return code
        case _:
            raise Unreadable("assigned", "an account with its code", type(node).__name__)


def _text(node: dict[str, Any], name: str) -> str:
    found = node.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise Unreadable(f"products.0.{name}", "text: a code or barcode is no number", type(found).__name__)
    return found
