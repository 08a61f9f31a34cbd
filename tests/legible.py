"""What people read is there: checked whenever a story is asked for its open cases, so that no rule may fall silent."""

from collections.abc import Iterable

from schemas.cases import Case
from streams.rules.orders.state import Since


def cases_say_what_and_where(cases: Iterable[Case]) -> None:
    for case in cases:
        assert case.object, f"{case.code} names nothing"
        assert case.detail, f"{case.code} of {case.object} says nothing"


def waits_have_names(since: Iterable[Since]) -> None:
    names = [one.name for one in since]
    assert all(names), names
    assert len(set(names)) == len(names), names
