"""All checks, and their verdict."""

from collections.abc import Callable, Iterator, Sequence

from lockstep.doctor.brands import check_brands
from lockstep.doctor.catalogue import Finding
from lockstep.doctor.codes import Severity
from lockstep.doctor.groups import check_groups
from lockstep.doctor.history import check_history
from lockstep.doctor.installation import Installation
from lockstep.doctor.topics import check_topics
from lockstep.doctor.waiting import check_waiting

CHECKS: tuple[Callable[[Installation], Iterator[Finding]], ...] = (
    check_topics,
    check_history,
    check_groups,
    check_brands,
    check_waiting,
)
_ORDER = list(Severity)


def findings(there: Installation) -> list[Finding]:
    """The worst first; those of one check stay in its order."""
    found = [finding for check in CHECKS for finding in check(there)]
    return sorted(found, key=lambda finding: _ORDER.index(finding.severity))


def well(found: Sequence[Finding]) -> bool:
    """Whether nothing stops a rebuild or risks loss; advice is no illness."""
    return all(finding.severity is Severity.ADVICE for finding in found)
