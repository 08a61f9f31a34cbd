"""Answers about the same records are worked out once, and go with the record they are about."""

import gc
import weakref

from schemas.base import Frozen
from streams.rules.orders.once import once


class Record(Frozen):
    """Equal to every other of its kind: only itself is the same."""


class Answer:
    """Something that a test can watch going."""


def test_the_same_records_get_the_same_answer_worked_out_once() -> None:
    worked_out = 0

    @once
    def answer(one: Record, other: Record) -> list[Record]:
        nonlocal worked_out
        worked_out += 1
        return [one, other]

    one, other = Record(), Record()
    first = answer(one, other)
    assert first[0] is one
    assert first[1] is other
    assert answer(one, other) is first
    assert worked_out == 1
    assert answer(other, one)[0] is other
    assert answer(one, Record()) is not first, "an equal record is not the same"
    assert worked_out == 3
    assert answer(one, other) is not first, "of each record the newest answer is kept"


def test_every_one_of_the_others_must_be_the_same() -> None:
    @once
    def answer(_one: Record, _two: Record, _three: Record) -> Answer:
        return Answer()

    one, two, three = Record(), Record(), Record()
    first = answer(one, two, three)
    assert answer(one, two, three) is first
    assert answer(one, two, Record()) is not first
    again = answer(one, two, three)
    assert answer(one, Record(), three) is not again


def test_each_function_has_its_own_answer() -> None:
    one = Record()

    def answers(said: str) -> str:
        @once
        def answer(_about: Record) -> str:
            return said

        return answer(one)

    assert [answers("this"), answers("that")] == ["this", "that"]


def test_a_copy_is_asked_anew_and_equal_all_the_same() -> None:
    class Named(Frozen):
        name: str

    @once
    def letters(about: Named) -> int:
        return len(about.name)

    short = Named(name="a")
    assert letters(short) == 1
    longer = short.model_copy(update={"name": "ab"})
    assert letters(longer) == 2
    assert longer == Named(name="ab")
    assert hash(longer) == hash(Named(name="ab"))


def test_an_answer_goes_with_its_record() -> None:
    @once
    def answer(_about: Record) -> Answer:
        return Answer()

    record = Record()
    watched = weakref.ref(answer(record))
    assert watched() is not None
    del record
    gc.collect()
    assert watched() is None
