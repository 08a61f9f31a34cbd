"""`lockstep stock` in words, and how a stock item is named on the command line."""

import pytest
import typer

from lockstep.cli.acting import read_key
from lockstep.cli.orders import show
from lockstep.stock_words import differing, explained
from schemas.outcomes import OutcomeKind
from tests.stock_story import ITEM, StockStory, an_item, stock_brand


def said(story: StockStory) -> list[str]:
    return [line.strip() for line in explained(story.state, story.config)]


def test_a_figure_in_step_is_explained_by_its_parts() -> None:
    story = StockStory(stock_brand(buffer=1)).shopify(an_item(6, committed=2)).clarus(7, 2, others=2)

    assert said(story) == [
        "Shopify: 6 on hand: 4 for sale, 2 committed",
        "Clarus: LDS1: 7 available, 2 allocated, 0 picked",
        "9 physically there",
        "-2 wanted by other channels",
        "0 still to leave though Shopify sets none aside for them",
        "-1 buffer",
        "6 should be on hand",
        "(our own goods-outs want 0; Shopify counts those itself)",
        "next: nothing, both sides agree",
    ]


def test_what_is_written_when_and_why() -> None:
    story = StockStory().in_step(10).clarus(8).due()
    assert any(line.startswith("next: 8 is being written since") for line in said(story))
    story.applied()
    assert any("8 instead of 10, because of: warehouse" in line for line in said(story))


@pytest.mark.parametrize(
    ("story", "line"),
    [
        (StockStory().in_step(10).clarus(8), "next: it differs since"),
        (StockStory(stock_brand(mode="observe")).in_step(10).clarus(8).due(), "next: nothing, the brand is stopped"),
        (StockStory().shopify(an_item(1, tracked=False)).clarus(3), "next: nothing is written: Shopify does not count"),
        (StockStory().withheld(0), "next: nothing is written: the item has not been read in Shopify"),
        (
            StockStory().in_step(10).clarus(8).due().ended(OutcomeKind.REJECTED, code="no_such_item"),
            "next: tried again by and by; Shopify refused it",
        ),
    ],
)
def test_what_happens_next(story: StockStory, line: str) -> None:
    assert any(one.startswith(line) for one in said(story)), said(story)


def test_all_that_differ_are_listed_with_their_causes() -> None:
    moved = StockStory().in_step(10).clarus(8)
    typed = StockStory().in_step(10).later(seconds=60).shopify(14).clarus(10)
    fine, untracked = StockStory().in_step(3), StockStory().shopify(an_item(1, tracked=False)).clarus(3)
    lines = list(differing([one.state for one in (typed, moved, fine, untracked)], moved.config))

    assert lines[0].startswith("0042-A at 11: 10 on hand, should be 8; since")
    assert lines[0].endswith("because of: warehouse")
    assert lines[1].startswith("0042-A at 11: 14 on hand, should be 10; since")
    assert lines[1].endswith("because of: by hand")
    assert lines[2:] == ["2 differ, 1 agree, 1 are not written"]


def test_a_stock_item_is_named_whole() -> None:
    assert read_key(f"acme/{ITEM}") == "acme/stock:11/0042-A"
    assert read_key("acme/gid://shopify/Order/5012") == "acme/5012"


def test_show_is_about_orders_and_says_where_to_look() -> None:
    with pytest.raises(typer.BadParameter, match="lockstep stock acme 0042-A --location 11"):
        show(f"acme/{ITEM}")
