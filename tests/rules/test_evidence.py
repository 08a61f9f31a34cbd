"""What is known of an order, and from what: answers in any order, twice, unreadable, older, or of strangers."""

import pytest

from schemas.base import GoodsOutId, System
from schemas.cases import CaseCode
from schemas.commands import CancelGoodsOut, CreateGoodsOut
from schemas.events import OrderListed, Source
from schemas.goods_outs import GoodsOutStatus
from streams.rules.orders.absorb import reach
from streams.rules.orders.repeated import is_repeated
from streams.rules.orders.state import Reached
from tests.builders import GoodsOutBuilder, a_goods_out, an_erp_order, an_order
from tests.story import Story

G1, G2 = "ACME-5012-71-1", "ACME-5012-72-1"
TWO = an_order().with_line("MUG", 2).routed("71")
IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 2)
PICKED_UP = GoodsOutStatus.PICK
LEFT, PARTLY = IN_CLARUS.despatched(), IN_CLARUS.despatched(whole=False, L901=1)


def released() -> Story:
    story = Story().shopify(TWO)
    return story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)


def saying(story: Story, code: CaseCode) -> list[tuple[str, str]]:
    return [(case.object, case.detail) for case in story.cases.values() if case.code is code and case.open]


def test_an_answer_nobody_understands_is_a_case_until_that_system_gives_a_better_one() -> None:
    story = Story().shopify(TWO).unreadable(System.CLARUS)
    assert saying(story, CaseCode.SNAPSHOT_UNREADABLE) == [("5012 in clarus", "id: expected text")]
    story.shopify(TWO).erp(None)
    assert CaseCode.SNAPSHOT_UNREADABLE in story.open_cases, "what others say does not mend it"
    assert CaseCode.SNAPSHOT_UNREADABLE not in story.clarus().open_cases


def test_of_two_systems_each_has_its_own() -> None:
    story = Story().unreadable(System.ERP).unreadable(System.CLARUS).unreadable(System.ERP)
    assert [one.system for one in story.state.unreadable] == [System.CLARUS, System.ERP]
    assert [one.system for one in story.erp(None).state.unreadable] == [System.CLARUS]


HERE = Source(topic="raw.clarus", cluster="a", partition=3, offset=7)
ELSEWHERE = (
    Source(topic="raw.erp", cluster="a", partition=3, offset=7),
    Source(topic="raw.clarus", cluster="b", partition=3, offset=7),
    Source(topic="raw.clarus", cluster="a", partition=4, offset=7),
)


@pytest.mark.parametrize("other", ELSEWHERE, ids=["topic", "cluster", "partition"])
def test_how_far_a_source_was_read_counts_by_topic_cluster_and_partition(other: Source) -> None:
    seen = reach(reach((), HERE), other)
    assert len(seen) == 2
    assert reach(reach((), other), HERE) == seen, "in an order of their own"
    assert is_repeated(seen, HERE)
    assert is_repeated(seen, other)
    assert not is_repeated(reach((), HERE), other)
    further = reach(seen, HERE.model_copy(update={"offset": 9}))
    assert len(further) == 2
    assert Reached(topic="raw.clarus", cluster="a", partition=3, offset=9) in further


def test_what_was_reached_elsewhere_stays_as_one_source_is_read_on() -> None:
    seen: tuple[Reached, ...] = ()
    for source in (HERE, *ELSEWHERE):
        seen = reach(seen, source)
    for source in (HERE, *ELSEWHERE):
        further = reach(seen, source.model_copy(update={"offset": 9}))
        assert [(one.topic, one.cluster, one.partition) for one in further] == [
            (one.topic, one.cluster, one.partition) for one in seen
        ]
        assert [one.offset for one in further] == [9 if one.is_of(source) else 7 for one in seen]


@pytest.mark.parametrize(("offset", "repeated"), [(6, True), (7, True), (8, False)])
def test_a_record_at_or_below_the_reached_one_was_folded(offset: int, repeated: bool) -> None:
    assert is_repeated(reach((), HERE), HERE.model_copy(update={"offset": offset})) is repeated


def test_a_tick_has_no_source() -> None:
    assert reach((), None) == ()
    assert not is_repeated(reach((), HERE), None)


def test_an_order_that_was_gone_and_is_there_again_is_sent() -> None:
    story = Story().shopify(TWO.paid(TWO.order.financial_status)).shopify(None)
    assert story.state.shopify_gone
    back = Story().shopify(None).shopify(TWO)
    assert not back.state.shopify_gone
    assert back.quantities == [{"901": 2}]


def test_an_erp_without_the_order_does_not_unsay_what_it_showed() -> None:
    story = Story().shopify(TWO)
    assert not story.state.erp_read
    assert story.erp(None).state.erp_read
    story.erp(an_erp_order().with_line("901", "MUG", 2)).erp(None)
    assert story.state.erp is not None


@pytest.mark.parametrize(("complete", "read"), [(True, True), (False, False)])
def test_clarus_was_read_when_it_showed_all(complete: bool, read: bool) -> None:
    story = Story().clarus(complete=complete)
    assert story.state.clarus_read is read
    assert story.clarus(complete=False).state.clarus_read is read, "once is enough"


def test_a_goods_out_of_an_order_nobody_knows_has_shopify_read_once() -> None:
    story = Story().clarus(IN_CLARUS)
    assert story.reads == [System.SHOPIFY]
    assert story.clarus(IN_CLARUS).reads == [System.SHOPIFY], "nothing new"
    assert story.clarus(IN_CLARUS.picking()).reads == [System.SHOPIFY] * 2
    story.shopify(None)
    count = story.reads.count(System.SHOPIFY)
    assert story.clarus(IN_CLARUS.despatched()).reads.count(System.SHOPIFY) == count, "it is gone, and we know"


def test_nothing_is_read_for_an_order_that_is_known_and_shown() -> None:
    story = released()
    story.reads.clear()
    assert story.clarus(IN_CLARUS.picking()).reads == []


def test_the_first_absence_has_clarus_read_again_and_the_second_is_believed() -> None:
    story = released()
    story.reads.clear()
    assert story.clarus(complete=False).state.goods_outs[0].absent == 0, "it may not have shown all"
    assert story.clarus().reads == [System.CLARUS]
    assert story.state.goods_outs[0].missing_at is None
    story.clarus()
    since = story.state.goods_outs[0].missing_at
    assert since == story.state.now
    assert story.clarus().state.goods_outs[0].missing_at == since
    assert story.state.goods_outs[0].absent == 2
    assert story.clarus(IN_CLARUS).state.goods_outs[0].missing_at is None


def test_goods_outs_stand_in_the_order_of_their_references() -> None:
    late, early = a_goods_out(G2, "9002").with_line("902", "HAT"), IN_CLARUS
    for shown in ((late, early), (early, late)):
        assert [one.reference for one in Story().clarus(*shown).state.goods_outs] == [G1, G2]
    assert [one.reference for one in Story().clarus(late).clarus(late, early).state.goods_outs] == [G1, G2]


def doubled(*ids: tuple[str, GoodsOutStatus]) -> list[GoodsOutBuilder]:
    return [IN_CLARUS.as_id(id_).status(status) for id_, status in ids]


@pytest.mark.parametrize(
    ("shown", "kept", "doubles"),
    [
        (doubled(("9002", PICKED_UP), ("9001", PICKED_UP)), "9001", ("9002",)),
        (doubled(("9003", PICKED_UP), ("9001", PICKED_UP), ("9002", PICKED_UP)), "9001", ("9002", "9003")),
        (doubled(("10001", PICKED_UP), ("9002", PICKED_UP)), "9002", ("10001",)),
        (doubled(("9001", GoodsOutStatus.CANCELLED), ("9002", PICKED_UP)), "9002", ()),
        (doubled(("9001", GoodsOutStatus.CANCELLED), ("9002", GoodsOutStatus.COMPLETED)), "9001", ()),
        ([*doubled(("9001", GoodsOutStatus.CANCELLED)), LEFT.as_id("9002")], "9002", ()),
        ([*doubled(("9001", PICKED_UP)), LEFT.as_id("9002")], "9002", ("9001",)),
        ([*doubled(("9001", PICKED_UP)), PARTLY.as_id("9002")], "9002", ("9001",)),
        ([LEFT.as_id("9002"), LEFT.as_id("9001")], "9001", ("9002",)),
    ],
    ids=[
        "the older", "of three", "by number", "the one that is alive", "both ended", "the one that left",
        "left before alive", "begun to leave", "both left",
    ],
)  # fmt: skip
def test_of_goods_outs_under_one_reference_one_is_kept(
    shown: list[GoodsOutBuilder], kept: str, doubles: tuple[str, ...]
) -> None:
    for order in (shown, shown[::-1]):
        [known] = Story().clarus(*order).state.goods_outs
        assert (known.goods_out.id, known.doubles) == (kept, doubles)


def test_the_one_we_know_stays_the_one_and_when_it_is_gone_the_next_is() -> None:
    first, second, third = doubled(("9003", PICKED_UP), ("9001", PICKED_UP), ("9002", GoodsOutStatus.CANCELLED))
    story = Story().clarus(first)
    assert [one.goods_out.id for one in story.clarus(third, second, first).state.goods_outs] == ["9003"]
    assert story.state.goods_outs[0].doubles == (GoodsOutId("9001"),)
    assert [one.goods_out.id for one in story.clarus(third, second).state.goods_outs] == ["9001"]
    assert not story.state.goods_outs[0].doubles


def test_the_one_we_know_stays_the_one_while_anything_may_come_of_it() -> None:
    ours, other = doubled(("9002", PICKED_UP), ("9001", PICKED_UP))
    story = released().clarus(ours.as_id("9001"))
    story.clarus(ours.as_id("9001"), LEFT.as_id("9000"))
    [known] = story.state.goods_outs
    assert (known.goods_out.id, known.doubles) == ("9001", ("9000",))
    story.clarus(other.status(GoodsOutStatus.CANCELLED), LEFT.as_id("9000"))
    [known] = story.state.goods_outs
    assert (known.goods_out.id, known.doubles) == ("9000", ())


def test_of_doubles_those_that_may_still_leave_are_kept_whole() -> None:
    left, open_ = LEFT.as_id("9002"), PARTLY.as_id("9003")
    [known] = released().clarus(IN_CLARUS, left, open_).state.goods_outs
    assert known.doubles == ("9002", "9003")
    assert known.open_doubles == (open_.goods_out,)


def test_a_double_that_left_is_a_case_that_a_person_closes() -> None:
    story = released().clarus(LEFT, LEFT.as_id("9002"))
    assert saying(story, CaseCode.UNKNOWN_GOODS_OUT) == [
        (f"{G1} twice", "goods-outs 9002 bear the same reference as 9001")
    ]
    story.operator("close", CaseCode.UNKNOWN_GOODS_OUT, object=f"{G1} twice")
    assert not saying(story.clarus(LEFT, LEFT.as_id("9002")), CaseCode.UNKNOWN_GOODS_OUT)


def test_when_ours_is_cancelled_instead_of_the_double_nothing_is_asked_for_a_third_time() -> None:
    double = IN_CLARUS.as_id("9002").status(PICKED_UP)
    story = released().clarus(IN_CLARUS, double)
    story.clarus(IN_CLARUS.status(GoodsOutStatus.CANCELLED), double)
    assert len(story.sent(CreateGoodsOut)) == 1, "the double leaves in its place"
    [known] = story.state.goods_outs
    assert (known.goods_out.id, known.doubles) == ("9002", ())
    assert not saying(story, CaseCode.UNKNOWN_GOODS_OUT)


def test_that_we_cancelled_ours_is_not_said_of_the_double() -> None:
    story = released().shopify(TWO.cancelled())
    story.applied(story.one(CancelGoodsOut)).clarus(
        IN_CLARUS.status(GoodsOutStatus.CANCELLED), IN_CLARUS.as_id("9002").status(PICKED_UP)
    )
    [known] = story.state.goods_outs
    assert (known.goods_out.id, known.cancelled_by_us, known.gone) == ("9002", False, False)


def test_when_a_despatch_grew_is_kept_and_so_is_the_most_that_ever_left() -> None:
    story = released()
    assert story.state.goods_outs[0].despatch_seen_at is None
    story.clarus(IN_CLARUS.despatched(L901=1, whole=False))
    seen = story.state.goods_outs[0].despatch_seen_at
    assert seen == story.state.now
    assert story.clarus(IN_CLARUS.despatched(L901=1, whole=False)).state.goods_outs[0].despatch_seen_at == seen
    story.clarus(IN_CLARUS)
    assert (story.state.goods_outs[0].despatch_seen_at, story.state.goods_outs[0].most_despatched) == (seen, 1)
    assert story.clarus(IN_CLARUS.despatched()).state.goods_outs[0].despatch_seen_at == story.state.now
    assert story.state.goods_outs[0].most_despatched == 2


@pytest.mark.parametrize(
    ("reference", "fulfilment_order", "generation"),
    [("ACME-5012-71-3", "71", 3), ("by hand", "", 0)],
)
def test_a_goods_out_we_did_not_make_is_read_by_its_reference(
    reference: str, fulfilment_order: str, generation: int
) -> None:
    [known] = Story().clarus(a_goods_out(reference).with_line("901", "MUG")).state.goods_outs
    assert (known.fulfilment_order, known.generation) == (fulfilment_order, generation)


def test_a_list_of_an_older_sweep_than_the_newest_asks_for_nothing() -> None:
    story = released()
    newer, older = story.at.replace(hour=18), story.at.replace(hour=15)
    for sweep in (newer, older, newer):
        story._event(OrderListed(**story._head("raw.erp"), system=System.ERP, sweep=sweep))
    assert story.state.comparison is not None
    assert story.state.comparison.sweep == newer
    assert story.reads.count(System.ERP) == Story().shopify(TWO).reads.count(System.ERP) + 1


def test_an_older_epoch_is_read_again_and_not_believed() -> None:
    story = Story().shopify(TWO, epoch=3).erp(None, epoch=3).clarus(epoch=3)
    story.reads.clear()
    story.shopify(TWO.cancelled(), epoch=2).clarus(IN_CLARUS, epoch=2).erp(an_erp_order(), epoch=2)
    assert story.reads == [System.SHOPIFY, System.CLARUS, System.ERP]
    assert story.state.shopify == TWO.order
    assert (story.state.goods_outs, story.state.erp) == ((), None)


def test_clarus_is_asked_again_when_any_of_several_is_newly_absent() -> None:
    story = Story().shopify(an_order().with_line("MUG", 2).routed("71", L901=1).routed("72", L901=1))
    for create, id_ in zip(story.sent(CreateGoodsOut), ("9001", "9002"), strict=True):
        story.applied(create, id_)
    one, two = a_goods_out(G1).with_line("901", "MUG", 1), a_goods_out(G2, "9002").with_line("901", "MUG", 1)
    story.clarus(one, two).clarus(two)
    story.reads.clear()
    story.clarus()
    assert story.reads == [System.CLARUS], "the second is absent for the first time"
    story.reads.clear()
    assert story.clarus().reads == []


def test_the_sweep_awaits_each_system_once() -> None:
    story = Story().shopify(TWO)
    story._event(OrderListed(**story._head("raw.erp"), system=System.ERP, sweep=story.at))
    story.erp(None)
    assert story.state.comparison is not None
    assert set(story.state.comparison.awaited) == {System.SHOPIFY, System.CLARUS}
    story.erp(an_erp_order())
    assert set(story.state.comparison.awaited) == {System.SHOPIFY, System.CLARUS}
