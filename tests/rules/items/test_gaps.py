"""What the audit of items finds, case by literal case: Shopify, the ERP and Clarus beside each other, code by code."""

from datetime import datetime

import pytest

from schemas.aggregates import GAPS
from schemas.base import LocationId, Sku, System
from schemas.cases import Case, CaseCode
from schemas.events import GapsCounted
from schemas.items import ErpItem, Offer, Product
from streams.agents.crowd import MOST_CASES, about
from streams.rules.items.gaps import LOOKED_AT_EVERY, looked_after
from tests.builders import ACME
from tests.item_story import KETTLE, ItemStory, a_product, an_erp_item, an_offer, item_brand

SOLD = an_offer()
ITEM, PRODUCT = an_erp_item(), a_product()
THERE = a_product(stock_read=True, stocked_in=("LDS1",))
BUNDLE = {"sku": "TEA-SET", "components": [{"sku": KETTLE, "quantity": 1}]}


def seen(
    mode: str,
    offers: tuple[Offer, ...] | None,
    items: tuple[ErpItem, ...] | None,
    product: Product | str | None,
    **brand: object,
) -> ItemStory:
    """All three systems read once; None, or 'unread' of Clarus: not that one."""
    story = ItemStory(item_brand(mode, **brand))
    if offers is not None:
        story.shop(*offers)
    if items is not None:
        story.erp(*items)
    if not isinstance(product, str):
        story.clarus(product)
    return story


def gaps(story: ItemStory) -> dict[CaseCode, str]:
    """Open cases of the audit, with what they say."""
    return {case.code: case.detail for case in story.cases.values() if case.open and case.code in story.state.gaps}


UNKNOWN_TO_ERP, UNKNOWN_TO_CLARUS = CaseCode.SKU_UNKNOWN_TO_ERP, CaseCode.SKU_UNKNOWN_TO_CLARUS

KNOWN_OR_NOT = {
    "known everywhere": ((SOLD,), (ITEM,), PRODUCT, set()),
    "new in Shopify": ((SOLD,), (), None, {UNKNOWN_TO_ERP, UNKNOWN_TO_CLARUS}),
    "not in the ERP": ((SOLD,), (), PRODUCT, {UNKNOWN_TO_ERP}),
    "not active in the ERP": ((SOLD,), (an_erp_item(active=False),), PRODUCT, {UNKNOWN_TO_ERP}),
    "not in Clarus": ((SOLD,), (ITEM,), None, {UNKNOWN_TO_CLARUS}),
    "of another account": ((SOLD,), (ITEM,), a_product(ours=False, shared=True), {UNKNOWN_TO_CLARUS}),
    "the ERP was not read": ((SOLD,), None, PRODUCT, set()),
    "Clarus was not read": ((SOLD,), (ITEM,), "unread", set()),
    "Shopify was not read": (None, (), None, set()),
    "not sold": ((), (), None, set()),
    "a draft": ((an_offer(active=False),), (), None, set()),
    "nothing that ships": ((an_offer(ships=False),), (), None, set()),
    "a bundle that Shopify takes apart": ((an_offer(bundle=True),), (), None, set()),
    "a draft and one that is sold": ((an_offer(active=False), SOLD), (), PRODUCT, {UNKNOWN_TO_ERP}),
}


@pytest.mark.parametrize(("offers", "items", "product", "expected"), KNOWN_OR_NOT.values(), ids=KNOWN_OR_NOT)
def test_what_is_sold_is_known(
    offers: tuple[Offer, ...] | None,
    items: tuple[ErpItem, ...] | None,
    product: Product | str | None,
    expected: set[CaseCode],
) -> None:
    assert set(gaps(seen("observe", offers, items, product))) == expected


def test_the_case_says_whose_it_is_what_to_do_and_what_is_wrong() -> None:
    (case,) = seen("observe", (SOLD,), (), PRODUCT).cases.values()
    assert (case.order, case.owner, case.severity) == ("item:0042-A", "operations", "high")
    assert case.detail == "'0042-A', sold in Shopify, is no item of the ERP"


def test_a_bundle_of_the_brand_is_known_by_its_components() -> None:
    story = ItemStory(item_brand("observe", bundles=[{"sku": KETTLE, "components": [{"sku": "MUG"}]}]))
    assert gaps(story.shop(SOLD).erp().clarus(None)) == {}


def test_a_component_that_nobody_sells_by_itself_is_known_to_the_warehouse() -> None:
    packed_of = [{"sku": "CUP"}, {"sku": KETTLE}]
    bundles = [{"sku": name, "components": packed_of} for name in ("TEA-SET", "GIFT-SET")]
    story = ItemStory(item_brand("observe", bundles=[*bundles, {"sku": "OTHER", "components": [{"sku": "MUG"}]}]))
    assert gaps(story.shop().erp(ITEM)) == {}, "Clarus has not answered"
    why = "'0042-A', a component of TEA-SET, GIFT-SET, is no product in Clarus"
    assert gaps(story.clarus(None)) == {UNKNOWN_TO_CLARUS: why}
    assert gaps(story.clarus(PRODUCT)) == {}


@pytest.mark.parametrize("prefix", ["0042", "TEA"], ids=["by its code", "by its SKU in the shop"])
def test_what_the_erp_is_asked_about_is_to_be_in_it(prefix: str) -> None:
    story = ItemStory(item_brand("observe"))
    story.configured(items={"mode": "observe", "stock_unit": "EACH", "prefixes": (prefix,)})
    assert set(gaps(story.shop(an_offer("TEA-1")).erp().clarus(PRODUCT))) == {UNKNOWN_TO_ERP}


def test_of_a_code_the_erp_is_not_asked_about_its_silence_says_nothing() -> None:
    story = ItemStory(item_brand("observe"))
    story.configured(items={"mode": "observe", "stock_unit": "EACH", "prefixes": ("99",)})
    assert set(gaps(story.shop(SOLD).erp().clarus(None))) == {UNKNOWN_TO_CLARUS}
    story.configured(items={"mode": "create", "stock_unit": "EACH", "prefixes": ("99",)}).later(minutes=2)
    assert set(gaps(story)) == {UNKNOWN_TO_CLARUS}, "nobody but a person makes it"


def test_where_lockstep_makes_products_what_is_on_its_way_is_no_gap() -> None:
    story = seen("create", (SOLD,), (ITEM,), None)
    assert (gaps(story), len(story.commands)) == ({}, 1)
    assert set(gaps(seen("create", (SOLD,), (), None))) == {UNKNOWN_TO_ERP}, "the rest follows"


def test_an_answer_nobody_understands_is_no_gap() -> None:
    story = ItemStory(item_brand("observe")).shop(SOLD).erp().unreadable(System.ERP).clarus(PRODUCT)
    assert gaps(story) == {}
    assert set(gaps(story.erp())) == {UNKNOWN_TO_ERP}


@pytest.mark.parametrize(
    ("system", "product", "gap"),
    [
        (System.CLARUS, None, UNKNOWN_TO_CLARUS),
        (System.CLARUS, THERE, CaseCode.STOCK_STRANDED),
        (System.SHOPIFY, THERE, CaseCode.STOCK_STRANDED),
    ],
)
def test_what_was_a_gap_is_none_while_the_system_is_not_understood(
    system: System, product: Product | None, gap: CaseCode
) -> None:
    offers = () if product else (SOLD,)
    story = seen("observe", offers, (ITEM,), product)
    assert set(gaps(story)) == {gap}
    assert gaps(story.unreadable(system)) == {}
    assert set(gaps(story.shop(*offers).clarus(product))) == {gap}


def test_the_case_says_whether_clarus_lacks_it_or_has_it_for_others() -> None:
    none = seen("observe", (SOLD,), (ITEM,), None)
    assert gaps(none)[UNKNOWN_TO_CLARUS] == "'0042-A', sold in Shopify, is no product in Clarus"
    others = seen("observe", (SOLD,), (ITEM,), a_product(ours=False))
    assert gaps(others)[UNKNOWN_TO_CLARUS] == "'0042-A', sold in Shopify, is in Clarus, and not of account ACME"


def test_an_incomplete_answer_of_clarus_is_no_gap() -> None:
    story = ItemStory(item_brand("observe")).shop(SOLD).erp(ITEM).clarus(None, complete=False)
    assert gaps(story) == {}


BARCODES = {
    "the same, with zeros before it": ("0501", "501", "00501", False),
    "of other letters": ("A-1", "A-1", "A-1", False),
    "Shopify's differs": ("0502", "0501", "0501", True),
    "Clarus' differs": ("0501", "0501", "0502", True),
    "only the ERP and Clarus have one": ("", "0501", "0502", True),
    "only Shopify has one": ("0501", "", "", False),
    "the ERP keeps none": ("0501", "", "0502", True),
}


@pytest.mark.parametrize(("shop", "erp", "clarus", "differs"), BARCODES.values(), ids=BARCODES)
def test_barcodes_are_one_number_everywhere(shop: str, erp: str, clarus: str, differs: bool) -> None:
    story = seen("observe", (an_offer(barcode=shop),), (an_erp_item(barcode=erp),), a_product(barcode=clarus))
    assert (CaseCode.BARCODE_DIFFERS in gaps(story)) is differs


def test_any_barcode_of_the_erp_will_do_and_the_case_names_all() -> None:
    item = an_erp_item(barcode="0501", more_barcodes=("0502",))
    assert gaps(seen("observe", (an_offer(barcode="0502"),), (item,), PRODUCT)) == {}
    story = seen("observe", (an_offer(barcode="0503"),), (item,), a_product(barcode="0501"))
    assert gaps(story) == {CaseCode.BARCODE_DIFFERS: "0503 in Shopify; 0501, 0502 in the ERP; 0501 in Clarus"}


def test_one_without_a_barcode_says_nothing_beside_one_that_has_it() -> None:
    story = seen("observe", (an_offer(barcode="0502"), an_offer()), (an_erp_item(more_barcodes=("0501",)),), PRODUCT)
    assert gaps(story) == {CaseCode.BARCODE_DIFFERS: "0502 in Shopify; 0501 in the ERP"}


def test_the_barcode_of_another_accounts_product_is_not_compared() -> None:
    others = a_product(ours=False, barcode="0502")
    assert gaps(seen("observe", (), (an_erp_item(barcode="0501"),), others)) == {}


def test_a_barcode_that_lockstep_does_not_amend_is_a_case() -> None:
    story = ItemStory(item_brand())
    fields = {"mode": "create_and_amend", "stock_unit": "EACH", "fields": ("description",)}
    story.configured(items=fields).erp(an_erp_item(barcode="0501")).clarus(a_product(barcode="0502"))
    assert (set(gaps(story)), story.commands) == ({CaseCode.BARCODE_DIFFERS}, [])

    sold, inactive = an_offer(barcode="0501"), an_erp_item(barcode="0501", active=False)
    story = seen("create_and_amend", (sold,), (inactive,), a_product(barcode="0502"))
    assert CaseCode.BARCODE_DIFFERS in gaps(story), "of what the ERP no longer sells nothing is amended"


def test_a_barcode_that_lockstep_amends_is_no_case() -> None:
    story = seen("create_and_amend", (), (an_erp_item(barcode="0501"),), a_product(barcode="0502"))
    assert (gaps(story), story.one.barcode) == ({}, "0501")
    shared = a_product(barcode="0502", shared=True)
    assert set(gaps(seen("create_and_amend", (), (an_erp_item(barcode="0501"),), shared))) == {
        CaseCode.BARCODE_DIFFERS
    }, "others use the product too: nobody amends it"


STRANDED = {
    "on sale where it lies": ((SOLD,), THERE, ""),
    "no stock": ((), a_product(stock_read=True), ""),
    "no such SKU": ((), THERE, "in LDS1: Shopify has no such SKU"),
    "a draft": ((an_offer(active=False),), THERE, "in LDS1: its product is a draft or archived"),
    "not published": ((an_offer(published=False),), THERE, "in LDS1: it is not published to the online store"),
    "stocked elsewhere": (
        (an_offer(stocked_at=(LocationId("12"),)),),
        THERE,
        "in LDS1: it is not stocked at location 11",
    ),
    "stocked at more places than were looked at": ((an_offer(stocked_at=(), more_places=True),), THERE, ""),
    "one of two is stocked there": ((an_offer(stocked_at=(LocationId("12"),)), SOLD), THERE, ""),
    "one of two is on sale": ((an_offer(active=False), SOLD), THERE, ""),
    "no location has the warehouse": (
        (SOLD,),
        a_product(stock_read=True, stocked_in=("LDS1", "OLD")),
        "in OLD: no location has this warehouse",
    ),
    "of another account": ((), a_product(ours=False, stock_read=True, stocked_in=("LDS1",)), ""),
    "Shopify was not read": (None, THERE, ""),
}


@pytest.mark.parametrize(("offers", "product", "said"), STRANDED.values(), ids=STRANDED)
def test_what_lies_in_the_warehouse_can_be_bought(
    offers: tuple[Offer, ...] | None, product: Product, said: str
) -> None:
    found = gaps(seen("observe", offers, (ITEM,), product))
    assert found.get(CaseCode.STOCK_STRANDED, "") == said


def test_a_component_is_sold_with_its_bundle() -> None:
    assert gaps(seen("observe", (), (ITEM,), THERE, bundles=[BUNDLE])) == {}


def test_a_reading_without_balances_leaves_what_was_known_of_them() -> None:
    story = seen("observe", (), (ITEM,), THERE)
    assert set(gaps(story.clarus(PRODUCT))) == {CaseCode.STOCK_STRANDED}
    assert gaps(story.clarus(a_product(stock_read=True))) == {}


def test_a_case_closes_itself_when_it_is_mended_and_a_repetition_changes_nothing() -> None:
    story = seen("observe", (SOLD,), (), PRODUCT)
    before = dict(story.cases)
    story.later(hours=1).shop(SOLD).erp().clarus(PRODUCT)
    assert story.cases == before
    assert story.erp(ITEM).open_cases == set()
    assert story.state.gaps == ()
    assert story.erp().open_cases == {UNKNOWN_TO_ERP}, "and it is one again when it comes again"


def test_a_person_may_say_that_stock_is_not_meant_to_be_sold() -> None:
    story = seen("observe", (), (ITEM,), THERE).operator("close", "stock_stranded")
    assert story.open_cases == set()
    assert story.later(days=1).clarus(THERE).open_cases == set()


@pytest.mark.parametrize("system", [System.CLARUS, System.SHOPIFY])
def test_what_a_person_closed_stays_closed_when_an_answer_was_not_understood(system: System) -> None:
    story = seen("observe", (), (ITEM,), THERE).operator("close", "stock_stranded")
    story.unreadable(system).shop().clarus(THERE)
    assert (story.open_cases, story.state.unreadable) == (set(), ())
    assert [one.code for one in story.state.closed_by_person] == [CaseCode.STOCK_STRANDED]


def test_what_is_sold_is_looked_for_in_systems_that_were_not_read_of_late() -> None:
    story = ItemStory(item_brand("observe")).shop(SOLD)
    assert story.asked == [System.CLARUS, System.ERP]
    story.clarus(PRODUCT).erp(ITEM).later(hours=1).shop(SOLD)
    assert len(story.asked) == 2
    story.later(hours=23).shop(SOLD)
    assert story.asked[2:] == [System.CLARUS], "of the ERP's changes its poll tells"
    assert story.gently == story.asked


def test_one_of_two_that_is_sold_is_looked_for() -> None:
    assert ItemStory(item_brand("observe")).shop(an_offer(active=False), SOLD).asked == [System.CLARUS, System.ERP]
    assert ItemStory(item_brand("observe")).shop(an_offer(active=False)).asked == []


def test_what_lies_in_the_warehouse_is_looked_for_in_the_shop() -> None:
    assert ItemStory(item_brand("observe")).clarus(PRODUCT).asked == [], "nothing lies there"
    story = ItemStory(item_brand("observe")).clarus(THERE)
    assert story.asked == [System.SHOPIFY]
    story.shop(SOLD).later(hours=1).clarus(THERE)
    assert story.asked.count(System.SHOPIFY) == 1
    story.later(hours=23).clarus(THERE)
    assert story.asked.count(System.SHOPIFY) == 2, "the SKU may be gone, and then no list of the shop names it"


def test_a_gap_is_looked_at_again_every_day_in_all_systems() -> None:
    story = seen("observe", (SOLD,), (), PRODUCT)
    asked = len(story.asked)
    assert len(story.later(hours=23).asked) == asked
    assert len(story.clarus(a_product("Pot")).asked) == asked, "whatever else becomes of it"
    assert story.later(hours=2).asked[asked:] == list(System)
    assert story.gently == story.asked
    assert story.shop().open_cases == set(), "taken off sale: no list of the shop names it any more"
    asked = len(story.asked)
    assert len(story.later(days=2).asked) == asked


def test_the_day_is_over_when_it_is_over_to_the_second() -> None:
    """The wake-up comes then, and no second one."""
    state = seen("observe", (SOLD,), (), PRODUCT).state
    assert state.looked_at is not None
    due, wakes = state.looked_at + LOOKED_AT_EVERY, list[datetime]()
    state, asked = looked_after(state.model_copy(update={"now": due}), wakes)
    assert (asked, state.looked_at, wakes) == (tuple(System), due, [due + LOOKED_AT_EVERY])


def test_switched_off_it_asks_shopify_nothing_and_finds_nothing() -> None:
    story = ItemStory(item_brand("observe"))
    story.configured(items={"mode": "observe", "audit": False}).shop(SOLD).erp().clarus(THERE).operator("refresh")
    assert (story.cases, set(story.asked)) == ({}, {System.CLARUS, System.ERP})


# --- many at once


def opened(story: ItemStory, codes: range) -> ItemStory:
    for number in codes:
        story.about(f"NEW-{number:03}").shop(an_offer(f"NEW-{number:03}")).erp().clarus(PRODUCT)
    return story


def open_of(story: ItemStory, code: CaseCode) -> list[Case]:
    return [case for case in story.cases.values() if case.open and case.code is code]


def test_a_whole_catalogue_that_is_unknown_is_few_cases_and_one_that_counts() -> None:
    story = opened(ItemStory(item_brand("observe")), range(150))

    assert len(open_of(story, UNKNOWN_TO_ERP)) == MOST_CASES
    (many,) = open_of(story, CaseCode.ITEM_GAPS_MANY)
    assert (many.order, many.object) == (GAPS, f"{GAPS} sku_unknown_to_erp")
    assert many.detail.startswith("sku_unknown_to_erp: at least 100 items without a case of their own: 'NEW-0")
    told = [record for record in story.log if record.headers["kind"] == b"GapsCounted"]
    assert len(told) == 7, "1, 2, 5, 10, 20, 50, 100"


def test_a_day_later_what_has_no_case_of_its_own_still_has_none() -> None:
    story = opened(ItemStory(item_brand("observe")), range(MOST_CASES + 3)).later(hours=25)
    assert len(open_of(story, UNKNOWN_TO_ERP)) == MOST_CASES


def counted(story: ItemStory, partition: int, offset: int, items: int, *examples: str) -> ItemStory:
    said = GapsCounted(
        brand=ACME,
        order=GAPS,
        partition=partition,
        decided_offset=offset,
        gap=UNKNOWN_TO_ERP,
        items=items,
        examples=tuple(Sku(one) for one in examples),
    )
    return story._event(said)


def test_of_two_figures_of_a_partition_the_one_decided_later_counts() -> None:
    story = counted(counted(ItemStory(item_brand("observe")), 0, 50, 20), 1, 7, 5)
    for offset, items, counts in ((49, 1, 20), (50, 2, 20), (51, 10, 10)):
        counted(story, 0, offset, items)
        assert [(one.partition, one.items) for one in story.about_gaps().crowds] == [(0, counts), (1, 5)]


def test_five_of_them_are_named() -> None:
    story = counted(counted(ItemStory(item_brand("observe")), 0, 7, 10, "A", "B", "C"), 1, 7, 10, "D", "E", "F")
    (many,) = story.cases.values()
    assert many.detail.endswith("at least 20 items without a case of their own: 'A', 'B', 'C', 'D', 'E'")


def test_as_cases_are_mended_others_get_theirs_until_all_are_done() -> None:
    story = opened(ItemStory(item_brand("observe")), range(MOST_CASES + 3))
    for number in range(5):
        story.about(f"NEW-{number:03}").erp(an_erp_item(f"NEW-{number:03}"))
    assert len(open_of(story, UNKNOWN_TO_ERP)) == MOST_CASES - 5
    assert open_of(story, CaseCode.ITEM_GAPS_MANY)

    story.later(hours=25)
    assert sorted(case.order for case in open_of(story, UNKNOWN_TO_ERP)) == [
        f"item:NEW-{number:03}" for number in range(5, MOST_CASES + 3)
    ]
    assert not open_of(story, CaseCode.ITEM_GAPS_MANY)


def test_a_restart_knows_of_which_kind_there_are_enough_and_tells_the_figures_again() -> None:
    story = opened(ItemStory(item_brand("observe")), range(MOST_CASES + 30))
    before = dict(story.changelog)
    story.fold = story.restarted()
    again = [one for one in story.fold.resend(0) if one.topic == "items.events"]
    for emission in again:
        assert emission.key is not None
        assert emission.value is not None
        story._append(emission.key, emission.value, dict(emission.headers))
    opened(story, range(200, 201))

    assert len(open_of(story, UNKNOWN_TO_ERP)) == MOST_CASES
    key = f"acme/{GAPS}".encode()
    changed = {one for one in story.changelog if before.get(one) != story.changelog[one]}
    assert changed <= {key, b"acme/item:NEW-200"}, "figures that were told change nothing"


def test_what_was_told_before_a_restart_is_taken_back_after_it() -> None:
    """Nothing was under way when it stopped, so nothing is told again at the start."""
    story = opened(ItemStory(item_brand("observe")), range(MOST_CASES + 1))
    assert open_of(story, CaseCode.ITEM_GAPS_MANY)
    story.fold = story.restarted()
    story.about(f"NEW-{MOST_CASES:03}").erp(an_erp_item(f"NEW-{MOST_CASES:03}"))
    assert not open_of(story, CaseCode.ITEM_GAPS_MANY)


def test_what_a_person_closed_is_not_counted() -> None:
    story = opened(ItemStory(item_brand("observe")), range(MOST_CASES))
    for number in range(MOST_CASES, MOST_CASES + 2):
        story.about(f"LEFT-{number}").shop().erp().clarus(THERE)
    assert len(open_of(story, CaseCode.STOCK_STRANDED)) == 2, "another kind has its own measure"
    assert not open_of(story, CaseCode.ITEM_GAPS_MANY)
    story.operator("close", "stock_stranded")
    assert len(open_of(story, CaseCode.STOCK_STRANDED)) == 1
    assert not open_of(story, CaseCode.ITEM_GAPS_MANY)


@pytest.mark.parametrize(
    ("count", "said"), [(0, 0), (1, 1), (4, 2), (9, 5), (10, 10), (49, 20), (999, 500), (1000, 1000)]
)
def test_figures_are_rounded_down(count: int, said: int) -> None:
    assert about(count) == said
