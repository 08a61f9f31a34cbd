"""Each kind of mishap strikes as it is meant to, and Lockstep comes through it."""

import pytest

from lockstep.simulation.history import History, Kind, Mishap
from lockstep.simulation.many import played
from lockstep.simulation.process import Point
from schemas.topics import COMMANDS, ORDERS_EVENTS, ORDERS_STATE


def a_history(*mishaps: Mishap, orders: int = 4) -> History:
    return History(seed=1, orders=orders, rate=2.0, mishaps=mishaps)


STAFF = [
    Kind.HOLD, Kind.MOVE, Kind.SPLIT, Kind.CANCEL, Kind.ADD_LINE, Kind.READDRESS, Kind.HAND_FULFILMENT,
    Kind.CANCEL_FULFILMENT, Kind.DELETE_PENDING, Kind.SHORT_CLOSE, Kind.OVER_DESPATCH, Kind.UNDESPATCH,
]  # fmt: skip


@pytest.mark.parametrize("kind", STAFF)
def test_people_do_it_to_an_order(kind: Kind) -> None:
    struck = [Mishap(at=1.0, kind=kind, order=order, seconds=5.0) for order in range(4)]
    result = played(a_history(*struck))

    assert result.struck[kind] >= 1
    assert result.violations == ()


PROCESS = [
    ("orders", Point.STATE_SENT),
    ("orders", Point.FOLDED),
    ("normalise", Point.HALF_SENT),
    ("clarus", Point.AFTER_EFFECT),
    ("clarus", Point.OUTCOME_SENT),
    ("shopify", Point.BEFORE_READING),
    ("erp", Point.COMMITTED),
]


@pytest.mark.parametrize(("role", "point"), PROCESS)
@pytest.mark.parametrize("kind", [Kind.KILL, Kind.PAUSE])
def test_a_process_is_struck_at_a_point(kind: Kind, role: str, point: Point) -> None:
    result = played(a_history(Mishap(at=0.6, kind=kind, whom=role, point=point, seconds=12.0)))

    assert result.struck[kind] == 1
    assert result.struck[point] == 1
    assert result.struck.get("zombie", 0) == (kind is Kind.PAUSE)
    assert result.violations == ()


@pytest.mark.parametrize("kind", [Kind.SEND_FAILS, Kind.ACK_LOST])
@pytest.mark.parametrize("topic", [ORDERS_EVENTS.name, ORDERS_STATE.name, next(iter(COMMANDS.values())).name])
def test_a_send_without_acknowledgement_ends_the_process(kind: Kind, topic: str) -> None:
    result = played(a_history(Mishap(at=1.0, kind=kind, whom=topic)))

    assert result.struck[kind] == 1
    assert sum(count for what, count in result.struck.items() if what.startswith("ended by")) >= 1
    assert result.violations == ()
