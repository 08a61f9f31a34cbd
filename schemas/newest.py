"""What was made of the newest of each key, while it is made of the same: most readings say nothing new."""

from collections.abc import Callable, Hashable
from operator import is_
from typing import Any, Generic, TypeVar

KEPT = 2_000
"""Keys of which the newest is remembered: what is read again is mostly read within minutes."""

S = TypeVar("S")
T = TypeVar("T")


class Newest(Generic[S, T]):
    """`same` says whether it would be made of the same: equal, unless something stricter is given."""

    def __init__(self, same: Callable[[S, S], bool] = lambda one, other: bool(one == other)) -> None:
        self._same = same
        self._made: dict[Hashable, tuple[S, T]] = {}
        """The one met last stands last."""

    def of(self, key: Hashable, said: S, make: Callable[[S], T]) -> T:
        """What `make` makes of it, or made of it when it was the same. What raises is not remembered."""
        known = self._made.pop(key, None)
        if known is None or not self._same(known[0], said):
            known = said, make(said)
        self._made[key] = known
        if len(self._made) > KEPT:
            del self._made[next(iter(self._made))]
        return known[1]


def very_same(one: Any, other: Any) -> bool:
    """The same object, or a tuple of the very same: what is equal may be written differently, as 1.5 and 1.50 are."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(very_same, one, other))
    return is_(one, other)
