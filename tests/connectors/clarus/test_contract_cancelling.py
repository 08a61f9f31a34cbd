"""The contract goes on: cancelling, hints that name a goods-out, and the poll."""

import pytest

from connectors.runtime.errors import Blind
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from tests.connectors.clarus.commands import ACME, ORDER, about, cancel, reference
from tests.connectors.clarus.conftest import Tell
from tests.connectors.clarus.sides import Clarus

CANCEL = "POST /api/goods_outs/90001/cancel"


def test_a_pending_one_is_cancelled_and_seen_gone(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(cancel("90001"))
        assert (execution.outcome.kind, execution.outcome.external_id) == (OutcomeKind.APPLIED, "90001")
        (reading,) = execution.readings
        assert reading.complete
        assert b"ACME-5012-71-1" not in reading.body
        assert clarus.network.writes() == [CANCEL]
        again = await clarus.port.execute(cancel("90001"))
        assert again.outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert clarus.network.writes() == [CANCEL]

    tell("already_there", story)


def test_an_allocated_one_is_cancelled_where_the_command_allows_it(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        refused = (await clarus.port.execute(cancel("90001"))).outcome
        assert (refused.code, refused.field, refused.text) == ("state_not_allowed", "status", "ALLOCATED")
        assert clarus.network.writes() == []
        allowed = (GoodsOutStatus.DRAFT, GoodsOutStatus.PENDING, GoodsOutStatus.ALLOCATED)
        execution = await clarus.port.execute(cancel("90001", allowed))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        (goods_out,) = await clarus.goods_outs()
        assert goods_out.status is GoodsOutStatus.CANCELLED

    tell("allocated", story)


def test_from_picking_on_nothing_is_cancelled(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(cancel("90001"))
        assert execution.outcome.kind is OutcomeKind.REJECTED
        assert (execution.outcome.code, execution.outcome.text) == ("state_not_allowed", "PICK")
        assert b"PICK" in execution.readings[0].body
        assert clarus.network.writes() == []

    tell("being_picked", story)


def test_a_cancelled_one_is_not_cancelled_again(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        assert (await clarus.port.execute(cancel("90001"))).outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert clarus.network.writes() == []

    tell("cancelled", story)


def test_one_keyed_again_under_the_same_reference_is_not_ours_to_cancel(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(cancel("89999"))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, "unknown_goods_out")
        assert (outcome.field, outcome.text) == ("reference", reference())
        assert clarus.network.writes() == []

    tell("already_there", story)


def test_a_lost_answer_to_a_cancel_is_waited_out_and_looked_for(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        execution = await clarus.port.execute(cancel("90001"))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        assert clarus.network.writes() == [CANCEL]
        assert clarus.seconds() > 30
        assert len(execution.readings) == 1

    tell("cancel_answer_lost", story)


def test_a_cancel_that_was_not_done_is_left_to_the_next_try(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        outcome = (await clarus.port.execute(cancel("90001"))).outcome
        assert (outcome.kind, outcome.code) == (OutcomeKind.DELAYED, "unclear")
        assert clarus.network.writes() == [CANCEL]

    tell("cancel_not_done", story)


def test_a_hint_that_names_a_goods_out_is_resolved_by_its_reference(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        assert await clarus.port.resolve(about("goods_out/90001")) == (ORDER,)
        assert await clarus.port.resolve(about("goods_out/90002")) == (), "a wholesaler's"
        assert await clarus.port.resolve(about("goods_out/90003")) == (), "another shop's"
        assert await clarus.port.resolve(about("goods_out/90099")) == (), "gone"
        assert clarus.network.names() == ["Look goods_outs"] * 4
        assert await clarus.port.resolve(about("shipment/6101")) == ()
        assert await clarus.port.resolve(about("goods_out/x")) == ()

    tell("ours_and_theirs", story)


def test_without_rights_a_hint_is_not_taken_for_nobodys(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        with pytest.raises(Blind):
            await clarus.port.resolve(about("goods_out/90001"))

    tell("no_rights", story)


def test_the_poll_finds_open_ones_at_first_and_then_what_changed(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        first = await clarus.port.changes(ACME, "")
        assert first.proven
        assert first.orders == ("5012", "5013", "5015")
        unchanged = await clarus.port.changes(ACME, first.cursor)
        assert unchanged.orders == ()
        clarus.move("goes on")
        then = await clarus.port.changes(ACME, unchanged.cursor)
        assert then.orders == ("5012", "5013", "5015", "5017"), "allocated, completed, deleted, new"
        assert (await clarus.port.changes(ACME, then.cursor)).orders == ()
        assert clarus.network.names() == ["Look", *["Look goods_outs"] * 4], "the account's id is asked for once"

    tell("day_at_the_warehouse", story)


def test_without_rights_the_poll_says_so_and_keeps_its_cursor(tell: Tell) -> None:
    async def story(clarus: Clarus) -> None:
        with pytest.raises(Blind):
            await clarus.port.changes(ACME, '{"90001":["5012","PENDING",""]}')

    tell("no_rights", story)
