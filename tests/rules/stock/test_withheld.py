"""Units that the warehouse still ships though Shopify no longer commits them where it ships them from."""

from schemas.aggregates import stock_id
from schemas.base import LocationId, Sku
from schemas.commands import CreateGoodsOut
from schemas.stock_rules import StockRules
from tests.builders import a_brand, a_goods_out, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
THREE = an_order().with_line("0042-A", 3).routed("71")


def released() -> Story:
    story = Story(a_brand(stock=StockRules(mode="write").model_dump())).shopify(THREE)
    story.applied(story.one(CreateGoodsOut))
    return story.clarus(a_goods_out(G1).with_line("901", "0042-A", 3).picking())


def units(story: Story) -> dict[str, int]:
    return {one.item: one.units for one in story.state.withheld if one.units}


LEEDS_ITEM = stock_id(Sku("0042-A"), LocationId("11"))


def test_while_shopify_commits_them_nothing_is_withheld() -> None:
    assert units(released()) == {}


def test_cancel_not_honoured() -> None:
    story = released().shopify(THREE.cancelled())
    assert units(story) == {LEEDS_ITEM: 3}
    story.clarus(a_goods_out(G1).with_line("901", "0042-A", 3).despatched())
    assert units(story) == {}


def test_deleted_by_hand_then_cancelled() -> None:
    """What is not there after two complete answers will not leave; if it is shown again, it may."""
    story = released().shopify(THREE.cancelled()).clarus()
    assert units(story) == {LEEDS_ITEM: 3}, "one answer proves nothing"
    assert units(story.clarus()) == {}
    assert units(story.clarus(a_goods_out(G1).with_line("901", "0042-A", 3))) == {LEEDS_ITEM: 3}


def test_moved_after_release() -> None:
    """Shopify commits them at the other place now; they leave from the first."""
    story = released().shopify(THREE.closed("71").routed("75", to="12"))
    assert units(story) == {LEEDS_ITEM: 3}


def test_moved_in_place_after_release() -> None:
    """The fulfilment order keeps its id and has another location."""
    story = released().shopify(THREE.fulfilment_order("71", location=LocationId("12")))
    assert units(story) == {LEEDS_ITEM: 3}


def test_split_and_moved_after_release() -> None:
    story = released().shopify(THREE.routed("71", L901=2).routed("75", to="12", L901=1))
    assert units(story) == {LEEDS_ITEM: 1}
