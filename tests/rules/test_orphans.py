"""What one system has and no other knows of, and shipments the carrier did not take: literal records, literal cases."""

from datetime import timedelta

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.events import ConnectionState, OrderListed
from schemas.goods_outs import Shipment
from streams.rules.orders.findings import Waiting
from streams.rules.orders.orphans import manifest_failed
from tests.builders import NOON, ErpBuilder, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
TWO = an_order().with_line("MUG", 2).with_line("HAT", 1)
ROUTED = TWO.routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 2).with_line("902", "HAT", 1)
SALE = an_erp_order().with_line("901", "MUG", 2)


def cases(story: Story) -> dict[CaseCode, tuple[str, str]]:
    """Open ones: what they are about, and what they say."""
    return {case.code: (case.object, case.detail) for case in story.cases.values() if case.open}


def released(story: Story | None = None) -> Story:
    story = (story or Story()).shopify(ROUTED)
    return story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)


def test_a_sales_order_without_an_order_is_a_case_until_it_is_cancelled() -> None:
    story = Story().shopify(None).erp(SALE)
    about, says = cases(story)[CaseCode.ORPHAN_ERP_ORDER]
    assert about == "sales order SO77"
    assert "committed in the ERP" in says
    assert "5012" in says
    story.reads.clear()
    assert story.later(hours=1).reads[:1] == [System.ERP], "it is looked at again"
    assert cases(story.erp(an_erp_order(ErpOrderState.CANCELLED).with_line("901", "MUG", 2))) == {}


def test_one_without_a_number_is_named_by_the_order() -> None:
    nameless = ErpBuilder(SALE.order.model_copy(update={"number": ""}))
    assert cases(Story().shopify(None).erp(nameless))[CaseCode.ORPHAN_ERP_ORDER][0] == "sales order 5012"


def test_it_is_none_while_shopify_was_not_read_or_the_warehouse_has_it() -> None:
    assert cases(Story().erp(SALE)) == {}
    assert CaseCode.ORPHAN_ERP_ORDER not in cases(released().erp(SALE).shopify(None))


@pytest.mark.parametrize(
    ("state", "units"), [(FulfilmentState.POSTED, 3), (FulfilmentState.OPEN, 0)], ids=["posted", "not posted"]
)
def test_a_posting_under_a_goods_out_that_never_was_is_a_case(state: FulfilmentState, units: int) -> None:
    posted = SALE.fulfilment("ACME-5012-71-9", state=state, L901=2, L902=1)
    story = Story().shopify(ROUTED).erp(posted)
    assert CaseCode.ORPHAN_POSTING not in cases(story), "Clarus has not answered"

    found = cases(story.clarus()).get(CaseCode.ORPHAN_POSTING)
    if not units:
        assert found is None
        return
    assert found is not None
    assert found[0] == "posting ACME-5012-71-9#1"
    assert f"{units} units" in found[1]


def test_two_such_postings_are_two_cases_and_both_systems_are_looked_at_again() -> None:
    posted = SALE.fulfilment("ACME-5012-71-8", L901=1).fulfilment("ACME-5012-71-9", L901=1)
    story = Story().shopify(ROUTED.on_hold("71")).erp(posted).clarus()
    assert [case.object for case in story.cases.values() if case.code is CaseCode.ORPHAN_POSTING] == [
        "posting ACME-5012-71-8#1", "posting ACME-5012-71-9#1",
    ]  # fmt: skip
    story.reads.clear()
    assert {System.CLARUS, System.ERP} <= set(story.later(hours=0.5).reads)


def test_a_posting_of_a_goods_out_that_is_known_is_none() -> None:
    story = released().clarus(IN_CLARUS.despatched()).erp(SALE.fulfilment(G1, L901=2))
    assert CaseCode.ORPHAN_POSTING not in cases(story)


def swept(story: Story, order: OrderBuilder) -> Story:
    """The sweep names it, and all three systems answer; Clarus has nothing of it."""
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    return story.shopify(order).clarus().erp(None)


BY_HAND = TWO.routed("71", L901=2).routed("72", to="12", L902=1)


@pytest.mark.parametrize(
    ("case", "order", "astray"),
    [
        ("by hand, from our warehouse", BY_HAND.fulfilled("501", of="71", L901=2), "2 units"),
        ("both lines", TWO.routed("71").fulfilled("501", L901=2, L902=1), "3 units"),
        ("from a place that is not ours", TWO.routed("71", to="99").fulfilled("501", L901=2), ""),
        ("fetched in the shop", TWO.routed("71").fulfilment_order("71", method="PICK_UP").fulfilled("501", L901=2), ""),
        ("a gift card, by Shopify itself", TWO.routed("71").digital("902").fulfilled("501", L902=1), ""),
        ("taken back", TWO.routed("71").fulfilled("501", L901=2, cancelled=True), ""),
        ("none", TWO.routed("71").on_hold("71"), ""),
    ],
)
def test_what_shopify_shows_as_sent_and_nobody_was_asked_for(case: str, order: OrderBuilder, astray: str) -> None:
    story = Story(a_brand(mode="observe")).shopify(order)
    assert CaseCode.ORPHAN_FULFILMENT not in cases(story), "before a sweep nobody knows"

    found = cases(swept(story, order)).get(CaseCode.ORPHAN_FULFILMENT)
    assert (found is not None) == bool(astray), case
    if found is not None:
        assert found[0] == "fulfilment #1042-F501"
        assert astray in found[1]


def test_lines_that_the_warehouse_was_asked_for_are_no_orphans() -> None:
    told = ROUTED.fulfilled("501", L901=2, L902=1)
    story = released()
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    story.shopify(told).clarus(IN_CLARUS).erp(None)
    assert CaseCode.ORPHAN_FULFILMENT not in cases(story)
    assert CaseCode.FULFILLED_BY_HAND in cases(story), "it is one by hand, though"


def test_nor_are_others_that_a_person_sent_along_with_them() -> None:
    """The warehouse was asked for the mugs; a hat was sold and fulfilled by hand with them: one case, not two."""
    mugs = an_order().with_line("MUG", 2).routed("71")
    story = Story().shopify(mugs)
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out(G1).with_line("901", "MUG", 2))
    told = mugs.with_line("HAT").routed("71").fulfilled("501", L901=2, L902=1)
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    story.shopify(told).clarus(a_goods_out(G1).with_line("901", "MUG", 2)).erp(None)
    assert CaseCode.ORPHAN_FULFILMENT not in cases(story)
    assert CaseCode.FULFILLED_BY_HAND in cases(story)


def test_it_is_said_when_the_sweep_has_read_all_three_and_not_before() -> None:
    order = BY_HAND.fulfilled("501", of="71", L901=2)
    story = Story(a_brand(mode="observe")).shopify(order)
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    assert CaseCode.ORPHAN_FULFILMENT not in cases(story.shopify(order).erp(None)), "Clarus has not answered"
    assert CaseCode.ORPHAN_FULFILMENT in cases(story.clarus())


def test_the_next_nights_sweep_neither_closes_nor_opens_it() -> None:
    order = BY_HAND.fulfilled("501", of="71", L901=2)
    story = swept(Story(a_brand(mode="observe")), order)
    [case] = (one for one in story.cases.values() if one.code is CaseCode.ORPHAN_FULFILMENT)
    story.later(hours=5)._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    assert story.cases[case.key] == case
    assert story.shopify(order).clarus().erp(None).cases[case.key] == case

    story.operator("close", "orphan_fulfilment")
    assert CaseCode.ORPHAN_FULFILMENT not in swept(story.later(hours=24), order).open_cases
    again = order.fulfilled("501", of="71", L901=2, cancelled=True)
    assert CaseCode.ORPHAN_FULFILMENT not in swept(story.later(hours=24), again).open_cases


def test_an_order_older_than_the_switch_on_was_sent_by_others() -> None:
    order = BY_HAND.placed(NOON - timedelta(days=30)).fulfilled("501", of="71", L901=2)
    assert CaseCode.ORPHAN_FULFILMENT not in cases(swept(Story(a_brand(mode="observe")), order))


def test_nor_are_those_it_is_just_being_asked_for() -> None:
    story = Story().shopify(ROUTED)
    assert story.one(CreateGoodsOut)
    assert CaseCode.ORPHAN_FULFILMENT not in cases(swept(story, ROUTED.fulfilled("501", L901=2)))


def shipped(status: str, reference: str = "S1") -> Story:
    parcel = Shipment(id="801", reference=reference, status=status)
    goods_out = IN_CLARUS.goods_out.model_copy(update={"shipments": (parcel,)})
    return released().clarus(type(IN_CLARUS)(goods_out))


def test_a_shipment_the_carrier_did_not_take_is_a_case_until_it_does() -> None:
    story = shipped("failed")
    assert cases(story)[CaseCode.MANIFEST_FAILED] == (f"{G1} shipment S1", "status failed")
    [waiting] = manifest_failed(story.state, story.config)
    assert isinstance(waiting, Waiting)
    assert waiting.read == (System.CLARUS,)
    story.reads.clear()
    assert System.CLARUS in story.later(minutes=30).reads
    assert CaseCode.MANIFEST_FAILED not in cases(story.clarus(IN_CLARUS))
    assert CaseCode.MANIFEST_FAILED not in cases(shipped("dispatched"))


def test_one_without_a_reference_is_named_by_its_id() -> None:
    assert cases(shipped("failed", reference=""))[CaseCode.MANIFEST_FAILED][0] == f"{G1} shipment 801"


@pytest.mark.parametrize(
    ("state", "code", "says"),
    [
        (ConnectionState.WELL, None, ""),
        (ConnectionState.DOWN, CaseCode.CONNECTION_DOWN, "down: said so"),
        (ConnectionState.UNAUTHORISED, CaseCode.CONNECTION_DOWN, "unauthorised: said so"),
        (ConnectionState.RIGHTS_LOST, CaseCode.CLARUS_RIGHTS_LOST, "said so"),
    ],
)
def test_a_connection_that_is_not_well_is_one_case(state: ConnectionState, code: CaseCode | None, says: str) -> None:
    story = Story().connection(System.CLARUS, state)
    assert cases(story) == ({code: ("~clarus", says)} if code else {})
    assert cases(story.connection(System.CLARUS, ConnectionState.WELL)) == {}
