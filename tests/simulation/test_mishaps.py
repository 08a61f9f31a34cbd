"""Each kind of mishap strikes as it is meant to, and Lockstep comes through it."""

import pytest

from lockstep.simulation.history import History, Kind, Mishap
from lockstep.simulation.many import played
from lockstep.simulation.process import Point
from lockstep.simulation.shelves import Shelves
from schemas.topics import COMMANDS, ORDERS_EVENTS, ORDERS_STATE


def a_history(*mishaps: Mishap, orders: int = 4) -> History:
    return History(seed=1, orders=orders, rate=2.0, mishaps=mishaps)


STAFF = [
    Kind.HOLD, Kind.MOVE, Kind.SPLIT, Kind.CANCEL, Kind.ADD_LINE, Kind.READDRESS, Kind.CHOOSE,
    Kind.HAND_FULFILMENT, Kind.CANCEL_FULFILMENT, Kind.DELETE_PENDING, Kind.SHORT_CLOSE, Kind.OVER_DESPATCH,
    Kind.UNDESPATCH,
]  # fmt: skip


@pytest.mark.parametrize("kind", STAFF)
def test_people_do_it_to_an_order(kind: Kind) -> None:
    struck = [Mishap(at=1.0, kind=kind, order=order, seconds=5.0) for order in range(4)]
    result = played(a_history(*struck))

    assert result.struck[kind] >= 1
    assert result.violations == ()


@pytest.mark.parametrize(
    "kinds",
    [
        (Kind.RECEIVED, Kind.TRANSFERRED, Kind.RAISED),
        (Kind.HELD, Kind.FOUND, Kind.LOWERED),
        (Kind.RECEIVED_HELD, Kind.LOST),
        (Kind.WHOLESALE, Kind.BUFFER),
    ],
    ids=" ".join,
)
def test_people_do_it_to_stock(kinds: tuple[Kind, ...]) -> None:
    """One after the other at one item."""
    held = {Kind.HELD: 8.0, Kind.RECEIVED_HELD: 8.0}
    struck = [
        Mishap(at=2.0 + 4 * at, kind=kind, whom="acme", point="11/MUG-BLUE", units=2, seconds=held.get(kind, 0.0))
        for at, kind in enumerate(kinds)
    ]
    result = played(a_history(*struck).model_copy(update={"shelves": Shelves(buyers=4)}))

    assert {kind: result.struck[kind] for kind in kinds} == dict.fromkeys(kinds, 1)
    assert result.violations == ()


def test_what_is_moved_after_its_release_still_leaves_from_where_it_was() -> None:
    """Shopify gives the units back at the first place; nobody may buy them there."""
    struck = [Mishap(at=6.0, kind=Kind.MOVE, order=order) for order in (0, 2)]
    result = played(a_history(*struck).model_copy(update={"shelves": Shelves(buyers=6)}))

    assert result.struck["window: moved"] >= 1
    assert result.struck["stock written: not honoured"] >= 1
    assert result.violations == ()


def test_a_shop_that_is_away_is_not_asked_without_end_by_a_connector_whose_clock_is_slow() -> None:
    """When it says to wait until is long past for everybody else."""
    slow = Mishap(at=0.1, kind=Kind.CLOCK_SKEW, whom="shopify", seconds=-90.0)
    away = Mishap(at=0.3, kind=Kind.SYSTEM_AWAY, whom="shopify", seconds=25.0)
    result = played(a_history(slow, away).model_copy(update={"shelves": Shelves(off_by=1)}))

    assert result.struck[Kind.CLOCK_SKEW] == result.struck[Kind.SYSTEM_AWAY] == 1
    assert result.violations == ()


PROCESS = [
    ("orders", Point.STATE_SENT),
    ("orders", Point.FOLDED),
    ("normalise", Point.HALF_SENT),
    ("clarus", Point.AFTER_EFFECT),
    ("clarus", Point.OUTCOME_SENT),
    ("shopify", Point.BEFORE_READING),
    ("erp", Point.COMMITTED),
    ("stock", Point.STATE_SENT),
    ("stock", Point.SENT),
]


@pytest.mark.parametrize(("role", "point"), PROCESS)
@pytest.mark.parametrize("kind", [Kind.KILL, Kind.PAUSE])
def test_a_process_is_struck_at_a_point(kind: Kind, role: str, point: Point) -> None:
    struck = a_history(Mishap(at=0.6, kind=kind, whom=role, point=point, seconds=12.0))
    result = played(struck.model_copy(update={"shelves": Shelves(off_by=1) if role == "stock" else None}))

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


def test_new_shipping_lines_are_mapped_half_way_and_what_waited_goes() -> None:
    """Another line is not known for a while meanwhile: what comes back then must not take away the new one, by which
    shoppers order still.
    """
    unknown = Mishap(at=1.0, kind=Kind.UNMAPPED, whom="acme", seconds=14.0)
    slow = a_history(unknown, orders=8).model_copy(update={"rate": 0.25, "new_line": 0.9, "mapped_after": 10.0})
    result = played(slow)

    assert result.struck["new lines mapped"] == 1
    assert result.struck[Kind.UNMAPPED] == 1
    assert result.violations == ()


def test_an_order_on_account_is_let_go_by_a_person() -> None:
    result = played(a_history(orders=4).model_copy(update={"on_account": 1}))

    assert result.struck["let go by a person"] == 1
    assert result.violations == ()
