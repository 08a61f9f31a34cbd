"""`lockstep item` in words, and how an item is named on the command line."""

import pytest
import typer

from lockstep.cli.acting import read_key
from lockstep.cli.orders import show
from lockstep.item_words import explained
from schemas.items import Measures
from schemas.outcomes import OutcomeKind
from tests.item_story import ItemStory, a_product, an_erp_item, an_offer, item_brand

STRANDED = a_product(stock_read=True, stocked_in=("LDS1", "MAN1"))


def said(story: ItemStory) -> list[str]:
    return [*explained(story.state, story.config)]


def test_an_item_in_step_is_explained_by_both_sides() -> None:
    measures = Measures.model_validate({"weight": "0.350", "length": "0.30", "width": "0.20"})
    story = ItemStory().erp(an_erp_item(barcode="0501", measures=measures)).clarus(a_product(barcode="0501"))

    assert said(story) == [
        "ERP: item 31, '0042-A': 'Kettle', barcode 0501, 0.350 kg, 0.30 x 0.20 m",
        "Clarus: product 20001: 'Kettle', barcode 0501",
        "Shopify: not read yet",
    ]


@pytest.mark.parametrize(
    ("story", "line"),
    [
        (ItemStory().erp(an_erp_item()), "Clarus: not read yet"),
        (ItemStory().clarus(None), "ERP: not read yet"),
        (ItemStory().erp(an_erp_item()).clarus(None), "sent: CreateProduct, no outcome yet"),
        (ItemStory(item_brand("observe")).erp(an_erp_item()).clarus(None), "would send: product 0042-A: Kettle"),
        (
            ItemStory(item_brand("off")).erp(an_erp_item()),
            "items are switched off for this brand, so nothing is decided",
        ),
        (ItemStory().wanted("5012").wanted("5013"), "orders that wait for it: 5012, 5013"),
        (
            ItemStory().erp(an_erp_item()).clarus(None).ended(OutcomeKind.REJECTED, code="blank", field="description"),
            "refused: blank description",
        ),
        (
            ItemStory().erp(an_erp_item()).clarus(a_product(ours=False, shared=True, stopped=True)),
            "Clarus: product 20001: 'Kettle', not assigned to the brand's account, serves another account too, stopped",
        ),
        (ItemStory().shop(), "Shopify: no such SKU"),
        (
            ItemStory().shop(an_offer(barcode="0501", published=False, more_places=True)),
            "Shopify: variant 4501, '0042-A', barcode 0501, not in the online store, stocked at 11 and more",
        ),
        (
            ItemStory().erp(an_erp_item()).shop().clarus(STRANDED).operator("close", "stock_stranded"),
            "found by the audit: stock_stranded; closed by a person, or enough of its kind are open",
        ),
        (ItemStory().clarus(STRANDED), "Clarus: product 20001: 'Kettle', free stock in LDS1, MAN1"),
    ],
)
def test_what_there_is_to_say(story: ItemStory, line: str) -> None:
    assert line in said(story)


def test_an_item_is_named_whole() -> None:
    assert read_key("acme/item:TEE/BLK/M") == "acme/item:TEE/BLK/M"


def test_show_is_about_orders_and_says_where_to_look() -> None:
    with pytest.raises(typer.BadParameter, match="lockstep item acme 0042-A"):
        show("acme/item:0042-A")
