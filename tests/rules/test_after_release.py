"""What happened after the release, rule by rule: which goods-outs are named, with how many units, and what is read."""

from collections.abc import Iterator

import pytest

from schemas.base import System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, CreateFulfilment, CreateGoodsOut, UpsertErpOrder
from schemas.goods_outs import GoodsOutStatus
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from streams.rules.orders import after_release
from streams.rules.orders.by_hand import by_hand, told_otherwise, warehouse_units_told_by_hand
from streams.rules.orders.edits import cancelled, edited
from streams.rules.orders.findings import Finding, Look, Rule, Waiting, Wanted
from streams.rules.orders.state import Closed
from tests.builders import GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
THREE = an_order().with_line("MUG", 3).with_line("HAT", 2)
ROUTED = THREE.routed("71", L901=3).routed("72", to="12", L902=2)
MUGS = a_goods_out(G1).with_line("901", "MUG", 3)
HATS = a_goods_out(G2, "9002", warehouse="MAN1").with_line("902", "HAT", 2)
SET = {"sku": "SET", "components": [{"sku": "CUP", "quantity": 2}, {"sku": "POT", "quantity": 1}]}


def released() -> Story:
    story = Story().shopify(ROUTED)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    return story.clarus(MUGS, HATS)


def says(rule: Rule, story: Story) -> list[tuple[str | None, str, str]]:
    """Code, object and words of each finding."""
    return [_said(one) for one in rule(story.state, story.config)]


def _said(one: Finding) -> tuple[str | None, str, str]:
    assert isinstance(one, Look | Waiting)
    return one.code, one.object, one.detail


def waits(rule: Rule, story: Story) -> Iterator[Waiting]:
    return (one for one in rule(story.state, story.config) if isinstance(one, Waiting))


# --- missing


def test_each_missing_goods_out_is_named_and_clarus_is_read() -> None:
    story = released().clarus(HATS.picking()).clarus(HATS.picking())
    assert says(after_release.missing, story) == [
        (CaseCode.GOODS_OUT_MISSING, G1, "last seen PENDING, 3 units"),
    ]  # fmt: skip
    assert [one.read for one in waits(after_release.missing, story)] == [(System.CLARUS,)]
    both = released().clarus().clarus()
    assert [about for _, about, _ in says(after_release.missing, both)] == [G1, G2]
    assert [one.reference for one in after_release.undecided(both.state)] == [G1, G2]


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("refunded", ROUTED.refunded(L901=3)),
        ("cancelled", ROUTED.cancelled()),
        ("fulfilled", ROUTED.fulfilled("8", L901=3)),
    ],
)
def test_what_nobody_is_owed_is_not_missed(case: str, order: OrderBuilder) -> None:
    story = released().clarus(HATS).clarus(HATS).shopify(order)
    assert says(after_release.missing, story) == [], case


def test_what_a_person_gave_up_is_missed_no_more() -> None:
    story = released().clarus(HATS).clarus(HATS).operator("release_again", G1)
    assert says(after_release.missing, story) == []


def test_one_that_a_person_has_closed_is_decided_and_others_are_not() -> None:
    story = released().clarus().clarus().operator("close", CaseCode.GOODS_OUT_MISSING, object=G1)
    assert [one.reference for one in after_release.undecided(story.state)] == [G2]
    other = released().clarus(MUGS.despatched(L901=1), HATS).operator("close", CaseCode.SHORT_CLOSED, object=G1)
    other.clarus(HATS).clarus(HATS)
    assert [known.missing for known in other.state.goods_outs] == [False, False]


def test_of_an_order_never_read_nothing_is_missed() -> None:
    assert says(after_release.missing, Story().clarus(MUGS).clarus().clarus()) == []


# --- in the warehouse


@pytest.mark.parametrize(
    ("goods_out", "waited"),
    [
        (MUGS, ["status PENDING"]),
        (MUGS.picking(), ["status PICK"]),
        (MUGS.despatched(L901=2, whole=False), ["status PICK"]),
        (MUGS.despatched(whole=False), []),
        (MUGS.despatched(), []),
        (MUGS.status(GoodsOutStatus.CANCELLED), []),
    ],
)
def test_a_goods_out_is_waited_for_until_all_of_it_has_left(goods_out: GoodsOutBuilder, waited: list[str]) -> None:
    story = released().clarus(goods_out, HATS.despatched())
    assert [said for _, about, said in says(after_release.not_despatched, story) if about == G1] == waited
    for one in waits(after_release.not_despatched, story):
        assert (one.read, one.after) == ((System.CLARUS,), story.config.waits.despatch)


def test_one_that_does_not_leave_is_a_case() -> None:
    story = released()
    story.later(seconds=story.config.waits.despatch + 60)
    assert CaseCode.NOT_DESPATCHED in story.open_cases


@pytest.mark.parametrize(
    ("case", "goods_out", "said"),
    [
        ("one of three left", MUGS.despatched(L901=1), "2 of 3 units did not leave"),
        ("none left, goods lay in totes", MUGS.picked(L901=1).status(GoodsOutStatus.CANCELLED), "3 of 3"),
        ("nobody had begun", MUGS.status(GoodsOutStatus.CANCELLED), ""),
        ("all left", MUGS.despatched(), ""),
        ("not ended", MUGS.despatched(L901=1, whole=False), ""),
    ],
)
def test_closed_short(case: str, goods_out: GoodsOutBuilder, said: str) -> None:
    found = says(after_release.short_closed, released().clarus(goods_out, HATS))
    assert len(found) == bool(said), case
    assert all(code is CaseCode.SHORT_CLOSED and about == G1 and said in words for code, about, words in found)


def test_only_what_is_still_owed_is_short() -> None:
    short = released().clarus(MUGS.despatched(L901=1), HATS).shopify(ROUTED.refunded(L901=2))
    assert [words for *_, words in says(after_release.short_closed, short)] == ["1 of 3 units did not leave"]
    assert says(after_release.short_closed, short.operator("release_again", G1)) == []


def test_a_brand_may_drop_what_is_short() -> None:
    dropping = released().clarus(MUGS.despatched(L901=1), HATS).configured(short_closed="drop")
    assert says(after_release.short_closed, dropping) == []


# --- too many, and in part


@pytest.mark.parametrize(
    ("goods_out", "said"),
    [
        (MUGS.despatched(L901=5), "2 units too many"),
        (MUGS.with_line("", "JUG", 4).despatched(), "4 units too many"),
        (MUGS.despatched(L901=3), ""),
        (MUGS.despatched(L901=1), ""),
    ],
)
def test_units_beyond_what_was_asked_are_reported(goods_out: GoodsOutBuilder, said: str) -> None:
    found = says(after_release.over_despatched, released().clarus(goods_out, HATS))
    assert found == ([(CaseCode.OVER_DESPATCHED, G1, said)] if said else [])


def kits(*parts: tuple[str, str, int, int, int]) -> GoodsOutBuilder:
    """Components as (line, product, asked, of each in one, left)."""
    goods_out = a_goods_out(G1)
    for line, sku, asked, each, left in parts:
        goods_out = goods_out.with_part(line, sku, asked, each=each, left=left)
    return goods_out


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((("901", "CUP", 4, 2, 0), ("901", "POT", 2, 1, 0)), []),
        ((("901", "CUP", 4, 2, 4), ("901", "POT", 2, 1, 2)), []),
        ((("901", "CUP", 4, 2, 2), ("901", "POT", 2, 1, 1)), []),
        ((("901", "CUP", 4, 2, 4), ("901", "POT", 2, 1, 0)), [("line 901", "2 left in part, lacking POT")]),
        ((("901", "CUP", 4, 2, 1), ("901", "POT", 2, 1, 1)), [("line 901", "1 left in part, lacking CUP, POT")]),
        (
            (("902", "TIN", 1, 1, 0), ("902", "TEA", 1, 1, 1), ("901", "POT", 2, 1, 0), ("901", "CUP", 4, 2, 3)),
            [("line 901", "2 left in part, lacking CUP, POT"), ("line 902", "1 left in part, lacking TIN")],
        ),
    ],
)
def test_bundles_that_left_in_part(
    parts: tuple[tuple[str, str, int, int, int], ...], said: list[tuple[str, str]]
) -> None:
    story = Story(a_brand(bundles=[SET])).shopify(an_order().with_line("SET", 2).routed("71"))
    story.applied(story.one(CreateGoodsOut)).clarus(kits(*parts))
    assert says(after_release.half_a_kit, story) == [
        (CaseCode.HALF_A_KIT, f"{G1} {about}", words) for about, words in said
    ]  # fmt: skip


# --- told


def told(*, units: int = 3) -> Story:
    story = released().clarus(MUGS.despatched(L901=units, whole=units == 3), HATS)
    sale = an_erp_order().with_line("901", "MUG", 3).with_line("902", "HAT", 2)
    story.applied(story.one(UpsertErpOrder), "77").erp(sale).erp(sale.fulfilment(G1, L901=units))
    story.applied(story.one(CreateFulfilment), "801")
    return story.shopify(ROUTED.fulfilled("801", L901=units, numbers=("T1",)))


def test_what_was_told_and_has_not_left_is_a_case() -> None:
    assert says(after_release.undespatched, told()) == []
    assert says(after_release.undespatched, told().clarus(MUGS.despatched(L901=1), HATS)) == [
        (CaseCode.UNDESPATCHED, G1, "2 units told, taken back"),
    ]  # fmt: skip
    twice = told(units=2).shopify(
        ROUTED.fulfilled("801", L901=2, numbers=("T1",)).fulfilled("802", L901=1, numbers=("T1",))
    )
    assert says(after_release.undespatched, twice) == [(CaseCode.UNDESPATCHED, G1, "1 units told, not despatched")]


# --- changed


@pytest.mark.parametrize(
    ("case", "order", "found"),
    [
        ("as it was", ROUTED, {}),
        ("held", ROUTED.on_hold("71"), {G1: "3 units in LDS1"}),
        ("moved to the other place", ROUTED.closed("71").routed("73", to="12", L901=3), {G1: "3 units in LDS1"}),
        (
            "moved to a place that is nobody's",
            ROUTED.closed("71").routed("73", to="99", L901=3),
            {G1: "3 units in LDS1"},
        ),
        ("to be fetched", ROUTED.fulfilment_order("71", method="PICK_UP"), {G1: "3 units in LDS1"}),
        ("one refunded", ROUTED.refunded(L901=1), {G1: "1 units in LDS1"}),
        ("split in place", ROUTED.routed("71", L901=1).routed("73", L901=2), {}),
        ("the other held", ROUTED.on_hold("72"), {G2: "2 units in MAN1"}),
        ("cancelled", ROUTED.cancelled(), {}),
    ],
)
def test_what_the_warehouse_works_on_must_still_be_wanted_there(
    case: str, order: OrderBuilder, found: dict[str, str]
) -> None:
    story = released().clarus(MUGS.picking(), HATS.picking()).shopify(order)
    assert {about: words[: len(found[about])] for _, about, words in says(after_release.changed, story)} == found, case


def test_another_address_is_a_case_once_picking_has_begun() -> None:
    address = THREE.order.personal.ship_to
    assert address is not None
    moved = ROUTED.shipping_to(address.model_copy(update={"line1": "9 Mill Lane"}))
    begun = released().clarus(MUGS.picking(), HATS.picking()).shopify(moved)
    assert [about for _, about, _ in says(after_release.changed, begun)] == [f"{G1} address", f"{G2} address"]
    untouched = released().shopify(moved)
    assert says(after_release.changed, untouched) == [], "it is replaced"
    assert len(untouched.sent(CancelGoodsOut)) == 2


def test_what_has_left_takes_its_room_first() -> None:
    """Two goods-outs for one line; its fulfilment order is closed after two have left: the other is one too many."""
    order = an_order().with_line("MUG", 3).routed("71", L901=1).routed("72", L901=2)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    first, second = (
        a_goods_out(G1).with_line("901", "MUG", 1).picking(),
        a_goods_out(G2, "9002").with_line("901", "MUG", 2),
    )
    story.clarus(first, second.despatched()).shopify(order.closed("71"))
    assert [(about, words[:7]) for _, about, words in says(after_release.changed, story)] == [(G1, "1 units")]


# --- gone


def test_an_order_that_shopify_lost_while_the_warehouse_has_it() -> None:
    assert says(after_release.gone, released()) == []
    assert says(after_release.gone, released().shopify(None)) == [(CaseCode.ORDER_GONE, "5012", "2 goods-outs")]
    assert says(after_release.gone, Story().shopify(None)) == []


# --- by hand


def test_a_fulfilment_made_by_hand_is_named_with_its_units() -> None:
    story = released().shopify(ROUTED.fulfilled("805", L901=2))
    assert says(told_otherwise, story) == [
        (CaseCode.FULFILLED_BY_HAND, "fulfilment #1042-F805", "2 units without the warehouse's tracking"),
    ]  # fmt: skip


def test_one_without_a_name_is_named_by_its_id() -> None:
    order = ROUTED.fulfilled("805", L901=2)
    [fulfilment] = order.order.fulfilments
    nameless = order._with(fulfilments=(fulfilment.model_copy(update={"name": ""}),))
    assert says(told_otherwise, released().shopify(nameless))[0][1] == "fulfilment 805"


def test_one_of_which_a_part_is_in_the_warehouses_care_is_named_whole() -> None:
    order = THREE.routed("71", L901=3)
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut)).clarus(MUGS)
    both = THREE.routed("71", L901=3, L902=2).fulfilled("805", L901=1, L902=2)
    assert [words[:7] for *_, words in says(told_otherwise, story.shopify(both))] == ["3 units"]
    outside = Story().shopify(order)
    outside.applied(outside.one(CreateGoodsOut)).clarus(MUGS)
    outside.shopify(THREE.routed("71", L901=3).routed("72", to="99", L902=2).fulfilled("805", of="72", L902=2))
    assert says(told_otherwise, outside) == [], "the warehouse was never asked for it"


def test_ours_cancelled_by_hand_and_others_cancelled() -> None:
    back = ROUTED.fulfilled("801", L901=3, numbers=("T1",), cancelled=True)
    assert says(told_otherwise, told().shopify(back)) == [(CaseCode.RESHIP, "fulfilment #1042-F801", "cancelled")]
    strangers = released().shopify(ROUTED.fulfilled("805", L901=2, cancelled=True))
    assert says(told_otherwise, strangers) == []


def test_units_told_by_hand_are_not_told_again_unless_a_person_says_they_are_others() -> None:
    story = released().shopify(ROUTED.fulfilled("805", L901=2))
    assert story.state.shopify is not None
    assert warehouse_units_told_by_hand(story.state, story.state.shopify, a_brand()) == {"901": 2}
    story.operator("close", CaseCode.FULFILLED_BY_HAND)
    assert story.state.shopify is not None
    assert warehouse_units_told_by_hand(story.state, story.state.shopify, a_brand()) == {}


def test_those_the_warehouse_was_never_asked_for_do_not_count() -> None:
    """Three mugs, one of them asked of the warehouse: two told by hand were others'."""
    order = THREE.routed("71", L901=1).routed("73", to="99", L901=2)
    story = Story().shopify(order)
    story.applied(story.one(CreateGoodsOut)).clarus(a_goods_out(G1).with_line("901", "MUG", 1))
    story.shopify(order.fulfilled("805", of="73", L901=2))
    assert story.state.shopify is not None
    assert warehouse_units_told_by_hand(story.state, story.state.shopify, a_brand()) == {}
    story.shopify(order.fulfilled("805", of="73", L901=2).fulfilled("806", of="71", L901=1))
    assert story.state.shopify is not None
    assert warehouse_units_told_by_hand(story.state, story.state.shopify, a_brand()) == {"901": 1}


def test_a_goods_out_that_ended_clean_was_asked_for_what_left_only() -> None:
    story = released().clarus(MUGS.status(GoodsOutStatus.CANCELLED), HATS).shopify(ROUTED.fulfilled("805", L901=2))
    assert story.state.shopify is not None
    assert warehouse_units_told_by_hand(story.state, story.state.shopify, a_brand()) == {}


def test_what_a_telling_in_flight_may_just_have_made_is_nobodys_yet() -> None:
    story = released().clarus(MUGS.despatched(), HATS)
    sale = an_erp_order().with_line("901", "MUG", 3).with_line("902", "HAT", 2)
    story.applied(story.one(UpsertErpOrder), "77").erp(sale.fulfilment(G1, L901=3))
    assert story.one(CreateFulfilment)
    story.shopify(ROUTED.fulfilled("805", L901=1))
    assert story.state.shopify is not None
    assert by_hand(story.state, story.state.shopify, a_brand()) == ()
    story.ended(story.one(CreateFulfilment), OutcomeKind.REJECTED, code="odd")
    assert story.state.shopify is not None
    assert [one.id for one in by_hand(story.state, story.state.shopify, a_brand())] == ["805"]


def test_of_an_order_nobody_has_paid_nothing_is_said_here() -> None:
    story = Story().shopify(ROUTED.paid(FinancialStatus.PENDING))
    for rule in (
        after_release.missing, after_release.not_despatched, after_release.short_closed, after_release.over_despatched,
        after_release.half_a_kit, after_release.undespatched, after_release.changed, after_release.gone,
        after_release.unreadable, told_otherwise,
    ):  # fmt: skip
        assert says(rule, story) == []


# --- what we take back ourselves


@pytest.mark.parametrize(
    ("rule", "order", "code", "why"),
    [
        (cancelled, ROUTED.cancelled(), CaseCode.CANCELLED_AFTER_RELEASE, "order cancelled, the cancel"),
        (edited, ROUTED.refunded(L901=1, L902=1), CaseCode.CHANGED_AFTER_RELEASE, "order edited, the cancel"),
    ],
)
def test_what_nobody_has_begun_is_cancelled_and_waited_for(
    rule: Rule, order: OrderBuilder, code: CaseCode, why: str
) -> None:
    story = released().shopify(order)
    found = list(rule(story.state, story.config))
    assert [one.object for one in found if isinstance(one, Wanted)] == [f"cancel:{G1}", f"cancel:{G2}"]
    waited = [one for one in found if isinstance(one, Waiting)]
    assert [(one.name, one.code, one.object) for one in waited] == [
        (f"cancel:{G1}", code, G1),
        (f"cancel:{G2}", code, G2),
    ]
    assert all(one.detail.startswith(why) and one.read == (System.CLARUS,) and one.after == 900 for one in waited)


def test_what_somebody_has_begun_is_a_persons() -> None:
    story = released().clarus(MUGS.picking(), HATS.despatched()).shopify(ROUTED.cancelled())
    assert says(cancelled, story) == [
        (CaseCode.CANCELLED_AFTER_RELEASE, G1, "order cancelled, and somebody has begun on the goods-out"),
    ]  # fmt: skip


def test_an_edit_replaces_as_many_as_are_too_many_and_no_more() -> None:
    """Two goods-outs of one line, two units each; of four units two are refunded: one of them goes."""
    order = an_order().with_line("MUG", 4).routed("71", L901=2).routed("72", L901=2)
    story = Story().shopify(order)
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    one, two = a_goods_out(G1).with_line("901", "MUG", 2), a_goods_out(G2, "9002").with_line("901", "MUG", 2)
    story.clarus(one, two)
    assert says(edited, story) == []
    story.shopify(order.refunded(L901=2))
    assert [about for _, about, _ in says_waiting(edited, story)] == [G1]


def says_waiting(rule: Rule, story: Story) -> list[tuple[str | None, str, str]]:
    return [(one.code, one.object, one.detail) for one in waits(rule, story)]


def test_a_goods_out_we_did_not_make_is_not_replaced_for_its_address() -> None:
    address = THREE.order.personal.ship_to
    assert address is not None
    moved = ROUTED.shipping_to(address.model_copy(update={"line1": "9 Mill Lane"}))
    story = Story().clarus(MUGS, HATS).shopify(moved)
    assert list(edited(story.state, story.config)) == []
    assert list(edited(released().shopify(ROUTED.shipping_to(None)).state, a_brand())) == [], "no address is no new one"


# --- one thing is not another


def test_what_a_person_gave_up_is_missed_no_more_though_a_part_of_it_left() -> None:
    left = MUGS.despatched(L901=1, whole=False)
    story = released().clarus(left, HATS).clarus(HATS).clarus(HATS).operator("release_again", G1)
    assert says(after_release.missing, story) == []


def test_that_another_question_about_it_is_closed_does_not_settle_that_it_is_gone() -> None:
    beyond = MUGS.despatched(L901=5, whole=False)
    story = released().clarus(beyond, HATS).operator("close", CaseCode.OVER_DESPATCHED, object=G1)
    story.clarus(HATS).clarus(HATS)
    assert [one.code for one in story.state.closed_by_person] == [CaseCode.OVER_DESPATCHED]
    assert [one.reference for one in after_release.undecided(story.state)] == [G1]


def test_while_clarus_is_doubted_cases_stay_and_none_is_added() -> None:
    """One was missing before; the other, of which another case is open, is gone now."""
    beyond = HATS.despatched(L902=5, whole=False)
    story = released().clarus(MUGS, beyond).clarus(beyond).clarus(beyond)
    assert story.open_cases >= {CaseCode.GOODS_OUT_MISSING, CaseCode.OVER_DESPATCHED}
    story.clarus().clarus()
    before = tuple(case for case in story.state.cases if (case.code, case.object) != (CaseCode.GOODS_OUT_MISSING, G2))
    doubted = story.state.model_copy(update={"clarus_doubted": True, "cases": before})
    found = [_said(one)[:2] for one in after_release.missing(doubted, story.config)]
    assert found == [(CaseCode.GOODS_OUT_MISSING, G1), (None, G2)]


def test_another_address_is_nothing_to_one_that_has_left() -> None:
    address = THREE.order.personal.ship_to
    assert address is not None
    moved = ROUTED.shipping_to(address.model_copy(update={"line1": "9 Mill Lane"}))
    story = released().clarus(MUGS.despatched(), HATS.picking()).shopify(moved)
    assert [about for _, about, _ in says(after_release.changed, story)] == [f"{G2} address"]


def test_one_that_was_given_up_and_is_opened_again_in_clarus_is_not_waited_for() -> None:
    story = released().clarus(MUGS.despatched(L901=1), HATS).operator("release_again", G1)
    story.clarus(MUGS.despatched(L901=1, whole=False), HATS)
    assert [about for _, about, _ in says(after_release.not_despatched, story)] == [G2]


def test_only_who_closes_that_very_question_says_that_units_told_by_hand_are_others() -> None:
    story = released().shopify(ROUTED.fulfilled("805", L901=2))
    other = Closed(code=CaseCode.ORPHAN_FULFILMENT, object="fulfilment #1042-F805", detail="")
    state = story.state.model_copy(update={"closed_by_person": (other,)})
    assert state.shopify is not None
    assert warehouse_units_told_by_hand(state, state.shopify, a_brand()) == {"901": 2}
