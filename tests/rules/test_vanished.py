"""Many goods-outs gone at once: absence is not believed, nothing is created, one case; then on as before."""

from schemas.cases import CaseCode
from schemas.commands import CreateGoodsOut
from streams.agents.orders import OrdersFold
from streams.agents.vanished import MANY
from tests.builders import GoodsOutBuilder, OrderBuilder, a_goods_out, an_order
from tests.story import Story, refold

ORDERS = [str(6000 + number) for number in range(MANY + 3)]


def order(id_: str) -> OrderBuilder:
    return an_order(id_).with_line("MUG", 1).routed("71")


def goods_out(id_: str) -> GoodsOutBuilder:
    return a_goods_out(f"ACME-{id_}-71-1", id_).with_line("901", "MUG", 1)


def all_released() -> Story:
    story = Story()
    for id_ in ORDERS:
        story.about(id_).shopify(order(id_))
        story.applied(story.sent(CreateGoodsOut)[-1], id_).clarus(goods_out(id_))
    return story


def vanish(story: Story, ids: list[str]) -> Story:
    for id_ in ids:
        story.about(id_).clarus().clarus()
    return story


def open_of(story: Story, code: CaseCode) -> list[str]:
    return sorted(case.object for case in story.cases.values() if case.code is code and case.open)


def test_many_vanished_at_once() -> None:
    story = vanish(all_released(), ORDERS)
    assert open_of(story, CaseCode.CLARUS_RIGHTS_LOST) == ["~missing-0"]
    assert len(open_of(story, CaseCode.GOODS_OUT_MISSING)) == MANY, "the others are covered by the one case"
    created = len(story.sent(CreateGoodsOut))
    story.about("7000").shopify(order("7000")).later(hours=1)
    assert len(story.sent(CreateGoodsOut)) == created, "nothing is created meanwhile"

    for id_ in ORDERS:
        story.about(id_).clarus(goods_out(id_))
    assert open_of(story, CaseCode.CLARUS_RIGHTS_LOST) == []
    assert open_of(story, CaseCode.GOODS_OUT_MISSING) == []
    story.about("7000").clarus()
    assert story.sent(CreateGoodsOut)[-1].order == "7000"
    assert len(story.sent(CreateGoodsOut)) == created + 1


def test_a_few_are_each_their_own_case() -> None:
    story = vanish(all_released(), ORDERS[: MANY - 1])
    assert open_of(story, CaseCode.CLARUS_RIGHTS_LOST) == []
    assert len(open_of(story, CaseCode.GOODS_OUT_MISSING)) == MANY - 1


def test_as_many_over_a_day_are_each_their_own_case() -> None:
    story = all_released()
    for id_ in ORDERS:
        vanish(story, [id_]).later(minutes=11)
    assert open_of(story, CaseCode.CLARUS_RIGHTS_LOST) == []
    assert len(open_of(story, CaseCode.GOODS_OUT_MISSING)) == len(ORDERS)


def test_a_person_who_releases_them_again_ends_the_doubt() -> None:
    story = vanish(all_released(), ORDERS)
    for id_ in ORDERS:
        story.about(id_).operator("release_again", f"ACME-{id_}-71-1").later(hours=2)
    assert open_of(story, CaseCode.CLARUS_RIGHTS_LOST) == []
    again = [create.reference for create in story.sent(CreateGoodsOut)[len(ORDERS) :]]
    assert sorted(again) == [f"ACME-{id_}-71-2" for id_ in ORDERS]


def test_the_doubt_survives_a_restart_and_a_replay() -> None:
    story = vanish(all_released(), ORDERS)
    fold = OrdersFold(0)
    for key, value in story.changelog.items():
        fold.restore(key, value)
    fold.restored()
    story.fold = fold
    created = len(story.sent(CreateGoodsOut))
    story.about("7000").shopify(order("7000"))
    assert len(story.sent(CreateGoodsOut)) == created
    assert {change.key: change.value for change in refold(story.log)[0]} == story.changelog
