"""The audit as one HTML file that needs nothing else: for the screen and for paper, to be handed over."""

import re
from collections.abc import Iterator
from html import escape
from importlib.resources import files

from lockstep.audit.catalogue import Finding
from lockstep.audit.codes import Severity
from lockstep.audit.report import NOT_VISIBLE, Report, more_of
from lockstep.audit.titles import TITLES

_CLASS = {Severity.STALLS: "stalls", Severity.HARMS: "harms", Severity.ADVICE: "advice"}


def html(report: Report) -> str:
    style = files("lockstep.audit").joinpath("page.css").read_text("utf-8")
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Audit of {escape(report.brand)}</title>
<style>
{style}</style>
</head>
<body>
{"".join(_body(report))}</body>
</html>
"""


def _body(report: Report) -> Iterator[str]:
    yield f"<header>\n<h1>Audit of {escape(report.brand)}</h1>\n"
    yield f"<p>{report.at:%d %B %Y, %H:%M} UTC · configuration version {report.version} · "
    yield f"orders of the last {report.days} days</p>\n</header>\n"
    yield f'<section class="summary">\n<p class="verdict">{escape(report.said)}</p>\n<ul class="tiles">\n'
    yield from (f'<li class="{_CLASS[one]}"><b>{report.count(one)}</b> {escape(one)}</li>\n' for one in Severity)
    yield "</ul>\n"
    if report.findings:
        yield "<table>\n<thead><tr><th>Finding</th><th>Severity</th><th>Count</th></tr></thead>\n<tbody>\n"
        yield from (
            f'<tr><td><a href="#{one.code}">{escape(TITLES[one.code])}</a></td>'
            f'<td>{_badge(report, one)}</td><td class="count">{one.count}</td></tr>\n'
            for one in report.findings
        )
        yield "</tbody>\n</table>\n"
    yield "</section>\n"
    for subject, found in report.by_subject():
        yield f"<section>\n<h2>{escape(subject)}</h2>\n"
        for one in found:
            yield from _finding(report, one)
        yield "</section>\n"
    if report.unseen:
        yield "<section>\n<h2>Not looked at</h2>\n<ul>\n"
        yield from (f"<li><b>{escape(one.what)}</b>: {escape(one.why)}</li>\n" for one in report.unseen)
        yield "</ul>\n</section>\n"
    yield "<section>\n<h2>Looked at</h2>\n<p>"
    yield ", ".join(f"{count} {escape(name)}" for name, count in report.sizes)
    yield ".</p>\n<p>What no interface shows, and a person has to ask for:</p>\n<ul>\n"
    yield from (f"<li>{escape(line)}</li>\n" for line in NOT_VISIBLE)
    yield "</ul>\n</section>\n"


def _finding(report: Report, one: Finding) -> Iterator[str]:
    yield f'<article id="{one.code}" class="{_CLASS[one.severity]}">\n'
    yield f"<h3>{escape(TITLES[one.code])} <small>{one.count}</small> {_badge(report, one)}</h3>\n"
    yield f"<p>{_with_code(one.entry.expected)}</p>\n<ul>\n"
    yield from (f"<li>{escape(example)}</li>\n" for example in one.examples)
    if more_of(one):
        yield f"<li>and {more_of(one)} more</li>\n"
    yield f'</ul>\n<p class="do"><b>What to do.</b> {_with_code(one.entry.do)}</p>\n</article>\n'


def _badge(report: Report, one: Finding) -> str:
    accepted = ", accepted" if one.code in report.accepted else ""
    return f'<span class="badge {_CLASS[one.severity]}">{escape(one.severity)}{accepted}</span>'


def _with_code(text: str) -> str:
    """Our own sentences; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
