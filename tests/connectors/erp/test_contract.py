"""What every ERP adapter must do, told once and run over each of them."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest

from connectors.erp.interface import FIRST_POLL
from connectors.runtime.errors import Rejected, Unavailable
from schemas.base import LineId, OrderId, Sku, Units
from schemas.erp import ErpOrderState, FulfilmentState
from schemas.outcomes import OutcomeKind
from tests.connectors.erp.conftest import Tell
from tests.connectors.erp.erps import ErpUnderTest
from tests.connectors.erp.wishes import ACME, BLACK_LAMP, LAMP, RUG, an_order, goods_out, line, posting, wish


def test_an_order_that_is_not_there_is_absent(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        there = an_order()
        await erp.adapter.upsert_order(wish(there, line(1, LAMP, 1)))
        absent, present = await erp.adapter.read(ACME, [order, there])
        assert (absent.order, absent.absent, absent.body) == (order, True, b"")
        assert (present.order, present.absent) == (there, False)

    tell(story)


def test_an_order_stands_with_its_lines_and_is_committed(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        seen = await erp.committed(wish(order, line(11, LAMP, 2), line(12, RUG, 1)))
        assert seen.state is ErpOrderState.COMMITTED
        assert seen.number
        assert {(one.line, one.sku, one.quantity) for one in seen.lines} == {("11", LAMP, 2), ("12", RUG, 1)}
        assert seen.fulfilments == ()

    tell(story)


def test_the_same_wish_again_writes_nothing(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        first = await erp.adapter.upsert_order(wish(order, line(1, LAMP, 2, "1.50")))
        erp.network.writes.clear()
        second = await erp.adapter.upsert_order(wish(order, line(1, LAMP, 2, "1.50")))
        assert (first.already, second.already) == (False, True)
        assert first.external_id == second.external_id
        assert erp.network.writes == []

    tell(story)


def test_same_item_on_two_lines_stays_two_lines(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 2), line(2, LAMP, 3)))
        await erp.adapter.post_fulfilment(posting(order, goods_out(order), _2=2))
        await erp.post_all()
        assert (await erp.in_books(order))["posted"] == {f"{goods_out(order)}#1": {"2": 2}}
        await erp.adapter.post_fulfilment(posting(order, goods_out(order, 2), _1=2, _2=1))
        await erp.post_all()
        assert (await erp.in_books(order))["posted"] == {
            f"{goods_out(order)}#1": {"2": 2},
            f"{goods_out(order, 2)}#1": {"1": 2, "2": 1},
        }

    tell(story)


def test_an_unknown_sku_is_refused_by_name(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        ended = await erp.port.execute(wish(an_order(), line(1, BLACK_LAMP, 1), line(2, Sku("42-A"), 1)))
        assert ended.outcome.kind is OutcomeKind.REJECTED
        assert ended.outcome.code == "unknown_sku"
        assert "42-A" in ended.outcome.text

    tell(story)


def test_partial_then_rest(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 3)))
        await erp.adapter.post_fulfilment(posting(order, goods_out(order), _1=1))
        await erp.post_all()
        await erp.adapter.post_fulfilment(posting(order, goods_out(order, 2), _1=2))
        await erp.post_all()
        assert (await erp.in_books(order))["posted"] == {
            f"{goods_out(order)}#1": {"1": 1},
            f"{goods_out(order, 2)}#1": {"1": 2},
        }

    tell(story)


def test_a_target_is_absolute_and_only_what_is_missing_is_entered(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order, left = an_order(), goods_out(OrderId("1"))
        await erp.committed(wish(order, line(1, LAMP, 5), line(2, RUG, 1)))
        await erp.adapter.post_fulfilment(posting(order, left, _1=2))
        again = await erp.adapter.post_fulfilment(posting(order, left, _1=2))
        more = await erp.adapter.post_fulfilment(posting(order, left, _1=5, _2=1))
        fewer = await erp.adapter.post_fulfilment(posting(order, left, _1=1))
        assert (again.already, more.already, fewer.already) == (True, False, True)
        await erp.post_all()
        assert (await erp.in_books(order))["posted"] == {f"{left}#1": {"1": 2}, f"{left}#2": {"1": 3, "2": 1}}

    tell(story)


def test_erp_posted_second_despatch_first(tell: Tell) -> None:
    """Two despatches are entered before the ERP posts either; each stays under its own key."""

    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 2), line(2, RUG, 2)))
        await erp.adapter.post_fulfilment(posting(order, goods_out(order), _1=1, _2=2))
        await erp.adapter.post_fulfilment(posting(order, goods_out(order, 2), _1=1))
        seen = await erp.order(order)
        assert [(one.key, one.state, one.posted_at) for one in seen.fulfilments] == [
            (f"{goods_out(order)}#1", FulfilmentState.OPEN, None),
            (f"{goods_out(order, 2)}#1", FulfilmentState.OPEN, None),
        ]
        assert {unit.line: unit.quantity for unit in seen.fulfilments[0].lines} == {"1": 1, "2": 2}
        await erp.post_all()
        seen = await erp.order(order)
        assert {one.state for one in seen.fulfilments} == {FulfilmentState.POSTED}
        assert all(one.posted_at is not None for one in seen.fulfilments)
        assert seen.fulfilments[1].lines == (Units(line=LineId("1"), quantity=1),)

    tell(story)


def test_more_than_ordered_is_refused_and_nothing_entered(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 2), line(2, RUG, 1)))
        with pytest.raises(Rejected) as refused:
            await erp.adapter.post_fulfilment(posting(order, goods_out(order), _1=3, _2=1))
        assert (refused.value.code, refused.value.field) == ("more_than_ordered", "lines.1")
        assert (await erp.order(order)).fulfilments == ()

    tell(story)


def test_nothing_is_posted_against_an_order_the_erp_does_not_have(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        ended = await erp.port.execute(posting(order, goods_out(order), _1=1))
        assert (ended.outcome.kind, ended.outcome.code) == (OutcomeKind.REJECTED, "no_sales_order")

    tell(story)


def test_erp_order_edited_after_commit(tell: Tell) -> None:
    """A line grows, one falls, one goes, one is new; then the whole is posted."""

    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 3), line(2, RUG, 1), line(3, BLACK_LAMP, 2)))
        seen = await erp.committed(wish(order, line(1, LAMP, 1), line(2, RUG, 4), line(4, BLACK_LAMP, 1)))
        assert seen.state is ErpOrderState.COMMITTED
        assert {(one.line, one.quantity) for one in seen.lines} == {("1", 1), ("2", 4), ("4", 1)}
        again = await erp.adapter.upsert_order(wish(order, line(1, LAMP, 1), line(2, RUG, 4), line(4, BLACK_LAMP, 1)))
        assert again.already
        await erp.adapter.post_fulfilment(posting(order, goods_out(order), _1=1, _2=4, _4=1))
        await erp.post_all()
        books = await erp.in_books(order)
        assert books["lines"] == {"1": 1, "2": 4, "4": 1}
        assert books["open"] == []
        posted = [unit for part in books["posted"].values() for unit in part.items()]
        assert sorted(posted) == [("1", 1), ("2", 4), ("4", 1)]

    tell(story)


def test_what_is_shipped_cannot_be_taken_off_the_order(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 3)))
        await erp.adapter.post_fulfilment(posting(order, goods_out(order), _1=2))
        with pytest.raises(Rejected) as refused:
            await erp.adapter.upsert_order(wish(order, line(1, LAMP, 1)))
        assert (refused.value.code, refused.value.field) == ("line_is_shipped", "lines.1")
        fewer = await erp.adapter.upsert_order(wish(order, line(1, LAMP, 2)))
        assert not fewer.already

    tell(story)


def test_price_only_edit(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 3, "49.90")))
        cheaper = await erp.adapter.upsert_order(wish(order, line(1, LAMP, 3, "39.90")))
        again = await erp.adapter.upsert_order(wish(order, line(1, LAMP, 3, "39.90")))
        assert (cheaper.already, again.already) == (False, True)

    tell(story)


def test_answer_lost_on_creating_the_order(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        erp.network.lose_next_answer()
        ended = await erp.port.execute(wish(order, line(1, LAMP, 1)))
        assert ended.outcome.kind is OutcomeKind.APPLIED
        await erp.approve()
        assert (await erp.order(order)).state is ErpOrderState.COMMITTED
        assert (await erp.in_books(order))["lines"] == {"1": 1}

    tell(story)


def test_answer_lost_on_entering_the_fulfilment(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        await erp.committed(wish(order, line(1, LAMP, 2)))
        erp.network.lose_next_answer()
        ended = await erp.port.execute(posting(order, goods_out(order), _1=2))
        assert ended.outcome.kind is OutcomeKind.APPLIED
        assert ended.outcome.external_id == f"{goods_out(order)}#1"
        (reading,) = ended.readings
        assert len(erp.translate(reading.body).fulfilments) == 1
        await erp.post_all()
        assert (await erp.in_books(order))["posted"] == {f"{goods_out(order)}#1": {"1": 2}}

    tell(story)


@pytest.mark.parametrize("writes", [1, 2, 3, 4, 5])
def test_a_write_cut_off_anywhere_is_finished_by_the_next_try(tell: Tell, writes: int) -> None:
    async def story(erp: ErpUnderTest) -> None:
        order = an_order()
        before = wish(order, line(1, LAMP, 3), line(2, RUG, 2))
        after = wish(order, line(1, LAMP, 2), line(2, RUG, 2))
        for command in (before, after, posting(order, goods_out(order), _1=1, _2=2)):
            erp.network.go_away_after(writes)
            with suppress(Unavailable):
                await erp.port.execute(command)
            erp.network.come_back()
            assert (await erp.port.execute(command)).outcome.kind in {OutcomeKind.APPLIED, OutcomeKind.ALREADY_APPLIED}
            await erp.approve()
        await erp.post_all()
        assert await erp.in_books(order) == {
            "lines": {"1": 2, "2": 2},
            "posted": {f"{goods_out(order)}#1": {"1": 1, "2": 2}},
            "open": [],
        }

    tell(story)


def test_the_poll_finds_a_posting_nobody_told_us_about(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        quiet, posted = an_order(), an_order()
        await erp.committed(wish(quiet, line(1, LAMP, 1)))
        await erp.committed(wish(posted, line(1, LAMP, 1)))
        await erp.adapter.post_fulfilment(posting(posted, goods_out(posted), _1=1))
        seen = await erp.adapter.changes_since(ACME, "")
        assert {quiet, posted} <= set(seen.orders)
        assert {quiet, posted} <= set(await erp.adapter.listed(ACME, datetime(2020, 1, 1, tzinfo=UTC)))
        assert not await erp.adapter.listed(ACME, datetime(2099, 1, 1, tzinfo=UTC))
        await erp.post_all()
        later = await erp.adapter.changes_since(ACME, seen.cursor)
        assert posted in later.orders
        assert (await erp.adapter.changes_since(ACME, later.cursor)).cursor == later.cursor

    tell(story)


def test_the_first_poll_looks_back_for_some_hours_and_later_ones_go_on_from_there(tell: Tell) -> None:
    async def story(erp: ErpUnderTest) -> None:
        old = an_order()
        await erp.committed(wish(old, line(1, LAMP, 1)))
        erp.clock.advance(FIRST_POLL.total_seconds() - 600)
        assert old in (await erp.adapter.changes_since(ACME, "")).orders
        erp.clock.advance(1200)
        first = await erp.adapter.changes_since(ACME, "")
        assert (first.orders, first.proven) == ((), True)
        assert (await erp.adapter.changes_since(ACME, first.cursor)).orders == ()
        assert old in await erp.adapter.listed(ACME, erp.clock.now() - 2 * FIRST_POLL), "the sweep finds it"

    tell(story)
