"""What is known before anybody configured its brand waits, and is decided by the very first configuration."""

from schemas.base import System
from schemas.commands import CreateGoodsOut
from schemas.events import ItemsSeen, LevelSeen, ShopifyOrderSeen
from schemas.stock import Level
from streams.rules.items.step import step as item_step
from streams.rules.orders.emit import Decision
from streams.rules.orders.step import step, wake
from streams.rules.stock.step import step as stock_step
from tests.builders import ACME, NOON, ORDER, a_brand, an_order
from tests.item_story import ItemStory, an_erp_item, item_brand
from tests.stock_story import ITEM, an_item, stock_brand

EARLIER, NOW = Decision(partition=0, offset=7), Decision(partition=0, offset=8)
READ = {"brand": ACME, "epoch": 1, "read_started_at": NOON}


def test_an_order() -> None:
    seen = ShopifyOrderSeen(**READ, order=ORDER, snapshot=an_order().with_line("MUG", 2).routed("71").order)
    waits = step(None, seen, None, NOON, EARLIER)
    assert waits is not None
    assert waits.commands == ()
    decided = step(waits.state, seen, a_brand(version=1), NOON, NOW)
    assert decided is not None
    assert CreateGoodsOut in [type(command) for command in decided.commands]
    woken = wake(waits.state, a_brand(version=1), NOON, NOW)
    assert woken.commands == decided.commands, "whichever comes first, its time or the same answer again"


def test_an_item() -> None:
    seen = ItemsSeen(**READ, order=ItemStory.KEY, items=(an_erp_item(),))
    waits = item_step(None, seen, None, NOON, EARLIER)
    assert waits is not None
    assert waits.reads == ()
    decided = item_step(waits.state, seen, item_brand(version=1), NOON, NOW)
    assert decided is not None
    assert decided.reads == (System.CLARUS,)


def test_a_stock_item() -> None:
    seen = LevelSeen(**READ, order=ITEM, level=Level(items=(an_item(10),)))
    waits = stock_step(None, seen, None, NOON, EARLIER)
    assert waits is not None
    assert (waits.asks, waits.state.drift) == ((), ""), "nobody is told that it differs"
    decided = stock_step(waits.state, seen, stock_brand().model_copy(update={"version": 1}), NOON, NOW)
    assert decided is not None
    assert [one.system for one in decided.asks] == [System.CLARUS]
