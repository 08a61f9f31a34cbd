"""What `show` says of an order: what holds it and why, since when, and what happens next."""

import re
from collections.abc import Callable

import pytest

from lockstep.awaited import _SAID, HOLD, at_ease, awaited, decided, holds_of
from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut, UpsertErpOrder
from schemas.events import ConnectionState
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from tests.builders import a_goods_out, an_erp_order, an_order
from tests.paths import ROOT
from tests.rules.test_rest import in_step
from tests.story import Story

G1 = "ACME-5012-71-1"
ROUTED = an_order().with_line("MUG", 2).routed("71")
UNPAID = ROUTED.paid(FinancialStatus.PENDING)


def said(story: Story) -> str:
    return "\n".join(awaited(story.state, story.config))


def test_a_held_order_says_why_since_when_and_what_happens_next() -> None:
    story = Story().shopify(UNPAID)

    what, then = said(story).splitlines()

    assert what == (
        "held: payment_not_met, payment is PENDING: The order waits because it is not paid as the brand's payment rule "
        "asks. Since 2026-11-03 12:00 UTC."
    )
    assert then.startswith(
        "  next: it goes on by itself when the payment rule is met or the order is cancelled; shopify is read again "
        "2026-11-03 12:1"
    )
    assert then.endswith("if it lasts, a case payment_not_met opens 2026-11-03 13:00 UTC for finance")


def test_when_the_case_is_open_it_is_named_instead() -> None:
    story = Story().shopify(UNPAID).later(hours=2)

    assert "the case payment_not_met is open, due 2026-11-04 14:00 UTC at finance" in said(story)


def test_every_hold_is_named() -> None:
    story = (
        Story()
        .shopify(UNPAID.model_copy() if hasattr(UNPAID, "model_copy") else UNPAID)
        .configured(warehouses=[{"location": "12", "warehouse": "MAN1"}])
        .later(minutes=2)
    )

    assert holds_of(story.state) == (CaseCode.PAYMENT_NOT_MET, CaseCode.UNMAPPED_LOCATION)
    assert said(story).count("held: ") == 2


def sent() -> Story:
    story = Story().shopify(ROUTED)
    return story.applied(story.one(CreateGoodsOut))


def left() -> Story:
    story = sent().clarus(a_goods_out(G1).with_line("901", "MUG", 2).despatched())
    return story.applied(story.one(UpsertErpOrder), "77").erp(an_erp_order().with_line("901", "MUG", 2))


def posted() -> Story:
    return left().erp(an_erp_order().with_line("901", "MUG", 2).fulfilment(G1, L901=2))


@pytest.mark.parametrize(
    ("life", "line"),
    [
        pytest.param(lambda: Story().shopify(ROUTED), f"waits: {G1}: sent to the warehouse", id="sent"),
        pytest.param(sent, "waits: sent to the ERP, and the sales order is not committed yet", id="not committed"),
        pytest.param(left, f"waits: {G1}: despatched, and not posted in the ERP yet", id="despatched"),
        pytest.param(posted, f"waits: {G1}: posted, and Shopify does not show the fulfilment yet", id="posted"),
    ],
)
def test_a_wait_is_told_in_words_with_what_comes_next(life: Callable[[], Story], line: str) -> None:
    lines = said(life()).splitlines()

    (at,) = (number for number, one in enumerate(lines) if one.startswith(line))
    assert ", since 2026-11-03 12:00 UTC" in lines[at]
    assert "if it lasts, a case" in lines[at + 1]


def test_what_was_refused_says_how_to_try_it_now() -> None:
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="clarus_refused", field="postcode")

    assert f"refused: goods-out:{G1}: clarus_refused postcode" in said(story)
    assert "at once: lockstep case retry acme/5012" in said(story)


@pytest.mark.parametrize("hours", [0, 1, 30])
def test_a_wait_for_what_clarus_refused_points_to_the_case(hours: int) -> None:
    story = Story().shopify(ROUTED)
    story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unknown_sku", field="MUG").later(hours=hours)

    lines = said(story).splitlines()

    (at,) = (number for number, line in enumerate(lines) if line.startswith(f"waits: {G1}:"))
    assert lines[at + 1] == (
        "  next: clarus refused it, unknown_sku; the case unknown_sku is open, due 2026-11-03 16:00 UTC at operations"
    )
    assert "  next: " not in lines


def test_an_order_of_a_brand_nobody_configured_says_so() -> None:
    state = Story().shopify(ROUTED).state

    assert "\n".join(awaited(state, None)) == (
        "waits: the brand is not configured, so nothing is decided\n  next: lockstep config apply FILE"
    )


def test_an_order_that_waits_for_nothing_says_that() -> None:
    story = in_step()
    assert said(story) == ""
    assert at_ease(story.state).startswith("nothing to do since 2026-11-03 12:00 UTC")
    assert at_ease(story.later(days=40).state) == "nothing to do: it was in step and has left the hot state"
    assert at_ease(Story().shopify(ROUTED).shopify(None).state) == "nothing to do: Shopify has no such order"
    assert at_ease(Story().shopify(ROUTED.cancelled()).state) == "nothing to do: it is cancelled"


def test_a_connection_is_told_as_what_it_is() -> None:
    story = Story().connection(System.CLARUS, ConnectionState.WELL).about("~clarus")
    assert at_ease(story.state) == "the connection is well"


def test_what_people_decided_is_told() -> None:
    short = a_goods_out(G1).with_line("901", "MUG", 2).despatched(L901=1)
    story = (
        sent().clarus(short).operator("answer", "short_closed", says="refund").operator("override", "payment_not_met")
    )

    assert list(decided(story.state)) == [
        "overridden: payment_not_met by kim 2026-11-03 12:00 UTC: asked",
        f"answered: short_closed {G1}: refund, by kim 2026-11-03 12:00 UTC: asked",
    ]


def test_nothing_personal_is_said() -> None:
    lines = said(Story().shopify(UNPAID)) + said(left()) + said(posted())

    assert "Example" not in lines
    assert "Mill Lane" not in lines


def test_every_wait_of_the_rules_has_its_words() -> None:
    named = {
        name
        for file in (ROOT / "streams/rules/orders").rglob("*.py")
        for name in re.findall(r'\bname(?:, read)? ?= ?f?"([a-z-]+)[:"]', file.read_text())
    }

    assert named == {HOLD, *_SAID}
