"""A record of a source is folded once, however often it is appended; and what a newer configuration is planned for."""

from schemas.commands import CreateGoodsOut
from schemas.events import ShopifyOrderSeen
from streams.rules.orders.emit import Decision
from streams.rules.orders.plan import Plan
from streams.rules.orders.repeated import says_nothing_new
from streams.rules.orders.step import step
from tests.builders import a_brand, a_goods_out, an_order
from tests.story import Story

G1 = "ACME-5012-71-1"
ROUTED = an_order().with_line("MUG", 2).routed("71")


def test_an_answer_that_does_not_show_a_goods_out_counts_once_though_it_was_appended_twice() -> None:
    story = Story().shopify(ROUTED)
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out(G1).with_line("901", "MUG", 2))
    story.clarus().appended_twice()
    assert [(known.absent, known.missing) for known in story.state.goods_outs] == [(1, False)]
    story.clarus()
    assert [(known.absent, known.missing) for known in story.state.goods_outs] == [(2, True)]


def test_what_says_nothing_new_is_planned_again_for_a_newer_configuration_only() -> None:
    story = Story().shopify(ROUTED.on_hold("71"))
    newer = a_brand(version=2)
    assert says_nothing_new(story.state, story.state, story.config)
    assert says_nothing_new(story.state, story.state, None)
    assert not says_nothing_new(story.state, story.state, newer)


def folded(story: Story, *, redelivered: bool) -> Plan | None:
    """The same answer of Shopify once more, under a newer configuration."""
    snapshot = ROUTED.on_hold("71").order
    seen = ShopifyOrderSeen(**story._head("raw.shopify"), epoch=1, read_started_at=story.at, snapshot=snapshot)
    here = Decision(partition=0, offset=story.state.last_offset + 1)
    return step(story.state, seen, a_brand(version=2), story.at, here, redelivered=redelivered)


def test_the_same_answer_brings_an_order_under_the_newer_configuration() -> None:
    made = folded(Story().shopify(ROUTED.on_hold("71")), redelivered=False)
    assert made is not None
    assert made.state.config_version == 2
    assert made.reads == ()
    assert folded(Story().shopify(ROUTED.on_hold("71")), redelivered=True) is None
