"""Answers that several rules ask for about the same record, worked out once.

Rules stay plain functions of frozen records: whoever asks again about the very same objects gets the same answer, and
must not change it. The objects asked about are held, so that no other can take their place in memory meanwhile.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

KEPT = 512
"""Answers of one function, before all of them are forgotten."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def once(work_out: Callable[_P, _T]) -> Callable[_P, _T]:
    """A pure function of frozen records, given by position; the same objects, the same answer."""
    answers: dict[tuple[int, ...], tuple[tuple[Any, ...], _T]] = {}

    @wraps(work_out)
    def asked(*about: _P.args, **named: _P.kwargs) -> _T:
        key = tuple(map(id, about))
        known = answers.get(key)
        if known is not None:
            return known[1]
        if len(answers) >= KEPT:
            answers.clear()
        answer = work_out(*about, **named)
        answers[key] = about, answer
        return answer

    return asked
