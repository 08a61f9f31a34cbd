"""The page of the documentation for the daily checks, derived from the catalogue; with five cases worked to the end."""

from typing import NamedTuple

from lockstep.case_words import when_mended
from schemas.cases import CATALOGUE, CaseCode, Owner


class Worked(NamedTuple):
    """A case from its list to its end. A step that begins with `lockstep` is typed, the others are done elsewhere."""

    code: CaseCode
    story: str
    steps: tuple[str, ...]
    ends: str


WORKED = (
    Worked(
        CaseCode.ADDRESS_INCOMPLETE,
        "A shopper left out a part of the address. Nothing is lost: the order waits.",
        (
            "lockstep case list --owner 'customer service'",
            "lockstep case show ORDER",
            "lockstep case assign ORDER address_incomplete",
            "In Shopify: complete the delivery address.",
            "lockstep refresh ORDER",
        ),
        "The order goes to the warehouse, which closes the case.",
    ),
    Worked(
        CaseCode.UNMAPPED_SHIPPING_LINE,
        "The shop offers a delivery that the brand's configuration does not know.",
        (
            "lockstep case list --owner operations",
            "lockstep case show ORDER",
            "In BRAND.toml: map the shipping line the case names to a carrier and a service.",
            "lockstep config check BRAND.toml",
            "lockstep config apply BRAND.toml",
        ),
        "Every order that waited for it goes to the warehouse within a minute, which closes their cases.",
    ),
    Worked(
        CaseCode.UNKNOWN_SKU,
        "The shop sells what the warehouse and the ERP have no product for: a case for each.",
        (
            "lockstep case list --code unknown_sku",
            "lockstep case show ORDER",
            "In Clarus and in the ERP: create the product under exactly this code.",
            "lockstep case retry ORDER --why 'the product is there now'",
        ),
        "The goods-out and the sales order are made, which closes both.",
    ),
    Worked(
        CaseCode.SHORT_CLOSED,
        "The warehouse sent less than was ordered. Only a person can say what the shopper wants.",
        (
            "lockstep case list --code short_closed",
            "lockstep case show ORDER",
            "lockstep case answer ORDER short_closed send-again --why 'the shopper wants the rest'",
        ),
        "The warehouse gets a new goods-out for the missing units, which closes the case.",
    ),
    Worked(
        CaseCode.OVER_DESPATCHED,
        "The warehouse sent more than was ordered. No system shows what becomes of it.",
        (
            "lockstep case list --code over_despatched",
            "lockstep case show ORDER",
            "lockstep case answer ORDER over_despatched write-off --why 'not worth the return'",
        ),
        "The answer closes the case; it is not asked again.",
    ),
)


def page() -> str:
    """Markdown. A test keeps docs/operate/daily-checks.md equal to it, another works the five cases from it."""
    owners = "\n".join(_section(owner) for owner in Owner)
    worked = "\n".join(_worked(one) for one in WORKED)
    return f"""# Daily checks

Generated from `schemas/cases.py` by `lockstep case checks`.

What to look at each morning, by owner, and what to type. The same comes as a [digest](notices.md) where that is set up.
Once per terminal: say who you are, `export LOCKSTEP_OPERATOR=your-handle`, and where Kafka is, see
[settings](settings.md). Nothing here can lose an order or send one twice: every command may be typed again.

1. What is past its due time? `lockstep case list --overdue`
2. What have I taken and not finished? `lockstep case list --mine`
3. What waits for us? `lockstep case list --owner OWNER`, then the section below.
4. Of each case: `lockstep case show BRAND/ORDER` says what to do first; `lockstep show BRAND/ORDER` what the order
   waits for and what happens next. Take it, so that nobody else does: `lockstep case assign BRAND/ORDER CODE`

{owners}
## Five cases, worked

`ORDER` is what the list shows under *order*, as `acme/6120034455667`, or the brand and the order's name in Shopify,
as `'acme/#1007'`. Afterwards `lockstep show ORDER` says what the
order waits for, and `lockstep case show ORDER` that the case is closed.

{worked}"""


_ALSO = {
    Owner.OPERATIONS: "In Clarus: goods-outs that do not allocate, and what is still in picking from yesterday.",
    Owner.CUSTOMER_SERVICE: "In Shopify: orders on hold, and mails that wait for a shopper's answer.",
    Owner.FINANCE: "In the ERP: drafts of the web shop that nobody committed; is the period open?",
    Owner.ENGINEERING: "`lockstep doctor`, `lockstep verify`; once a week that of stock and of items; dead letters and "
    "alerts: [running](running.md).",
    Owner.LEAD: "What went up: whose it is, and who has taken it. Not yours to mend, but to see mended.",
}


def _section(owner: Owner) -> str:
    codes = [code for code, entry in CATALOGUE.items() if entry.owner is owner]
    rows = "\n".join(_row(code) for code in codes)
    table = f"""
| case | due | look at it | when it is mended |
|---|---|---|---|
{rows}
"""
    return f"""## {owner.capitalize()}

`lockstep case list --owner '{owner}'`, or as text `lockstep case digest --owner '{owner}'`

{_ALSO[owner]}
{table if codes else ""}"""


def _row(code: CaseCode) -> str:
    entry = CATALOGUE[code]
    return f"| `{code}` | {entry.due // 3600} h | {entry.first_action} | {when_mended(code, 'BRAND/ORDER')} |"


def _worked(one: Worked) -> str:
    steps = "\n".join(
        f"{number}. {f'`{step}`' if step.startswith('lockstep ') else step}" for number, step in enumerate(one.steps, 1)
    )
    return f"""### `{one.code}`

{one.story}

{steps}

{one.ends}
"""
