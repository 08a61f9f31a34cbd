"""Held orders are counted by what the rules said in the log, and how each stopped being held."""

import pytest

from lockstep.demo.held import held_by
from lockstep.demo.report import Held
from schemas.commands import CreateGoodsOut
from schemas.mapping import ShippingRule
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from tests.builders import LEEDS, an_order
from tests.story import Story

MUG = an_order().with_line("MUG")
WHOLE = MUG.routed("71")
UNPAID = WHOLE.paid(FinancialStatus.PENDING)
NOWHERE = WHOLE.shipping_to(None)
PIGEON = WHOLE.sent_by("Carrier pigeon")
PIGEON_RULE = ShippingRule(title="Carrier pigeon", carrier="PIGEON", service="LOFT")


def mapped(story: Story) -> Story:
    return story.configured(shipping=(*story.config.shipping, PIGEON_RULE)).later(minutes=2)


def refused() -> Story:
    story = Story().shopify(WHOLE)
    return story.ended(story.one(CreateGoodsOut), OutcomeKind.REJECTED, code="unknown_sku", text="MUG")


def one(reason: str, **ended: int) -> Held:
    return Held(orders=1, by_reason={reason: 1}, **ended)


def still(reason: str) -> Held:
    return Held(orders=1, by_reason={reason: 1}, still=1, still_by_reason={reason: 1})


STORIES: tuple[tuple[str, Story, Held], ...] = (
    ("nothing held it", Story().shopify(WHOLE), Held()),
    ("it waited for its routing", Story().shopify(MUG).shopify(WHOLE), Held(passing=1)),
    ("it waits for its routing", Story().shopify(MUG), Held(passing=1)),
    ("the address came", Story().shopify(NOWHERE).shopify(WHOLE), one("address_incomplete", released_by_themselves=1)),
    ("the payment came", Story().shopify(UNPAID).shopify(WHOLE), one("payment_not_met", released_by_themselves=1)),
    ("the payment never came", Story().shopify(UNPAID).later(hours=30), still("payment_not_met")),
    ("somebody let it go", Story().shopify(UNPAID).operator("override", "payment_not_met"),
     one("payment_not_met", released_by_person=1)),
    ("somebody let it go, and then it was paid",
     Story().shopify(UNPAID).operator("override", "payment_not_met").shopify(WHOLE),
     one("payment_not_met", released_by_person=1)),
    ("somebody decided something that did not matter",
     Story().shopify(UNPAID).operator("override", "risk_not_cleared").shopify(WHOLE),
     one("payment_not_met", released_by_themselves=1)),
    ("nothing can be sent nowhere", Story().shopify(NOWHERE).operator("override", "address_incomplete"),
     still("address_incomplete")),
    ("the mapping came", mapped(Story().shopify(PIGEON)), one("unmapped_shipping_line", released_by_themselves=1)),
    ("cancelled meanwhile", Story().shopify(UNPAID).shopify(UNPAID.cancelled()), one("payment_not_met", ended=1)),
    ("the warehouse does not know the product", refused(), still("unknown_sku")),
)  # fmt: skip


@pytest.mark.parametrize(("story", "held"), [case[1:] for case in STORIES], ids=[case[0] for case in STORIES])
def test_how_it_was_held_and_how_that_ended(story: Story, held: Held) -> None:
    assert held_by(story.log) == held


def test_an_order_with_two_reasons_counts_once_and_under_both() -> None:
    story = Story().shopify(UNPAID.shipping_to(None)).operator("override", "payment_not_met")
    assert held_by(story.log) == Held(
        orders=1,
        by_reason={"address_incomplete": 1, "payment_not_met": 1},
        still=1,
        still_by_reason={"address_incomplete": 1},
    )

    story.shopify(UNPAID.shipping_to(LEEDS))

    assert held_by(story.log).released_by_person == 1, "it is unpaid still"


def test_many_orders_add_up() -> None:
    story = Story().shopify(UNPAID)
    story.about("5013").shopify(an_order("5013").with_line("MUG").routed("72").shipping_to(None))
    story.about("5014").shopify(an_order("5014").with_line("MUG").routed("73"))
    story.about("5012").operator("override", "payment_not_met")

    held = held_by(story.log)

    assert (held.orders, held.released_by_person, held.still, held.passing) == (2, 1, 1, 0)
    assert held.orders == held.released_by_themselves + held.released_by_person + held.ended + held.still
