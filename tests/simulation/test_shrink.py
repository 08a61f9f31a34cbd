"""A failing history is made as small as it goes, and no smaller."""

from lockstep.simulation.history import History, Kind, Mishap, draw
from lockstep.simulation.shrink import shrink
from sandbox.faults import Faults


def kills(history: History) -> int:
    return sum(mishap.kind is Kind.KILL for mishap in history.mishaps)


def test_what_does_not_matter_is_left_out() -> None:
    needed = Mishap(at=3.0, kind=Kind.KILL, whom="orders", point="anywhere", seconds=1.0)
    big = draw(5).model_copy(update={"mishaps": (*draw(5).mishaps, needed), "orders": 9})
    small = shrink(big, lambda one: needed in one.mishaps and one.orders >= 3 and one.faults.slow == big.faults.slow)

    assert small.mishaps == (needed,)
    assert small.orders == 3
    assert small.planted == ()
    assert (small.new_line, small.on_account) == (0.0, 0)
    assert small.faults == Faults(slow=big.faults.slow)


def test_two_that_fail_only_together_both_stay() -> None:
    pair = tuple(Mishap(at=at, kind=Kind.KILL, whom="orders", point="anywhere") for at in (1.0, 2.0))
    others = tuple(Mishap(at=at, kind=Kind.HOLD, order=0) for at in (3.0, 4.0, 5.0))
    big = History(seed=1, orders=8, rate=1.0, mishaps=(pair[0], *others, pair[1]))

    assert shrink(big, lambda one: kills(one) == 2).mishaps == pair


def test_it_gives_up_after_so_many_tries() -> None:
    tries = []

    def fails(history: History) -> bool:
        tries.append(history)
        return True

    shrink(draw(5), fails, most=3)
    assert len(tries) == 3
