"""Which figure Shopify should have: literal balances, literal figures."""

import pytest

from schemas.stock import Balance, WarehouseBalance
from schemas.stock_rules import Buffer, StockRules
from streams.rules.stock.figure import figure, physical, wanted
from tests.stock_story import LEEDS, MUG, StockStory


def balance(available: int, allocated: int = 0, picked: int = 0, others: int = 0) -> Balance:
    row = WarehouseBalance(warehouse="LDS1", available=available, allocated=allocated, picked=picked)
    return Balance(known=True, warehouses=(row,), others=others)


@pytest.mark.parametrize(
    ("case", "read", "withheld", "buffer", "on_hand"),
    [
        ("nothing but stock", balance(10), 0, 0, 10),
        ("what is allocated is there", balance(7, 3), 0, 0, 10),
        ("what lies in totes is there", balance(7, 2, 1), 0, 0, 10),
        ("other_channel: wholesale wants four, taken or not", balance(10, others=4), 0, 0, 6),
        ("wholesale that is allocated counts once", balance(6, 4, others=4), 0, 0, 6),
        ("cancelled in Shopify, not in the warehouse", balance(10), 2, 0, 8),
        ("the buffer is never offered", balance(10), 0, 3, 7),
        ("below the buffer there is nothing", balance(2), 0, 3, 0),
        ("never negative, however much is wanted", balance(2, others=50), 4, 1, 0),
        ("receipt_held: what is on hold is in no column", balance(0), 0, 0, 0),
    ],
)
def test_the_figure(case: str, read: Balance, withheld: int, buffer: int, on_hand: int) -> None:
    assert figure(read, withheld, StockRules(), buffer) == on_hand, case


@pytest.mark.parametrize(
    ("taken_out", "there"),
    [(("allocated", "picked"), 10), (("allocated",), 9), (("picked",), 8), ((), 7)],
)
def test_what_clarus_takes_out_of_available_is_a_setting(taken_out: tuple[str, ...], there: int) -> None:
    rules = StockRules.model_validate({"taken_out": taken_out})
    assert physical(balance(7, 2, 1), rules.taken_out) == there


def test_without_a_reading_of_clarus_there_is_no_figure() -> None:
    for story in (StockStory().shopify(10), StockStory().shopify(10).clarus(0, known=False)):
        assert wanted(story.state, story.config.stock) is None


def test_the_warehouses_of_a_location_are_summed() -> None:
    rows = [WarehouseBalance(warehouse=code, available=5, allocated=1, picked=0) for code in ("LDS1", "LDS2")]
    assert figure(Balance(known=True, warehouses=tuple(rows)), 0, StockRules(), 0) == 12


def test_of_several_buffers_the_one_that_names_most_holds() -> None:
    rules = StockRules(
        buffer=1,
        buffers=(
            Buffer(location=LEEDS, units=2),
            Buffer(sku=MUG, units=3),
            Buffer(sku=MUG, location=LEEDS, units=4),
        ),
    )
    assert rules.buffer_of(MUG, LEEDS) == 4
    assert rules.buffer_of(MUG, type(LEEDS)("12")) == 3
    assert rules.buffer_of(type(MUG)("JUG"), LEEDS) == 2
    assert rules.buffer_of(type(MUG)("JUG"), type(LEEDS)("12")) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"quiet_for": 60, "max_wait": 5}, "expected at least quiet_for, 60 s, found 5"),
        ({"buffers": [{"units": 3}]}, "expected a sku, a location or both"),
        ({"buffers": [{"sku": "A", "units": 3}, {"sku": "A", "units": 4}]}, "expected each sku and location once"),
    ],
)
def test_rules_that_contradict_themselves_are_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        StockRules.model_validate(given)
