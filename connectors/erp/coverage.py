"""What is still to enter under a goods-out, and under which key. Pure."""

from collections import Counter
from collections.abc import Iterable

from schemas.base import GoodsOutRef, LineId, Units
from schemas.erp import ErpFulfilment, ErpOrder, FulfilmentState

SEPARATOR = "#"
"""Between the goods-out's reference and the number of the part. References never hold it (`schemas.references`)."""


def key_of_part(goods_out: GoodsOutRef, part: int) -> str:
    return f"{goods_out}{SEPARATOR}{part}"


def goods_out_of(key: str | None) -> GoodsOutRef | None:
    """The goods-out a fulfilment's key names; None when the key is not one of ours."""
    goods_out, separator, part = (key or "").rpartition(SEPARATOR)
    return GoodsOutRef(goods_out) if separator and goods_out and part.isdecimal() else None


def standing(order: ErpOrder, goods_out: GoodsOutRef) -> list[ErpFulfilment]:
    """Fulfilments under the goods-out that count: open or posted."""
    return [
        fulfilment
        for fulfilment in order.fulfilments
        if fulfilment.goods_out == goods_out and fulfilment.state is not FulfilmentState.CANCELLED
    ]


def still_to_enter(order: ErpOrder, goods_out: GoodsOutRef, target: Iterable[Units]) -> dict[LineId, int]:
    """Units per line by which the target exceeds what stands under the goods-out; lines without excess left out."""
    entered = units_of(standing(order, goods_out))
    wanted: Counter[LineId] = Counter()
    for units in target:
        wanted[units.line] += units.quantity
    return {line: quantity - entered[line] for line, quantity in wanted.items() if quantity > entered[line]}


def next_part(order: ErpOrder, goods_out: GoodsOutRef) -> int:
    """One above every part ever made under the goods-out, cancelled ones too: a key is never used twice."""
    prefix = f"{goods_out}{SEPARATOR}"
    parts = [int(f.key.removeprefix(prefix)) for f in order.fulfilments if f.goods_out == goods_out]
    return max(parts, default=0) + 1


def units_of(fulfilments: Iterable[ErpFulfilment]) -> Counter[LineId]:
    """Units per line in these fulfilments together."""
    entered: Counter[LineId] = Counter()
    for fulfilment in fulfilments:
        for units in fulfilment.lines:
            entered[units.line] += units.quantity
    return entered
