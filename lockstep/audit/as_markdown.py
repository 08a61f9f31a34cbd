"""The audit as a Markdown page, to be kept beside a project's other papers."""

import re
from collections.abc import Iterator

from lockstep.audit.catalogue import Finding
from lockstep.audit.report import NOT_VISIBLE, Report, more_of
from lockstep.audit.titles import TITLES

_MARKS = re.compile(r"([\\`*_<>|\[\]])")


def markdown(report: Report) -> str:
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# Audit of {report.brand}"
    yield ""
    yield f"{report.at:%d %B %Y, %H:%M} UTC. Configuration version {report.version}; orders of {report.days} days."
    yield ""
    yield f"**{report.said}** {report.counted}."
    yield ""
    if report.findings:
        yield "| finding | severity | count |"
        yield "|---|---|---|"
        yield from (
            f"| {TITLES[one.code]} (`{one.code}`) | {_severity(report, one)} | {one.count} |" for one in report.findings
        )
        yield ""
    for subject, found in report.by_subject():
        yield f"## {subject}"
        yield ""
        for one in found:
            yield from _finding(report, one)
    if report.unseen:
        yield "## Not looked at"
        yield ""
        yield from (f"- {escaped(one.what)}: {escaped(one.why)}" for one in report.unseen)
        yield ""
    yield "## Looked at"
    yield ""
    yield ", ".join(f"{count} {name}" for name, count in report.sizes) + "."
    yield ""
    yield "What no interface shows, and a person has to ask for:"
    yield ""
    yield from (f"- {line}" for line in NOT_VISIBLE)


def _finding(report: Report, one: Finding) -> Iterator[str]:
    yield f"### {TITLES[one.code]}"
    yield ""
    yield f"{_severity(report, one).capitalize()}, {one.count}. {one.entry.expected}"
    yield ""
    yield from (f"- {escaped(example)}" for example in one.examples)
    if more_of(one):
        yield f"- and {more_of(one)} more"
    yield ""
    yield f"What to do: {one.entry.do}"
    yield ""


def _severity(report: Report, one: Finding) -> str:
    return f"{one.severity}, accepted" if one.code in report.accepted else str(one.severity)


def escaped(text: str) -> str:
    """As text, whatever a shop calls its things."""
    return _MARKS.sub(r"\\\1", text)
