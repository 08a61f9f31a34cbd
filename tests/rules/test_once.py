"""Answers about the same records are worked out once, and not kept for ever."""

from streams.rules.orders.once import KEPT, once


class Record:
    """Known by itself, not by what it holds."""


def test_the_same_records_get_the_same_answer_worked_out_once() -> None:
    worked_out = 0

    @once
    def answer(one: Record, other: Record) -> list[Record]:
        nonlocal worked_out
        worked_out += 1
        return [one, other]

    one, other = Record(), Record()
    first = answer(one, other)
    assert first == [one, other]
    assert answer(one, other) is first
    assert worked_out == 1
    assert answer(other, one) == [other, one]
    assert answer(one, Record()) != first
    assert worked_out == 3


def test_after_so_many_all_are_forgotten() -> None:
    asked: list[Record] = []

    @once
    def answer(about: Record) -> int:
        asked.append(about)
        return len(asked)

    records = [Record() for _ in range(KEPT)]
    for record in records:
        answer(record)
    answer(records[0])
    assert len(asked) == KEPT, "so many are kept"
    answer(Record())
    answer(records[0])
    assert len(asked) == KEPT + 2, "one more, and the others are worked out again"
