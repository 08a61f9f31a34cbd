"""What is still to enter under a goods-out, and under which key."""

import pytest

from connectors.erp.coverage import goods_out_of, next_part, still_to_enter
from schemas.base import ErpOrderId, GoodsOutRef, LineId, Units
from schemas.erp import ErpFulfilment, ErpOrder, ErpOrderState, FulfilmentState

REF = GoodsOutRef("ACME-5001-7-1")
OTHER = GoodsOutRef("ACME-5001-7-2")


def units(**per_line: int) -> tuple[Units, ...]:
    return tuple(Units(line=LineId(name.removeprefix("_")), quantity=count) for name, count in per_line.items())


def part(ref: GoodsOutRef, number: int, state: FulfilmentState, **per_line: int) -> ErpFulfilment:
    return ErpFulfilment(key=f"{ref}#{number}", goods_out=ref, state=state, lines=units(**per_line))


def an_order(*fulfilments: ErpFulfilment) -> ErpOrder:
    return ErpOrder(id=ErpOrderId("1"), number="1", state=ErpOrderState.COMMITTED, fulfilments=fulfilments)


def test_open_and_posted_count_cancelled_and_others_do_not() -> None:
    order = an_order(
        part(REF, 1, FulfilmentState.POSTED, _1=1),
        part(REF, 2, FulfilmentState.OPEN, _1=1, _2=1),
        part(REF, 3, FulfilmentState.CANCELLED, _1=5),
        part(OTHER, 1, FulfilmentState.POSTED, _1=7),
    )
    assert still_to_enter(order, REF, units(_1=3, _2=1, _3=2)) == {"1": 1, "3": 2}
    assert next_part(order, REF) == 4
    assert next_part(order, OTHER) == 2


def test_more_than_the_target_is_left_as_it_is() -> None:
    order = an_order(part(REF, 1, FulfilmentState.POSTED, _1=3))
    assert still_to_enter(order, REF, units(_1=2)) == {}


def test_a_line_named_twice_in_a_target_is_summed() -> None:
    assert still_to_enter(an_order(), REF, (*units(_1=1), *units(_1=2))) == {"1": 3}


@pytest.mark.parametrize(
    ("key", "goods_out"),
    [
        ("ACME-5001-7-1#12", "ACME-5001-7-1"),
        ("ACME-5001-7-1", None),
        ("#1", None),
        ("by hand #now", None),
        ("", None),
        (None, None),
    ],
)
def test_a_key_names_its_goods_out(key: str | None, goods_out: str | None) -> None:
    assert goods_out_of(key) == goods_out
