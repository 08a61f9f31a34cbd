"""Much at once: a burst over many items, and very many orders for one."""

import math
from datetime import timedelta

from schemas.aggregates import stock_id
from schemas.base import OrderId, Sku, order_key
from schemas.outcomes import OutcomeKind
from schemas.stock_rules import StockRules
from streams.agents.demand import Demand
from tests.builders import ACME, a_brand, a_goods_out, an_order
from tests.stock_story import ITEM, LEEDS, StockStory, stock_brand
from tests.story import Story

ITEMS, CHANGES, WAIT = 200, 50, 20


class ManyItems(StockStory):
    """Of one partition. Shopify takes every figure at once."""

    taken = 0

    def at_item(self, number: int) -> "ManyItems":
        self.key = stock_id(Sku(f"ITEM-{number}"), LEEDS)
        return self

    def takes_all(self) -> None:
        """What was sent since the last time is applied."""
        for command in self.commands[self.taken :]:
            self.taken += 1
            self.key = command.order
            self.ended(OutcomeKind.APPLIED, command)


def test_a_burst_leads_to_as_many_writes_as_items_have_windows() -> None:
    """10 000 changes, 200 items in turn: each is written once in its longest wait, and read once more for that."""
    story = ManyItems(stock_brand(quiet_for=5, max_wait=WAIT))
    for number in range(ITEMS):
        story.at_item(number).in_step(1000)
    began, asked = story.at, len(story.asked)
    for change in range(CHANGES):
        for number in range(ITEMS):
            story.at_item(number).clarus(999 - change - number % 7)
            story.takes_all()
    windows = math.ceil((story.at - began) / timedelta(seconds=WAIT))

    assert ITEMS <= len(story.commands) <= ITEMS * windows
    assert len(story.asked) - asked <= ITEMS * (windows + 1)


ORDERS = 20_000


def test_hot_item() -> None:
    """20 000 orders were cancelled that the warehouse still ships: one sum per partition, however many they are."""
    order = an_order().with_line("0042-A", 1).routed("71")
    one = Story(a_brand(stock=StockRules(mode="write").model_dump())).shopify(order)
    one.clarus(a_goods_out("ACME-5012-71-1").with_line("901", "0042-A", 1).picking()).shopify(order.cancelled())
    assert [(found.item, found.units) for found in one.state.withheld] == [(ITEM, 1)]

    story, demand = StockStory().in_step(2 * ORDERS), Demand(0)
    for number in range(ORDERS):
        state = one.state.model_copy(update={"order": OrderId(str(number)), "last_offset": number})
        changed = demand.note(order_key(ACME, state.order).encode(), state)
        (told,) = demand.told(ACME, changed, number)
        assert told.value is not None
        assert len(told.value) < 60
        story.hears(told)
    assert story.state.units_withheld == ORDERS
    assert len(max(story.changelog.values(), key=len)) < 3000
