"""The filter operators of Clarus' lists: `eq`, `in`, `like`, `from`, …; several in one filter must all hold."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

R = TypeVar("R")
Filter = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Field(Generic[R]):
    """What a filter of this name looks at: one value of the record, or several of which one must fit.

    `parse` turns what the caller sent into that value's type; it may raise ValueError.
    """

    value: Callable[[R], Any]
    parse: Callable[[Any], Any] = str
    several: bool = False


def number(value: Callable[[R], int | None]) -> Field[R]:
    """An id."""
    return Field(value, int)


def moment(text: str) -> datetime:
    """Raises ValueError for a time without a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"expected a time with its zone, found {text!r}")
    return at


def matching(records: Iterable[R], fields: Mapping[str, Field[R]], wanted: Filter) -> Iterable[R]:
    """The records for which everything wanted holds, in their order. Raises ValueError for what cannot be read."""
    tests = [
        (fields[name], OPERATORS[operator], _parsed(fields[name], operator, value))
        for name, operators in wanted.items()
        for operator, value in (operators or {}).items()
        if value is not None
    ]
    return (record for record in records if all(_holds(field, record, test, value) for field, test, value in tests))


def _holds(field: Field[R], record: R, test: Callable[[Any, Any], bool], wanted: Any) -> bool:
    found = field.value(record)
    return any(test(each, wanted) for each in found) if field.several else test(found, wanted)


def _parsed(field: Field[Any], operator: str, value: Any) -> Any:
    if operator == "filled":
        return value
    return [field.parse(each) for each in value] if isinstance(value, list) else field.parse(value)


@lru_cache(maxsize=1024)
def like(pattern: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """SQL's LIKE: % any text, _ any character, a backslash before either takes it literally."""
    escaped = re.sub(r"\\\\(.)|%|_", lambda m: m[1] or (".*" if m[0] == "%" else "."), re.escape(pattern))
    return re.compile(escaped, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def literal_start(pattern: str) -> str:
    """What every text begins with that is like `pattern`."""
    return re.split(r"[%_\\]", pattern, maxsplit=1)[0]


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, wanted: found == wanted,
    "in": lambda found, wanted: found in wanted,
    "like": lambda found, wanted: found is not None and like(wanted).fullmatch(found) is not None,
    "ilike": lambda found, wanted: found is not None and like(wanted, ignore_case=True).fullmatch(found) is not None,
    "between": lambda found, wanted: found is not None and wanted[0] <= found <= wanted[1],
    "gt": lambda found, wanted: found is not None and found > wanted,
    "gteq": lambda found, wanted: found is not None and found >= wanted,
    "lt": lambda found, wanted: found is not None and found < wanted,
    "lteq": lambda found, wanted: found is not None and found <= wanted,
    "from": lambda found, wanted: found is not None and found >= wanted,
    "to": lambda found, wanted: found is not None and found <= wanted,
    "filled": lambda found, wanted: (found is not None) == wanted,
}
