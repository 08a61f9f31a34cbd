"""What a worker holds of one partition number, from its assignment to its revocation."""

from dataclasses import dataclass, field
from datetime import timedelta

from streams.engine.changelog import OwnWrites
from streams.engine.contract import Change, PartitionFold
from streams.engine.fuse import Fuse


@dataclass(slots=True)
class Owned:
    """One partition number of ours: the fold of all its source topics, and what the engine knows about it.

    `expected` is the offset each source must go on with, `keys` those the changelog holds, `ticked_at` monotonic.
    `ahead`: by how much our clock was before the broker's, which decides what is due, when the last tick was appended.
    """

    fold: PartitionFold
    writes: OwnWrites
    fuse: Fuse
    expected: dict[str, int] = field(default_factory=dict)
    keys: set[bytes] = field(default_factory=set)
    ticked_at: float | None = None
    ahead: timedelta = timedelta(0)
    fused: bool = False

    def note(self, change: Change) -> None:
        if change.value is None:
            self.keys.discard(change.key)
        else:
            self.keys.add(change.key)
