"""A hint says that something may have changed and where to look. It is never applied, only answered by a read."""

from schemas.base import Brand, Frozen, OrderId, Utc

SWEEP = "sweep"
"""Why: such hints are read behind all others."""


class Hint(Frozen):
    """`why` is the webhook's topic, `poll`, `sweep`, `fold` or `operator`.

    `evidence` is the verbatim body: kept, never applied.
    """

    brand: Brand
    order: OrderId
    """`~ID` when only something else is known: the connector resolves it and hints again under the order's key."""
    why: str
    seen_at: Utc
    token: int = -1
    """Where the decision stands that asks for this reading: one that began after this hint came bears it."""
    trace: str = ""
    evidence: str = ""
    sweep: Utc | None = None
    """Of a hint under a connection's key: list the system for this sweep."""
