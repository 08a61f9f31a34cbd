"""The sales order and its postings: when they are wanted, of which lines, what is waited for meanwhile."""

from datetime import timedelta

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut, PostFulfilment, UpsertErpOrder
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from streams.rules.orders.finance import posting, sales_order
from streams.rules.orders.findings import Finding, Waiting, Wanted
from tests.builders import ErpBuilder, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
THREE = an_order().with_line("MUG", 3).with_line("HAT", 1)
ROUTED = THREE.routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3).with_line("902", "HAT", 1)
SALE = an_erp_order().with_line("901", "MUG", 3).with_line("902", "HAT", 1)
DRAFT = SALE.draft()


def released(order: OrderBuilder = ROUTED) -> Story:
    story = Story().shopify(order)
    return story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)


def split(findings: list[Finding]) -> tuple[list[Wanted], list[Waiting]]:
    return (
        [one for one in findings if isinstance(one, Wanted)],
        [one for one in findings if isinstance(one, Waiting)],
    )


def sale(story: Story) -> tuple[dict[str, int] | None, str | None]:
    """The lines wanted of the ERP, and what is waited for, in words."""
    wanted, waited = split(list(sales_order(story.state, story.config)))
    lines = {line.line: line.quantity for line in wanted[0].fields["lines"]} if wanted else None
    assert all((one.name, one.object, one.read) == ("erp-commit", "5012", (System.ERP,)) for one in waited)
    return lines, waited[0].detail if waited else None


WHOLE = {"901": 3, "902": 1}


@pytest.mark.parametrize(
    ("case", "story", "wanted", "waits"),
    [
        ("may leave", Story().shopify(ROUTED), WHOLE, "not in the ERP yet"),
        ("never read", Story().erp(None), None, None),
        ("not paid", Story().shopify(ROUTED.paid(FinancialStatus.PENDING)), None, None),
        ("not routed", Story().shopify(THREE), None, None),
        ("held", Story().shopify(ROUTED.on_hold("71")), None, None),
        (
            "one of two may leave",
            Story().shopify(THREE.routed("71", L901=3).routed("72", L902=1).on_hold("72")),
            WHOLE,
            "not in the ERP yet",
        ),
        (
            "in the warehouse, and held since",
            released().shopify(ROUTED.paid(FinancialStatus.PENDING)),
            WHOLE,
            "not in the ERP yet",
        ),
        (
            "being made, and held since",
            Story().shopify(ROUTED).shopify(ROUTED.paid(FinancialStatus.PENDING)),
            WHOLE,
            "not in the ERP yet",
        ),
        ("committed", released().erp(SALE), None, None),
        ("a draft", released().erp(DRAFT), WHOLE, "draft in the ERP"),
        (
            "edited since",
            released().erp(SALE).shopify(ROUTED.refunded(L901=1)),
            {"901": 2, "902": 1},
            "edited since it was committed in the ERP",
        ),
        (
            "another product on the line",
            released().erp(an_erp_order().with_line("901", "JUG", 3).with_line("902", "HAT")),
            WHOLE,
            "edited since it was committed in the ERP",
        ),
        (
            "refunded when all had left",
            released().clarus(IN_CLARUS.despatched()).shopify(ROUTED.refunded(L901=3)),
            WHOLE,
            "not in the ERP yet",
        ),
        (
            "refunded in part",
            released().clarus(IN_CLARUS.despatched(L901=1)).shopify(ROUTED.refunded(L901=3)),
            {"901": 1, "902": 1},
            "not in the ERP yet",
        ),
        ("cancelled before anything left", released().shopify(ROUTED.cancelled()), None, None),
        (
            "cancelled when one had left",
            released().clarus(IN_CLARUS.despatched(L901=1)).shopify(ROUTED.cancelled()),
            WHOLE,
            "not in the ERP yet",
        ),
        ("all refunded", released().shopify(ROUTED.refunded(L901=3, L902=1)), None, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_erp_should_have(case: str, story: Story, wanted: dict[str, int] | None, waits: str | None) -> None:
    assert sale(story) == (wanted, waits), case


def test_a_draft_that_is_right_is_only_waited_for_once_its_outcome_is_there() -> None:
    story = Story().shopify(ROUTED)
    upsert = story.one(UpsertErpOrder)
    assert sale(story.erp(DRAFT)) == (WHOLE, "draft in the ERP"), "a try may have been cut short"
    assert len(story.sent(UpsertErpOrder)) == 1
    assert sale(story.applied(upsert, "77")) == (None, "draft in the ERP")


def test_one_that_was_delayed_half_way_is_gone_on_with() -> None:
    story = Story().shopify(ROUTED)
    until = story.at + timedelta(minutes=5)
    story.ended(story.one(UpsertErpOrder), OutcomeKind.DELAYED, code="stopped", until=until).erp(DRAFT)
    assert sale(story) == (WHOLE, "draft in the ERP")
    assert len(story.later(minutes=6).sent(UpsertErpOrder)) == 2


def test_what_had_begun_before_we_knew_it_is_read_in_the_erp_first() -> None:
    begun = ROUTED.fulfilled("700", L902=1)
    story = Story().shopify(begun).clarus(IN_CLARUS)
    assert sale(story) == (None, "not in the ERP yet")
    assert sale(story.erp(None)) == (WHOLE, "not in the ERP yet")


def test_a_line_that_needs_no_shipping_is_not_sold_there_unless_it_left() -> None:
    lines = (ROUTED.order.lines[0], ROUTED.order.lines[1].model_copy(update={"requires_shipping": False}))
    order = ROUTED._with(lines=lines)
    assert sale(Story().shopify(order))[0] == {"901": 3}
    assert sale(released(order).clarus(IN_CLARUS.despatched()))[0] == WHOLE


def test_a_refusal_is_a_case_of_its_own() -> None:
    story = Story().shopify(ROUTED)
    [before] = split(list(sales_order(story.state, story.config)))[1]
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="odd")
    [after] = split(list(sales_order(story.state, story.config)))[1]
    assert (before.code, after.code) == (CaseCode.ERP_NOT_COMMITTED, None)
    assert before.after == story.config.waits.erp_commit
    other = Story().shopify(ROUTED)
    other.ended(other.one(CreateGoodsOut), OutcomeKind.REJECTED, code="odd")
    [still] = split(list(sales_order(other.state, other.config)))[1]
    assert still.code is CaseCode.ERP_NOT_COMMITTED, "what the warehouse refused is another matter"


def test_the_erp_knows_products_by_their_codes() -> None:
    config = a_brand(skus={"renames": [{"shop": "MUG", "clarus": "M-1"}]})
    [wanted], _ = split(list(sales_order(Story(config).shopify(ROUTED).state, config)))
    assert [line.sku for line in wanted.fields["lines"]] == ["M-1", "HAT"]


# --- postings


def post(story: Story) -> tuple[dict[str, dict[str, int]], dict[str, str]]:
    """The totals wanted per goods-out, and what is waited for."""
    wanted, waited = split(list(posting(story.state, story.config)))
    totals = {one.fields["goods_out"]: {unit.line: unit.quantity for unit in one.fields["target"]} for one in wanted}
    for one in waited:
        assert (one.name, one.code, one.read) == (f"erp-post:{one.object}", CaseCode.ERP_NOT_POSTED, (System.ERP,))
        assert one.after == story.config.waits.erp_post
    return totals, {one.object: one.detail.split()[0] for one in waited}


def despatched(goods_out: GoodsOutBuilder, erp: ErpBuilder | None) -> Story:
    return released().clarus(goods_out).erp(erp)


LEFT = IN_CLARUS.despatched()
PART = IN_CLARUS.despatched(L901=2, whole=False)


@pytest.mark.parametrize(
    ("case", "story", "wanted", "waits"),
    [
        ("nothing left", despatched(IN_CLARUS, SALE), {}, {}),
        ("all left", despatched(LEFT, SALE), {G1: WHOLE}, {G1: "4"}),
        ("two left", despatched(PART, SALE), {G1: {"901": 2}}, {G1: "2"}),
        ("no sales order", despatched(LEFT, None), {}, {}),
        ("a draft", despatched(LEFT, DRAFT), {}, {}),
        ("posted", despatched(LEFT, SALE.fulfilment(G1, L901=3, L902=1)), {}, {}),
        ("posted in part", despatched(LEFT, SALE.fulfilment(G1, L901=1)), {G1: WHOLE}, {G1: "3"}),
        (
            "known to the ERP and not in the books",
            despatched(LEFT, SALE.fulfilment(G1, state=FulfilmentState.OPEN, L901=3, L902=1)),
            {},
            {G1: "4"},
        ),
        (
            "cancelled there",
            despatched(LEFT, SALE.fulfilment(G1, state=FulfilmentState.CANCELLED, L901=3, L902=1)),
            {G1: WHOLE},
            {G1: "4"},
        ),
        ("posted for another goods-out", despatched(LEFT, SALE.fulfilment(G2, L901=3, L902=1)), {G1: WHOLE}, {G1: "4"}),
        ("the sale lacks a line", despatched(LEFT, an_erp_order().with_line("901", "MUG", 3)), {}, {G1: "4"}),
        (
            "the sale is for fewer",
            despatched(LEFT, an_erp_order().with_line("901", "MUG", 2).with_line("902", "HAT")),
            {},
            {G1: "4"},
        ),
        (
            "more left than were asked for",
            despatched(IN_CLARUS.despatched(L901=5, L902=1), SALE),
            {G1: WHOLE},
            {G1: "4"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_erp_should_post(
    case: str, story: Story, wanted: dict[str, dict[str, int]], waits: dict[str, str]
) -> None:
    assert post(story) == (wanted, waits), case


def test_each_goods_out_is_posted_for_itself() -> None:
    order = THREE.routed("71", L901=3).routed("72", L902=1)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    mugs, hats = a_goods_out(G1).with_line("901", "MUG", 3), a_goods_out(G2, "9002").with_line("902", "HAT", 1)
    assert post(story.clarus(mugs, hats.despatched()).erp(SALE)) == ({G2: {"902": 1}}, {G2: "1"})
    assert post(story.clarus(mugs.despatched(), hats.despatched())) == (
        {G1: {"901": 3}, G2: {"902": 1}}, {G1: "3", G2: "1"},
    )  # fmt: skip


def test_a_posting_that_was_cut_short_is_gone_on_with() -> None:
    """The ERP shows it, not in the books; the try that made it has not ended."""
    half = SALE.fulfilment(G1, state=FulfilmentState.OPEN, L901=3, L902=1)
    story = despatched(LEFT, SALE)
    first = story.one(PostFulfilment)
    assert post(story.erp(half)) == ({G1: WHOLE}, {G1: "4"})
    story.ended(first, OutcomeKind.DELAYED, code="stopped", until=story.at + timedelta(minutes=5))
    assert post(story) == ({G1: WHOLE}, {G1: "4"})
    assert post(story.erp(SALE.fulfilment(G1, L901=3, L902=1))) == ({}, {})


def test_lines_are_posted_in_the_order_of_their_numbers() -> None:
    order = an_order().with_line("A", id="1000").with_line("B", id="99").with_line("C", id="100").routed("71")
    story = Story().shopify(order)
    goods_out = a_goods_out(G1).with_line("1000", "A").with_line("99", "B").with_line("100", "C")
    erp = an_erp_order().with_line("1000", "A").with_line("99", "B").with_line("100", "C")
    story.applied(story.one(CreateGoodsOut)).clarus(goods_out.despatched()).erp(erp)
    assert [unit.line for unit in story.one(PostFulfilment).target] == ["99", "100", "1000"]


def test_a_cancelled_sales_order_takes_no_posting() -> None:
    cancelled = an_erp_order(ErpOrderState.CANCELLED).with_line("901", "MUG", 3).with_line("902", "HAT", 1)
    assert post(despatched(LEFT, cancelled))[0] == {}
