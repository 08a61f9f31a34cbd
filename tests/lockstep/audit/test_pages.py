"""The audit as pages to hand over: a summary first, every finding with what to do, whatever a shop calls its things."""

import re
from html.parser import HTMLParser

from lockstep.audit.as_html import html
from lockstep.audit.as_markdown import markdown
from lockstep.audit.catalogue import CATALOGUE, MOST_EXAMPLES
from lockstep.audit.codes import Code
from lockstep.audit.page import page
from lockstep.audit.report import NOT_VISIBLE, Report, as_data, report_of
from lockstep.audit.titles import TITLES
from schemas.base import System
from tests.lockstep.audit.estate import ALONE_ONLY, GAPS, Estate, audited
from tests.paths import ROOT

VOID = {"meta", "br", "hr", "img", "link", "input"}


def a_rude_location(estate: Estate) -> None:
    estate.shop.locations[66] = "<script>alert(1)</script> | `*_"


def many_unknown_skus(estate: Estate) -> None:
    for number in range(25):
        estate.sell(f"NEW-{number}")


def the_erp_is_away(estate: Estate) -> None:
    estate.wires[System.ERP].away = True


def everything(*accepted: Code) -> Report:
    planted = [gap for gap in GAPS if gap not in ALONE_ONLY]
    return report_of(audited(*planted, a_rude_location, many_unknown_skus)[0], accepted)


class Outline(HTMLParser):
    """Whether every element is closed, and what would be fetched from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" else []
        self.fetched += [tag] if tag in {"script", "link", "img", "iframe"} or "src" in given else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def test_the_html_page_is_whole_and_needs_nothing_else() -> None:
    report = everything()
    there = outline(html(report))

    assert there.fetched == []
    assert there.ids == [one.code for _, about in report.by_subject() for one in about]
    assert there.links == [f"#{one.code}" for one in report.findings]
    assert set(there.links) == {f"#{id_}" for id_ in there.ids}
    assert not re.search(r"url\(|@import|https?://(?!hooks|old|INTAKE)", html(report).partition("</style>")[0])
    assert "@media print" in html(report)


def test_what_a_shop_calls_its_things_is_text_in_both_pages() -> None:
    report = everything()

    assert "<script>" not in html(report)
    assert "<script>alert(1)</script> | `*_" in "".join(outline(html(report)).text)
    assert r"\<script\>alert(1)\</script\> \| \`\*\_" in markdown(report)


def test_both_pages_begin_with_a_summary_and_tell_each_finding_with_what_to_do() -> None:
    report = everything()
    as_text = "".join(outline(html(report)).text)
    for page_ in (as_text, markdown(report)):
        at = [page_.index(word) for word in ("Audit of acme", "There are gaps.", "Locations and warehouses")]
        assert at == sorted(at)
        for one in report.findings:
            assert page_.count(TITLES[one.code]) == 2, "in the summary and with its details"
    for one in report.findings:
        assert f"| {TITLES[one.code]} (`{one.code}`) | {one.severity} | {one.count} |" in markdown(report)
        assert f"What to do: {one.entry.do}" in markdown(report)
        assert one.entry.do.replace("`", "") in as_text


def test_examples_are_cut_and_the_rest_is_counted() -> None:
    report = everything()
    unknown = next(one for one in report.findings if one.code is Code.SKU_UNKNOWN_TO_CLARUS)

    assert len(unknown.examples) == MOST_EXAMPLES
    assert f"and {unknown.count - MOST_EXAMPLES} more" in markdown(report)
    assert f"and {unknown.count - MOST_EXAMPLES} more" in html(report)


def test_what_was_not_looked_at_and_what_nobody_can_see_is_told() -> None:
    report = report_of(audited(the_erp_is_away)[0])

    for page_ in (html(report), markdown(report)):
        assert "Not everything could be looked at." in page_
        assert "Not looked at" in page_
        assert "ERP: items" in page_
        assert all(line.partition(":")[0] in page_ for line in NOT_VISIBLE)


def test_what_was_accepted_is_told_as_such() -> None:
    report = everything(Code.BACKORDER_ON)

    assert "goes wrong, accepted" in html(report)
    assert "| Variants sold when there are none (`backorder_on`) | goes wrong, accepted |" in markdown(report)


def test_a_clean_brand_has_a_page_too() -> None:
    report = report_of(audited()[0])

    assert "No gaps." in html(report)
    assert "No gaps." in markdown(report)
    outline(html(report))


def test_nothing_personal_is_in_a_page() -> None:
    for page_ in (html(everything()), markdown(everything()), str(as_data(everything()))):
        for word in ("Ida", "Marlow", "Kiln", "LS1 1AA", "441130000000", "shopper@example.test", "secret"):
            assert word not in page_


def test_the_page_of_the_documentation_explains_every_gap() -> None:
    told = (ROOT / "docs/operate/audit.md").read_text()

    assert set(TITLES) == set(CATALOGUE) == set(Code)
    assert told == page(), "run: lockstep audit --page docs/operate/audit.md"
    for code, entry in CATALOGUE.items():
        assert f"| `{code}` | {entry.severity} | {entry.expected} | {entry.do} |" in told
