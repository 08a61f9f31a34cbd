"""The page of the documentation that explains every case, derived from the catalogue."""

from schemas.cases import CATALOGUE, CaseCode, Owner
from schemas.questions import QUESTIONS, Then


def page() -> str:
    """Markdown, a section per owner. A test keeps docs/operate/cases.md equal to it."""
    sections = "\n".join(_section(owner) for owner in Owner if any(one.owner is owner for one in CATALOGUE.values()))
    questions = "\n".join(_question(code) for code in QUESTIONS)
    overrides = "\n".join(f"| `{code}` | {entry.override} |" for code, entry in CATALOGUE.items() if entry.override)
    return f"""# Cases

Generated from `schemas/cases.py` and `schemas/questions.py` by `lockstep case page`.

A case is what a person must look at. It may open because time passed; it closes only when the fact it names is *seen*,
never because somebody ticked it off. Where a person has to decide, `lockstep case answer`, `close` or `release-again`
is that fact, kept with who and why. While a case is open nothing is lost and nothing is sent twice: the order waits.

| to | type |
|---|---|
| see what is open, the one due first on top | `lockstep case list`; `--brand --owner --code --overdue --mine --json` |
| read what waits for whom, as each owner gets it daily ([notices](notices.md)) | `lockstep case digest --owner OWNER` |
| read what an order's cases mean, what to do first, what closes them | `lockstep case show BRAND/ORDER` |
| see every order that is held, with all its reasons | `lockstep case held`; `--brand --code` |
| see why an order waits and what happens next | `lockstep show BRAND/ORDER` |
| take a case, or give it to somebody | `lockstep case assign BRAND/ORDER CODE --to HANDLE` |
| answer its question | `lockstep case answer BRAND/ORDER CODE ANSWER --why WHY` |
| try at once what was refused, when the cause is mended | `lockstep case retry BRAND/ORDER` |
| let a held order leave in spite of one reason | `lockstep case override BRAND/ORDER CODE --why WHY` |
| let it leave in spite of all that may be overridden | `lockstep case release BRAND/ORDER --why WHY` |
| close what only a person can close | `lockstep case close BRAND/ORDER CODE --why WHY` |
| send the units of a lost or short goods-out again | `lockstep case release-again BRAND/ORDER GOODS_OUT --why WHY` |

Every one of them may be typed twice: the second time changes nothing. Each is written to `operator.actions` with who
and why, becomes an event of the order, and can be replayed.

*Due* and *goes up* count from opening. A case that is still open when it goes up is told to the one named there too,
and its severity rises by one; its owner stays. Urgent: shipping or stock stands still.

{sections}
## Questions

A question is asked once: with the same facts never again. `lockstep case answer` takes the word in the second column.

| case | answer | what happens next |
|---|---|---|
{questions}

## Overrides

Holds a person may override, for one order and for good. Without the others there would be nothing to send.

| case | what happens next |
|---|---|
{overrides}
"""


def _section(owner: Owner) -> str:
    rows = "\n".join(_row(code) for code, entry in CATALOGUE.items() if entry.owner is owner)
    return f"""## {owner.capitalize()}

| case | severity, due | goes up | what it means | first action | closes when |
|---|---|---|---|---|---|
{rows}
"""


def _row(code: CaseCode) -> str:
    entry = CATALOGUE[code]
    due = f"{entry.severity}, {entry.due // 3600} h"
    up = f"{entry.escalates_after // 3600} h, {entry.escalates_to}"
    return f"| `{code}` | {due} | {up} | {entry.meaning} | {entry.first_action} | {entry.closes_when} |"


_THEN = {
    Then.CLOSES: "the case closes",
    Then.RELEASES: "the case closes",
    Then.WAITS: "the case stays open until it is so",
}


def _question(code: CaseCode) -> str:
    question = QUESTIONS[code]
    asked = f"| `{code}` | **{question.asks}** | |"
    answers = (f"| | `{said}` | {one.next}; {_THEN[one.then]} |" for said, one in question.answers.items())
    return "\n".join((asked, *answers))
