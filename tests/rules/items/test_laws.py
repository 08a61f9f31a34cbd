"""Laws of the items fold: duplicates, order, restarts and stale owners change nothing about how it ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.items import ErpItem, Offer, Product
from streams.agents import crowd
from streams.rules.items.gaps import KINDS
from tests.item_story import ItemStory, a_product, an_erp_item, an_offer, item_brand

ITEMS = (
    st.builds(
        lambda description, barcode, active: (an_erp_item(description=description, barcode=barcode, active=active),),
        st.sampled_from(["Kettle", "Kettle, steel", ""]),
        st.sampled_from(["", "0501"]),
        st.booleans(),
    )
    | st.just(())
    | st.just((an_erp_item(), an_erp_item("0042.A", id_="32")))
)
PRODUCTS = st.none() | st.builds(
    lambda description, ours: a_product(description, ours=ours), st.sampled_from(["Kettle", "Pot"]), st.booleans()
)

History = list[tuple[tuple[ErpItem, ...], Product | None]]
"""What the ERP and Clarus show, again and again."""


@given(st.lists(st.tuples(ITEMS, PRODUCTS), min_size=1, max_size=5), st.data())
@settings(max_examples=60, deadline=None)
def test_the_newest_readings_alone_decide(history: History, data: st.DataObject) -> None:
    """Whatever was seen before, in whatever order of the two systems: the wish is that of the last two readings."""
    story = ItemStory()
    for items, product in history:
        if data.draw(st.booleans()):
            story.erp(*items).clarus(product)
        else:
            story.clarus(product).erp(*items)
    last_items, last_product = history[-1]
    bare = ItemStory().erp(*last_items).clarus(last_product)

    wished = {(type(one).__name__, one.fingerprint) for one in bare.commands}
    flying = {(type(one).__name__, one.fingerprint) for one in story.state.in_flight}
    assert wished <= flying
    mine = {code for code in story.open_cases if code != "item_inactive"}
    assert mine == {code for code in bare.open_cases if code != "item_inactive"}


@given(st.lists(st.tuples(ITEMS, PRODUCTS), min_size=1, max_size=4), st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_record_folded_twice_changes_nothing(history: History, at: int) -> None:
    story = ItemStory()
    for items, product in history:
        story.erp(*items).clarus(product)
    before, sent = story.fold.states(), list(story.commands)
    again = story.log[1 + at % (len(story.log) - 1) :]
    for record in again:
        story.handle(record)
    assert story.fold.states() == before
    assert story.commands == sent


@given(st.lists(st.tuples(ITEMS, PRODUCTS), min_size=2, max_size=5), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_a_restart_anywhere_ends_the_same(history: History, at: int) -> None:
    def lived(restart: int) -> ItemStory:
        story = ItemStory()
        for number, (items, product) in enumerate(history):
            story.erp(*items).clarus(product)
            if number == restart:
                story.fold = story.restarted()
        return story

    whole, cut = lived(-1), lived(at % len(history))
    assert cut.changelog == whole.changelog
    assert [one.id for one in cut.commands] == [one.id for one in whole.commands]


OFFERS = st.just(()) | st.builds(
    lambda active, barcode: (an_offer(active=active, barcode=barcode),), st.booleans(), st.sampled_from(["", "0501"])
)
STOCKED = st.none() | st.builds(
    lambda ours, places: a_product(ours=ours, stock_read=True, stocked_in=places, barcode="0502"),
    st.booleans(),
    st.sampled_from([(), ("LDS1",), ("LDS1", "OLD")]),
)
Audited = list[tuple[str, tuple[Offer, ...], tuple[ErpItem, ...], Product | None]]
"""Codes, and what the three systems show of each, again and again."""
AUDITED = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), OFFERS, ITEMS, STOCKED), min_size=2, max_size=8)


def audited(history: Audited, restart: int = -1) -> ItemStory:
    """In observe mode, with one case of a kind at a time, so that the measure is always met."""
    story = ItemStory(item_brand("observe"))
    for number, (code, offers, items, product) in enumerate(history):
        story.about(code).shop(*offers).erp(*items).clarus(product)
        if number == restart:
            story.fold = story.restarted()
    return story


@given(AUDITED, st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_restart_changes_nothing_of_what_the_audit_finds(history: Audited, at: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(crowd, "MOST_CASES", 1)
        whole, cut = audited(history), audited(history, at % len(history))
    for story in (whole, cut):
        for kind in KINDS:
            assert sum(case.open and case.code is kind for case in story.cases.values()) <= 1
    assert found(cut) == found(whole), "but for the figures that a restart tells again"


def found(story: ItemStory) -> dict[str, tuple[object, ...]]:
    """By key: what is wrong, what is a case of its own, how many more there are."""
    return {
        key: (
            state.gaps,
            [(case.code, case.detail) for case in state.cases],
            [(one.gap, one.items, one.examples) for one in state.crowds if one.items],
        )
        for key, state in story.fold.states().items()
        if state.gaps or state.cases or any(one.items for one in state.crowds)
    }


@given(AUDITED)
@settings(max_examples=60, deadline=None)
def test_each_gap_has_a_case_or_is_counted(history: Audited) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(crowd, "MOST_CASES", 1)
        story = audited(history)
    states = [state for key, state in story.fold.states().items() if not key.endswith("item-gaps")]
    counted = {one.gap: one.items for one in story.about_gaps().crowds}
    for kind in KINDS:
        without = sum(kind in state.gaps and kind not in {case.code for case in state.cases} for state in states)
        assert counted.get(kind, 0) == crowd.about(without)


def test_a_reading_of_a_stale_owner_is_read_again_and_not_believed() -> None:
    story = ItemStory().erp(an_erp_item(), epoch=7).clarus(a_product(), epoch=7)
    asked = len(story.asked)
    story.clarus(None, epoch=3)
    assert story.state.product is not None
    assert len(story.asked) == asked + 1


def test_what_may_not_have_been_sent_is_sent_again() -> None:
    story = ItemStory().wanted("5012").erp(an_erp_item()).clarus(None)
    sent = story.restarted().resend(0)
    topics = sorted(one.topic for one in sent)
    counted = ["items.events"] * 4
    assert topics == ["commands.clarus", "hints.clarus", "hints.erp", "hints.shopify", *counted]
    story.applied()
    assert "orders.events" in {one.topic for one in story.restarted().resend(0)}
