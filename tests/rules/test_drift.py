"""The three systems laid side by side, case by literal case: what differs, by how much, and why."""

from datetime import timedelta

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, UpsertErpOrder
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.events import OrderListed
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from schemas.sweep import Cause, Difference, Drift
from streams.rules.orders.drift import compared, unexplained
from tests.builders import ErpBuilder, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
THREE = an_order().with_line("MUG", 3)
ROUTED = THREE.routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 3)
LEFT = IN_CLARUS.despatched()
SALE = an_erp_order().with_line("901", "MUG", 3)
POSTED = SALE.fulfilment(G1, L901=3)
TOLD = ROUTED.fulfilled("801", L901=3, numbers=("T1",))

Found = dict[Difference, tuple[int, Cause]]


def swept(story: Story, order: OrderBuilder | None, erp: ErpBuilder | None, *goods_outs: GoodsOutBuilder) -> Found:
    """The sweep names the order, and all three systems answer."""
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    story.shopify(order).erp(erp).clarus(*goods_outs)
    comparison = story.state.comparison
    assert comparison is not None
    assert comparison.at is not None
    return {one.what: (one.count, one.cause) for one in comparison.drifts}


def entered() -> Story:
    """The ERP said that it has it; nobody has looked yet."""
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    return story.applied(story.one(UpsertErpOrder), "77")


def released() -> Story:
    return entered().erp(SALE)


def told() -> Story:
    story = released().clarus(LEFT).erp(POSTED)
    return story.applied(story.one(CreateFulfilment), "801").shopify(TOLD)


def test_an_order_in_step_has_no_difference() -> None:
    assert swept(told(), TOLD, POSTED, LEFT) == {}
    assert swept(released(), ROUTED, SALE, IN_CLARUS) == {}


def test_a_whole_life_has_these_differences_on_its_way() -> None:
    assert swept(Story().shopify(ROUTED), ROUTED, None) == {Difference.WAREHOUSE_LACKS: (3, Cause.IN_FLIGHT)}
    assert swept(released(), ROUTED, SALE, LEFT) == {Difference.NOT_POSTED: (3, Cause.IN_FLIGHT)}
    assert swept(released().clarus(LEFT), ROUTED, POSTED, LEFT) == {Difference.NOT_TOLD: (3, Cause.IN_FLIGHT)}


@pytest.mark.parametrize(
    ("case", "story", "order", "erp", "goods_outs", "found"),
    [
        (
            "nothing of it in the ERP", released(), ROUTED, None, (IN_CLARUS,), {},
        ),
        (
            "the sales order has another number of units", released(), ROUTED,
            an_erp_order().with_line("901", "MUG", 1), (IN_CLARUS,),
            {Difference.ERP_LACKS: (2, Cause.IN_FLIGHT)},
        ),
        (
            "and it had them when we had just made it", entered(), ROUTED,
            an_erp_order().with_line("901", "MUG", 1), (IN_CLARUS,),
            {Difference.ERP_LACKS: (2, Cause.HAND_ERP)},
        ),
        (
            "it has a line too many and one too few", entered(), ROUTED,
            an_erp_order().with_line("999", "JUG", 2), (IN_CLARUS,),
            {Difference.ERP_LACKS: (5, Cause.HAND_ERP)},
        ),
        (
            "it has a line in two parts", released(), ROUTED,
            an_erp_order().with_line("901", "MUG", 1).with_line("901", "MUG", 2), (IN_CLARUS,), {},
        ),
        (
            "two left, one was posted", released(), ROUTED, SALE.fulfilment(G1, L901=1),
            (IN_CLARUS.despatched(L901=2, whole=False),),
            {Difference.NOT_POSTED: (1, Cause.IN_FLIGHT), Difference.NOT_TOLD: (1, Cause.IN_FLIGHT)},
        ),
        (
            "posted before it left", released(), ROUTED, SALE.fulfilment(G1, L901=1), (IN_CLARUS,),
            {Difference.POSTED_NOT_LEFT: (1, Cause.UNEXPLAINED)},
        ),
        (
            "left without a tracking number", told(), ROUTED.fulfilled("801", L901=3), POSTED,
            (IN_CLARUS.despatched(tracking=("",)),),
            {Difference.NO_TRACKING: (1, Cause.IN_FLIGHT)},
        ),
        (
            "told without the tracking it has", told(), ROUTED.fulfilled("801", L901=3), POSTED, (LEFT,),
            {Difference.NO_TRACKING: (1, Cause.IN_FLIGHT)},
        ),
        (
            "told and then taken back in the warehouse", told(), TOLD, POSTED, (IN_CLARUS,),
            {
                Difference.POSTED_NOT_LEFT: (3, Cause.WAREHOUSE),
                Difference.TOLD_NOT_LEFT: (3, Cause.WAREHOUSE),
            },
        ),
        (
            "our fulfilment cancelled by hand", told(),
            ROUTED.fulfilled("801", L901=3, numbers=("T1",), cancelled=True), POSTED, (LEFT,),
            {Difference.NOT_TOLD: (3, Cause.HAND_SHOPIFY)},
        ),
        (
            "refunded in part while the warehouse works on it", released(), ROUTED.refunded(L901=1), SALE, (IN_CLARUS,),
            {
                Difference.WAREHOUSE_HAS_MORE: (1, Cause.EDITED),
                Difference.ERP_LACKS: (1, Cause.IN_FLIGHT),
            },
        ),
        (
            "cancelled, and nothing has left", released(), ROUTED.cancelled(), SALE, (IN_CLARUS.picking(),),
            {Difference.WAREHOUSE_HAS_MORE: (3, Cause.EDITED)},
        ),
        (
            "cancelled when one had left", released(), ROUTED.cancelled(), SALE.fulfilment(G1, L901=1),
            (IN_CLARUS.despatched(L901=1, whole=False),),
            {
                Difference.WAREHOUSE_HAS_MORE: (2, Cause.EDITED),
                Difference.ERP_LACKS: (2, Cause.IN_FLIGHT),
                Difference.NOT_TOLD: (1, Cause.EDITED),
            },
        ),
        (
            "two goods-outs under one reference", released(), ROUTED, SALE,
            (IN_CLARUS, IN_CLARUS.as_id("9007"), IN_CLARUS.as_id("9008")),
            {Difference.GOODS_OUT_TWICE: (2, Cause.UNKNOWN)},
        ),
        (
            "closed short", released(), ROUTED, SALE, (IN_CLARUS.despatched(L901=1),),
            {Difference.NOT_POSTED: (1, Cause.IN_FLIGHT)},
        ),
        (
            "fulfilled by hand", released(), ROUTED.fulfilled("805", L901=3, numbers=("HAND",)), SALE, (IN_CLARUS,),
            {Difference.WAREHOUSE_HAS_MORE: (3, Cause.EDITED)},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_differs_and_why(
    case: str,
    story: Story,
    order: OrderBuilder,
    erp: ErpBuilder | None,
    goods_outs: tuple[GoodsOutBuilder, ...],
    found: Found,
) -> None:
    assert swept(story, order, erp, *goods_outs) == found, case


# --- no order in Shopify


@pytest.mark.parametrize(
    ("case", "erp", "goods_outs", "found"),
    [
        ("only the ERP has it", SALE, (), {Difference.NO_ORDER: (1, Cause.NO_COUNTERPART)}),
        ("only the warehouse has it", None, (IN_CLARUS,), {Difference.NO_ORDER: (1, Cause.NO_COUNTERPART)}),
        ("both have it", SALE, (IN_CLARUS,), {Difference.NO_ORDER: (2, Cause.NO_COUNTERPART)}),
        ("all of it has ended", an_erp_order(ErpOrderState.CANCELLED), (LEFT,), {}),
        ("nobody has it", None, (), {}),
    ],
)
def test_what_shopify_has_no_order_for(
    case: str, erp: ErpBuilder | None, goods_outs: tuple[GoodsOutBuilder, ...], found: Found
) -> None:
    assert swept(Story(), None, erp, *goods_outs) == found, case


# --- why


def refused(code: str = "odd") -> Story:
    story = Story().shopify(ROUTED)
    return story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code=code)


def paused() -> Story:
    return Story(a_brand(paused=["clarus"])).shopify(ROUTED)


LACKS = Difference.WAREHOUSE_LACKS


@pytest.mark.parametrize(
    ("case", "found"),
    [
        ("refused by the warehouse", swept(refused(), ROUTED, None)),
        ("for want of a product", swept(refused("unknown_sku"), ROUTED, None)),
    ],
)
def test_what_was_refused_is_named_so(case: str, found: Found) -> None:
    assert found == {LACKS: (3, Cause.REFUSED)}, case


def test_where_nothing_is_written_it_is_stopped() -> None:
    assert swept(paused(), ROUTED, None) == {LACKS: (3, Cause.STOPPED)}
    observed = Story(a_brand(mode="observe")).shopify(ROUTED)
    assert swept(observed, ROUTED, None) == {LACKS: (3, Cause.STOPPED)}


def test_what_is_kept_back_is_held() -> None:
    unmapped = THREE.routed("71", to="99")
    assert swept(Story().shopify(unmapped), unmapped, None) == {LACKS: (3, Cause.HELD)}


def test_what_an_order_waits_for_is_late_once_it_is_a_case() -> None:
    story = Story().shopify(ROUTED)
    assert swept(story, ROUTED, None) == {LACKS: (3, Cause.IN_FLIGHT)}
    story.later(hours=2)
    assert CaseCode.CLARUS_SLOW in story.open_cases
    assert swept(story, ROUTED, None) == {LACKS: (3, Cause.LATE)}


def test_what_is_gone_from_the_warehouse_is_missing_also_while_clarus_is_doubted() -> None:
    story = released().clarus().clarus()
    assert swept(story, ROUTED, SALE) == {LACKS: (3, Cause.MISSING)}


def test_what_shopify_has_no_order_for_is_so_also_when_a_person_has_closed_the_case() -> None:
    story = Story().shopify(None).clarus().erp(SALE)
    story.operator("close", "orphan_erp_order")
    assert swept(story, None, SALE) == {Difference.NO_ORDER: (1, Cause.NO_COUNTERPART)}


def test_an_order_that_is_not_ours_lacks_nothing() -> None:
    old = ROUTED.placed(ROUTED.order.created_at - timedelta(days=30))
    assert swept(Story().shopify(old), old, None) == {}


# --- as long as it lasts


def unexplained_story() -> Story:
    """The ERP has a posting of units that nobody has sent: no rule says why."""
    story = released()
    swept(story, ROUTED, SALE.fulfilment(G1, L901=2), IN_CLARUS)
    return story


def test_what_nothing_explains_is_read_again_and_a_case_when_it_lasts() -> None:
    story = unexplained_story()
    assert story.state.comparison is not None
    assert [one.cause for one in story.state.comparison.drifts] == [Cause.UNEXPLAINED]
    assert story.open_cases == set()
    story.reads.clear()
    story.later(minutes=20)
    assert set(story.reads) == set(System)
    story.later(seconds=story.config.waits.drift)
    [case] = [case for case in story.cases.values() if case.code is CaseCode.DRIFT_UNEXPLAINED]
    assert (case.object, case.detail) == ("5012", "posted_not_left 2")
    assert [one.name for one in story.state.since if one.name.startswith("drift")] == ["drift"]


def test_its_case_stands_while_the_next_sweep_reads_and_closes_with_what_that_one_finds() -> None:
    story = unexplained_story()
    story.later(seconds=story.config.waits.drift + 60)
    [case] = [case for case in story.cases.values() if case.code is CaseCode.DRIFT_UNEXPLAINED]
    assert case.open
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    assert story.cases[case.key] == case
    swept(story, ROUTED, SALE.fulfilment(G1, L901=2), IN_CLARUS)
    assert story.cases[case.key] == case
    assert swept(story, ROUTED, SALE, IN_CLARUS) == {}
    assert not story.cases[case.key].open


def test_once_explained_it_is_compared_no_more() -> None:
    story = unexplained_story()
    first = story.state.comparison
    assert first is not None
    story.clarus(IN_CLARUS.despatched(L901=2, whole=False))
    now = story.state.comparison
    assert now is not None
    assert (now.at, Cause.UNEXPLAINED in [one.cause for one in now.drifts]) == (first.at, False)
    story.clarus(LEFT).later(hours=1)
    assert story.state.comparison == now


def test_several_differences_stand_in_one_case() -> None:
    drifts = tuple(
        Drift(what=what, count=2, cause=cause)
        for what, cause in (
            (Difference.NOT_TOLD, Cause.UNEXPLAINED),
            (Difference.ERP_LACKS, Cause.HELD),
            (Difference.NO_TRACKING, Cause.UNEXPLAINED),
        )
    )
    state = unexplained_story().state
    assert state.comparison is not None
    found = state.comparison.model_copy(update={"drifts": drifts})
    [waiting] = unexplained(found, state, a_brand())
    assert waiting.detail == "not_told 2, no_tracking 2"
    assert list(unexplained(None, state, a_brand())) == []


def test_of_an_order_no_sweep_named_nothing_is_compared() -> None:
    assert compared(released().state, a_brand(), []) is None


@pytest.mark.parametrize("state", [FulfilmentState.OPEN, FulfilmentState.CANCELLED])
def test_what_is_not_in_the_books_is_not_posted(state: FulfilmentState) -> None:
    story = released().clarus(LEFT)
    found = swept(story, ROUTED, SALE.fulfilment(G1, state=state, L901=3), LEFT)
    assert found[Difference.NOT_POSTED][0] == 3


def test_two_goods_outs_are_counted_together_but_weighed_each_by_itself() -> None:
    """One left and is not posted, the other is posted and has not left: neither makes up for the other."""
    order = THREE.with_line("HAT", 1).routed("71", L901=3).routed("72", L902=1)
    hats = a_goods_out(G2, "9002").with_line("902", "HAT", 1)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    sale = SALE.with_line("902", "HAT", 1)
    found = swept(story, order, sale.fulfilment(G2, L902=1), LEFT, hats)
    assert {what: count for what, (count, _) in found.items()} == {
        Difference.NOT_POSTED: 3, Difference.POSTED_NOT_LEFT: 1,
    }  # fmt: skip


def test_a_cancelled_goods_out_is_not_worked_on() -> None:
    story = released().shopify(ROUTED.cancelled())
    found = swept(story, ROUTED.cancelled(), SALE, IN_CLARUS.status(GoodsOutStatus.CANCELLED))
    assert found == {}


# --- which cause


def test_a_despatch_that_nobody_has_posted_is_settled_once_a_person_has_judged() -> None:
    """Posted before it left: nothing explains it, until somebody has decided something about the order."""
    judged = released().clarus(IN_CLARUS.despatched(L901=5)).operator("answer", "over_despatched", says="write-off")
    found = swept(judged, ROUTED, SALE.fulfilment(G1, L901=2), IN_CLARUS)
    assert found[Difference.POSTED_NOT_LEFT] == (2, Cause.SETTLED)
    overridden = Story().shopify(ROUTED.paid(FinancialStatus.PENDING)).operator("override", "payment_not_met")
    overridden.applied(overridden.one(CreateGoodsOut)).clarus(IN_CLARUS)
    found = swept(overridden, ROUTED, SALE.fulfilment(G1, L901=2), IN_CLARUS)
    assert found[Difference.POSTED_NOT_LEFT] == (2, Cause.SETTLED)


def test_what_nobody_ships_is_not_missed_in_the_erp() -> None:
    lines = (ROUTED.order.lines[0].model_copy(update={"requires_shipping": False}),)
    story = released()
    assert swept(story, ROUTED._with(lines=lines), an_erp_order(), IN_CLARUS).get(Difference.ERP_LACKS) is None


def test_nor_in_the_warehouse() -> None:
    order = THREE.with_line("GIFT").routed("71").digital("902")
    assert swept(released(), order, SALE, IN_CLARUS) == {}


def test_a_cancelled_order_is_owed_what_left_only() -> None:
    story = released().clarus(IN_CLARUS.despatched(L901=2)).shopify(ROUTED.cancelled())
    found = swept(story, ROUTED.cancelled(), an_erp_order().with_line("901", "MUG", 2), IN_CLARUS.despatched(L901=2))
    assert Difference.ERP_LACKS not in found


def test_what_is_missing_is_not_worked_on() -> None:
    story = released().clarus().clarus()
    assert Difference.WAREHOUSE_HAS_MORE not in swept(story, ROUTED.cancelled(), SALE)


def test_what_left_after_a_cancel_is_not_worked_on_either() -> None:
    assert Difference.WAREHOUSE_HAS_MORE not in swept(told(), TOLD.cancelled(), POSTED, LEFT)


def test_an_erp_without_the_order_lacks_all_once_the_warehouse_has_it() -> None:
    waiting = Story().shopify(ROUTED)
    assert Difference.ERP_LACKS not in swept(waiting, ROUTED, None), "nothing is asked of the warehouse yet"


def test_a_fulfilment_that_was_taken_back_needs_no_tracking() -> None:
    back = ROUTED.fulfilled("801", L901=3, cancelled=True).fulfilled("802", L901=3, numbers=("T1",))
    assert Difference.NO_TRACKING not in swept(told(), back, POSTED, LEFT)
