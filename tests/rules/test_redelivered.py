"""After a restart records come again behind which the restored configuration stands: they are planned with theirs."""

from collections.abc import Callable

import pytest

from tests.item_story import ItemStory, a_product, an_erp_item, item_brand
from tests.keyed_story import KeyedStory
from tests.stock_story import StockStory, stock_brand


def stock() -> KeyedStory:
    story = StockStory().in_step(10)
    return story.shopify(10).configured_anew(stock_brand(buffer=3))


def item() -> KeyedStory:
    story = ItemStory(item_brand("observe")).erp(an_erp_item()).clarus(a_product("Pot"))
    return story.erp(an_erp_item()).configured_anew(item_brand("create_and_amend"))


@pytest.mark.parametrize("of", [stock, item])
def test_what_said_nothing_new_says_nothing_new_when_it_comes_again(of: Callable[[], KeyedStory]) -> None:
    story = of()
    duplicate, newer = story.log[-2:]
    fold = story.restarted()

    step = fold.handle(duplicate)

    assert (step.changes, step.emissions) == ([], [])
    assert fold.states() == story.fold.states(), "so that what comes after it is planned on the same state"
    assert not fold.handle(newer).changes
