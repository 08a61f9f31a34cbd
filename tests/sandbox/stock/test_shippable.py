"""What Clarus could still ship, by literal figures."""

import pytest

from sandbox.stock.shippable import Asked, Lying, Sold, shippable

TABLE: list[tuple[str, list[Lying], list[Asked], list[Sold], int]] = [
    ("nothing known", [], [], [], 0),
    ("all free", [Lying(10)], [], [], 10),
    ("two warehouses", [Lying(10), Lying(4)], [], [], 14),
    ("allocated and picked lie there too", [Lying(5, 3, 2)], [], [], 10),
    ("sold, not yet asked for", [Lying(10)], [], [Sold(2, 2)], 8),
    ("sold and asked for: once", [Lying(10)], [Asked(2)], [Sold(2, 2, covered=2)], 8),
    ("asked for and allocated: once", [Lying(8, 2)], [Asked(2)], [Sold(2, 2, covered=2)], 8),
    ("despatched, not told: gone, and owed no more", [Lying(8)], [Asked(2, despatched=2)], [Sold(2, 2, covered=2)], 8),
    ("one of two despatched and told", [Lying(9)], [Asked(2, despatched=1)], [Sold(1, 2, covered=2)], 8),
    ("one of two despatched, the rest given up", [Lying(9)], [Asked(2, 1, 1)], [Sold(2, 2, covered=1)], 8),
    ("half asked for", [Lying(10)], [Asked(1)], [Sold(2, 2, covered=1)], 8),
    ("more despatched than ordered", [Lying(7)], [Asked(2, despatched=3)], [Sold(2, 2, covered=3)], 7),
    ("cancelled in the shop, still asked for", [Lying(10)], [Asked(2)], [Sold(0, 2, covered=2)], 8),
    ("cancelled before it was asked for", [Lying(10)], [], [Sold(0, 2)], 10),
    ("another channel", [Lying(10)], [Asked(7)], [], 3),
    ("fulfilled by hand, never asked for", [Lying(10)], [], [Sold(0, 2)], 10),
    ("promised more than there is", [Lying(1)], [Asked(2)], [Sold(3, 3)], -4),
]


@pytest.mark.parametrize(("lying", "asked", "sold", "left"), [one[1:] for one in TABLE], ids=[one[0] for one in TABLE])
def test_what_could_still_be_shipped(lying: list[Lying], asked: list[Asked], sold: list[Sold], left: int) -> None:
    assert shippable(lying, asked, sold) == left
