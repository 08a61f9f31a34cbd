"""Answers that several rules ask for about the same record, worked out once.

Rules stay plain functions of frozen records: whoever asks again about the very same objects gets the same answer, and
must not change it. An answer is kept with the record it is about and goes when that goes.
"""

from collections.abc import Callable
from functools import wraps
from operator import is_
from typing import Any, TypeVar, TypeVarTuple

from schemas.base import Frozen

_R = TypeVar("_R", bound=Frozen)
_Others = TypeVarTuple("_Others")
_T = TypeVar("_T")

_kept, _keep = (getattr(vars(Frozen)["worked_out"], how) for how in ("__get__", "__set__"))


def once(work_out: Callable[[_R, *_Others], _T]) -> Callable[[_R, *_Others], _T]:
    """A pure function of a frozen record and whatever else, given by position; of one record the newest answer stands.

    What else it is given must be the very same objects for the same answer.
    """

    @wraps(work_out)
    def asked(record: _R, /, *others: *_Others) -> _T:
        answers = _answers_of(record)
        known: tuple[tuple[Any, ...], _T] | None = answers.get(work_out)
        if known is not None and all(map(is_, known[0], others)):
            return known[1]
        answer = work_out(record, *others)
        answers[work_out] = others, answer
        return answer

    return asked


def _answers_of(record: Frozen) -> dict[Callable[..., Any], tuple[tuple[Any, ...], Any]]:
    try:
        answers: dict[Callable[..., Any], tuple[tuple[Any, ...], Any]] = _kept(record)
    except AttributeError:
        answers = {}
        _keep(record, answers)
    return answers
