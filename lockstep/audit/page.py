"""The page of the documentation that explains every gap, derived from the catalogue."""

from lockstep.audit.catalogue import CATALOGUE
from lockstep.audit.codes import Severity, Subject
from lockstep.audit.report import NOT_VISIBLE
from lockstep.catalogued import sections

_MEANS = {
    Severity.STALLS: "an order that meets it waits for a person",
    Severity.HARMS: "orders go on, and something is late, doubled, oversold or told wrongly",
    Severity.ADVICE: "well without it, better with it",
}


def page() -> str:
    """Markdown, a section per subject. A test keeps docs/operate/audit.md equal to it."""
    severities = "\n".join(f"| {severity} | {_MEANS[severity]} |" for severity in Severity)
    not_visible = "\n".join(f"- {line}" for line in NOT_VISIBLE)
    return f"""# Audit

Generated from `lockstep/audit/catalogue.py` by `lockstep audit --page docs/operate/audit.md`.

`lockstep audit BRAND` looks at a brand's Shopify, Clarus and ERP beside its configuration, and tells what would stall
an order before one does. It reads only, and needs no running roles. Run it before a brand goes live, with the file that
is to be applied, and again after changes to shipping rates, the catalogue or the warehouse. SKUs, barcodes and stranded
stock are also looked at once a day, and become cases: see [items](items.md).

    lockstep audit acme --config acme.toml --intake https://hooks.example --html acme-audit.html

| option | |
|---|---|
| `--config FILE` | this file instead of the configuration in the log; then no Kafka is needed |
| `--days N` | orders of so many days are looked at, 60 if left out: what Shopify shows without `read_all_orders` |
| `--intake URL` | the public address of the intake; without it a subscription is ours when its path is |
| `--accept FINDING` | a gap that is meant to be, back-orders say: told, and not counted. May be given several times |
| `--html FILE`, `--markdown FILE` | the audit as a page to hand over: codes, SKUs and order names, nothing personal |
| `--json` | the same for machines |

| exit code | |
|---|---|
| 0 | no gaps; there may be advice |
| 1 | gaps: something stalls orders or goes wrong |
| 2 | it could not look at everything it needs, or not at all; what it found is told |

| severity | |
|---|---|
{severities}

It takes its time: long lists leave most of Shopify's cost bucket to the orders, Clarus is asked at half the pace that
is set for it. A catalogue of ten thousand variants takes a Standard shop about a quarter of an hour.

What no interface shows, and a person has to ask for:

{not_visible}

{sections(Subject, CATALOGUE)}"""
