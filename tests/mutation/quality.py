"""docs/quality.md: the survivors that are known, each under its reason; and the figures of the last whole run."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from tests.paths import ROOT

PAGE = ROOT / "docs/quality.md"
BEGIN, END = "<!-- figures: make mutation -->", "<!-- end of figures -->"
SURVIVOR = re.compile(r"^\* `([a-z_.]+ [A-Za-z_.()]+: .+)`$")


def survivors_of(page: str) -> dict[str, list[str]]:
    """Names by reason, as they stand. A reason is a heading of the third level under 'Survivors'.

    Raises ValueError for an entry that is not a name, or stands under no reason.
    """
    found: dict[str, list[str]] = {}
    reason = ""
    for line in page.partition("\n## Survivors")[2].splitlines():
        if line.startswith("## "):
            break
        if line.startswith("### "):
            reason = line.removeprefix("### ").strip()
            found[reason] = []
        elif line.startswith("* "):
            entry = SURVIVOR.match(line)
            if entry is None or not reason:
                message = f"expected '* `module function: change`' under a reason, found {line!r}"
                raise ValueError(message)
            found[reason].append(entry[1])
    return found


def doubles(survivors: Mapping[str, Iterable[str]]) -> list[str]:
    counted = Counter(name for names in survivors.values() for name in names)
    return sorted(name for name, times in counted.items() if times > 1)


def with_figures(page: str, figures: str) -> str:
    """The page with these figures between its marks. Raises ValueError when the marks are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        message = f"expected the marks {BEGIN!r} and {END!r} in {PAGE.name}"
        raise ValueError(message)
    return f"{before}{BEGIN}\n\n{figures}\n\n{END}{after}"


def without(page: str, stale: Collection[str]) -> str:
    """The page without these survivors, and without reasons that have none left."""
    gone = {f"* `{name}`" for name in stale}
    lines = [line for line in page.splitlines(keepends=True) if line.rstrip("\n") not in gone]
    before, heading, rest = "".join(lines).partition("\n## Survivors\n")
    said, *reasons = rest.split("\n### ")
    kept = [reason for reason in reasons if "\n* `" in reason]
    return before + heading + "\n### ".join([said, *kept])


def write(figures: str, stale: Collection[str], path: Path = PAGE) -> None:
    """New figures, and without survivors that are none any more."""
    path.write_text(with_figures(without(path.read_text(), stale), figures))
