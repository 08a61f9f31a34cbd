"""What happens while we look and cancel."""

from sandbox.faults import Fault
from schemas.goods_outs import GoodsOutStatus
from schemas.outcomes import OutcomeKind
from tests.connectors.clarus.commands import cancel
from tests.connectors.clarus.scenes import Floor
from tests.connectors.clarus.sides import Clarus
from tests.connectors.clarus.wire import Wire, before, on_the_floor

CANCEL = "POST /api/goods_outs/90001/cancel"


def test_picking_that_began_before_the_cancel_arrives_shows_in_the_reading() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, CANCEL, lambda: floor.world.pick(goods_out.id))
        execution = await clarus.port.execute(cancel("90001"))
        assert execution.outcome.kind is OutcomeKind.APPLIED
        (shown,) = await clarus.goods_outs()
        assert (shown.status, shown.lines[0].picked) == (GoodsOutStatus.CANCELLED, 2)
        assert b'"pick_quantity":2' in execution.readings[0].body

    on_the_floor(story)


def test_despatched_before_the_cancel_arrives_it_is_refused() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, CANCEL, lambda: floor.world.despatch(goods_out.id))
        execution = await clarus.port.execute(cancel("90001"))
        assert (execution.outcome.kind, execution.outcome.code) == (OutcomeKind.REJECTED, "goods_out_completed")
        assert b"COMPLETED" in execution.readings[0].body

    on_the_floor(story)


def test_despatched_while_an_unclear_cancel_is_waited_out_it_was_not_cancelled() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        floor.faults.force("cancel_goods_out", Fault.SERVER_ERROR)
        before(clarus, "Look goods_outs", lambda: floor.world.despatch(goods_out.id), time=2)
        execution = await clarus.port.execute(cancel("90001"))
        assert (execution.outcome.kind, execution.outcome.text) == (OutcomeKind.REJECTED, "COMPLETED")

    on_the_floor(story)


def test_gone_before_the_cancel_arrives_is_as_wished() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        goods_out = floor.goods_out("ACME-5012-71-1")
        before(clarus, CANCEL, lambda: floor.world.delete_by_hand(goods_out.id))
        execution = await clarus.port.execute(cancel("90001"))
        assert execution.outcome.kind is OutcomeKind.ALREADY_APPLIED
        assert clarus.seconds() < 29, "nothing to wait out"

    on_the_floor(story)


def test_of_two_with_one_reference_the_one_meant_is_judged_and_cancelled() -> None:
    async def story(clarus: Clarus, floor: Floor, _wire: Wire) -> None:
        first, second = floor.goods_out("ACME-5012-71-1"), floor.goods_out("ACME-5012-71-1")
        floor.world.pick(first.id)
        assert (await clarus.port.execute(cancel(str(second.id)))).outcome.kind is OutcomeKind.APPLIED
        assert list(floor.world.goods_outs) == [first.id]

    on_the_floor(story)
