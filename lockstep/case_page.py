"""The page of the documentation that explains every case, derived from the catalogue."""

from schemas.cases import CATALOGUE, CaseCode, Owner


def page() -> str:
    """Markdown, a section per owner. A test keeps docs/operate/cases.md equal to it."""
    sections = "\n".join(_section(owner) for owner in Owner)
    return f"""# Cases

Generated from `schemas/cases.py` by `lockstep case page`.

A case is what a person must look at. It may open because time passed; it closes only when the fact it names is *seen*,
never because somebody ticked it off. Where a person has to decide, `lockstep case close` or `release-again` is that
fact, kept with who and why. While a case is open nothing is lost and nothing is sent twice: the order waits.

* `lockstep case list [--owner OWNER] [--brand BRAND]`: open cases, the one due first on top
* `lockstep case show BRAND/ORDER`: what each means, what to do first, what will close it
* `lockstep show BRAND/ORDER`: the three systems side by side and how the order came here
* `lockstep case retry BRAND/ORDER`: after you mended the cause, do not wait for the next try

*Due* counts from opening. Urgent: shipping or stock stands still.

{sections}"""


def _section(owner: Owner) -> str:
    rows = "\n".join(_row(code) for code, entry in CATALOGUE.items() if entry.owner is owner)
    return f"""## {owner.capitalize()}

| case | severity, due | what it means | first action | closes when |
|---|---|---|---|---|
{rows}
"""


def _row(code: CaseCode) -> str:
    entry = CATALOGUE[code]
    due = f"{entry.severity}, {entry.due // 3600} h"
    return f"| `{code}` | {due} | {entry.meaning} | {entry.first_action} | {entry.closes_when} |"
