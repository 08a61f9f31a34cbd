"""An order in step leaves the hot state; what is left is enough to do nothing wrong when it comes back."""

import pytest

from schemas.base import OrderId, System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpsertErpOrder
from schemas.orders import FinancialStatus
from streams.rules.orders.findings import Look, Waiting
from streams.rules.orders.rest import at_rest, stub
from streams.rules.orders.state import Closed, Overridden
from tests.builders import a_case, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
ROUTED = an_order().with_line("MUG", 2).routed("71")
LEFT = a_goods_out(G1).with_line("901", "MUG", 2).despatched()
POSTED = an_erp_order().with_line("901", "MUG", 2).fulfilment(G1, L901=2)
TOLD = ROUTED.fulfilled("801", L901=2, numbers=("T1",))


def in_step() -> Story:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(LEFT)
    story.applied(story.one(UpsertErpOrder), "77").erp(POSTED)
    return story.shopify(TOLD).applied(story.one(CreateFulfilment), "801")


def test_an_order_in_step_becomes_a_stub_after_its_grace_period() -> None:
    story = in_step().later(days=6)
    assert story.state.shopify is not None
    story.later(days=1, minutes=1)
    kept = story.state
    assert (kept.shopify, kept.erp, kept.wake_at) == (None, None, None)
    assert [(one.reference, one.generation) for one in kept.goods_outs] == [(G1, 1)]
    assert [(one.fulfilment, one.goods_out) for one in kept.tellings] == [("801", G1)]
    stub = next(value for key, value in story.changelog.items() if key.endswith(b"/5012"))
    assert b"Mill Lane" not in stub, "nothing personal stays"


def test_what_was_known_by_its_tracking_alone_is_kept_as_told() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(LEFT)
    story.applied(story.one(UpsertErpOrder), "77").erp(POSTED).shopify(TOLD)
    story.later(hours=1).operator("retry").later(days=8)
    assert story.state.shopify is None
    assert [(one.fulfilment, one.goods_out, one.numbers) for one in story.state.tellings] == [("801", G1, ("T1",))]


def test_a_case_that_a_person_closed_stays_closed_when_the_order_comes_back() -> None:
    """What the case says is known only when all three systems are read again; its closing is no news until then."""
    refunded = ROUTED.refunded(L901=2).closed("71")
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(LEFT).shopify(refunded)
    story.applied(story.one(UpsertErpOrder), "77").erp(POSTED)
    assert story.open_cases == {CaseCode.SHIPPED_NOT_OWED}
    story.operator("close", "shipped_not_owed").later(days=8).later(days=1)
    assert story.state.shopify is None
    story.shopify(refunded.sent_by("Standard, thank you", "standard")).clarus(LEFT).erp(POSTED)
    assert story.open_cases == set()


def test_refund_after_eviction() -> None:
    """Forty days later: it is read from all three systems; nothing is sent, posted or told again."""
    story = in_step().later(days=40)
    assert story.state.shopify is None
    sent, before = len(story.commands), len(story.reads)
    story.shopify(TOLD.refunded(L901=1).paid(FinancialStatus.PARTIALLY_REFUNDED))
    assert set(story.reads[before:]) == {System.CLARUS, System.ERP}
    story.clarus(LEFT).erp(POSTED).later(hours=9)
    assert len(story.commands) == sent
    assert story.open_cases == set()
    story.later(days=8)
    assert story.state.shopify is None, "and leaves again"


def test_a_fulfilment_cancelled_long_after_is_asked_about_and_not_sent_again() -> None:
    story = in_step().later(days=40)
    back = ROUTED.fulfilled("801", L901=2, numbers=("T1",), cancelled=True).routed("79")
    story.shopify(back).clarus(LEFT).erp(POSTED).later(hours=9)
    assert len(story.sent(CreateGoodsOut)) == 1
    assert len(story.sent(CreateFulfilment)) == 1
    assert len(story.sent(PostFulfilment)) == 0
    assert story.open_cases == {CaseCode.RESHIP}


def test_a_goods_out_that_changes_long_after_brings_the_order_back() -> None:
    story = in_step().later(days=40)
    before = len(story.reads)
    story.clarus(a_goods_out(G1).with_line("901", "MUG", 2).picking())
    assert System.SHOPIFY in story.reads[before:]
    story.shopify(TOLD).erp(POSTED)
    assert CaseCode.UNDESPATCHED in story.open_cases


def test_an_order_with_something_open_stays() -> None:
    story = Story().shopify(ROUTED).later(days=60)
    assert story.state.shopify is not None
    assert CaseCode.CLARUS_SLOW in story.open_cases


def test_an_older_order_that_is_only_read_leaves_too() -> None:
    story = Story()
    story.shopify(ROUTED.placed(story.at.replace(year=2025))).later(days=8)
    assert story.state.shopify is None
    assert story.commands == []


@pytest.mark.parametrize(
    ("case", "changes", "rests"),
    [
        ("in step", {}, True),
        ("something is to be read", {"ask": (System.ERP,)}, False),
        ("a sweep has it read", {"ask_gently": (System.ERP,)}, False),
        ("a case is open", {"cases": (a_case(),)}, False),
        ("only Shopify has it", {"erp": None}, True),
        ("only the ERP has it", {"shopify": None}, True),
        ("it has left", {"shopify": None, "erp": None}, False),
        ("a connection", {"order": OrderId("~clarus")}, False),
    ],
)
def test_what_rests(case: str, changes: dict[str, object], rests: bool) -> None:
    state = in_step().state.model_copy(update=changes)
    assert at_rest(state, []) == rests, case
    assert at_rest(state, [Look(CaseCode.RESHIP, "said and settled")]) == rests, case
    assert not at_rest(state, [Waiting(name="a", after=60)]), case


def test_a_stub_keeps_what_no_system_could_tell_again_and_nothing_else() -> None:
    story = in_step()
    state = story.state.model_copy(
        update={
            "closed_by_person": (Closed(code=CaseCode.RESHIP, object="a", detail="b"),),
            "overridden": (Overridden(code=CaseCode.PAYMENT_NOT_MET, who="kim", why="asked", at=story.at),),
        }
    )
    kept = stub(state)
    for field in (
        "brand",
        "order",
        "now",
        "last_offset",
        "seen",
        "epochs",
        "goods_outs",
        "closed_by_person",
        "overridden",
    ):
        assert getattr(kept, field) == getattr(state, field), field
        assert getattr(kept, field), field
    left = {name for name, value in kept.model_dump(exclude_defaults=True).items() if value}
    dropped = {"shopify", "erp", "in_flight", "cases", "since", "wake_at", "at_rest_since", "config_version"}
    assert not left & dropped
