"""Why an order may not leave yet: reasons in words, put together so that a person reads all of them at once."""

from collections.abc import Iterable

from schemas.base import Frozen, Utc
from schemas.cases import CaseCode


class Hold(Frozen):
    """One reason. `named` is the part, title, SKU or location a person would look for; never anything personal."""

    code: CaseCode
    named: str
    until: Utc | None = None
    """It is meant to last until then."""
    after: int | None = None
    """Seconds until it becomes a case, where that is not the brand's usual."""


def merged(holds: Iterable[Hold]) -> tuple[Hold, ...]:
    """One hold per code, in the order in which they were found; it names everything of its kind."""
    found: dict[CaseCode, Hold] = {}
    for hold in holds:
        before = found.get(hold.code)
        found[hold.code] = hold if before is None else _both(before, hold)
    return tuple(found.values())


def _both(one: Hold, other: Hold) -> Hold:
    named = one.named if other.named in one.named.split("; ") else f"{one.named}; {other.named}"
    ends = [hold.until for hold in (one, other) if hold.until is not None]
    until = max(ends) if len(ends) == 2 else None
    return one.model_copy(update={"named": named, "until": until})
