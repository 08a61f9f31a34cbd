"""flash_sale: many shoppers, few units, faults everywhere, people's hands at the stock: no unit is sold twice."""

import pytest

from lockstep.simulation.sale import play_sale
from sandbox.faults import Faults


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_flash_sale(seed: int) -> None:
    told = play_sale(seed, buyers=60, units=30, window=30.0, faults=Faults.preset("many"), hands=8, kill_at=12.0)

    assert told.oversold == 0
    assert (told.undersold_beyond_buffer, told.still_beyond) == (0, 0), "at rest both sides agree"
    assert told.stale_overwrites == 0
    assert told.longest_window.keys() >= told.window_oversold.keys()
    assert told.units_sold > 15
    assert told.writes > 0


@pytest.mark.parametrize("seed", [501, 533, 603])
def test_sales_that_once_were_judged_wrongly(seed: int) -> None:
    """Orders cancelled and not put back while the warehouse ships them; one hand after another at one figure."""
    told = play_sale(seed, buyers=120, units=40, faults=Faults.preset("many"), hands=12, kill_at=15.0)

    assert (told.oversold, told.after_write) == (0, 0)
    assert (told.undersold_beyond_buffer, told.still_beyond) == (0, 0)
    assert sum(told.window_oversold.values()) > 0


def test_all_of_it_is_sold_when_nothing_goes_wrong() -> None:
    told = play_sale(4, buyers=60, units=30, window=20.0)

    assert (told.units_sold, told.oversold, told.window_oversold) == (30, 0, {})
    assert (told.undersold_beyond_buffer, told.still_beyond) == (0, 0)


def test_writing_the_warehouses_figure_straight_to_available_oversells() -> None:
    """The control: the same judge, the same sale, the way others keep stock."""
    told = play_sale(4, buyers=60, units=30, window=20.0, naive=True)

    assert told.oversold > 10
    assert told.stale_overwrites > 0


def test_a_sale_plays_the_same_again() -> None:
    first, again = (play_sale(5, buyers=15, units=8, window=8.0, faults=Faults.preset("some")) for _ in range(2))

    assert first == again
