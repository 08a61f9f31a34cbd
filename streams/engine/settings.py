"""Timings and sizes of a worker; seconds unless said otherwise."""

from schemas.base import Frozen
from schemas.topics import CONFIG


class EngineSettings(Frozen):
    batch: int = 500
    """Records handed over at a time, at most."""
    batches_under_way: int = 4
    """Batches whose sends may be unacknowledged while the next is folded."""
    commit_every: float = 0.5
    tick_every: float = 0.2
    """How often the due index is looked at when nothing comes in."""
    tick_forgotten: float = 30.0
    silence: float = 30.0
    """Without an acknowledgement for so long, the process ends before the commit."""
    fuse_most: int = 50
    fuse_window: int = 500
    """Dead letters of more keys than `fuse_most` among so many records stop the partition."""
    measure_every: float = 10.0
    """How often lag and keys are measured."""
    topics_with_holes: tuple[str, ...] = (CONFIG.name,)
    """Compacted sources, whose offsets need not follow each other."""
