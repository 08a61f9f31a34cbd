"""How a command ended. Every command ends in exactly one of these kinds per try, published to `raw.<system>`."""

from enum import StrEnum

from schemas.base import CommandId, Frozen, Utc


class OutcomeKind(StrEnum):
    APPLIED = "applied"
    ALREADY_APPLIED = "already_applied"
    """The look found it so."""
    SUPERSEDED = "superseded"
    """A newer command for the object, or its withdrawal, came first; nothing was written."""
    EXPIRED = "expired"
    """Older than the limit when its try started; nothing was written; the fold decides again."""
    REJECTED = "rejected"
    """The system, or the look, refused; nothing was written. `code`, `field`, `text` say what."""
    DELAYED = "delayed"
    """Not now: budget, breaker, pause, outage. The try ends here; the fold emits again at `until`."""


class Outcome(Frozen):
    """`external_id` is the outside system's id of what was made or found. `text` never holds personal data."""

    command: CommandId
    object: str
    generation: int
    kind: OutcomeKind
    external_id: str = ""
    code: str = ""
    field: str = ""
    text: str = ""
    until: Utc | None = None
