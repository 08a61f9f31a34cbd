"""What a reading of Clarus adds to what is known of goods-outs, whoever made them."""

from schemas.base import System
from schemas.commands import CreateGoodsOut
from tests.builders import a_goods_out, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
ORDER = an_order().with_line("MUG", 3).with_line("HAT", 1).routed("71", L901=3).routed("72", L902=1)
MUGS = a_goods_out(G1).with_line("901", "MUG", 3)
HATS = a_goods_out(G2, "9002").with_line("902", "HAT", 1)


def test_one_that_is_newly_gone_has_clarus_read_again_at_once_though_another_was_gone_before() -> None:
    story = Story().shopify(ORDER)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    story.clarus(MUGS, HATS).clarus(MUGS)
    assert [one.absent for one in story.state.goods_outs] == [0, 1]
    story.reads.clear()
    story.clarus()
    assert [one.absent for one in story.state.goods_outs] == [1, 2]
    assert story.reads == [System.CLARUS]


def test_one_whose_making_nobody_told_us_of_is_changed_when_its_lines_are_others_than_first_seen() -> None:
    story = Story().shopify(ORDER).clarus(MUGS)
    assert [one.changed_in_clarus for one in story.state.goods_outs] == [False]
    story.clarus(a_goods_out(G1).with_line("901", "MUG", 2))
    assert [one.changed_in_clarus for one in story.state.goods_outs] == [True]
    story.clarus(MUGS.picking())
    assert [one.changed_in_clarus for one in story.state.goods_outs] == [False]
