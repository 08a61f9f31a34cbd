"""What is unread has its lane, whatever comes between taking it and reading it."""

from connectors.runtime.lanes import Lanes, WaitingHint
from kernel.log import Partition, Record
from schemas.base import Brand, OrderId
from schemas.hints import Hint
from tests.builders import ACME, NOON, ORDER


def a_hint(offset: int, order: OrderId = ORDER) -> WaitingHint:
    record = Record(Partition("hints.clarus", 0), offset, b"", b"", NOON)
    return WaitingHint(record, Hint(brand=ACME, order=order, why="poll", seen_at=NOON))


def hinted(lanes: Lanes, offset: int, order: OrderId = ORDER) -> None:
    lane = lanes.of(ACME, order, 0)
    lane.hints.append(a_hint(offset, order))
    lanes.to_read(lane)


def test_a_hint_that_shares_a_call_about_to_begin_leaves_nothing_unread_behind() -> None:
    lanes = Lanes([ACME])
    hinted(lanes, 1)
    (lane,) = lanes.next_read(ACME, most=10)
    hinted(lanes, 2)  # the call is not out yet: it takes this one along

    lane.hints = []
    lane.busy = False
    lanes.drop_idle(lane, NOON)

    assert lane not in lanes
    assert lanes.next_read(ACME, most=10) == []


def test_a_hint_that_comes_while_the_call_is_out_is_read_next() -> None:
    lanes = Lanes([ACME])
    hinted(lanes, 1)
    (lane,) = lanes.next_read(ACME, most=10)
    lane.hints = []
    hinted(lanes, 2)

    assert lanes.next_read(ACME, most=10) == [], "one call at a time"

    lane.busy = False
    lanes.drop_idle(lane, NOON)

    assert lanes.next_read(ACME, most=10) == [lane]


def test_what_is_given_up_is_not_read() -> None:
    lanes = Lanes([ACME, Brand("borealis")])
    hinted(lanes, 1)

    lanes.give_up(frozenset({0}))

    assert lanes.next_read(ACME, most=10) == []
    assert len(lanes) == 0
