"""What of one item lies at one location, in Shopify's quantities.

on_hand = available + committed + reserved + damaged + safety_stock + quality_control, always; `incoming` is in none of
them (Admin API 2026-10, inventory states).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

ASIDE = ("reserved", "damaged", "safety_stock", "quality_control")
"""On hand, committed to nobody, and not for sale."""
KEPT = ("on_hand", "committed", *ASIDE, "incoming")
"""Every quantity but `available`, which follows from these."""
NAMES = ("available", *KEPT)

Place = tuple[int, int]
"""Inventory item and location."""


@dataclass
class Level:
    """`counted` False: nobody ever said how many there are; it sells without limit and `available` stays 0."""

    item: int
    location: int
    updated_at: datetime
    counted: bool = False
    active: bool = True
    kept: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEPT, 0))
    stamps: dict[str, datetime] = field(default_factory=dict)
    """When a quantity last moved."""

    @property
    def number(self) -> int:
        """Of its id, which nobody may take apart."""
        return self.item * 1_000_000 + self.location

    @property
    def available(self) -> int:
        """For sale; below zero when more was sold than there is."""
        return self.kept["on_hand"] - self.kept["committed"] - sum(self.kept[name] for name in ASIDE)

    def quantity(self, name: str) -> int:
        return self.available if name == "available" else self.kept[name]

    def move(self, moved: Mapping[str, int], now: datetime) -> bool:
        """Add to the quantities kept; True when that moved what is for sale."""
        before = self.available
        for name, delta in moved.items():
            self.kept[name] += delta
            if delta:
                self.stamps[name] = self.updated_at = now
        if self.available != before:
            self.stamps["available"] = now
        return self.available != before
