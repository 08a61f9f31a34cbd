"""What a person is told of a difference: situations in which several things are true of an order, and the one named."""

from collections.abc import Callable

import pytest

from schemas.base import System
from schemas.commands import CreateFulfilment, CreateGoodsOut, PostFulfilment, UpsertErpOrder, system_of
from schemas.events import OrderListed
from schemas.orders import FinancialStatus
from schemas.outcomes import OutcomeKind
from schemas.sweep import Cause, Difference
from tests.builders import ErpBuilder, GoodsOutBuilder, OrderBuilder, a_brand, a_goods_out, an_erp_order, an_order
from tests.rules.test_drift import G1, IN_CLARUS, LEFT, POSTED, ROUTED, SALE, THREE, Found, released, swept
from tests.story import Story

UNPAID = ROUTED.paid(FinancialStatus.PENDING)
ON_HOLD = ROUTED.on_hold("71")
IN_TWO = THREE.routed("71", L901=2).routed("72", L901=1)
TWO_IN_CLARUS = a_goods_out(G1).with_line("901", "MUG", 2)
SWAPPED = an_order().with_line("MUG", 3).with_line("HAT", 2).refunded(L901=2).routed("71", L901=1, L902=2)
WITH_JUG = a_goods_out(G1).with_line("901", "MUG", 3).with_line("", "JUG")
HALF_A_KIT = (
    a_goods_out(G1).with_part("901", "CUP", 3, each=1, left=3).with_part("901", "SAUCER", 3, each=1, left=2).picking()
)
ONE_LEFT = IN_CLARUS.despatched(L901=1)
ONE_POSTED = SALE.fulfilment(G1, L901=1)
ONE_TOLD = ROUTED.fulfilled("801", L901=1, numbers=("T1",))
NO_NUMBER = IN_CLARUS.despatched(tracking=("",))
NEVER_MADE = "ACME-5012-99-1"


def ordered(order: OrderBuilder = ROUTED) -> Story:
    return Story().shopify(order)


def in_the_warehouse() -> Story:
    story = ordered()
    return story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)


def refused(
    story: Story, kind: type[CreateGoodsOut | UpsertErpOrder | PostFulfilment | CreateFulfilment], code: str
) -> Story:
    return story.ended(story.one(kind), OutcomeKind.REJECTED, code=code)


def refused_and_paused(
    story: Story, kind: type[CreateGoodsOut | UpsertErpOrder | CreateFulfilment], code: str
) -> Story:
    """Refused; then somebody paused the brand for that system."""
    return refused(story, kind, code).configured(paused=[system_of(story.one(kind))])


def left(goods_out: GoodsOutBuilder = LEFT, posted: ErpBuilder = POSTED, story: Story | None = None) -> Story:
    """It left, and the ERP has posted it."""
    story = (story or released()).clarus(goods_out)
    return story.applied(story.one(PostFulfilment)).erp(posted)


def one_of_three_left(story: Story | None = None) -> Story:
    return left(ONE_LEFT, ONE_POSTED, story)


def and_told(story: Story) -> Story:
    """Shopify took the fulfilment."""
    return story.applied(story.one(CreateFulfilment), "801")


def let_go_unpaid() -> Story:
    """A person overrode that it is not paid."""
    story = ordered(UNPAID).operator("override", "payment_not_met")
    story.applied(story.one(CreateGoodsOut)).clarus(IN_CLARUS)
    return story.applied(story.one(UpsertErpOrder), "77").erp(SALE)


@pytest.mark.parametrize(
    ("case", "story", "order", "erp", "goods_outs", "what", "found"),
    [
        # --- refused, though nothing is written there any more
        (
            "the warehouse refused it", lambda: refused_and_paused(ordered(), CreateGoodsOut, "odd"), ROUTED, None, (),
            Difference.WAREHOUSE_LACKS, (3, Cause.REFUSED),
        ),
        (
            "the ERP refused the sales order",
            lambda: refused_and_paused(in_the_warehouse(), UpsertErpOrder, "odd"), ROUTED, None, (IN_CLARUS,),
            Difference.ERP_LACKS, (3, Cause.REFUSED),
        ),
        (
            "the ERP does not know the product",
            lambda: refused_and_paused(in_the_warehouse(), UpsertErpOrder, "unknown_sku"), ROUTED, None, (IN_CLARUS,),
            Difference.ERP_LACKS, (3, Cause.REFUSED),
        ),
        (
            "Shopify refused the fulfilment", lambda: refused_and_paused(left(), CreateFulfilment, "odd"),
            ROUTED, POSTED, (LEFT,),
            Difference.NOT_TOLD, (3, Cause.REFUSED),
        ),
        (
            "the ERP refused the posting, which is awaited all the same",
            lambda: refused(released().clarus(LEFT), PostFulfilment, "odd"), ROUTED, SALE, (LEFT,),
            Difference.NOT_POSTED, (3, Cause.REFUSED),
        ),
        # --- nothing is written there, and it is awaited all the same
        (
            "no sales order, for the ERP is paused", lambda: in_the_warehouse().configured(paused=["erp"]),
            ROUTED, None, (IN_CLARUS,),
            Difference.ERP_LACKS, (3, Cause.STOPPED),
        ),
        (
            "no posting, for the ERP is paused", lambda: released().configured(paused=["erp"]), ROUTED, SALE, (LEFT,),
            Difference.NOT_POSTED, (3, Cause.STOPPED),
        ),
        (
            "nobody told, for Shopify is paused", lambda: released().configured(paused=["shopify"]),
            ROUTED, POSTED, (LEFT,),
            Difference.NOT_TOLD, (3, Cause.STOPPED),
        ),
        # --- under way for longer than it should be
        (
            "no sales order for a day", lambda: in_the_warehouse().later(days=1), ROUTED, None, (IN_CLARUS,),
            Difference.ERP_LACKS, (3, Cause.LATE),
        ),
        (
            "no posting for a day", lambda: released().clarus(LEFT).later(days=1), ROUTED, SALE, (LEFT,),
            Difference.NOT_POSTED, (3, Cause.LATE),
        ),
        (
            "not in Shopify for a day", lambda: left().later(days=1), ROUTED, POSTED, (LEFT,),
            Difference.NOT_TOLD, (3, Cause.LATE),
        ),
        (
            "no tracking number for two days", lambda: released().clarus(NO_NUMBER).later(days=2),
            ROUTED, SALE, (NO_NUMBER,),
            Difference.NO_TRACKING, (1, Cause.LATE),
        ),
        # --- the warehouse did otherwise
        (
            "all three posted, and closed short with two", released, ROUTED, POSTED, (IN_CLARUS.despatched(L901=2),),
            Difference.POSTED_NOT_LEFT, (1, Cause.WAREHOUSE),
        ),
        (
            "three bundles posted, and of the third a part is still being picked", released,
            ROUTED, POSTED, (HALF_A_KIT,),
            Difference.POSTED_NOT_LEFT, (1, Cause.WAREHOUSE),
        ),
        (
            "the one that is asked for now left already with the two before", lambda: ordered(IN_TWO),
            IN_TWO, None, (TWO_IN_CLARUS.despatched(L901=3),),
            Difference.WAREHOUSE_LACKS, (1, Cause.WAREHOUSE),
        ),
        # --- the warehouse has what we did not ask for
        (
            "another goods-out bears the reference that ours would have",
            lambda: refused(ordered(), CreateGoodsOut, "unknown_goods_out"), ROUTED, None, (),
            Difference.WAREHOUSE_LACKS, (3, Cause.UNKNOWN),
        ),
        (
            "one was refunded, and somebody put another product into the goods-out", released,
            ROUTED.refunded(L901=1), SALE, (WITH_JUG,),
            Difference.WAREHOUSE_HAS_MORE, (1, Cause.UNKNOWN),
        ),
        # --- the order was changed
        (
            "two mugs became two hats", released, SWAPPED, SALE, (IN_CLARUS,),
            Difference.WAREHOUSE_LACKS, (2, Cause.EDITED),
        ),
        (
            "put on hold in Shopify when the warehouse had it, and it left", released, ON_HOLD, POSTED, (LEFT,),
            Difference.NOT_TOLD, (3, Cause.EDITED),
        ),
        (
            "on hold when one of three had left, and then cancelled",
            lambda: one_of_three_left(released().shopify(ON_HOLD)), ON_HOLD.cancelled(), ONE_POSTED, (ONE_LEFT,),
            Difference.ERP_LACKS, (2, Cause.EDITED),
        ),
        (
            "the ERP has it as it was before an edit, and it is kept back", lambda: ordered(ON_HOLD).erp(SALE),
            ON_HOLD.refunded(L901=1), SALE, (),
            Difference.ERP_LACKS, (1, Cause.HELD),
        ),
        # --- by hand
        (
            "where we only observe somebody else sends, and tells Shopify", lambda: Story(a_brand(mode="observe")),
            ROUTED.fulfilled("805", L901=1, numbers=("HAND",)), None, (),
            Difference.WAREHOUSE_LACKS, (2, Cause.HAND_SHOPIFY),
        ),
        (
            "told by hand, without the number the warehouse has", released,
            ROUTED.fulfilled("805", L901=3, numbers=("HAND",)), POSTED, (LEFT,),
            Difference.NOT_TOLD, (3, Cause.HAND_SHOPIFY),
        ),
        (
            "finance took one out of the sales order, and posted one of a goods-out that never was", released,
            ROUTED, an_erp_order().with_line("901", "MUG", 2).fulfilment(NEVER_MADE, L901=1), (IN_CLARUS,),
            Difference.ERP_LACKS, (1, Cause.HAND_ERP),
        ),
        (
            "finance posted one that has not left, and one of a goods-out that never was", released,
            ROUTED, SALE.fulfilment(G1, L901=1).fulfilment(NEVER_MADE, L901=1), (IN_CLARUS,),
            Difference.POSTED_NOT_LEFT, (1, Cause.HAND_ERP),
        ),
        # --- a person has decided about the order, and nothing else accounts for it
        (
            "let go unpaid, cancelled when one had left and was told",
            lambda: and_told(one_of_three_left(let_go_unpaid())),
            ONE_TOLD.paid(FinancialStatus.PENDING).cancelled(), ONE_POSTED, (ONE_LEFT,),
            Difference.ERP_LACKS, (2, Cause.SETTLED),
        ),
        (
            "let go unpaid, and Shopify does not show the fulfilment it took",
            lambda: and_told(left(story=let_go_unpaid())), UNPAID, POSTED, (LEFT,),
            Difference.NOT_TOLD, (3, Cause.SETTLED),
        ),
        (
            "let go unpaid, told without a number, and the fulfilment was taken back",
            lambda: and_told(left(NO_NUMBER, story=let_go_unpaid()).later(minutes=11)),
            UNPAID.fulfilled("801", L901=3, cancelled=True), POSTED, (NO_NUMBER,),
            Difference.NO_TRACKING, (1, Cause.SETTLED),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_of_several_things_that_are_true_the_one_that_accounts_for_it_is_named(
    case: str,
    story: Callable[[], Story],
    order: OrderBuilder,
    erp: ErpBuilder | None,
    goods_outs: tuple[GoodsOutBuilder, ...],
    what: Difference,
    found: tuple[int, Cause],
) -> None:
    assert swept(story(), order, erp, *goods_outs)[what] == found, case


# --- what one system said cannot be understood


def swept_with_garbage(
    story: Story, garbled: System, order: OrderBuilder, erp: ErpBuilder | None, *goods_outs: GoodsOutBuilder
) -> Found:
    """All three answer the sweep; before the last of them one says something more that cannot be read."""
    story._event(OrderListed(**story._head("raw.shopify"), system=System.SHOPIFY, sweep=story.at))
    answers: dict[System, Callable[[], Story]] = {
        System.SHOPIFY: lambda: story.shopify(order),
        System.ERP: lambda: story.erp(erp),
        System.CLARUS: lambda: story.clarus(*goods_outs),
    }
    answers.pop(garbled)()
    story.unreadable(garbled)
    for answer in answers.values():
        answer()
    assert story.state.comparison is not None
    return {one.what: (one.count, one.cause) for one in story.state.comparison.drifts}


@pytest.mark.parametrize(
    ("case", "story", "garbled", "order", "erp", "goods_out", "what", "found"),
    [
        (
            "the ERP's answer, when a posting is awaited", released, System.ERP, ROUTED, SALE, LEFT,
            Difference.NOT_POSTED, (3, Cause.UNREADABLE),
        ),
        (
            "Clarus' answer, when what is posted has not left", released, System.CLARUS, ROUTED, ONE_POSTED, IN_CLARUS,
            Difference.POSTED_NOT_LEFT, (1, Cause.UNREADABLE),
        ),
        (
            "Shopify's answer, when it does not show the fulfilment it took", lambda: and_told(left()),
            System.SHOPIFY, ROUTED, POSTED, LEFT,
            Difference.NOT_TOLD, (3, Cause.UNREADABLE),
        ),
        (
            "the ERP's answer, when it has more than the part of a cancelled order that left",
            lambda: and_told(one_of_three_left()), System.ERP, ONE_TOLD.cancelled(), ONE_POSTED, ONE_LEFT,
            Difference.ERP_LACKS, (2, Cause.UNREADABLE),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_could_not_be_read_accounts_for_what_nothing_else_does(
    case: str,
    story: Callable[[], Story],
    garbled: System,
    order: OrderBuilder,
    erp: ErpBuilder,
    goods_out: GoodsOutBuilder,
    what: Difference,
    found: tuple[int, Cause],
) -> None:
    assert swept_with_garbage(story(), garbled, order, erp, goods_out)[what] == found, case
