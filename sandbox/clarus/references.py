"""Goods-outs by reference: exact, and by what a reference begins with, without looking at all of them."""

from bisect import bisect_left, insort
from collections.abc import Iterator


class References:
    """Which ids bear a reference. Several may bear the same one: Clarus does not enforce uniqueness."""

    def __init__(self) -> None:
        self._sorted: list[tuple[str, int]] = []

    def add(self, reference: str, number: int) -> None:
        insort(self._sorted, (reference, number))

    def remove(self, reference: str, number: int) -> None:
        at = bisect_left(self._sorted, (reference, number))
        assert self._sorted[at] == (reference, number)
        del self._sorted[at]

    def bearing(self, reference: str) -> Iterator[int]:
        return (number for found, number in self._from(reference) if found == reference)

    def starting_with(self, prefix: str) -> Iterator[int]:
        return (number for _, number in self._from(prefix))

    def _from(self, prefix: str) -> Iterator[tuple[str, int]]:
        for at in range(bisect_left(self._sorted, (prefix, 0)), len(self._sorted)):
            if not self._sorted[at][0].startswith(prefix):
                return
            yield self._sorted[at]
