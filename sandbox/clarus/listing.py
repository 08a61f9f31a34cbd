"""What a list that callers read is made of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sandbox.clarus.access import ApiUser
from sandbox.clarus.filters import Field, Filter

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """`records` may leave out what the filter excludes anyway; it yields any order."""

    records: Callable[[Filter], Iterable[R]]
    id: Callable[[R], int]
    visible: Callable[[ApiUser, R], bool]
    fields: Mapping[str, Field[R]]
    show: Callable[[R], dict[str, Any]]
