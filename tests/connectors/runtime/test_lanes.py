"""What is unread has its lane, whatever comes between taking it and reading it."""

from connectors.runtime.lanes import Lanes, WaitingHint
from kernel.log import Partition, Record
from schemas.aggregates import Kind, stock_id
from schemas.base import Brand, LocationId, OrderId, Sku
from schemas.hints import Hint
from tests.builders import ACME, NOON, ORDER

TEN = dict.fromkeys(Kind, 10)


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
    (lane,) = lanes.next_read(ACME, TEN)
    hinted(lanes, 2)  # the call is not out yet: it takes this one along

    lane.hints = []
    lane.busy = False
    lanes.drop_idle(lane, NOON)

    assert lane not in lanes
    assert lanes.next_read(ACME, TEN) == []


def test_a_hint_that_comes_while_the_call_is_out_is_read_next() -> None:
    lanes = Lanes([ACME])
    hinted(lanes, 1)
    (lane,) = lanes.next_read(ACME, TEN)
    lane.hints = []
    hinted(lanes, 2)

    assert lanes.next_read(ACME, TEN) == [], "one call at a time"

    lane.busy = False
    lanes.drop_idle(lane, NOON)

    assert lanes.next_read(ACME, TEN) == [lane]


def test_what_is_given_up_is_not_read() -> None:
    lanes = Lanes([ACME, Brand("borealis")])
    hinted(lanes, 1)

    lanes.give_up(frozenset({0}))

    assert lanes.next_read(ACME, TEN) == []
    assert len(lanes) == 0


def test_kinds_are_read_in_turns_and_never_in_one_call() -> None:
    lanes = Lanes([ACME])
    stock = [stock_id(Sku(f"MUG-{number}"), LocationId("71")) for number in range(5)]
    for offset, id_ in enumerate([*stock, OrderId("5001"), OrderId("5002")]):
        hinted(lanes, offset, id_)

    most = {**TEN, Kind.STOCK: 2, Kind.ORDER: 1}
    taken = [[lane.order for lane in lanes.next_read(ACME, most)] for _ in range(6)]

    assert taken == [["5001"], stock[:2], ["5002"], stock[2:4], stock[4:], []]
