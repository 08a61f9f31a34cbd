"""Findings that are explained once: the shape of a catalogue, and the tables of its page in the documentation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

CodeT = TypeVar("CodeT", bound=StrEnum)
SubjectT = TypeVar("SubjectT", bound=StrEnum)
SeverityT = TypeVar("SeverityT", bound=StrEnum)


@dataclass(frozen=True)
class Entry(Generic[SubjectT, SeverityT]):
    """`expected` says what should be so, and why; `do` what a person does when it is not."""

    subject: SubjectT
    severity: SeverityT
    expected: str
    do: str


def sections(subjects: Iterable[SubjectT], catalogue: Mapping[CodeT, Entry[SubjectT, SeverityT]]) -> str:
    """Markdown: a heading and a table per subject, in the catalogue's order."""
    return "\n".join(_section(subject, catalogue) for subject in subjects)


def _section(subject: SubjectT, catalogue: Mapping[CodeT, Entry[SubjectT, SeverityT]]) -> str:
    rows = "\n".join(
        f"| `{code}` | {entry.severity} | {entry.expected} | {entry.do} |"
        for code, entry in catalogue.items()
        if entry.subject is subject
    )
    return f"""## {subject}

| finding | severity | expected | what to do |
|---|---|---|---|
{rows}
"""
