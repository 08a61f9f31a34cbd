"""What is excused and what is not, and what of a log is judged."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from kernel.log import Partition, Record
from lockstep.demo.judge import Books
from lockstep.roles import Role
from lockstep.simulation.evidence import read
from lockstep.simulation.oracle import Violation, never
from lockstep.simulation.people import Account
from schemas.base import Brand
from schemas.cases import Case
from schemas.topics import COMMANDS, ORDERS_EVENTS
from tests.kills.blows import Nap
from tests.kills.verdict import ORDERS_GROUP, Taken, excused
from tests.lockstep.demo.pages import NOON, Body, a_case, an_order, at

WOKE = 30.0


def a_creation(number: int, seconds: float) -> Body:
    """In the warehouse's book: all of order 5012, asked for by us under one reference."""
    return {
        "kind": "created", "by": "api", "goods_out": number, "at": at(seconds),
        "head": {"tenant": "acme", "reference": "ACME-5012-73-1"},
        "ordered": [{"line": 1, "sku": "0042-A", "units": 2, "external_reference": "gid://shopify/LineItem/1"}],
    }  # fmt: skip


def asked_twice(second: float) -> Books:
    return Books(
        shopify={"orders": [an_order()], "fulfillments": []},
        clarus={"entries": [a_creation(90_001, 10.0), a_creation(90_002, second)]},
        erp={"sales_orders": [], "fulfilments": []},
        shops={"acme.example.test": Brand("acme")},
        prefixes={Brand("acme"): "ACME"},
    )


def a_nap(role: Role = Role.CLARUS) -> Nap:
    return Nap(role, NOON + timedelta(seconds=15), NOON + timedelta(seconds=WOKE))


def doubles(books: Books) -> list[Violation]:
    return list(never(books, Account(), lambda _number, _at: True))


TOLD = (a_case("unknown_goods_out"),)


def test_a_double_by_a_sleeper_that_just_woke_is_excused_when_people_were_told() -> None:
    books = asked_twice(WOKE + 1)
    found = doubles(books)

    assert [one.rule for one in found] == ["asked twice"]
    assert excused(found, books, TOLD, [a_nap()]) == found


@pytest.mark.parametrize(
    ("second", "cases", "naps"),
    [
        (WOKE + 1, TOLD, []),
        (WOKE + 1, (), [a_nap()]),
        (WOKE + 1, (a_case("unknown_goods_out", "5013"),), [a_nap()]),
        (WOKE + 1, TOLD, [a_nap(Role.SHOPIFY)]),
        (WOKE + 1, TOLD, [a_nap(Role.ERP)]),
        (WOKE - 1, TOLD, [a_nap()]),
        (WOKE + 60, TOLD, [a_nap()]),
    ],
    ids=["nobody slept", "no case", "another order's case", "Shopify's slept", "the ERP's slept", "before", "later"],
)
def test_any_other_double_counts(second: float, cases: Sequence[Case], naps: Sequence[Nap]) -> None:
    books = asked_twice(second)

    assert excused(doubles(books), books, cases, naps) == []


def test_the_pages_are_read_as_the_books_are() -> None:
    (story,) = read(asked_twice(40.0)).orders.values()

    assert len(story.goods_outs) == 2


def a_record(topic: str, number: int, offset: int) -> Record:
    return Record(Partition(topic, number), offset, b"acme/5012", b"", datetime(2026, 11, 3, tzinfo=UTC))


def test_events_that_nobody_has_folded_are_left_out() -> None:
    events = [a_record(ORDERS_EVENTS.name, number, offset) for offset in (1, 0, 2) for number in (1, 0)]
    committed = {ORDERS_GROUP: {Partition(ORDERS_EVENTS.name, 0): 2, Partition(ORDERS_EVENTS.name, 1): 1}}
    taken = Taken(events, committed)

    places = [(record.partition.number, record.offset) for record in taken.records(ORDERS_EVENTS.name)]
    assert places == [(0, 0), (0, 1), (1, 0)]


def test_the_next_record_is_found_behind_a_hole() -> None:
    (topic,) = list(COMMANDS.values())[:1]
    records = [a_record(topic.name, 0, offset) for offset in (0, 1, 5)]
    taken = Taken(records, {ORDERS_GROUP: {}})
    where = Partition(topic.name, 0)

    found = [taken.next_of(where, offset) for offset in (1, 2, 5, 6)]
    assert [None if one is None else one.offset for one in found] == [1, 5, 5, None]
