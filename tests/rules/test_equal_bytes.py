"""Equal knowledge is equal bytes: what is told in whatever order is kept, and said, in one. Many at a time, so that no
set comes in order by luck.
"""

from schemas.base import LocationId
from schemas.cases import CaseCode
from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpsertErpOrder
from schemas.outcomes import OutcomeKind
from streams.rules.orders.delivery import left_out
from streams.rules.orders.findings import Look, Waiting
from streams.rules.orders.release import strange
from streams.rules.orders.state import first, lines_mark
from streams.rules.orders.waits import kept_since
from tests.builders import ACME, NOON, ORDER, a_brand, a_goods_out, an_erp_order, an_order
from tests.item_story import ItemStory, a_product, an_offer, item_brand
from tests.story import Story

G1 = "ACME-5012-71-1"
TEN = ["G", "B", "J", "D", "A", "I", "C", "F", "H", "E"]
IN_ORDER = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"]


def test_what_is_waited_for() -> None:
    after = kept_since(first(ACME, ORDER, NOON), [Waiting(name=name, after=60) for name in TEN])
    assert [one.name for one in after.since] == IN_ORDER


def test_orders_that_wait_for_an_item() -> None:
    story = ItemStory()
    for order in TEN:
        story.wanted(order)
    assert story.state.waiting == tuple(IN_ORDER)


def test_products_that_were_missing() -> None:
    order = an_order()
    for sku in TEN:
        order = order.with_line(sku)
    story = Story().shopify(order.routed("71"))
    create = story.one(CreateGoodsOut)
    story.ended(create, OutcomeKind.REJECTED, code="unknown_sku", text=", ".join(TEN))
    assert story.state.refusals[0].lacks == tuple(IN_ORDER)


def test_products_that_somebody_put_into_a_goods_out() -> None:
    story = Story().shopify(an_order().with_line("MUG").routed("71"))
    goods_out = a_goods_out(G1).with_line("901", "MUG")
    for sku in TEN:
        goods_out = goods_out.with_line("", sku)
    story.applied(story.one(CreateGoodsOut)).clarus(goods_out)
    [look] = strange(story.state, story.config)
    assert isinstance(look, Look)
    assert look.detail == f"lines that are not ours: {', '.join(IN_ORDER)}"


def test_lines_of_a_goods_out() -> None:
    """Clarus may list them in another order: nobody has changed anything then."""
    hats, mugs = ("902", "HAT", 1), ("901", "MUG", 3)
    one = a_goods_out(G1).with_line(*mugs).with_line(*hats).goods_out.lines
    other = a_goods_out(G1).with_line(*hats).with_line(*mugs).goods_out.lines
    assert lines_mark(one) == lines_mark(other)
    fewer = a_goods_out(G1).with_line(*hats).with_line("901", "MUG", 2).goods_out.lines
    assert lines_mark(one) != lines_mark(fewer)


def test_lines_that_no_fulfilment_order_has() -> None:
    """By number: the thousandth is behind the others."""
    order = an_order().with_line("HAT", id="1000").with_line("MUG", id="999")
    [hold] = left_out(order.order, a_brand())
    assert hold.named == "line 999, 1000 in no fulfilment order"


def test_fulfilments_that_a_telling_knows() -> None:
    """Ten gifts from the shop's counter went before, each told by hand."""
    order = an_order().with_line("MUG", 3).with_line("GIFT", 10).routed("71", L901=3).routed("72", to="99", L902=10)
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut))
    for id_ in ("807", "802", "810", "804", "801", "809", "803", "806", "808", "805"):
        order = order.fulfilled(id_, of="72", L902=1)
    sale = an_erp_order().with_line("901", "MUG", 3).with_line("902", "GIFT", 10)
    story.shopify(order).applied(story.one(UpsertErpOrder), "77").erp(sale)
    story.clarus(a_goods_out(G1).with_line("901", "MUG", 3).despatched())
    story.applied(story.one(PostFulfilment)).erp(sale.fulfilment(G1, L901=3))
    assert story.one(CreateFulfilment).known_fulfilments == tuple(str(id_) for id_ in range(801, 811))


def test_locations_at_which_an_item_is_not_stocked() -> None:
    places = [{"location": location, "warehouse": "LDS1"} for location in TEN]
    elsewhere = an_offer(stocked_at=(LocationId("Z"),))
    story = ItemStory(item_brand("observe", warehouses=places)).shop(elsewhere)
    story.clarus(a_product(stock_read=True, stocked_in=("LDS1",)))
    [case] = [case for case in story.cases.values() if case.code is CaseCode.STOCK_STRANDED]
    assert case.detail == f"in LDS1: it is not stocked at location {', '.join(IN_ORDER)}"
