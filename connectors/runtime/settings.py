"""Timings of the connector runtime, in seconds unless said otherwise."""

from pydantic import Field

from schemas.aggregates import Kind
from schemas.base import Frozen


class RuntimeSettings(Frozen):
    reads_at_once: int = Field(default=2, ge=1)
    """Read calls out at a time, per brand."""
    writes_at_once: int = Field(default=8, ge=1)
    """Commands being carried out at a time, per brand."""
    joined_at_once: int = Field(default=1000, ge=1)
    """Of those that a port joins into few calls, as stock figures."""
    items_at_once: int = Field(default=2, ge=1)
    """Of those for items: a new catalogue leaves the pace to the orders."""
    expires_after: float = 300.0
    """A command older than this when its try starts ends as expired."""
    held_most: float = 60.0
    """A key is held no longer; then the command is delayed."""
    sweep_batch: int = Field(default=20, ge=1)
    """Orders one read of a sweep asks for; no other is out meanwhile, nor while an order's own read waits."""
    sweep_leaves: float = Field(default=0.5, ge=0, le=1)
    """Share of a system's budget that must be left for a sweep to read at all."""
    delay: float = 10.0
    """A command that could not be tried is decided again after this."""
    poll_every: float = 60.0
    sweep_every: float = Field(default=6 * 3600.0, gt=0)
    """Every stock item is looked at on both sides so often, whatever was told."""
    items_every: float = Field(default=24 * 3600.0, gt=0)
    """Every item of the ERP, every SKU of the shop and what lies in Clarus is looked at so often, whatever was told."""
    items_per_second: float = Field(default=2.0, gt=0)
    """So many of them: what a new catalogue causes in Clarus takes its time."""
    commit_every: float = 0.5
    look_every: float = Field(default=0.2, gt=0)
    """How often it is looked whether something may begin that had to wait, when nothing comes in."""
    measure_every: float = 10.0
    """How often lag and keys are measured."""
    stands_still_most: float = Field(default=20.0, gt=0)
    """A process that was stopped for longer than this ends and starts anew: others may own its partitions by now, and
    would do at the same time what it is about to do. Never more than seven tenths of the session's time-out."""

    def slots(self, kind: Kind) -> int:
        """Commands of a brand that may be carried out at a time."""
        return {Kind.ORDER: self.writes_at_once, Kind.STOCK: self.joined_at_once, Kind.ITEM: self.items_at_once}[kind]
