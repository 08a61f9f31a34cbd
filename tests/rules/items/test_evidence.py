"""What is known of an item, and from what: records that come twice, late, unreadable or out of their epoch."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from schemas.aggregates import uncoded_id
from schemas.base import OrderId, System
from schemas.cases import CaseCode
from schemas.commands import AmendProduct, CreateProduct
from schemas.config import BrandConfig
from schemas.events import ItemsSeen, ItemWanted, SnapshotUnreadable
from schemas.items import ErpItem, Product
from schemas.limits import PRODUCT_CODE_MOST
from schemas.outcomes import OutcomeKind
from streams.rules.items.state import first
from streams.rules.items.step import step
from streams.rules.items.wishes import wrong_with
from streams.rules.orders.emit import Decision
from streams.rules.orders.state import DEAD
from tests.builders import ACME, NOON
from tests.item_story import KETTLE, ItemStory, a_product, an_erp_item, item_brand


def unreadable(story: ItemStory, system: System, reason: str = "code: expected text") -> ItemStory:
    return story._event(SnapshotUnreadable(**story._head(f"raw.{system}"), system=system, reason=reason))


def detail(story: ItemStory, code: CaseCode) -> str:
    [said] = [case.detail for case in story.cases.values() if case.code is code and case.open]
    return said


def test_an_answer_nobody_understands_is_a_case_until_that_system_gives_a_better_one() -> None:
    story = unreadable(ItemStory().erp(an_erp_item()).clarus(a_product()), System.CLARUS)
    assert story.open_cases == {CaseCode.SNAPSHOT_UNREADABLE}
    assert detail(story, CaseCode.SNAPSHOT_UNREADABLE) == "clarus: code: expected text"

    assert story.erp(an_erp_item()).open_cases == {CaseCode.SNAPSHOT_UNREADABLE}, "the ERP's answer says nothing of it"
    assert story.clarus(a_product()).open_cases == set()


def test_of_two_systems_each_has_its_own() -> None:
    story = unreadable(unreadable(unreadable(ItemStory(), System.ERP, "one"), System.CLARUS), System.ERP, "two")
    assert [(one.system, one.reason) for one in story.state.unreadable] == [
        (System.CLARUS, "code: expected text"), (System.ERP, "two"),
    ]  # fmt: skip
    story.clarus(a_product())
    assert [one.system for one in story.state.unreadable] == [System.ERP]
    story.erp(an_erp_item())
    assert story.state.unreadable == ()


def test_an_answer_of_an_older_connection_is_read_again_and_not_believed() -> None:
    story = ItemStory().erp(an_erp_item(), epoch=2).clarus(None, epoch=3)
    assert len(story.commands) == 1
    asked = len(story.asked)
    story.erp(an_erp_item(description="Old"), epoch=1).clarus(a_product("Old"), epoch=2)
    assert story.state.erp == (an_erp_item(),)
    assert story.state.product is None
    assert story.asked[asked:] == [System.ERP, System.CLARUS]


def test_a_record_that_is_folded_again_changes_nothing() -> None:
    story = ItemStory().wanted("5012").erp(an_erp_item()).clarus(None)
    made = story.one
    asked = list(story.asked)
    for record in story.log[1:]:
        story.handle(record)
    assert (story.commands, story.asked) == ([made], asked)
    assert story.state.product is None


def test_one_that_was_appended_twice_counts_once() -> None:
    """Normalise may append an event a second time, behind others; where it came from tells."""
    story = ItemStory().erp(an_erp_item()).clarus(None)
    looked = story.log[-1]
    story.applied()
    assert story.state.product is not None
    asked = len(story.asked)
    story._append(looked.key or b"", looked.value or b"", dict(looked.headers))
    assert story.state.product is not None
    assert story.asked[asked:] == []


def test_what_comes_after_a_record_of_another_topic_still_counts() -> None:
    story = ItemStory().erp(an_erp_item(description="A")).clarus(a_product("A")).erp(an_erp_item(description="B"))
    assert isinstance(story.one, AmendProduct)
    assert story.one.description == "B"
    assert {one.topic for one in story.state.seen} == {"raw.erp", "raw.clarus"}


def test_the_erp_was_read_whether_it_has_the_item_or_not() -> None:
    assert not ItemStory().clarus(None).state.erp_read
    assert ItemStory().erp().state.erp_read


def test_one_that_was_sold_once_is_news_when_it_ends_even_among_others() -> None:
    two = ItemStory().erp(an_erp_item(active=False), an_erp_item(id_="32"))
    assert two.state.sold
    assert not ItemStory().erp(an_erp_item(active=False)).state.sold
    assert two.erp(an_erp_item(active=False)).state.sold


@pytest.mark.parametrize(
    ("hours", "asked"),
    [(19.9, []), (20, [System.CLARUS]), (30, [System.CLARUS])],
)
def test_a_product_is_looked_at_again_when_it_was_last_seen_so_long_ago(hours: float, asked: list[System]) -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product())
    seen = story.state.product_at
    assert seen is not None
    story.asked.clear()
    story.at = seen + timedelta(hours=hours) - timedelta(milliseconds=10)
    assert story.erp(an_erp_item()).asked == asked


def test_clarus_is_not_asked_for_what_the_erp_does_not_have() -> None:
    assert ItemStory().erp().asked == []


def test_clarus_is_not_asked_for_an_item_that_has_no_code() -> None:
    story = ItemStory()
    story.key = uncoded_id("31")
    assert story.erp(an_erp_item("?")).asked == []
    assert story.open_cases == {CaseCode.ITEM_UNUSABLE}


def test_what_clarus_was_just_read_for_is_made_without_another_reading() -> None:
    story = ItemStory().clarus(None).erp(an_erp_item())
    assert (len(story.commands), story.asked) == (1, [])


def test_what_was_asked_for_stays_asked_when_more_is() -> None:
    state = first(ACME, ItemStory.KEY, KETTLE, NOON).asking(System.ERP).asking(System.CLARUS)
    assert state.ask == (System.CLARUS, System.ERP)


@pytest.mark.parametrize("again", ["the same offset", "a reading that says nothing new"])
def test_what_is_known_already_is_not_written_again(again: str) -> None:
    state = ItemStory().erp(an_erp_item()).clarus(a_product()).state
    event = ItemsSeen(brand=ACME, order=ItemStory.KEY, epoch=1, read_started_at=NOON, items=(an_erp_item(),))
    offset = state.last_offset + (0 if again == "the same offset" else 1)
    assert step(state, event, item_brand(), state.now, Decision(partition=0, offset=offset)) is None


def test_an_empty_answer_of_a_system_that_may_not_show_all_leaves_what_was_known() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product()).clarus(None, complete=False)
    assert story.state.product == a_product()
    assert story.clarus(a_product("New"), complete=False).state.product == a_product("New")


@pytest.mark.parametrize("kind", [OutcomeKind.APPLIED, OutcomeKind.ALREADY_APPLIED])
def test_what_was_made_or_was_there_already_is_read_and_not_made_again(kind: OutcomeKind) -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    story.asked.clear()
    story.ended(kind, external_id="20001")
    assert story.asked == [System.CLARUS]
    assert not story.state.in_flight
    assert len(story.later(minutes=1).commands) == 1


def test_the_outcome_of_a_command_nobody_knows_says_nothing() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    done = story.one
    story.applied()
    before = story.state.model_copy(update={"now": NOON, "last_offset": 0, "seen": ()})
    story.ended(OutcomeKind.REJECTED, done, code="odd")
    assert story.state.model_copy(update={"now": NOON, "last_offset": 0, "seen": ()}) == before


def test_a_command_that_is_wanted_no_more_is_forgotten_when_its_outcome_would_have_come() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    made = story.one
    story.erp(an_erp_item(active=False))
    story.later(seconds=DEAD.total_seconds() - 1)
    assert story.state.in_flight == (made,)
    story.later(seconds=2)
    assert not story.state.in_flight


def test_what_is_waited_for_wakes_at_its_moment_and_never_in_the_past() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    for _ in range(30):
        assert story.state.wake_at is None or story.state.wake_at > story.state.now
        story.later(minutes=1)


@pytest.mark.parametrize("action", ["refresh", "retry"])
def test_a_person_has_all_sides_read_anew(action: str) -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product())
    story.asked.clear()
    assert set(story.operator(action).asked) == set(System)


@pytest.mark.parametrize("action", ["release_again", "answer", "sweep"])
def test_what_is_asked_of_orders_says_nothing_of_an_item(action: str) -> None:
    story = ItemStory().erp(an_erp_item()).clarus(a_product())
    story.asked.clear()
    assert story.operator(action).asked == []


def test_shopify_is_never_asked_about_an_item() -> None:
    story = ItemStory().wanted("5012").erp(an_erp_item()).clarus(None).later(hours=5)
    assert set(story.asked) <= {System.ERP, System.CLARUS}


def test_two_orders_of_one_item_are_told_in_the_order_of_their_ids() -> None:
    story = ItemStory()
    for order in ("5019", "5012", "5015"):
        story.wanted(order)
    assert story.state.waiting == ("5012", "5015", "5019")
    story.erp(an_erp_item()).clarus(None).applied()
    assert story.told == ["5012", "5015", "5019"]
    assert not story.state.waiting


def test_who_asks_while_others_still_wait_is_told_with_them() -> None:
    story = ItemStory().wanted("5012").erp(an_erp_item()).clarus(None).wanted("5013")
    assert story.told == []
    assert story.applied().told == ["5012", "5013"]
    assert story.clarus(a_product()).state.told == ("5012", "5013"), "told again if nobody knows whether they were"
    assert story.wanted("5014").told == ["5012", "5013"]
    assert story.clarus(a_product()).told == ["5012", "5013", "5014"]


@pytest.mark.parametrize(
    ("code", "item", "said"),
    [
        ("", an_erp_item("?"), ["item 31 ('?') has no code"]),
        ("X" * PRODUCT_CODE_MOST, an_erp_item("X"), []),
        ("X" * (PRODUCT_CODE_MOST + 1), an_erp_item("X"), [f"{PRODUCT_CODE_MOST + 1} characters"]),
        (" X", an_erp_item(" X"), ["code ' X' has space"]),
        ("X\u200b", an_erp_item("X"), ["nobody can type"]),
        ("X\ue000", an_erp_item("X"), ["nobody can type"]),
        ("X\ud800", an_erp_item("X"), ["nobody can type"]),
        ("X\u0378", an_erp_item("X"), ["nobody can type"]),
        ("X\u2028Y", an_erp_item("X"), ["nobody can type"]),
        ("X\u2029Y", an_erp_item("X"), ["nobody can type"]),
        ("X\x07Y", an_erp_item("X"), ["nobody can type"]),
        ("Tasse Größe L", an_erp_item("X"), []),
        ("X", an_erp_item("X", "  ", barcode="05 "), ["barcode '05 '", "no description"]),
        ("X", an_erp_item("X", "Kettle\u200b"), []),
    ],
)
def test_why_no_product_can_be_made(code: str, item: ErpItem, said: list[str]) -> None:
    found = list(wrong_with(first(ACME, ItemStory.KEY, type(KETTLE)(code), NOON), item))
    assert len(found) == len(said), found
    for words, expected in zip(found, said, strict=True):
        assert expected in words


def test_all_that_is_wrong_stands_in_one_case() -> None:
    story = ItemStory().erp(an_erp_item(description="", barcode="05 ")).clarus(None)
    assert "barcode '05 '" in detail(story, CaseCode.ITEM_UNUSABLE)
    assert "; it has no description" in detail(story, CaseCode.ITEM_UNUSABLE)


def test_colliding_items_are_named_one_by_one() -> None:
    story = ItemStory().erp(an_erp_item("0042-A"), an_erp_item("0042 -A", id_="32"))
    assert detail(story, CaseCode.ITEM_CODES_COLLIDE).startswith("'0042-A' (item 31), '0042 -A' (item 32) would")


@pytest.mark.parametrize(
    ("sku", "rules"),
    [("0042-A", {"renames": [{"shop": "0042-A", "clarus": "SET-A"}]}), ("0042 -A", {"remove": " "})],
    ids=["by its SKU", "by the code of its SKU"],
)
def test_a_bundle_is_none_under_its_sku_nor_under_the_code_of_it(sku: str, rules: dict[str, object]) -> None:
    bundle = {"sku": sku, "components": [{"sku": "MUG", "quantity": 2}]}
    story = ItemStory(item_brand(bundles=[bundle], skus=rules)).erp(an_erp_item(description="")).clarus(None)
    assert (story.commands, story.cases) == ([], {})


def test_a_product_of_another_account_is_not_ours_and_one_is_made() -> None:
    for product in (a_product(ours=False), a_product("Another's", ours=False)):
        assert isinstance(ItemStory().erp(an_erp_item()).clarus(product).one, CreateProduct)


@pytest.mark.parametrize(
    ("erp", "product", "open_"),
    [
        (an_erp_item(active=False), a_product(), {CaseCode.ITEM_INACTIVE}),
        (an_erp_item(active=False), a_product(ours=False), set()),
        (an_erp_item(active=False), a_product(stopped=True), set()),
        (an_erp_item(active=False), None, set()),
        (None, a_product(), set()),
    ],
    ids=["in the warehouse", "another account's", "stopped", "none", "the ERP has none any more"],
)
def test_an_inactive_item_is_told_only_while_the_warehouse_works_with_it(
    erp: ErpItem | None, product: Product | None, open_: set[CaseCode]
) -> None:
    story = ItemStory().erp(an_erp_item()).clarus(product)
    story.erp(*([erp] if erp else []))
    assert story.open_cases == open_
    if open_:
        assert "0042-A" in detail(story, CaseCode.ITEM_INACTIVE)


OBSERVED = (item_brand("observe"), item_brand(mode="create_and_amend").model_copy(update={"mode": "observe"}))


def slow(story: ItemStory) -> ItemStory:
    return story.later(minutes=16)


@pytest.mark.parametrize(
    ("story", "said"),
    [
        (lambda: ItemStory().erp(an_erp_item()).clarus(None), "not in Clarus yet"),
        (lambda: ItemStory().erp(an_erp_item()), "not read in Clarus yet"),
        (lambda: ItemStory().erp(an_erp_item(barcode="0501")).clarus(a_product()), "barcode not as in the ERP yet"),
        (
            lambda: ItemStory().erp(an_erp_item(description="New", barcode="0501")).clarus(a_product()),
            "barcode, description not as in the ERP yet",
        ),
    ],
)
def test_what_does_not_come_to_clarus_is_named(story: Callable[[], ItemStory], said: str) -> None:
    assert detail(slow(story()), CaseCode.ITEM_SLOW) == said


def test_why_it_is_delayed_is_said_too_and_clarus_is_looked_at_meanwhile() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    story.ended(OutcomeKind.DELAYED, code="stopped", text="Clarus is away", until=story.at + timedelta(hours=2))
    slow(story)
    assert detail(story, CaseCode.ITEM_SLOW) == "not in Clarus yet: Clarus is away"
    story.asked.clear()
    assert story.later(hours=1).asked == [System.CLARUS]


@pytest.mark.parametrize("config", OBSERVED, ids=["items observed", "the brand observed"])
def test_where_nothing_is_written_nothing_is_late(config: BrandConfig) -> None:
    story = slow(ItemStory(config).erp(an_erp_item()).clarus(None))
    assert (story.open_cases, story.commands) == (set(), [])


@pytest.mark.parametrize("config", OBSERVED, ids=["items observed", "the brand observed"])
def test_where_nothing_is_written_clarus_is_not_looked_at_again(config: BrandConfig) -> None:
    unread, missing = ItemStory(config).erp(an_erp_item()), ItemStory(config).erp(an_erp_item()).clarus(None)
    for story in (unread, missing):
        story.asked.clear()
    assert unread.later(hours=1).asked == [System.CLARUS]
    assert missing.later(hours=9).asked == []


def test_unless_an_order_waits_for_it() -> None:
    story = ItemStory(item_brand("observe")).wanted("5012").erp(an_erp_item()).clarus(None)
    story.asked.clear()
    assert story.later(hours=1).asked == [System.CLARUS]


def test_observing_says_what_would_be_amended() -> None:
    story = ItemStory(item_brand("observe")).erp(an_erp_item(description="New", barcode="0501")).clarus(a_product())
    assert story.state.would_send == ("product 0042-A: barcode '0501', description 'New'",)


def test_what_is_refused_is_not_late_as_well_and_says_what_clarus_said() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    story.ended(OutcomeKind.REJECTED, code="odd", field="code", text="no such unit")
    assert slow(story).open_cases == {CaseCode.ITEM_REFUSED}
    assert detail(story, CaseCode.ITEM_REFUSED) == "odd code no such unit"

    bare = ItemStory().erp(an_erp_item()).clarus(None).ended(OutcomeKind.REJECTED, code="odd")
    assert detail(bare, CaseCode.ITEM_REFUSED) == "odd"


def test_a_refusal_of_what_is_not_wanted_any_more_is_forgotten() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None).ended(OutcomeKind.REJECTED, code="odd")
    story.erp(an_erp_item(active=False))
    assert (story.open_cases, story.state.refusals) == (set(), ())


def test_what_was_planned_with_which_configuration_and_when_it_wakes_is_kept() -> None:
    story = ItemStory().erp(an_erp_item()).clarus(None)
    assert story.state.config_version == story.config.version
    assert story.state.wake_at is not None
    assert story.state.wake_at > story.state.now
    story.applied()
    assert story.state.wake_at is None, "in step, nothing is waited for"
    story.configured(items=item_brand("create").items.model_dump()).later(minutes=2)
    assert story.state.config_version == story.config.version


def test_clarus_is_asked_once_while_its_first_answer_is_on_its_way() -> None:
    story = ItemStory().erp(an_erp_item())
    assert story.asked == [System.CLARUS]
    assert story.erp(an_erp_item(description="New")).asked.count(System.CLARUS) == 2, "each reading of the ERP asks"
    story.configured(items=item_brand("create").items.model_dump()).later(seconds=90)
    assert story.asked.count(System.CLARUS) == 2


def test_an_item_switched_on_is_looked_for_in_clarus() -> None:
    story = ItemStory(item_brand("off")).erp(an_erp_item())
    assert story.asked == []
    story.configured(items=item_brand("create").items.model_dump()).later(minutes=2)
    assert story.asked == [System.CLARUS]


def test_the_key_of_an_item_is_one() -> None:
    event = ItemWanted(brand=ACME, order=OrderId("stock:11/0042-A"), by=OrderId("5012"))
    with pytest.raises(ValueError, match="expected item:CODE, found 'stock:11/0042-A'"):
        step(None, event, None, NOON, Decision(partition=0, offset=7, trace=""))


def test_commands_are_known_by_their_object_and_waits_by_their_name() -> None:
    state = ItemStory().erp(an_erp_item()).clarus(None).state
    assert state.flying("another") is None
    assert state.since_of("another") is None
    assert state.since_of("product") is not None
    assert not state.is_withdrawn(state.in_flight[0])
