"""Which product Clarus should have of an item, case by literal case."""

from datetime import timedelta

import pytest

from schemas.base import Sku, System
from schemas.cases import CaseCode
from schemas.commands import AmendProduct, CreateProduct
from schemas.items import ErpItem, Product
from schemas.outcomes import OutcomeKind
from tests.item_story import KETTLE, ItemStory, a_product, an_erp_item, an_offer, item_brand


def test_an_item_of_the_erp_is_looked_for_in_clarus_and_then_made() -> None:
    story = ItemStory().erp(an_erp_item(description="  Kettle,\n steel ", barcode="0501"))
    assert story.asked == [System.CLARUS]
    assert story.commands == []

    story.clarus(None)

    one = story.one
    assert isinstance(one, CreateProduct)
    assert (one.code, one.account, one.stock_unit, one.item) == (KETTLE, "ACME", "EACH", "31")
    assert (one.description, one.barcode) == ("Kettle, steel", "0501")
    story.applied()
    assert story.open_cases == set()
    assert story.state.since == ()
    assert story.later(days=30).commands == [one]


def test_nothing_is_made_of_what_clarus_was_not_believed_to_lack() -> None:
    assert ItemStory().erp(an_erp_item()).clarus(None, complete=False).commands == []


@pytest.mark.parametrize(
    ("item", "product", "sent"),
    [
        pytest.param(an_erp_item(), a_product(), {}, id="all the same"),
        pytest.param(an_erp_item(description="New"), a_product(), {"description": "New"}, id="description"),
        pytest.param(an_erp_item(barcode="0501"), a_product(), {"barcode": "0501"}, id="barcode"),
        pytest.param(an_erp_item(barcode="0501"), a_product(barcode="501"), {"barcode": "0501"}, id="a zero lost"),
        pytest.param(an_erp_item(barcode=""), a_product(barcode="501"), {}, id="what the ERP does not say stays"),
        pytest.param(an_erp_item(description="New"), a_product(shared=True), {}, id="one that others use too"),
        pytest.param(an_erp_item(description="x" * 200), a_product(), {"description": "x" * 150}, id="cut to a label"),
        pytest.param(an_erp_item(description="x" * 200), a_product("x" * 150), {}, id="cut and in step"),
        pytest.param(an_erp_item(description="New", active=False), a_product(), {}, id="no longer sold"),
    ],
)
def test_a_product_is_amended_to_what_the_erp_says(item: ErpItem, product: Product, sent: dict[str, str]) -> None:
    story = ItemStory().erp(item).clarus(product)

    if not sent:
        assert story.commands == []
        return
    one = story.one
    assert isinstance(one, AmendProduct)
    assert {"description": one.description, "barcode": one.barcode} == {"description": "", "barcode": ""} | sent
    assert (one.product, one.code) == ("20001", KETTLE)


def test_only_the_brands_fields_are_kept_in_step() -> None:
    config = item_brand().model_copy(update={"items": item_brand().items.model_copy(update={"fields": ("barcode",)})})
    story = ItemStory(config).erp(an_erp_item(description="New", barcode="0501")).clarus(a_product())

    one = story.one
    assert isinstance(one, AmendProduct)
    assert (one.description, one.barcode) == ("", "0501")


def test_a_product_is_made_without_a_barcode_where_barcodes_are_the_warehouses() -> None:
    items = {"mode": "create", "stock_unit": "EACH", "fields": ("description",)}
    story = ItemStory().configured(items=items).erp(an_erp_item(barcode="0501")).clarus(None)
    assert (story.one.description, story.one.barcode) == ("Kettle", "")


def test_where_items_are_only_created_a_difference_stays() -> None:
    assert ItemStory(item_brand("create")).erp(an_erp_item(description="New")).clarus(a_product()).commands == []


def test_switched_off_nothing_is_asked_or_sent() -> None:
    story = ItemStory(item_brand("off")).erp(an_erp_item()).clarus(None)
    assert (story.commands, story.asked, story.cases) == ([], [], {})
    assert ItemStory(item_brand("off")).shop(an_offer()).asked == [], "nor for the audit"

    story.configured(items=item_brand("create").items.model_dump()).later(minutes=2)
    assert isinstance(story.one, CreateProduct)


def test_observing_lists_what_would_be_sent() -> None:
    story = ItemStory(item_brand("observe")).erp(an_erp_item()).clarus(None)
    assert story.commands == []
    assert story.state.would_send == ("product 0042-A: Kettle",)
    assert story.later(days=2).open_cases == set()


WRONG = {
    "no description": (an_erp_item(description=" "), "no description"),
    "a tab in the barcode": (an_erp_item(barcode="05\t01"), "barcode"),
    "space at the end of the barcode": (an_erp_item(barcode="0501 "), "barcode"),
    "a bell in the description": (an_erp_item(description="Kettle\x07"), "control"),
}


@pytest.mark.parametrize(("item", "said"), WRONG.values(), ids=WRONG)
def test_an_unusable_item_is_a_case_that_names_what_is_wrong(item: ErpItem, said: str) -> None:
    story = ItemStory().erp(item).clarus(None)

    assert story.commands == []
    assert story.open_cases == {CaseCode.ITEM_UNUSABLE}
    (case,) = story.cases.values()
    assert said in case.detail

    story.erp(an_erp_item())
    assert story.open_cases == set()
    assert len(story.commands) == 1


def test_two_items_of_one_code_are_a_case_and_neither_is_sent() -> None:
    story = ItemStory().erp(an_erp_item("0042-A"), an_erp_item("0042 -A", id_="32")).clarus(None)

    assert story.commands == []
    assert story.open_cases == {CaseCode.ITEM_CODES_COLLIDE}
    (case,) = story.cases.values()
    assert "item 31" in case.detail
    assert "item 32" in case.detail

    story.erp(an_erp_item("0042-A"), an_erp_item("0042 -A", id_="32", active=False))
    assert story.open_cases == set()
    assert isinstance(story.one, CreateProduct)


def test_a_bundle_is_no_product() -> None:
    bundle = {"sku": "0042-A", "components": [{"sku": "MUG", "quantity": 2}]}
    assert ItemStory(item_brand(bundles=[bundle])).erp(an_erp_item()).clarus(None).commands == []


def test_an_item_made_inactive_is_told_until_the_product_is_stopped() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product())
    assert story.erp(an_erp_item(active=False)).open_cases == {CaseCode.ITEM_INACTIVE}
    assert story.commands == []
    assert story.clarus(a_product(stopped=True)).open_cases == set()


def test_one_that_was_never_sold_since_we_know_it_is_no_news() -> None:
    assert ItemStory().erp(an_erp_item(active=False)).clarus(a_product()).cases == {}


def test_a_person_may_close_what_no_system_shows() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product()).erp(an_erp_item(active=False))
    assert story.operator("assign", "item_inactive", says="kim").state.cases[0].assignee == "kim"
    assert story.operator("close", "item_inactive").open_cases == set()


def test_a_product_the_erp_does_not_know_is_left_alone() -> None:
    story = ItemStory().clarus(a_product()).erp()
    assert (story.commands, story.cases) == ([], {})


@pytest.mark.parametrize(
    ("code", "case"), [("barcode_taken", CaseCode.ITEM_BARCODE_TAKEN), ("too_long", CaseCode.ITEM_REFUSED)]
)
def test_a_refusal_is_a_case_and_silent_until_something_changes(code: str, case: CaseCode) -> None:
    story = ItemStory().erp(an_erp_item(barcode="0501")).clarus(None)
    story.ended(OutcomeKind.REJECTED, code=code, field="barcode", text="product MUG has it")
    assert story.open_cases == {case}
    assert len(story.later(seconds=60).commands) == 1, "its back-off is not over"

    story.erp(an_erp_item(barcode="0502"))
    assert len(story.commands) == 2
    assert story.applied().open_cases == set()


def test_a_refused_command_is_tried_again_later_and_at_once_when_asked() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None).ended(OutcomeKind.REJECTED, code="odd")
    assert len(story.later(seconds=310).commands) == 2
    story.ended(OutcomeKind.REJECTED, code="odd")
    assert len(story.operator("retry").commands) == 3


def test_what_was_delayed_is_decided_again_then() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    story.ended(OutcomeKind.DELAYED, code="stopped", until=story.at + timedelta(minutes=5))
    assert len(story.later(minutes=4).commands) == 1
    assert len(story.later(minutes=2).commands) == 2


def test_an_item_that_does_not_come_to_clarus_is_a_case_until_it_does() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    assert story.later(minutes=16).open_cases == {CaseCode.ITEM_SLOW}
    assert story.applied().open_cases == set()


def test_orders_that_wait_for_it_are_told_once_it_is_there() -> None:
    story = ItemStory().wanted("5012").wanted("5013").wanted("5012")
    assert story.asked[:2] == [System.CLARUS, System.ERP]
    story.clarus(None).erp(an_erp_item())
    assert story.told == []
    story.applied()
    assert story.told == ["5012", "5013"]
    assert story.later(days=1).clarus(a_product()).told == ["5012", "5013"]


def test_an_order_that_wants_what_was_thought_there_makes_us_look_again() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product()).wanted("5012")
    assert story.told == []
    assert story.clarus(a_product(ours=False, id="20002", reference="")).told == []
    assert story.clarus(a_product()).told == ["5012"]


def test_the_product_is_looked_at_again_with_the_daily_sweep() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product())
    asked = len(story.asked)
    story.later(hours=1).erp(an_erp_item())
    assert len(story.asked) == asked
    story.later(hours=23).erp(an_erp_item())
    assert story.asked[asked:] == [System.CLARUS]
    assert isinstance(story.clarus(a_product("changed by hand")).one, AmendProduct)


def test_codes_stay_text() -> None:
    assert isinstance(ItemStory().erp(an_erp_item()).state.erp[0].code, str)
    assert ErpItem.model_validate({"id": "1", "code": "007"}).code == Sku("007")
