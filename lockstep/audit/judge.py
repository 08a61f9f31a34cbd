"""All checks, and their verdict."""

from collections.abc import Callable, Collection, Iterator, Sequence
from enum import IntEnum

from lockstep.audit.access import check_access
from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code, Severity
from lockstep.audit.left_on import check_left_on
from lockstep.audit.places import check_places
from lockstep.audit.seen import Seen
from lockstep.audit.shipping import check_shipping
from lockstep.audit.skus import check_skus
from lockstep.audit.stock import check_stock
from lockstep.audit.tags import check_tags
from lockstep.audit.webhooks import check_webhooks

CHECKS: tuple[Callable[[Seen], Iterator[Finding]], ...] = (
    check_places,
    check_shipping,
    check_tags,
    check_skus,
    check_access,
    check_left_on,
    check_webhooks,
    check_stock,
)
_BY_CODE = list(Code)
_BY_SEVERITY = list(Severity)


class Verdict(IntEnum):
    """The exit code."""

    CLEAN = 0
    """There may be advice, and what was accepted."""
    GAPS = 1
    CANNOT_LOOK = 2
    """Something that is needed was not seen; what was found is told all the same."""


def findings(seen: Seen) -> list[Finding]:
    """The worst first, then in the order of the catalogue."""
    found = [finding for check in CHECKS for finding in check(seen) if finding.count]
    return sorted(found, key=lambda one: (_BY_SEVERITY.index(one.severity), _BY_CODE.index(one.code)))


def verdict(seen: Seen, found: Sequence[Finding], accepted: Collection[Code] = ()) -> Verdict:
    """`accepted` are gaps that are meant to be; they are told and do not count."""
    if any(one.needed for one in seen.unseen):
        return Verdict.CANNOT_LOOK
    counts = any(one.severity is not Severity.ADVICE and one.code not in accepted for one in found)
    return Verdict.GAPS if counts else Verdict.CLEAN
