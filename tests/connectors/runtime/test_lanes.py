"""What is unread has its lane, whatever comes between taking it and reading it."""

from datetime import timedelta

from connectors.runtime.lanes import Lanes, WaitingHint
from kernel.log import Partition, Record
from schemas.aggregates import Kind, stock_id
from schemas.base import Brand, LocationId, OrderId, Sku
from schemas.hints import SWEEP, Hint
from tests.builders import ACME, NOON, ORDER

TEN = dict.fromkeys(Kind, 10)


def a_hint(offset: int, order: OrderId = ORDER, why: str = "poll", token: int = -1, trace: str = "") -> WaitingHint:
    """One a second, by its offset."""
    record = Record(Partition("hints.clarus", 0), offset, b"", b"", NOON)
    seen_at = NOON + timedelta(seconds=offset)
    return WaitingHint(
        record, Hint(brand=ACME, order=order, why=why, seen_at=seen_at, token=token, trace=trace), seen_at
    )


def hinted(lanes: Lanes, offset: int, order: OrderId = ORDER) -> None:
    lane = lanes.of(ACME, order, 0)
    lane.hinted(a_hint(offset, order))
    lanes.to_read(lane)


def test_of_the_hints_that_wait_the_newest_is_kept_and_bears_what_the_others_told() -> None:
    lane = Lanes([ACME]).of(ACME, ORDER, 0)
    of_no_use = [
        lane.hinted(one)
        for one in (a_hint(1), a_hint(2, trace="first"), a_hint(3, trace="second"), a_hint(4, why="orders/updated"))
    ]

    (kept,) = lane.hints
    assert [record and record.offset for record in of_no_use] == [None, 1, 2, 3]
    assert (kept.record.offset, kept.hint.why, kept.hint.trace) == (4, "orders/updated", "first")
    assert kept.since == NOON + timedelta(seconds=1)


def test_of_the_hints_that_wait_the_one_with_the_highest_token_comes_again_after_a_restart() -> None:
    lane = Lanes([ACME]).of(ACME, ORDER, 0)
    of_no_use = [lane.hinted(one) for one in (a_hint(1, token=70), a_hint(2), a_hint(3, token=80))]

    (kept,) = lane.hints
    assert [record and record.offset for record in of_no_use] == [None, 2, 1]
    assert (kept.record.offset, kept.hint.token) == (3, 80)


def test_what_a_sweep_asks_is_not_joined_with_what_others_tell() -> None:
    """What the sweep read at once may be older than what they tell of."""
    lane = Lanes([ACME]).of(ACME, ORDER, 0)
    for one in (a_hint(1, why=SWEEP), a_hint(2, why=SWEEP)):
        lane.hinted(one)
    assert lane.gentle
    for one in (a_hint(3), a_hint(4, why=SWEEP), a_hint(5)):
        lane.hinted(one)

    assert not lane.gentle
    assert [(one.record.offset, one.swept) for one in lane.hints] == [(4, True), (5, False)]


def test_a_lane_without_a_hint_is_not_read_and_keeps_no_sweep_waiting() -> None:
    """A command that was held too long keeps it among the lanes."""
    lanes = Lanes([ACME])
    hinted(lanes, 1)
    (lane,) = lanes.next_read(ACME, TEN, NOON)
    hinted(lanes, 2)  # the call is not out yet: it takes this one along
    lane.hints, lane.busy = [], False
    lane.stays_closed(NOON + timedelta(seconds=30))
    lanes.drop_idle(lane, NOON)
    assert lane in lanes
    swept = lanes.of(ACME, OrderId("5002"), 0)
    swept.hinted(a_hint(3, OrderId("5002"), SWEEP))
    lanes.to_read(swept)

    assert lanes.next_read(ACME, TEN, NOON) == []
    assert lanes.next_gentle(ACME, 10, NOON) == [swept]


def test_a_hint_that_shares_a_call_about_to_begin_leaves_nothing_unread_behind() -> None:
    lanes = Lanes([ACME])
    hinted(lanes, 1)
    (lane,) = lanes.next_read(ACME, TEN, NOON)
    hinted(lanes, 2)  # the call is not out yet: it takes this one along

    lane.hints = []
    lane.busy = False
    lanes.drop_idle(lane, NOON)

    assert lane not in lanes
    assert lanes.next_read(ACME, TEN, NOON) == []


def test_a_hint_that_comes_while_the_call_is_out_is_read_next() -> None:
    lanes = Lanes([ACME])
    hinted(lanes, 1)
    (lane,) = lanes.next_read(ACME, TEN, NOON)
    lane.hints = []
    hinted(lanes, 2)

    assert lanes.next_read(ACME, TEN, NOON) == [], "one call at a time"

    lane.busy = False
    lanes.drop_idle(lane, NOON)

    assert lanes.next_read(ACME, TEN, NOON) == [lane]


def test_what_is_given_up_is_not_read() -> None:
    lanes = Lanes([ACME, Brand("borealis")])
    hinted(lanes, 1)

    lanes.give_up(frozenset({0}))

    assert lanes.next_read(ACME, TEN, NOON) == []
    assert len(lanes) == 0


def test_kinds_are_read_in_turns_and_never_in_one_call() -> None:
    lanes = Lanes([ACME])
    stock = [stock_id(Sku(f"MUG-{number}"), LocationId("71")) for number in range(5)]
    for offset, id_ in enumerate([*stock, OrderId("5001"), OrderId("5002")]):
        hinted(lanes, offset, id_)

    most = {**TEN, Kind.STOCK: 2, Kind.ORDER: 1}
    taken = [[lane.order for lane in lanes.next_read(ACME, most, NOON)] for _ in range(6)]

    assert taken == [["5001"], stock[:2], ["5002"], stock[2:4], stock[4:], []]
