"""What was found, ready to be told: the same words for the terminal, for machines and for the pages."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Code, Severity, Subject
from lockstep.audit.judge import Verdict, findings, verdict
from lockstep.audit.seen import Seen, Unseen

NOT_VISIBLE = (
    "Shopify: whether orders are fulfilled automatically after payment. Judged by orders that were fulfilled at once.",
    "Shopify: other apps, their webhooks and what they do; subscriptions declared in an app's configuration file.",
    "Clarus: what its automations call, and the account's flags (rounding up, linked accounts, short picking).",
)
"""What no interface shows, so that nobody takes it for checked."""

_SAID = {
    Verdict.CLEAN: "No gaps.",
    Verdict.GAPS: "There are gaps.",
    Verdict.CANNOT_LOOK: "Not everything could be looked at.",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Of one brand at one moment. Worst findings first."""

    brand: str
    at: datetime
    days: int
    version: int
    verdict: Verdict
    findings: tuple[Finding, ...]
    unseen: tuple[Unseen, ...]
    accepted: frozenset[Code]
    sizes: tuple[tuple[str, int], ...]
    """What was looked at, and how many of it."""

    @property
    def said(self) -> str:
        """The verdict in a sentence."""
        return _SAID[self.verdict]

    def count(self, severity: Severity) -> int:
        """Kinds of gaps of that severity that were not accepted."""
        return sum(one.severity is severity and one.code not in self.accepted for one in self.findings)

    @property
    def counted(self) -> str:
        """How many findings of each severity."""
        return ", ".join(f"{severity}: {self.count(severity)}" for severity in Severity)

    def by_subject(self) -> Iterator[tuple[Subject, Sequence[Finding]]]:
        """Subjects with their findings, those without left out."""
        for subject in Subject:
            about = [one for one in self.findings if one.entry.subject is subject]
            if about:
                yield subject, about


def report_of(seen: Seen, accepted: Collection[Code] = ()) -> Report:
    found = findings(seen)
    return Report(
        brand=seen.config.brand,
        at=seen.at,
        days=seen.days,
        version=seen.config.version,
        verdict=verdict(seen, found, accepted),
        findings=tuple(found),
        unseen=seen.unseen,
        accepted=frozenset(accepted),
        sizes=tuple(_sizes(seen)),
    )


def more_of(finding: Finding) -> int:
    """How many are not among the examples."""
    return finding.count - len(finding.examples)


def as_data(report: Report) -> dict[str, object]:
    """For machines; the keys are part of the contract."""
    return {
        "brand": report.brand,
        "at": report.at.isoformat(),
        "days": report.days,
        "verdict": report.verdict.name.lower(),
        "findings": [
            {
                "code": one.code,
                "severity": one.severity,
                "accepted": one.code in report.accepted,
                "meaning": one.entry.expected,
                "count": one.count,
                "examples": list(one.examples),
                "do": one.entry.do,
            }
            for one in report.findings
        ],
        "not_looked_at": [{"what": one.what, "why": one.why, "needed": one.needed} for one in report.unseen],
        "looked_at": dict(report.sizes),
        "not_visible": list(NOT_VISIBLE),
    }


def _sizes(seen: Seen) -> Iterator[tuple[str, int]]:
    lists: tuple[tuple[str, Collection[object] | None], ...] = (
        ("locations", seen.shop.places),
        ("variants", seen.shop.variants),
        ("orders", seen.shop.orders),
        ("webhook subscriptions", seen.shop.subscriptions),
        ("Clarus warehouses", seen.clarus.warehouses),
        ("Clarus products", seen.clarus.products),
        ("Clarus stock balances", seen.clarus.balances),
        ("ERP items", seen.erp.items),
    )
    return ((name, len(found)) for name, found in lists if found is not None)
