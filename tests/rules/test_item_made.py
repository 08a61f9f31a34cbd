"""A product that was missing in the warehouse is there: what was refused for want of it is tried at once."""

import pytest

from schemas.base import Sku
from schemas.commands import CreateGoodsOut, UpsertErpOrder
from schemas.events import ItemMade
from schemas.outcomes import OutcomeKind
from tests.builders import an_order
from tests.story import Story

ROUTED = an_order().with_line("MUG", 3).routed("71")


def refused(code: str = "unknown_sku", *, tries: int = 1) -> Story:
    """So many times, each after its back-off."""
    story = Story().shopify(ROUTED)
    for count in range(tries):
        if count:
            story.later(hours=5)
        story.ended(story.sent(CreateGoodsOut)[-1], OutcomeKind.REJECTED, code=code, field="MUG", text="MUG")
    return story


def made(story: Story) -> Story:
    return story._event(ItemMade(**story._head("items.made"), code=Sku("MUG")))


@pytest.mark.parametrize(
    ("case", "story", "sent"),
    [
        ("refused once", refused(), 2),
        ("refused five times", refused(tries=5), 6),
        ("refused six times: somebody is not right, it waits", refused(tries=6), 6),
        ("refused for something else", refused("odd"), 1),
    ],
)
def test_what_was_refused_for_want_of_a_product_is_tried_at_once(case: str, story: Story, sent: int) -> None:
    assert len(made(story).sent(CreateGoodsOut)) == sent, case


def test_what_else_was_refused_waits_for_its_back_off() -> None:
    story = refused()
    story.ended(story.one(UpsertErpOrder), OutcomeKind.REJECTED, code="odd")
    made(story)
    assert len(story.sent(CreateGoodsOut)) == 2
    assert len(story.sent(UpsertErpOrder)) == 1
