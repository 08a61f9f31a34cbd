"""A fixed set of histories: faults everywhere, nothing lost, nothing twice, nobody told early."""

import pytest

from kernel.virtual_time import run_virtual
from lockstep.simulation.history import History, Kind, Mishap, draw
from lockstep.simulation.many import play_seed
from lockstep.simulation.run import play
from schemas.base import GoodsOutRef
from streams.rules.orders.state import OrderState
from streams.rules.orders.units import PerLine, despatched


@pytest.mark.parametrize("seed", range(12))
def test_nothing_is_violated(seed: int) -> None:
    played = play_seed(seed, 200)
    assert played.violations == ()
    assert played.events >= 200
    assert played.faults >= 10


def test_the_same_history_plays_the_same() -> None:
    assert play_seed(7, 60) == play_seed(7, 60)


def test_a_seed_is_a_history() -> None:
    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


def test_the_judge_sees_a_rule_that_does_not_wait_for_the_erp(monkeypatch: pytest.MonkeyPatch) -> None:
    def at_once(state: OrderState, reference: GoodsOutRef) -> PerLine:
        known = state.goods_out(reference)
        return PerLine() if known is None else despatched(known.goods_out)

    monkeypatch.setattr("streams.rules.orders.telling.posted", at_once)
    played = run_virtual(play(History(seed=1, orders=4, rate=2.0)))
    assert any("before_erp_posted" in said for said in played.violations)


def test_an_order_that_people_touched_is_not_asked_for_twice() -> None:
    cancelled = Mishap(at=1.0, kind=Kind.CANCEL, order=0)
    split = Mishap(at=1.0, kind=Kind.SPLIT, order=1)
    played = run_virtual(play(History(seed=1, orders=6, rate=2.0, mishaps=(cancelled, split))))
    assert played.struck["cancel"] == 1
    assert played.violations == ()
