"""What the warehouse is asked for, finding by finding; what stands under our reference; which words went along."""

from datetime import timedelta

import pytest

from schemas.base import FulfilmentOrderId, OrderId, Sku, System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut
from schemas.config import BrandConfig
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from streams.rules.orders.findings import Look, Waiting, Wake, Wanted
from streams.rules.orders.plan import AT_REST
from streams.rules.orders.release import instructed, next_generation, release, strange, strange_skus, under_way
from streams.rules.orders.state import OrderState
from tests.builders import NOON, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
ORDER = an_order().with_line("MUG", 3).with_line("HAT", 2)
ROUTED = ORDER.routed("71", L901=3).routed("72", L902=2)
MUGS = a_goods_out(G1).with_line("901", "MUG", 3)


def asks(state: OrderState, config: BrandConfig) -> list[tuple[str, dict[str, int]]]:
    """References and units per SKU of what is wanted anew."""
    found = [one for one in release(state, config) if isinstance(one, Wanted) and one.fields]
    return [(one.fields["reference"], {unit.sku: unit.quantity for unit in one.fields["lines"]}) for one in found]


@pytest.mark.parametrize(
    ("case", "order", "asked"),
    [
        ("each fulfilment order", ROUTED, [(G1, {"MUG": 3}), (G2, {"HAT": 2})]),
        ("only those that may go", ROUTED.on_hold("71"), [(G2, {"HAT": 2})]),
        ("only what remains", ROUTED.refunded(L901=2), [(G1, {"MUG": 1}), (G2, {"HAT": 2})]),
        ("nothing remains of one", ROUTED.refunded(L901=3), [(G2, {"HAT": 2})]),
        ("nothing of an order that is held", ROUTED.paid(FinancialStatus.PENDING), []),
        ("nothing of one that is cancelled", ROUTED.cancelled(), []),
        ("nothing that is fetched", ROUTED.fulfilment_order("71", method="PICK_UP"), [(G2, {"HAT": 2})]),
        ("nothing that nobody has routed", ORDER, []),
        ("nothing that needs no shipping", ROUTED.digital("902"), [(G1, {"MUG": 3})]),
        ("nor beside what does", ORDER.routed("71").digital("902"), [(G1, {"MUG": 3})]),
        ("nor of a gift card without a SKU", ORDER.with_line("").routed("71").digital("903"),
         [(G1, {"MUG": 3, "HAT": 2})]),
    ],
)  # fmt: skip
def test_what_is_asked_for(case: str, order: OrderBuilder, asked: list[tuple[str, dict[str, int]]]) -> None:
    state = Story().shopify(order).state.model_copy(update={"in_flight": (), "goods_outs": ()})
    begun = state.model_copy(update={"began_unseen": False})
    assert asks(begun, a_brand()) == asked, case


def test_of_an_order_nobody_has_read_nothing_is_asked() -> None:
    assert list(release(Story().erp(None).state, a_brand())) == []


def test_lines_stand_in_the_order_of_their_numbers() -> None:
    order = an_order().with_line("A", id="1000").with_line("B", id="99").with_line("C", id="100").routed("71")
    assert [unit.line for unit in Story().shopify(order).one(CreateGoodsOut).lines] == ["99", "100", "1000"]


@pytest.mark.parametrize(
    ("clarus", "erp", "waits"), [(False, False, True), (True, False, True), (False, True, True), (True, True, False)]
)
def test_what_had_begun_before_we_knew_it_waits_for_both(clarus: bool, erp: bool, waits: bool) -> None:
    story = Story().shopify(ROUTED.fulfilled("700", of="72", L902=1))
    if clarus:
        story.clarus()
    if erp:
        story.erp(None)
    found = [one for one in release(story.state, story.config) if isinstance(one, Waiting) and one.name == "first-read"]
    assert bool(found) == waits
    assert bool(story.sent(CreateGoodsOut)) != waits
    for one in found:
        assert (one.after, one.code, one.object) == (900, CaseCode.CLARUS_SLOW, "5012")
        assert one.read == (System.CLARUS, System.ERP)
        assert one.detail


def test_while_clarus_is_doubted_it_is_waited_for_and_nothing_is_created() -> None:
    state = Story().shopify(ROUTED).state.model_copy(update={"in_flight": (), "clarus_doubted": True})
    found = list(release(state, a_brand()))
    assert found == [Waiting(name="clarus-doubted", after=900, read=(System.CLARUS,))] * 2


def test_a_reference_that_cannot_be_made_is_a_case() -> None:
    long = OrderId("9" * 60)
    story = Story(order=long).shopify(OrderBuilder(ROUTED.order.model_copy(update={"id": long})))
    looks = [one for one in release(story.state, story.config) if isinstance(one, Look)]
    assert [one.code for one in looks] == [CaseCode.CLARUS_REFUSED] * 2
    assert looks[0].object == "9" * 60
    assert looks[0].detail.startswith("no reference for it: ")
    assert story.sent(CreateGoodsOut) == []


def test_what_is_under_way_is_still_wanted_and_waited_for() -> None:
    story = Story().shopify(ROUTED)
    kept = [one for one in release(story.state, story.config) if isinstance(one, Wanted)]
    assert [(one.object, one.keep_while_flying, one.system) for one in kept] == [
        (f"goods-out:{G1}", True, System.CLARUS), (f"goods-out:{G2}", True, System.CLARUS),
    ]  # fmt: skip
    waits = list(under_way(story.state, story.config))
    assert [(one.name, one.code, one.object) for one in waits if isinstance(one, Waiting)] == [
        (f"create:{G1}", CaseCode.CLARUS_SLOW, G1), (f"create:{G2}", CaseCode.CLARUS_SLOW, G2),
    ]  # fmt: skip


def test_why_it_takes_so_long_is_said_and_a_refusal_is_a_case_of_its_own() -> None:
    story = Story().shopify(ROUTED)
    first, second = story.sent(CreateGoodsOut)
    until = story.at + timedelta(minutes=30)
    story.ended(first, OutcomeKind.DELAYED, code="stopped", text="Clarus is away", until=until)
    story.ended(second, OutcomeKind.REJECTED, code="odd")
    said = {
        one.object: (one.code, one.detail) for one in release(story.state, story.config) if isinstance(one, Waiting)
    }
    assert said == {
        G1: (CaseCode.CLARUS_SLOW, "sent to Clarus: Clarus is away"),
        G2: (None, "sent to Clarus: no answer yet"),
    }


@pytest.mark.parametrize(
    ("references", "generation"),
    [([], 1), ([G1], 2), (["ACME-5012-71-2", "ACME-5012-71-7"], 8), ([G2], 1), (["ACME-5012-71-7", G2], 8)],
)
def test_the_next_generation_is_one_more_than_any_there_was(references: list[str], generation: int) -> None:
    story = Story().clarus(*(a_goods_out(one, f"9{at}").with_line("901", "MUG") for at, one in enumerate(references)))
    assert next_generation(story.state, FulfilmentOrderId("71")) == generation


# --- what stands under our reference


BY_HAND = a_goods_out("ACME-5012-71-9").with_line("", "MUG", 2).with_line("", "JUG", 1).with_line("901", "HAT", 1)


def known(goods_out: GoodsOutBuilder) -> Story:
    return Story().clarus(goods_out)


@pytest.mark.parametrize(
    ("goods_out", "skus"),
    [
        (BY_HAND, {"MUG", "JUG"}),
        (BY_HAND.picking(), {"MUG", "JUG"}),
        (BY_HAND.despatched(), {"MUG", "JUG"}),
        (BY_HAND.status(GoodsOutStatus.CANCELLED), set()),
        (MUGS, set()),
    ],
)
def test_products_that_a_person_put_in(goods_out: GoodsOutBuilder, skus: set[Sku]) -> None:
    [one] = known(goods_out).state.goods_outs
    assert strange_skus(one) == skus
    assert strange_skus(one.model_copy(update={"given_up": True})) == set()
    assert strange_skus(one.model_copy(update={"absent": 2})) == (skus if goods_out.goods_out.status.ended else set())


def test_they_are_a_case_and_are_not_sent_again() -> None:
    story = known(BY_HAND)
    assert list(strange(story.state, story.config)) == [
        Look(CaseCode.UNKNOWN_GOODS_OUT, "ACME-5012-71-9", "lines that are not ours: JUG, MUG"),
    ]  # fmt: skip
    mixed = an_order().with_line("MUG", 1).with_line("TEA", 1).routed("71")
    assert known(a_goods_out("ACME-5012-71-9").with_line("", "MUG", 2)).shopify(mixed).quantities == [{"902": 1}]


def test_a_bundle_of_which_a_component_is_there_waits_whole() -> None:
    config = a_brand(bundles=[{"sku": "SET", "components": [{"sku": "CUP", "quantity": 2}, {"sku": "POT"}]}])
    story = Story(config).clarus(a_goods_out("ACME-5012-71-9").with_line("", "POT", 1))
    story.shopify(an_order().with_line("SET", 1).with_line("MUG", 1).routed("71"))
    assert story.quantities == [{"902": 1}]


def test_others_under_the_same_reference_are_a_case() -> None:
    story = Story().clarus(MUGS.picking(), MUGS.as_id("9002").picking(), MUGS.as_id("9003").picking())
    [look] = strange(story.state, story.config)
    assert isinstance(look, Look)
    assert (look.code, look.object) == (CaseCode.UNKNOWN_GOODS_OUT, f"{G1} twice")
    assert look.detail == "goods-outs 9002, 9003 bear the same reference as 9001"
    assert list(strange(known(MUGS).state, a_brand())) == []


# --- the shopper's words


def noted(goods_out: GoodsOutBuilder, most: int) -> list[Look]:
    config = a_brand(instructions={"note": True, "most": most})
    personal = ROUTED.order.personal.model_copy(update={"note": "x" * 40})
    story = Story(config).shopify(ROUTED._with(personal=personal))
    story.applied(story.sent(CreateGoodsOut)[0]).clarus(goods_out)
    return [one for one in instructed(story.state, config) if isinstance(one, Look)]


def test_words_that_did_not_go_along_whole_are_read_before_it_is_packed() -> None:
    assert noted(MUGS, 30) == [Look(CaseCode.INSTRUCTIONS_CUT, "5012", "40 characters, 30 went along")]
    assert noted(MUGS.picking(), 30) != []
    assert noted(MUGS.despatched(L901=1, whole=False), 30) != []
    assert noted(MUGS.despatched(whole=False), 30) == [], "all of it has left"
    assert noted(MUGS.status(GoodsOutStatus.CANCELLED), 30) == []
    assert noted(MUGS, 40) == []


def test_before_the_release_nobody_reads_them() -> None:
    assert list(instructed(Story().shopify(ROUTED.on_hold("71").on_hold("72")).state, a_brand())) == []
    assert list(instructed(Story().clarus(MUGS).state, a_brand())) == []


# --- planning


def test_a_state_says_with_what_it_was_planned_and_when_it_wakes() -> None:
    story = Story().shopify(ROUTED)
    assert story.state.config_version == story.config.version
    assert story.state.wake_at is not None
    assert story.state.wake_at > story.state.now
    assert story.state.wake_at.microsecond % 1000 == 0
    held = Story().shopify(ROUTED.fulfilment_order("71", fulfil_at=NOON + timedelta(minutes=2)))
    assert held.state.wake_at == NOON + timedelta(minutes=2)


def test_an_order_about_which_there_is_nothing_to_say_is_left_alone_by_changes() -> None:
    old = ROUTED.placed(NOON - timedelta(days=30))
    assert Story().shopify(old).state.config_version == AT_REST


def test_an_order_in_step_rests_and_wakes_when_it_leaves() -> None:
    story = Story().shopify(ROUTED.cancelled())
    since = story.state.at_rest_since
    assert since is not None
    assert story.state.wake_at is not None
    assert abs(story.state.wake_at - since - timedelta(seconds=story.config.waits.kept)) < timedelta(milliseconds=2)
    story.later(minutes=5).erp(None)
    assert story.state.at_rest_since == since
    story.shopify(ROUTED)
    assert story.state.at_rest_since is None


def test_one_with_a_command_in_flight_does_not_rest() -> None:
    story = Story().shopify(ROUTED)
    story.clarus().erp(None).shopify(ROUTED.cancelled())
    assert story.state.in_flight
    assert story.state.at_rest_since is None
    assert story.state.wake_at is not None


def test_findings_say_when_they_wake() -> None:
    state = Story().shopify(ROUTED).state.model_copy(update={"in_flight": ()})
    assert [one for one in release(state, a_brand()) if isinstance(one, Wake)] == []
    assert [one.object for one in release(state, a_brand()) if isinstance(one, Waiting)] == [G1, G2]


# --- counted once


def test_one_line_in_two_places_of_a_fulfilment_order_is_asked_for_once() -> None:
    """Three mugs, one of them in the warehouse already: the fulfilment order lists them as two and one."""
    order = an_order().with_line("MUG", 3).routed("71", L901=2)
    [two] = order.order.fulfilment_orders
    one = two.lines[0].model_copy(update={"id": "71-again", "total": 1, "remaining": 1})
    story = Story().clarus(a_goods_out("ACME-5012-71-4").with_line("901", "MUG", 1))
    story.shopify(order.fulfilment_order("71", lines=(*two.lines, one)))
    assert story.quantities == [{"901": 2}]


def test_what_is_asked_for_again_bears_the_generation_of_its_reference() -> None:
    story = Story().shopify(ROUTED.on_hold("72"))
    story.applied(story.one(CreateGoodsOut)).clarus(MUGS.despatched(L901=2)).operator("release_again", G1)
    assert [(one.reference, one.generation) for one in story.sent(CreateGoodsOut)] == [(G1, 1), ("ACME-5012-71-2", 2)]
