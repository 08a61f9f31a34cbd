"""Our references in Clarus and the ERP: unique per shop, order, fulfilment order and generation, and readable back."""

import re

from schemas.base import FulfilmentOrderId, GoodsOutRef, OrderId

MAX_LENGTH = 50
"""Clarus' `reference` holds 50 characters (its API description 1.0.0, goods_outs)."""

_SHAPE = re.compile(r"^(?P<prefix>[A-Z0-9]{1,8})-(?P<order>\d+)-(?P<fulfilment_order>\d+)-(?P<generation>\d+)$")


def goods_out_reference(
    prefix: str, order: OrderId, fulfilment_order: FulfilmentOrderId, generation: int
) -> GoodsOutRef:
    """`ACME-6120034455667-7300112233-1`. Raises ValueError when it would not fit or not be readable back."""
    reference = f"{prefix}-{order}-{fulfilment_order}-{generation}"
    if len(reference) > MAX_LENGTH or _SHAPE.match(reference) is None:
        msg = (
            f"expected PREFIX-order-fulfilment order-generation of at most {MAX_LENGTH} characters, found {reference!r}"
        )
        raise ValueError(msg)
    return GoodsOutRef(reference)


def order_prefix(prefix: str, order: OrderId) -> str:
    """What all references of one order begin with; ends in a dash so that order 12 does not match order 123."""
    return f"{prefix}-{order}-"


def read_reference(reference: str) -> tuple[str, OrderId, FulfilmentOrderId, int] | None:
    """Prefix, order, fulfilment order and generation, or None when the reference is not one of ours."""
    match = _SHAPE.match(reference)
    if match is None:
        return None
    return (
        match["prefix"],
        OrderId(match["order"]),
        FulfilmentOrderId(match["fulfilment_order"]),
        int(match["generation"]),
    )
